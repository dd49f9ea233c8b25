"""The columns of tunnels: the ends of their headers, and what follows them."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from core.decode.inner_packets import packets_in_tunnel
from core.decode.tunnel_columns import TUNNELS
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from tests.core.decode.frames import ethernet, ipv4, tcp
from tests.core.decode.test_inner_packets import chunk_of

GRE, VXLAN, GENEVE = TUNNELS
INNER = ipv4(tcp(b"payload"), IpProtocol.TCP)


def gre(flags: int, kind: int, size: int) -> bytes:
    return ethernet(ipv4(struct.pack(">HH", flags, kind) + bytes(size) + INNER, IpProtocol.GRE))


def vxlan(*, port: int = 4789, flags: int = 8, length: int = 0) -> bytes:
    length = length or 16 + len(INNER) + 14
    header = struct.pack(">HHHHII", 1, port, length, 0, flags << 24, 0x7B00)
    return ethernet(ipv4(header + ethernet(INNER), IpProtocol.UDP))


@pytest.mark.parametrize(
    ("flags", "kind", "size", "link_type"),
    [
        (0, EtherType.IPV4, 0, LinkType.IPV4),
        (0x2000, EtherType.IPV4, 4, LinkType.IPV4),
        (0x1000, EtherType.IPV6, 4, LinkType.IPV6),
        (0x3000, EtherType.TRANSPARENT_ETHERNET, 8, LinkType.ETHERNET),
        (0x8000, EtherType.IPV4, 4, None),  # a checksum
        (0x4000, EtherType.IPV4, 4, None),  # a route
        (0x2001, EtherType.IPV4, 4, None),  # PPTP
        (0, EtherType.ARP, 0, None),
    ],
)
def test_gre(flags: int, kind: int, size: int, link_type: int | None) -> None:
    chunk = chunk_of(gre(flags, kind, size))
    rows, begins, ends, link_types, at = GRE.inner_frames(chunk, np.array([0]))
    assert link_types.tolist() == ([] if link_type is None else [link_type])
    if len(rows):
        assert chunk.frame(0)[begins[0] : ends[0]] == INNER
        assert at.tolist() == [34]


def geneve(
    kind: int = EtherType.TRANSPARENT_ETHERNET,
    *,
    port: int = 6081,
    options: bytes = b"",
    words: int | None = None,
    length: int = 0,
) -> bytes:
    inner = ethernet(INNER) if kind == EtherType.TRANSPARENT_ETHERNET else INNER
    words = len(options) // 4 if words is None else words
    header = struct.pack(">BBHI", words, 0, kind, 0x7B00) + options
    length = length or 8 + len(header) + len(inner)
    outer = struct.pack(">HHHH", 1, port, length, 0)
    return ethernet(ipv4(outer + header + inner, IpProtocol.UDP))


OPTIONS = bytes.fromhex("01028001 01020304 01030500")
"""Two options, of eight bytes and of four."""


@pytest.mark.parametrize(
    ("frame", "begin", "link_type"),
    [
        (geneve(), 50, LinkType.ETHERNET),
        (geneve(EtherType.IPV4), 50, LinkType.IPV4),
        (geneve(options=OPTIONS), 62, LinkType.ETHERNET),
        (geneve(EtherType.ARP), None, None),
        (geneve(port=53), None, None),
        (geneve(length=15), None, None),
        (geneve(length=20, options=OPTIONS), None, None),  # UDP ends inside the options
        (geneve(words=63), None, None),
    ],
)
def test_geneve(frame: bytes, begin: int | None, link_type: int | None) -> None:
    rows, begins, ends, link_types, at = GENEVE.inner_frames(chunk_of(frame), np.array([0]))
    assert begins.tolist() == ([] if begin is None else [begin])
    if len(rows):
        assert (ends.tolist(), link_types.tolist(), at.tolist()) == (
            [len(frame)],
            [link_type],
            [42],
        )


@pytest.mark.parametrize(
    ("frame", "end"),
    [
        (vxlan(), 50 + 14 + len(INNER)),
        (vxlan(length=30), 34 + 30),  # UDP ends before the IP packet does
        (vxlan(port=53), None),
        (vxlan(flags=0), None),
        (vxlan(length=15), None),
    ],
)
def test_vxlan(frame: bytes, end: int | None) -> None:
    rows, begins, ends, link_types, at = VXLAN.inner_frames(chunk_of(frame), np.array([0]))
    assert ends.tolist() == ([] if end is None else [end])
    if len(rows):
        assert (begins.tolist(), link_types.tolist(), at.tolist()) == (
            [50],
            [LinkType.ETHERNET],
            [42],
        )


def test_inner_packets_know_their_tunnel() -> None:
    chunk = chunk_of(
        ethernet(INNER), gre(0x2000, EtherType.IPV4, 4), vxlan(), gre(0, 0x9999, 0), geneve()
    )
    for tunnel, row, begin, header in ((GRE, 1, 42, 34), (VXLAN, 2, 50, 42), (GENEVE, 4, 50, 42)):
        found = packets_in_tunnel(chunk, tunnel)
        start = int(chunk.offset[row])
        assert found.tunnel == tunnel.name
        assert found.rows.tolist() == [row]
        assert found.headers.tolist() == [start + header]
        assert found.chunk.offset.tolist() == [start + begin]
        assert found.chunk.transport.tolist() == [IpProtocol.TCP]


def test_headers_that_the_capture_cut_have_nothing_inside() -> None:
    for frame in (gre(0x3000, EtherType.IPV4, 8), vxlan(), geneve()):
        chunk = chunk_of(frame, captured=45)
        assert [len(packets_in_tunnel(chunk, tunnel).rows) for tunnel in TUNNELS] == [0, 0, 0]
