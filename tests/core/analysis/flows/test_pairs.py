"""The ends of headers: the same hashes in any company, and headers inside other packets."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.flows.conversations import FlowCounter, conversation_id
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowQuestion, listing_of
from core.analysis.flows.pairs import pairs_of
from core.analysis.tcp.flow_index import FlowIndex
from core.decode.batch_decoder import decode_batch
from core.decode.chunk import Chunk
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from tests.core.decode.frames import arp_frame, ethernet, ipv4, ipv6, tcp, udp, udp_frame
from tests.core.decode.support import batch_of

LOOPBACK_6 = ethernet(ipv6(udp(six=True), IpProtocol.UDP, src=1, dst=1), EtherType.IPV6)
IP_IN_IP = ethernet(ipv4(ipv4(udp(b"inner"), IpProtocol.UDP, back=True), IpProtocol.IPV4))
FRAMES = [
    LOOPBACK_6,
    udp_frame(b"x"),
    IP_IN_IP,
    arp_frame(),
    ethernet(ipv6(tcp(six=True), IpProtocol.TCP), EtherType.IPV6),
]


def chunk_of(frames: list[bytes]) -> Chunk:
    return decode_batch(batch_of(frames), np.array([LinkType.ETHERNET], np.int32), 1)


@pytest.mark.parametrize("level", Level)
def test_hashes_do_not_depend_on_other_packets(level: Level) -> None:
    whole = chunk_of(FRAMES)
    together = pairs_of(whole, 7)[level]
    alone = [pairs_of(whole.rows(row, row + 1), 7)[level] for row in range(len(whole))]
    for name in ("sources", "destinations"):
        found = np.concatenate([getattr(pairs, name) for pairs in alone])
        assert found.tolist() == getattr(together, name).tolist()


def test_headers_in_ip_in_ip_count_and_quoted_ones_do_not() -> None:
    error = b"\x03\x01" + bytes(6) + ipv4(udp(b"quoted"), IpProtocol.UDP)
    quoting = ethernet(ipv4(error, IpProtocol.ICMP, back=True))
    pairs = pairs_of(chunk_of([IP_IN_IP, quoting]), 0)
    assert pairs[Level.IPV4].rows.tolist() == [0, 0, 1]
    assert pairs[Level.UDP].rows.tolist() == [0]
    assert pairs[Level.ETHERNET].rows.tolist() == [0, 1]


@pytest.mark.parametrize("level", Level)
def test_the_conversation_of_a_packet_is_in_the_listing(level: Level) -> None:
    chunk = chunk_of(FRAMES)
    counter, index = FlowCounter(), FlowIndex()
    flows = index.append(chunk)
    counter.add(chunk, flows)
    listing = listing_of(FlowQuestion(level), counter.tables[level], counter.scale)
    found = set()
    for row in range(len(chunk)):
        id = conversation_id(level, chunk.rows(row, row + 1), flows)
        if id is not None:
            assert listing.row_of(id) is not None
            found.add(id)
    assert len(found) == len(listing)
