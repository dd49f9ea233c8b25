"""The filter of a flow passes its packets, and no others."""

from __future__ import annotations

import pytest

from core.analysis.filter.packet_filter import PacketFilter
from core.analysis.flows.analyzer import FlowAnalyzer
from core.analysis.flows.expression import flow_expression
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowQuestion
from core.store.budget import UNLIMITED
from core.store.packet_store import PacketStore
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from tests.core.analysis.flows.test_listing import SENT
from tests.core.decode.frames import arp_frame, ethernet, ipv6, tcp, udp, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

FRAMES = [
    *(each.frame for each in SENT),
    SENT[0].frame,  # the same ports again, for another connection
    udp_frame(b"one"),
    udp_frame(b"two"),
    arp_frame(),
    ethernet(ipv6(tcp(six=True), IpProtocol.TCP), EtherType.IPV6),
    ethernet(ipv6(udp(b"three", six=True), IpProtocol.UDP), EtherType.IPV6),
]


@pytest.mark.parametrize("endpoints", [False, True])
@pytest.mark.parametrize("level", Level)
def test_a_filter_for_every_flow(level: Level, endpoints: bool) -> None:
    store = PacketStore(1 << 20)
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(FRAMES))
    snapshot = store.snapshot()
    analyzer = FlowAnalyzer(FlowQuestion(level, endpoints))
    analyzer.extend(snapshot, UNLIMITED)
    listing = analyzer.published
    assert len(listing)
    for row in range(len(listing)):
        passes = PacketFilter.compile(flow_expression(listing, row))
        assert passes(snapshot.chunks[0], snapshot).sum() == listing.number("packets", row)
