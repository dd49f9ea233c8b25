"""The packets inside others, as chunks of their own."""

from __future__ import annotations

import numpy as np

from core.decode.batch_decoder import decode_batch
from core.decode.batch_walk import QUOTE_ENDS
from core.decode.chunk import Chunk
from core.decode.inner_packets import InnerPackets, quoted_packets, tunneled_packets
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Cause
from tests.core.decode.frames import ethernet, ipv4, ipv6, tcp, udp
from tests.core.decode.support import batch_of

PORT_UNREACHABLE = b"\3\3" + bytes(6)
QUOTE = ipv4(udp(b"payload"), IpProtocol.UDP)


def chunk_of(*frames: bytes, captured: int | None = None) -> Chunk:
    pieces = [frame[:captured] for frame in frames]
    batch = batch_of(pieces, original=[len(frame) for frame in frames])
    return decode_batch(batch, np.array([LinkType.ETHERNET], np.int32))


def error(quote: bytes, header: bytes = PORT_UNREACHABLE, **fields: int) -> bytes:
    return ethernet(ipv4(header + quote, IpProtocol.ICMP, **fields))


def state(found: InnerPackets) -> list[int]:
    return (found.chunk.state & HeaderState.CAUSE_MASK).tolist()


def test_quotes_have_columns_of_their_own() -> None:
    plain = ethernet(QUOTE)
    six = ethernet(
        ipv6(b"\1\4" + bytes(6) + ipv6(tcp(six=True), IpProtocol.TCP), IpProtocol.ICMPV6),
        EtherType.IPV6,
    )
    found = quoted_packets(chunk_of(plain, error(QUOTE), six, plain))
    assert found.rows.tolist() == [1, 2]
    assert found.chunk.network.tolist() == [Network.IPV4, Network.IPV6]
    assert found.chunk.transport.tolist() == [IpProtocol.UDP, IpProtocol.TCP]
    assert found.chunk.transport_offset.tolist() == [20, 40]
    assert found.chunk.frame(0) == QUOTE
    assert found.causes.tolist() == [Cause.NONE] * 2


def test_the_sender_of_an_error_may_cut_the_packet() -> None:
    """Only bytes that the capture left out truncate the packet."""
    segment = ipv4(tcp(b"payload"), IpProtocol.TCP)
    cut = quoted_packets(chunk_of(error(segment[:28])))
    assert state(cut) == [QUOTE_ENDS]
    assert cut.causes.tolist() == [Cause.NONE]
    snapped = quoted_packets(chunk_of(error(segment), captured=14 + 20 + 8 + 28))
    assert state(snapped) == snapped.causes.tolist() == [Cause.TRUNCATED]


def test_the_length_of_the_quote_ends_it() -> None:
    """RFC 4884: extensions follow, and they are not part of the packet."""
    header = b"\3\3\0\0\0\x09\0\0"  # 36 bytes
    found = quoted_packets(chunk_of(error(QUOTE + b"extensions", header)))
    assert found.chunk.frame(0) == QUOTE + b"e"


def test_unusual_quotes_are_left_to_their_dissection() -> None:
    frames = [
        error(error(QUOTE)[14:]),  # a quote inside a quote
        error(ipv4(QUOTE, IpProtocol.IPV4)),  # a tunnel
        error(b"\x65" + QUOTE[1:]),  # version 6
        error(QUOTE, **{"flags.mf": 1}),  # a fragment of an error
        ethernet(ipv4(PORT_UNREACHABLE + QUOTE, IpProtocol.ICMP), tags=20),
        ethernet(ipv4(QUOTE, IpProtocol.IPV4)),  # not an error
        ethernet(QUOTE),
    ]
    assert quoted_packets(chunk_of(*frames)).rows.tolist() == []


def test_tunnels_of_ip_in_ip() -> None:
    six = ipv6(tcp(six=True), IpProtocol.TCP)
    frames = [
        ethernet(ipv4(QUOTE, IpProtocol.IPV4)),
        ethernet(ipv4(six, IpProtocol.IPV6), tags=1),
        ethernet(ipv6(QUOTE, IpProtocol.IPV4), EtherType.IPV6),
        ethernet(ipv4(ipv4(QUOTE, IpProtocol.IPV4), IpProtocol.IPV4)),  # a tunnel in a tunnel
        ethernet(ipv4(QUOTE, IpProtocol.IPV4, **{"flags.mf": 1})),
        error(QUOTE),
        ethernet(QUOTE),
    ]
    found = tunneled_packets(chunk_of(*frames))
    assert found.rows.tolist() == [0, 1, 2]
    assert not found.are_quoted
    assert found.chunk.transport.tolist() == [IpProtocol.UDP, IpProtocol.TCP, IpProtocol.UDP]
    assert [found.chunk.frame(row) for row in range(3)] == [QUOTE, six, QUOTE]
