"""The interface of a forged packet, and why the capture may not see it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.screens.forge.egress import (
    captured_interface,
    chosen_interface,
    form_state_of,
    left_out,
    why_blind,
)
from core.engine.snapshot import EngineSnapshot, EngineState
from core.forge.compose.draft import TRAILER, Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.from_packet import draft_of
from core.forge.compose.layer_kinds import KINDS
from core.forge.values import SendMethod
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.protocol import LayerPosition
from tests.core.wire import frames as made
from tests.fuzz.shapes import shapes
from tests.helpers.scripted import conversations
from widgets.forge.changes import FormState

LIVE = EngineSnapshot(EngineState.LIVE, interfaces=("eth0",))
ROUTED = Draft(("eth", "ip", "udp"))
UNROUTED = Draft(("eth", "arp"))


@pytest.mark.parametrize(
    ("draft", "typed", "captured", "chosen"),
    [
        (ROUTED, "", "eth0", ""),
        (ROUTED, "eth1", "eth0", "eth1"),
        (UNROUTED, "", "eth0", "eth0"),
        (UNROUTED, "eth1", "eth0", "eth1"),
        (UNROUTED, "", "", ""),
        (UNROUTED.with_text("arp.dst.proto_ipv4", "10.9.0.2"), "", "lo", ""),
        (UNROUTED.with_text("arp.dst.proto_ipv4", "10.9.0.2"), "eth1", "lo", "eth1"),
    ],
)
def test_a_frame_that_nothing_routes_leaves_on_the_interface_of_the_capture(
    draft, typed, captured, chosen
):
    assert chosen_interface(FormState.of((draft,), typed), captured) == chosen


def test_a_packet_for_the_ip_stack_has_no_chosen_interface():
    state = FormState.of((Draft(("ip", "udp")),), "eth1")
    assert state.settings.method is SendMethod.IP
    assert chosen_interface(state, "eth0") == ""


@pytest.mark.parametrize(
    ("engine", "interface"),
    [
        (LIVE, "eth0"),
        (replace(LIVE, interfaces=("eth0", "lo")), ""),
        (replace(LIVE, interfaces=("any",)), ""),
        (replace(LIVE, state=EngineState.STOPPED), ""),
    ],
)
def test_only_a_live_capture_on_one_interface_names_it(engine, interface):
    assert captured_interface(engine) == interface


@pytest.mark.parametrize(
    ("engine", "interface", "reason"),
    [
        (LIVE, "eth0", ""),
        (LIVE, "", ""),
        (replace(LIVE, interfaces=("any",)), "eth1", ""),
        (LIVE, "eth1", "the capture is on eth0, so it cannot show packets on eth1"),
        (replace(LIVE, state=EngineState.STOPPED), "eth0", "capture is stopped"),
    ],
)
def test_reasons_for_a_blind_capture(engine, interface, reason):
    found = why_blind(engine, interface)
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def form_state(index: int) -> FormState:
    frame = list(conversations())[index]
    filled = draft_of(dissect(frame.data, LinkType.ETHERNET, len(frame.data), 0))
    return form_state_of(filled, "eth0")


def test_a_captured_ip_packet_is_sent_through_the_ip_stack_without_padding():
    state = form_state(4)
    assert state.settings.method is SendMethod.IP
    assert state.draft.layers[0] == "ip"
    assert TRAILER not in state.draft.own().texts


def test_a_captured_arp_packet_is_sent_verbatim_on_its_interface():
    state = form_state(0)
    assert state.settings.method is SendMethod.LINK
    assert (state.draft.layers, state.settings.interface) == (("eth", "arp"), "eth0")


def test_verbatim_brings_back_every_link_layer_that_the_form_knows():
    """And the padding: the frame of a captured packet, in every shape, is built byte for byte."""
    stacks = set()
    for shape in shapes():
        filled = draft_of(dissect(shape.data, shape.link_type, len(shape.data), 0))
        if not filled.draft.has_link:
            continue
        state = form_state_of(filled, "eth0")
        for method in (state.settings.method, SendMethod.SYSTEM, SendMethod.PACKET, SendMethod.IP):
            again = state.with_method(method).with_method(SendMethod.LINK)
            assert again.draft.layers == filled.draft.layers, shape.name
            assert evaluate(again.draft).data == filled.data, (shape.name, method)
        stacks.add(filled.draft.layers[: len(link_layers(filled.draft))])
    assert {("eth",), ("eth", "vlan"), ("eth", "ieee8021ad", "vlan")} <= stacks


def link_layers(draft: Draft) -> list[str]:
    return [name for name in draft.layers if KINDS[name].place <= LayerPosition.TAG]


TAGGED = made.ethernet(
    bytes.fromhex("0064 8100 6005 0800") + made.ipv4(made.udp(b"x"), 17), 0x88A8
) + bytes(9)  # fmt: skip


def test_another_ttl_changes_only_ttl_and_checksum_of_a_tagged_frame():
    state = form_state_of(draft_of(dissect(TAGGED, LinkType.ETHERNET, len(TAGGED), 0)), "eth0")
    assert state.draft.layers == ("ip", "udp")
    assert left_out(state).startswith("eth/ieee8021ad/vlan is left out")
    changed = state.with_draft(state.draft.with_text("ip.ttl", "3")).with_method(SendMethod.LINK)
    assert left_out(changed) == ""
    data = evaluate(changed.draft).data
    assert len(data) == len(TAGGED)
    ip = 22
    differing = {
        at - ip for at, (one, other) in enumerate(zip(data, TAGGED, strict=True)) if one != other
    }
    assert 8 in differing
    assert differing <= {8, 10, 11}


def test_a_trailer_that_the_user_typed_stays_with_every_method():
    state = FormState.of((Draft(("ip", "udp"), {TRAILER: "end"}),))
    again = state.with_method(SendMethod.LINK).with_method(SendMethod.IP)
    assert again.draft.text(TRAILER) == "end"
