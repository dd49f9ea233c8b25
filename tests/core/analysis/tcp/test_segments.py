"""Segments as columns: the same in the outermost packet, in a tunnel, and by dissection."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.tcp.segments import Headers, transport_headers, tunneled_rows
from core.decode.batch_decoder import decode_batch
from core.decode.chunk import Chunk
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.transport.tcp import TCP
from core.wire.transport.udp import UDP
from tests.core.decode.frames import (
    arp_frame,
    ethernet,
    ipv4,
    ipv6,
    tcp,
    tcp_frame,
    udp_frame,
)
from tests.core.decode.support import batch_of

SEED = 0x1234_5678_9ABC_DEF0
SYN = tcp(flags="syn", sequence=1_000)
SYN6 = tcp(flags="syn", sequence=2_000, six=True)
VXLAN_PORT = 4789


def _vxlan(inner: bytes) -> bytes:
    payload = bytes([8, 0, 0, 0, 0, 0, 7, 0]) + inner
    header = UDP.emit({"srcport": 4_000, "dstport": VXLAN_PORT, "length": 8 + len(payload)})
    return ethernet(ipv4(header + payload, IpProtocol.UDP))


TUNNELED = {
    "vxlan": _vxlan(ethernet(ipv4(SYN, IpProtocol.TCP))),
    "gre": ethernet(ipv4(bytes(2) + b"\x08\x00" + ipv4(SYN, IpProtocol.TCP), IpProtocol.GRE)),
    "ip in ip": ethernet(ipv4(ipv4(SYN, IpProtocol.TCP), IpProtocol.IPV4)),
    "ip in ipv6": ethernet(ipv6(ipv4(SYN, IpProtocol.TCP), IpProtocol.IPV4), EtherType.IPV6),
    "vxlan in vxlan": _vxlan(_vxlan(ethernet(ipv4(SYN, IpProtocol.TCP)))),
}


def _segments(chunk: Chunk) -> Headers:
    return transport_headers(chunk, SEED, tunneled_rows(chunk))[0]


def _sequences(chunk: Chunk, found: Headers) -> list[int]:
    return TCP["seq_raw"].column(chunk.data, found.starts).tolist()


def _chunk(*frames: bytes) -> Chunk:
    return decode_batch(batch_of(list(frames)), np.array([LinkType.ETHERNET], np.int32))


@pytest.mark.parametrize("name", TUNNELED)
def test_a_segment_in_a_tunnel_has_the_direction_of_one_outside(name):
    """The addresses count that its own network header has."""
    chunk = _chunk(TUNNELED[name], ethernet(ipv4(SYN, IpProtocol.TCP)))
    found = _segments(chunk)
    assert found.rows.tolist() == [0, 1]
    assert _sequences(chunk, found) == [1_000, 1_000]
    assert len(set(found.forward.tolist())) == len(set(found.backward.tolist())) == 1
    assert found.forward[0] != found.backward[0]


def test_ipv6_in_a_tunnel():
    inner = ipv6(SYN6, IpProtocol.TCP)
    chunk = _chunk(
        ethernet(ipv4(inner, IpProtocol.IPV6)), ethernet(inner, EtherType.IPV6), TUNNELED["gre"]
    )
    found = _segments(chunk)
    assert _sequences(chunk, found) == [2_000, 2_000, 1_000]
    assert found.forward[0] == found.forward[1] != found.forward[2]


def test_rows_ascend_when_packets_in_tunnels_are_between_others():
    plain, tunneled = tcp_frame(sequence=5), TUNNELED["vxlan"]
    frames = [plain, tunneled, arp_frame(), plain, udp_frame(), tunneled, plain]
    assert _segments(_chunk(*frames)).rows.tolist() == [0, 1, 3, 5, 6]
    assert tunneled_rows(_chunk(*frames)).tolist() == [1, 5]
    datagrams = transport_headers(_chunk(*frames), SEED, tunneled_rows(_chunk(*frames)))[1]
    assert datagrams.rows.tolist() == [1, 4, 5]


def test_only_whole_segments_that_no_error_quotes_count():
    cut = TUNNELED["ip in ip"][:-10]
    quoted = ethernet(ipv4(bytes([3, 1]) + bytes(6) + ipv4(SYN, IpProtocol.TCP), IpProtocol.ICMP))
    in_tunnel = ethernet(ipv4(quoted[14:], IpProtocol.IPV4))
    assert len(_segments(_chunk(cut, quoted, in_tunnel, b""))) == 0


def test_a_packet_that_fails_in_the_parser_has_no_segment(monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Chunk, "dissect", fail)
    found = _segments(_chunk(TUNNELED["gre"], ethernet(ipv4(SYN, IpProtocol.TCP))))
    assert found.rows.tolist() == [1]
