"""What the user does to a form, as values: drafts and settings in, drafts and settings out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.values import SendMethod
from widgets.forge.layers import (
    LAYER_CHOICES,
    LayersError,
    layer_names,
    on_way,
    parse_layers,
    way_of,
    with_layer,
)
from widgets.forge.rows import LAYERS, WAYS, FormRow
from widgets.forge.settings import COUNT, INTERVAL, RATE, SendSettings


@dataclass(frozen=True, slots=True)
class FormState:
    """What the form holds: drafts that are sent in this order, which one is seen, and how."""

    drafts: tuple[Draft, ...] = (Draft(),)
    index: int = 0
    settings: SendSettings = field(default_factory=SendSettings)

    @classmethod
    def of(cls, drafts: Sequence[Draft], interface: str = "") -> FormState:
        """These drafts, to leave in the way that their first layer asks for."""
        way = SendMethod.LINK if any(draft.has_link for draft in drafts) else SendMethod.IP
        held = cls(tuple(drafts), settings=SendSettings(way, interface))
        return held.on_way(way)

    @property
    def draft(self) -> Draft:
        """The one that is seen."""
        return self.drafts[self.index]

    def with_draft(self, draft: Draft) -> FormState:
        """Another draft in the place of the one that is seen; all of them leave the same way."""
        drafts = list(self.drafts)
        drafts[self.index] = draft
        held = replace(self, drafts=tuple(drafts), settings=way_of(draft, self.settings))
        return held if held.settings.way is self.settings.way else held.on_way(held.settings.way)

    def on_way(self, way: SendMethod) -> FormState:
        """The same on another way out."""
        drafts = tuple(on_way(draft, way) for draft in self.drafts)
        return replace(self, drafts=drafts, settings=replace(self.settings, way=way))


def typed(held: FormState, key: str, text: str) -> tuple[FormState, str]:
    """What a text makes of the form, and what is wrong with it where the form cannot hold it."""
    if key == LAYERS:
        try:
            return held.with_draft(held.draft.with_layers(parse_layers(text))), ""
        except LayersError as error:
            return held, str(error)
    if key in (COUNT, RATE, INTERVAL):
        return replace(held, settings=held.settings.with_text(key, text.strip())), ""
    return held.with_draft(held.draft.with_text(key, text)), ""


def choose(held: FormState, row: FormRow, index: int, interfaces: Sequence[str]) -> FormState:
    """The form with another choice in one of its rows."""
    match row.key:
        case ":packet":
            return replace(held, index=index)
        case ":way":
            return held.on_way(tuple(WAYS)[index])
        case ":interface":
            name = interfaces[index - 1] if index else ""
            return replace(held, settings=replace(held.settings, interface=name))
    place, _ = LAYER_CHOICES[row.key]
    return held.with_draft(with_layer(held.draft, place, layer_names(place)[index]))


def switch_flag(held: FormState, row: FormRow) -> FormState:
    """The form with a flag on where it is off in the bytes, and off where it is on.

    Where it is so without being typed, nothing is typed.
    """
    wanted = not row.is_set
    opened = held.draft.with_text(row.key, "")
    if evaluate(opened).field(row.key).value == wanted:
        return held.with_draft(opened)
    return held.with_draft(held.draft.with_text(row.key, "1" if wanted else "0"))
