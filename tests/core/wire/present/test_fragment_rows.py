"""The rows and the record of a fragment, with what is known of its datagram."""

from __future__ import annotations

import pytest

from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.dissection import Dissection, Verdict
from core.wire.model.field import Span
from core.wire.model.reassembly import FragmentPart, Piece
from core.wire.network.ipv6_extensions import FRAGMENT
from core.wire.present.detail import each_row
from core.wire.present.detail_row import Row, Severity
from core.wire.present.record import record
from core.wire.present.summary import datagram_verdict, summarize
from tests.core.wire import frames

DATAGRAM = frames.udp(bytes(range(100)))
CUT = 64
TRAILER = b"\0\0\0\0"
FIRST, LAST = FragmentPart(5, 0, CUT), FragmentPart(7, CUT, len(DATAGRAM))


def flat(rows: tuple[Row, ...]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in rows:
        found |= {row.key: row, **flat(row.children)}
    return found


def frame(*, six: bool = False, data: bytes = DATAGRAM[CUT:]) -> bytes:
    if six:
        header = FRAGMENT.emit({"nxt": IpProtocol.UDP, "offset": CUT // 8, "ident": 7})
        body = frames.ipv6(header + data, IpProtocol.FRAGMENT)
        return frames.ethernet(body, 0x86DD) + TRAILER
    body = frames.ipv4(data, IpProtocol.UDP, frag_offset=CUT // 8, id=7)
    return frames.ethernet(body) + TRAILER


def read(piece: Piece | None, captured: bytes) -> Dissection:
    return dissect(captured, LinkType.ETHERNET, len(captured), 0, piece)


def completing(captured: bytes, owner: str = "ip", *parts: FragmentPart) -> Piece:
    at = captured.index(DATAGRAM[CUT:])
    stop = at + len(DATAGRAM) - CUT
    return Piece(owner, at, stop, 7, parts or (FIRST, LAST), DATAGRAM, len(DATAGRAM))


@pytest.mark.parametrize("six", [False, True])
def test_the_completing_packet_is_read_with_the_whole_datagram(six: bool) -> None:
    captured = frame(six=six)
    found = read(completing(captured, "ipv6" if six else "ip"), captured)
    names = [layer.name for layer in found.layers]
    assert names == ["eth", *(["ipv6", "ipv6.fraghdr"] if six else ["ip"]), "udp"]
    assert found.stop is None
    assert not [note for layer in found.layers for note in layer.notes]
    assert found.data[found.payload.start : found.payload.stop] == bytes(range(100))
    assert found.data[found.trailer.start : found.trailer.stop] == TRAILER
    if not six:  # the helper sums over IPv4 addresses
        assert datagram_verdict(found) is Verdict.GOOD
    assert summarize(found).info == "40000 → 9999 Len=100"


def test_spans_count_where_the_bytes_are() -> None:
    captured = frame()
    rows = flat(tuple(each_row(read(completing(captured), captured))))
    port, payload, trailer = rows["udp.dstport"], rows["data"], rows["trailer"]
    assert (port.span, port.in_datagram) == (Span(2, 4), True)
    assert (payload.span, payload.in_datagram) == (Span(8, len(DATAGRAM)), True)
    assert (trailer.span, trailer.in_datagram) == (Span(len(captured) - 4, len(captured)), False)
    assert (rows["ip.src"].span, rows["ip.src"].in_datagram) == (Span(26, 30), False)


def test_fragments_are_listed_and_lead_to_their_packets() -> None:
    captured = frame()
    wrong = FragmentPart(6, 0, CUT, overlaps=True, conflicts=True)
    piece = completing(captured, "ip", FIRST, wrong, LAST)
    listed = flat(tuple(each_row(read(piece, captured))))["ip.fragments"]
    parts = listed.children[:3]
    assert [row.packet for row in parts] == [5, 6, 7]
    assert [row.value for row in parts] == ["0–63", "0–63", f"64–{len(DATAGRAM) - 1}"]
    assert parts[1].meaning == "64 bytes, overlaps, with other bytes"
    assert [row.severity for row in parts] == [Severity.NONE, Severity.WARNING, Severity.NONE]
    assert listed.severity is Severity.WARNING


STATES = {
    "ip.reassembled_in": Piece("ip", 34, 34 + len(DATAGRAM) - CUT, 9),
    "ip.reassembling": Piece("ip", 34, 34 + len(DATAGRAM) - CUT),
    "ip.fragment.error": Piece("ip", 34, 34 + len(DATAGRAM) - CUT, is_refused=True),
    "ip.fragments": Piece("ip", 34, 34 + len(DATAGRAM) - CUT, 7, (FIRST, LAST)),
}


@pytest.mark.parametrize("key", STATES)
def test_a_fragment_without_the_datagram_carries_data(key: str) -> None:
    captured = frame(data=DATAGRAM[CUT:])
    found = read(STATES[key], captured)
    assert key in flat(tuple(each_row(found)))
    assert [layer.name for layer in found.layers] == ["eth", "ip"]
    assert found.data == captured


def test_a_first_fragment_carries_data_too() -> None:
    captured = frames.ethernet(frames.ipv4(DATAGRAM[:CUT], IpProtocol.UDP, flags__mf=1))
    found = read(Piece("ip", 34, 34 + CUT, 7), captured)
    assert "udp" not in [layer.name for layer in found.layers]
    info = "Fragmented IP protocol (proto=UDP 17, off=0, ID=0000) [Reassembled in #7]"
    assert summarize(found).info == info


def test_record() -> None:
    captured = frame()
    keys = record(read(completing(captured), captured), {"frame.number": 7})
    assert (keys["ip.fragment"], keys["ip.fragment.count"]) == ([5, 7], 2)
    assert keys["ip.reassembled.length"] == len(DATAGRAM)
    assert keys["udp.dstport"] == 9999
    assert "ip.reassembled_in" not in keys
    keys = record(read(STATES["ip.reassembled_in"], captured), {"frame.number": 7})
    assert (keys["ip.reassembled_in"], "udp.dstport" in keys) == (9, False)
