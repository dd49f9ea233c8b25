"""Which packets of a chunk are fragments, and which datagram they belong to."""

from __future__ import annotations

import pytest

from core.analysis.reassembly.fragments import fragments_of
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.network.ipv6_extensions import DESTINATION_OPTIONS, FRAGMENT
from tests.core.analysis.reassembly.fragmented import DATA, chunk_of, piece, pieces
from tests.core.decode.frames import ethernet, ipv6, tcp_frame

PUBLIC = {"src": 0x01020304, "dst": 0x05060708}


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("tags", [0, 1, 2])
def test_places(six: bool, tags: int) -> None:
    frames = [tcp_frame(), piece(DATA[:16], 8, more=True, six=six, tags=tags), tcp_frame()]
    (found,) = fragments_of(chunk_of(frames))
    assert (found.row, found.start, found.end, found.has_more) == (1, 8, 24, True)
    assert frames[1][found.at : found.stop] == DATA[:16]
    assert found.owner == ("ipv6" if six else "ip")


def _keys(frames: list[bytes]) -> int:
    return len({each.key for each in fragments_of(chunk_of(frames))})


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ({}, True),
        ({"start": 800}, True),
        ({"ident": 2}, False),
        ({"protocol": IpProtocol.ICMP}, False),
        ({"src": 7}, False),
        ({"dst": 7}, False),
        ({"six": True}, False),
        ({"tags": 1}, False),  # the addresses are private
    ],
)
def test_key(other: dict, is_same: bool) -> None:
    frames = [piece(b"12345678", more=True), piece(b"12345678", more=True, **other)]
    assert _keys(frames) == (1 if is_same else 2)


def test_a_vlan_does_not_divide_public_addresses() -> None:
    frames = [piece(b"12345678", more=True, tags=tags, **PUBLIC) for tags in (0, 1)]
    assert _keys(frames) == 1


def test_packets_that_take_no_part() -> None:
    cut = piece(DATA, more=True)[:-1]
    whole = ethernet(ipv6(FRAGMENT.emit({"nxt": 17}) + DATA, 44), EtherType.IPV6)  # atomic
    frames = [cut, piece(b"", 8), piece(b"", 8, six=True), whole, tcp_frame()]
    chunk = chunk_of(frames, original=[len(cut) + 1, *map(len, frames[1:])])
    assert not list(fragments_of(chunk))


def test_a_fragment_header_behind_other_headers() -> None:
    options = DESTINATION_OPTIONS.emit({"nxt": IpProtocol.FRAGMENT}) + b"\1\4\0\0\0\0"
    body = FRAGMENT.emit({"nxt": 17, "more": 1, "ident": 9}) + DATA[:16]
    frame = ethernet(ipv6(options + body, IpProtocol.DESTINATION), EtherType.IPV6)
    (found,) = fragments_of(chunk_of([frame]))
    assert frame[found.at : found.stop] == DATA[:16]


def test_both_versions_in_the_order_of_the_chunk() -> None:
    four, six = pieces(), pieces(six=True)
    frames = [frame for pair in zip(four, six, strict=True) for frame in pair]
    assert [each.row for each in fragments_of(chunk_of(frames))] == list(range(6))
