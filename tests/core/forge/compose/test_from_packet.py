"""A captured packet as a draft."""

from __future__ import annotations

import pytest

from core.forge.compose.evaluation import evaluate
from core.forge.compose.from_packet import draft_of, resent
from core.forge.values import SendMethod
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import PacketFlag
from core.wire.registry import PROTOCOLS
from tests.core.wire import frames as made
from tests.core.wire.encode.test_build import captured
from tests.core.wire.network.test_unset_length import LEFT
from tests.fuzz.shapes import shapes
from tests.helpers.support import is_thorough

SYN = made.ethernet(made.ipv4(made.tcp(flags__syn=1), 6)) + b"\0\0"


def read(data: bytes, link_type: int = LinkType.ETHERNET, flags: int = 0):
    return dissect(data, link_type, len(data), flags)


def test_computed_fields_stay_open() -> None:
    filled = draft_of(read(SYN))
    assert filled.draft.layers == ("eth", "ip", "tcp")
    assert evaluate(filled.draft).data == SYN
    assert filled.draft.texts["tcp.flags.syn"] == "1"
    assert filled.draft.texts["trailer"] == "hex:0000"
    assert not {"ip.len", "ip.checksum", "tcp.checksum", "eth.type"} & set(filled.draft.texts)
    changed = evaluate(filled.draft.with_text("ip.ttl", "3"))
    assert changed.field("ip.checksum").shown != evaluate(filled.draft).field("ip.checksum").shown


def test_wrong_values_are_given() -> None:
    wrong = made.ipv4(made.tcp(checksum=0xBEEF), 6, len=99)
    filled = draft_of(read(wrong, LinkType.RAW))
    assert filled.draft.texts["tcp.checksum"] == "0xbeef"
    assert filled.draft.texts["ip.len"] == "99"
    assert evaluate(filled.draft).data == wrong


def test_a_sum_left_to_the_card_is_computed() -> None:
    partial = made.pseudo(20, 6)
    frame = made.ethernet(made.ipv4(made.tcp(checksum=partial), 6))
    good = made.ethernet(made.ipv4(made.tcp(), 6))
    found = read(frame, flags=PacketFlag.CHECKSUM_NOT_READY)
    filled = draft_of(found)
    assert "tcp.checksum" not in filled.draft.texts
    assert evaluate(filled.draft).data == good
    assert resent(found, LinkType.ETHERNET, SendMethod.LINK).data == good
    assert resent(found, LinkType.ETHERNET, SendMethod.PACKET).data == good[14:]
    assert any("computed" in note for note in filled.notes)


@pytest.mark.parametrize("path", LEFT)
def test_a_length_left_to_the_card_stays_zero(path) -> None:
    """The draft builds the captured bytes, not those of a packet with its length written."""
    link_type, data = LEFT[path]
    filled = draft_of(read(data, link_type))
    evaluation = evaluate(filled.draft)
    assert not evaluation.errors
    assert evaluation.data == filled.data
    assert data.endswith(filled.data)


def test_a_packet_sent_again_leaves_as_it_was_captured() -> None:
    again = resent(read(SYN), LinkType.ETHERNET, SendMethod.LINK)
    assert (again.data, again.method) == (SYN, SendMethod.LINK)
    packet = SYN[14:-2]
    for chosen in (SendMethod.LINK, None):
        again = resent(read(packet, LinkType.RAW), LinkType.RAW, chosen)
        assert (again.data, again.method) == (packet, SendMethod.IP)


PACKET = SYN[14:-2]
SIX = made.ipv6(made.udp(b"six", six=True), 17)
COOKED = bytes.fromhex("0000 0001 0006 020000000001 0000 0800")


@pytest.mark.parametrize(
    ("link_type", "data", "packet"),
    [
        (LinkType.ETHERNET, SYN, PACKET),
        (LinkType.ETHERNET, made.ethernet(made.vlan(SIX, 7, 0x86DD), 0x8100) + bytes(3), SIX),
        (LinkType.ETHERNET, bytes(12) + SYN[12:], PACKET),  # of lo
        (LinkType.LINUX_SLL, COOKED + PACKET + b"pad", PACKET),
        (LinkType.NULL, bytes((2, 0, 0, 0)) + PACKET, PACKET),
        (LinkType.RAW, PACKET + b"trailer", PACKET + b"trailer"),
        (LinkType.RAW, made.ipv4(PACKET, 4), made.ipv4(PACKET, 4)),  # the outer packet
        (LinkType.IPV6, SIX, SIX),
    ],
)
def test_a_packet_leaves_verbatim_on_an_interface_without_link_headers(
    link_type: int, data: bytes, packet: bytes
) -> None:
    again = resent(read(data, link_type), link_type, SendMethod.PACKET)
    assert (again.data, again.method, again.refusal) == (packet, SendMethod.PACKET, "")


@pytest.mark.parametrize(
    ("link_type", "data", "reason"),
    [
        (LinkType.ETHERNET, made.ethernet(bytes(28), 0x0806), "has no IP packet"),
        (LinkType.ETHERNET, made.ethernet(b"?", 0x88B5), "has no IP packet"),
        (LinkType.RAW, b"", "no bytes to send"),
    ],
)
def test_a_frame_without_an_ip_packet_is_refused_there(
    link_type: int, data: bytes, reason: str
) -> None:
    found = read(data, link_type)
    assert reason in resent(found, link_type, SendMethod.PACKET).refusal
    if data:
        again = resent(found, link_type, SendMethod.LINK)
        assert (again.data, again.method, again.refusal) == (data, SendMethod.LINK, "")


def test_ipv4_from_the_loopback_goes_through_the_ip_stack_again() -> None:
    """Which would drop the frame; see `core.forge.review.loopback_rules`."""
    again = resent(read(bytes(12) + SYN[12:]), LinkType.ETHERNET, SendMethod.LINK)
    assert (again.data, again.method) == (SYN[14:-2], SendMethod.IP)
    six = made.ethernet(made.ipv6(made.udp(b"x"), 17), 0x86DD)
    again = resent(read(bytes(12) + six[12:]), LinkType.ETHERNET, SendMethod.LINK)
    assert (again.data, again.method) == (bytes(12) + six[12:], SendMethod.LINK)


def test_a_header_of_the_capture_is_left_out() -> None:
    packet = made.ipv4(made.udp(b"x"), 17)
    cooked = bytes.fromhex("0000 0001 0006 020000000001 0000 0800") + packet
    filled = draft_of(read(cooked, LinkType.LINUX_SLL))
    assert filled.data == packet
    assert filled.draft.layers == ("ip", "udp")
    assert evaluate(filled.draft).data == packet


def test_protocols_without_a_layer_are_payload() -> None:
    frame = made.ethernet(bytes.fromhex("00001100") + b"pseudowire", 0x8847)
    filled = draft_of(read(frame))
    assert filled.draft.layers == ("eth",)
    assert filled.draft.texts["eth.type"] == "0x8847"
    assert evaluate(filled.draft).data == frame
    assert any("payload" in note for note in filled.notes)


@pytest.mark.corpus
def test_every_captured_packet_fills_the_form_without_loss() -> None:
    """All of them, or one in ten; but for sums that were left to the card."""
    share = 1 if is_thorough() else 10
    frames = differing = 0
    for number, (name, index, dissection) in enumerate(captured()):
        if number % share:
            continue
        frames += 1
        filled = draft_of(dissection)
        evaluation = evaluate(filled.draft)
        offloaded = any("computed" in note for note in filled.notes)
        if evaluation.errors or (evaluation.data != filled.data and not offloaded):
            differing += 1
            print(name, index)
    assert frames > 15_000 / share
    assert differing == 0


def test_no_header_of_the_capture_gets_into_a_draft() -> None:
    added = {protocol.name for protocol in PROTOCOLS if protocol.is_capture_header}
    seen = set()
    for shape in shapes():
        dissection = read(shape.data, shape.link_type)
        first = dissection.layers[0] if dissection.layers else None
        if first is None or not first.is_complete:
            continue
        filled = draft_of(dissection)
        is_left_out = any("was the capture's" in note for note in filled.notes)
        assert is_left_out == (first.name in added), shape.name
        assert filled.data == shape.data[first.header_length if is_left_out else 0 :], shape.name
        seen.add(first.name)
    assert added < seen
