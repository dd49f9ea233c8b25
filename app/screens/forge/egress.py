"""The interface that a forged packet leaves on, and why the capture may not see the packet."""

from __future__ import annotations

from dataclasses import replace

from core.capture.options import ANY
from core.capture.renaming import current_name
from core.engine.snapshot import EngineSnapshot, EngineState
from core.forge.compose.draft import TRAILER
from core.forge.compose.draft_parser import given_values
from core.forge.compose.from_packet import Filled
from core.forge.compose.layer_kinds import KINDS
from core.forge.compose.route_suggestions import destination
from core.forge.values import SendMethod
from core.wire.model.text import safe
from core.wire.protocol import LayerPosition
from widgets.forge.changes import FormState
from widgets.forge.layers import LinkPart

ROUTED = ("ip", "ipv6")


def form_state_of(filled: Filled, interface: str) -> FormState:
    """Return the form for a captured packet.

    An IP packet is sent through the IP stack, which needs no link header; choosing verbatim brings
    back the link layers and the padding of the frame.
    """
    state = FormState.of((filled.draft,), interface)
    network = [name for name in filled.draft.layers if KINDS[name].place is LayerPosition.NETWORK]
    if not network or network[0] not in ROUTED:
        return state
    padding = LinkPart(trailer=filled.draft.text(TRAILER))
    return replace(state, links=(padding,)).with_method(SendMethod.IP)


def left_out(state: FormState) -> str:
    """Return a note about the tags that the send method leaves out, or an empty string.

    The link header alone is not worth a note: the kernel writes another one.
    """
    layers = next((link.layers for link in state.links if link.layers), ())
    if len(layers) < 2 or state.settings.method is SendMethod.LINK:
        return ""
    return f"{'/'.join(layers)} is left out; send method verbatim brings it back"


def chosen_interface(state: FormState, captured: str) -> str:
    """Return the interface for a verbatim frame that no route decides; empty if a route does.

    It is the interface in the form. Without one, a frame without a destination to route, such as an
    ARP request whose target is not typed yet, leaves on `captured`, the interface of the capture.
    """
    settings = state.settings
    if not settings.method.is_verbatim or settings.interface:
        return settings.interface if settings.method.is_verbatim else ""
    is_routed = any(
        set(ROUTED) & set(draft.layers) or destination(draft, given_values(draft)) is not None
        for draft in state.drafts
    )
    return "" if is_routed else captured


def captured_interface(engine: EngineSnapshot) -> str:
    """Return the interface of a live capture on one interface; empty otherwise."""
    interfaces = engine.interfaces if engine.state is EngineState.LIVE else ()
    return interfaces[0] if len(interfaces) == 1 and interfaces[0] != ANY else ""


def why_blind(engine: EngineSnapshot, interface: str) -> str:
    """Return why the capture cannot see a packet that leaves on `interface`; empty if it can."""
    if engine.state is not EngineState.LIVE:
        return "capture is stopped, so the sent packet and its replies cannot be shown"
    interface = current_name(interface, engine.renamed)
    if interface and not {interface, ANY} & set(engine.interfaces):
        where = safe(", ".join(engine.interfaces))
        return f"the capture is on {where}, so it cannot show packets on {safe(interface)}"
    return ""
