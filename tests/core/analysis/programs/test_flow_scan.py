"""The packets that begin flows whose programs are not known."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.programs import flow_scan
from core.analysis.programs.flow_scan import LATE_S, RECHECK_S, FlowScan
from core.decode.batch_decoder import decode_batch
from core.decode.chunk import Chunk
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from tests.core.analysis.tcp.conversations import Sent, chunk_of
from tests.core.decode.frames import ethernet, ipv4, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

HANDSHAKE = [
    Sent(flags="syn", sequence=100),
    Sent(True, 500, 101, flags="syn ack"),
    Sent(False, 101, 501, 10),
]


def _decoded(frames: list[bytes]) -> Chunk:
    return decode_batch(batch_of(frames), np.array([LinkType.ETHERNET], np.int32), 1)


def packets(flows) -> list[int]:
    return [each.packet for each in flows]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ([], [1]),
        ([Sent(flags="syn", sequence=100)], [1]),  # sent again
        ([Sent(flags="syn", sequence=900)], [1, 4]),  # another connection
        ([Sent(False, ports=(40_001, 80))], [1, 4]),  # its start was not captured
        ([Sent(True, ports=(40_001, 80)), Sent(False, ports=(40_001, 80))], [1, 4]),
    ],
)
def test_a_connection_is_found_once(more, expected) -> None:
    assert packets(FlowScan().of_chunk(chunk_of(HANDSHAKE + more), 0.0)) == expected


def test_the_ends_are_those_of_the_first_packet() -> None:
    (flow,) = FlowScan().of_chunk(chunk_of(HANDSHAKE), 0.0)
    assert (flow.source.port, flow.destination.port) == (40_000, 80)
    assert flow.source.address == bytes(10) + b"\xff\xff" + bytes((10, 0, 0, 1))


def test_udp_is_found_again_after_a_while() -> None:
    scan = FlowScan()
    chunk = _decoded([udp_frame(), udp_frame()])
    assert [each.since for each in scan.of_chunk(chunk, 0.0)] == [0]
    assert scan.of_chunk(chunk, RECHECK_S - 1) == []
    assert [each.since for each in scan.of_chunk(chunk, RECHECK_S)] == [chunk.last]


def test_fragments_and_other_protocols_have_no_flows() -> None:
    frames = [ethernet(ipv4(b"x" * 20, 17, frag_offset=3)), ethernet(ipv4(b"", 1))]
    assert FlowScan().of_chunk(_decoded(frames), 0.0) == []


def test_new_packets_of_a_store_are_scanned_once() -> None:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append_chunk(chunk_of(HANDSHAKE))
    scan = FlowScan()
    assert packets(scan.new_flows(store.snapshot(), 0.0)) == [1]
    assert packets(scan.new_flows(store.snapshot(), 0.0)) == []
    store.append(batch_of([udp_frame()]))
    assert packets(scan.new_flows(store.snapshot(), 0.0)) == [4]


def test_segments_inside_a_connection_wait() -> None:
    """Those of many standing connections would cost more than all others."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    scan, now_s = FlowScan(), 10.0
    assert packets(scan.new_flows(store.snapshot(), now_s)) == []
    begun = [Sent(flags="syn", sequence=100, ports=(5, 6)), Sent(True, ports=(5, 6))]
    store.append_chunk(chunk_of([Sent(), *begun]))
    assert packets(scan.new_flows(store.snapshot(), now_s + 0.01)) == [2]
    store.append(batch_of([udp_frame()]))
    assert packets(scan.new_flows(store.snapshot(), now_s + 0.02)) == [4]
    assert packets(scan.new_flows(store.snapshot(), now_s + LATE_S)) == [1]
    assert packets(scan.new_flows(store.snapshot(), now_s + 2 * LATE_S)) == []


def test_the_memory_of_flows_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(flow_scan, "MOST_KNOWN", 100)
    scan = FlowScan()
    for start in range(0, 300, 30):
        sent = [Sent(ports=(start + number, 80)) for number in range(30)]
        assert len(scan.of_chunk(chunk_of(sent), 0.0)) == 30
    assert len(scan._known) <= 100
