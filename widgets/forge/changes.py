"""The user's changes to a form, as values: a form state in, a form state out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.layer_kinds import LayersError, parse_layers
from core.forge.values import SendMethod
from widgets.forge.fragments import with_address
from widgets.forge.layers import (
    LAYER_CHOICES,
    LinkPart,
    for_method,
    layer_names,
    with_forced_method,
    with_layer,
)
from widgets.forge.rows import LAYERS, METHODS, FormRow, HostInfo
from widgets.forge.settings import COUNT, INTERVAL, RATE, SendSettings


@dataclass(frozen=True, slots=True)
class FormState:
    """The content of the form.

    `drafts` are in the order in which they are sent; `index` is the one that is shown; `settings`
    say how to send them. `links` has what the send method leaves out, by draft; empty if nothing
    was left out yet.
    """

    drafts: tuple[Draft, ...] = (Draft(),)
    index: int = 0
    settings: SendSettings = field(default_factory=SendSettings)
    links: tuple[LinkPart, ...] = ()

    @classmethod
    def of(cls, drafts: Sequence[Draft], interface: str = "") -> FormState:
        """Return a form with these drafts, sent by the method that their first layers need."""
        method = SendMethod.LINK if any(draft.has_link for draft in drafts) else SendMethod.IP
        state = cls(tuple(drafts), settings=SendSettings(method, interface))
        return state.with_method(method)

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
        state = replace(
            self, drafts=tuple(drafts), settings=with_forced_method(draft, self.settings)
        )
        return (
            state
            if state.settings.method is self.settings.method
            else state.with_method(state.settings.method)
        )

    def with_method(self, method: SendMethod) -> FormState:
        """Return the state with another send method; verbatim brings back what others left out."""
        links = self.links or (LinkPart(),) * len(self.drafts)
        changed = [
            for_method(draft, method, link) for draft, link in zip(self.drafts, links, strict=True)
        ]
        parts = tuple(link for _, link in changed)
        return replace(
            self,
            drafts=tuple(draft for draft, _ in changed),
            settings=replace(self.settings, method=method),
            links=parts if any(link != LinkPart() for link in parts) else (),
        )


def typed(state: FormState, key: str, text: str) -> tuple[FormState, str]:
    """Return the state after a text was typed, and an error if the form cannot hold the text."""
    if key == LAYERS:
        try:
            return state.with_draft(state.draft.with_layers(parse_layers(text))), ""
        except LayersError as error:
            return state, str(error)
    if key in (COUNT, RATE, INTERVAL):
        return replace(state, settings=state.settings.with_text(key, text.strip())), ""
    drafts = with_address(state.drafts, state.index, key, text)
    return replace(state, drafts=drafts), ""


def choose(state: FormState, row: FormRow, index: int, host: HostInfo) -> FormState:
    """Return the state with another choice in one of its rows.

    Sending verbatim on an interface without link headers removes the link layers.
    """
    match row.key:
        case ":packet":
            return replace(state, index=index)
        case ":method":
            method = tuple(METHODS)[index]
            interface = state.settings.interface
            return state.with_method(
                host.verbatim_method(interface) if method.is_verbatim else method
            )
        case ":interface":
            name = host.interfaces[index - 1] if index else ""
            chosen = replace(state, settings=replace(state.settings, interface=name))
            return follow_link(chosen, host)
    place, _ = LAYER_CHOICES[row.key]
    return state.with_draft(with_layer(state.draft, place, layer_names(place)[index]))


def follow_link(state: FormState, host: HostInfo) -> FormState:
    """Return the state with the link layer that the interface of a verbatim packet needs.

    If neither the user nor the route has chosen an interface yet, nothing changes.
    """
    settings = state.settings
    if not settings.method.is_verbatim or not (settings.interface or host.route_interface):
        return state
    method = host.verbatim_method(settings.interface)
    return state if method is settings.method else state.with_method(method)


def switch_flag(state: FormState, row: FormRow) -> FormState:
    """Return the state with a flag set if it is clear in the bytes, and clear if it is set.

    If the flag has the wanted value without being typed, its text is emptied.
    """
    wanted = not row.is_set
    opened = state.draft.with_text(row.key, "")
    if evaluate(opened).field(row.key).value == wanted:
        return state.with_draft(opened)
    return state.with_draft(state.draft.with_text(row.key, "1" if wanted else "0"))
