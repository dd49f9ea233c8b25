"""The user's changes to a form, as values: a form state in, a form state out."""

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
    """The content of the form.

    `drafts` are in the order in which they are sent; `index` is the one that is shown; `settings`
    say how to send them.
    """

    drafts: tuple[Draft, ...] = (Draft(),)
    index: int = 0
    settings: SendSettings = field(default_factory=SendSettings)

    @classmethod
    def of(cls, drafts: Sequence[Draft], interface: str = "") -> FormState:
        """Return a form with these drafts, sent by the method that their first layers need."""
        way = SendMethod.LINK if any(draft.has_link for draft in drafts) else SendMethod.IP
        held = cls(tuple(drafts), settings=SendSettings(way, interface))
        return held.on_way(way)

    @property
    def draft(self) -> Draft:
        """The draft that is shown."""
        return self.drafts[self.index]

    def with_draft(self, draft: Draft) -> FormState:
        """Return the state with another draft in place of the shown one.

        All drafts share one send method.
        """
        drafts = list(self.drafts)
        drafts[self.index] = draft
        held = replace(self, drafts=tuple(drafts), settings=way_of(draft, self.settings))
        return held if held.settings.way is self.settings.way else held.on_way(held.settings.way)

    def on_way(self, way: SendMethod) -> FormState:
        """Return the state with another send method."""
        drafts = tuple(on_way(draft, way) for draft in self.drafts)
        return replace(self, drafts=drafts, settings=replace(self.settings, way=way))


def typed(held: FormState, key: str, text: str) -> tuple[FormState, str]:
    """Return the state after a text was typed, and an error if the form cannot hold the text."""
    if key == LAYERS:
        try:
            return held.with_draft(held.draft.with_layers(parse_layers(text))), ""
        except LayersError as error:
            return held, str(error)
    if key in (COUNT, RATE, INTERVAL):
        return replace(held, settings=held.settings.with_text(key, text.strip())), ""
    return held.with_draft(held.draft.with_text(key, text)), ""


def choose(held: FormState, row: FormRow, index: int, interfaces: Sequence[str]) -> FormState:
    """Return the state with another choice in one of its rows."""
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
    """Return the state with a flag set if it is clear in the bytes, and clear if it is set.

    If the flag has the wanted value without being typed, its text is emptied.
    """
    wanted = not row.is_set
    opened = held.draft.with_text(row.key, "")
    if evaluate(opened).field(row.key).value == wanted:
        return held.with_draft(opened)
    return held.with_draft(held.draft.with_text(row.key, "1" if wanted else "0"))
