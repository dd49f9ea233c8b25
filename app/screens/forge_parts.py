"""The parts of the forge panel with the registry's keys, and what is put into them."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from core.capture.options import ANY
from core.engine.engine import EngineSnapshot, EngineState
from core.forge.compose.draft import TRAILER
from core.forge.compose.from_packet import Filled
from core.forge.compose.layer_kinds import KINDS
from core.forge.values import SendMethod
from core.wire.model.text import safe
from core.wire.protocol import LayerPosition
from widgets.forge.changes import FormState
from widgets.forge.rows import FormRow

ROUTED = ("ip", "ipv6")


def held_of(filled: Filled, interface: str) -> FormState:
    """The form for a captured packet: an IP packet on the way through the IP stack, where its
    link header is not needed; with what was typed for that it can be had back."""
    held = FormState.of((filled.draft,), interface)
    network = [name for name in filled.draft.layers if KINDS[name].place is LayerPosition.NETWORK]
    if not network or network[0] not in ROUTED:
        return held
    without_padding = held.draft.with_text(TRAILER, "")
    return held.with_draft(without_padding).on_way(SendMethod.IP)


def why_blind(worker: EngineSnapshot, interface: str) -> str:
    """Return why the capture cannot see a packet that leaves on `interface`; empty if it can."""
    if worker.state is not EngineState.LIVE:
        return "capture is stopped, so the sent packet and its replies cannot be shown"
    if interface and not {interface, ANY} & set(worker.interfaces):
        where = safe(", ".join(worker.interfaces))
        return f"the capture is on {where}, so it cannot show packets on {safe(interface)}"
    return ""


class Explanation(Widget):
    """Name, range and meaning of the field under the cursor, or what is wrong with it.

    What was done to the form is said here, too: a toast would lie over the bytes.
    """

    COMPONENT_CLASSES = {"explanation--error", "explanation--said", "explanation--text"}

    row: reactive[FormRow | None] = reactive(None)
    said: reactive[str] = reactive("")
    """What there is to say of the whole form, until something else is done."""

    def render(self) -> Text:
        row = self.row
        if self.said:
            style = self.get_component_rich_style("explanation--said", partial=True)
            return Text(f"· {safe(self.said)}", style, overflow="ellipsis")
        if row is None:
            return Text()
        if row.error:
            style = self.get_component_rich_style("explanation--error", partial=True)
            return Text(f"✗ {safe(row.error)}", style, overflow="ellipsis")
        style = self.get_component_rich_style("explanation--text", partial=True)
        return Text(safe(row.explanation), style, overflow="ellipsis")
