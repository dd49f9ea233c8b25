"""``_ws.col.*``: the texts of the packet table as fields."""

from __future__ import annotations

from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.present.summary import summarize
from tests.core.analysis.filter.values.reference import listed
from tests.core.analysis.filter.values.test_chunk_values import chunk_of
from tests.core.decode.frames import arp_frame, ethernet, ipv4, tcp_frame, udp_frame


def test_columns_are_those_of_the_packet_table() -> None:
    """Of packets that columns describe, and of those that are dissected."""
    tunnel = ethernet(ipv4(udp_frame()[14:], IpProtocol.IPV4))
    frames = [tcp_frame(), udp_frame(), arp_frame(), tunnel, tcp_frame()[:40]]
    values = ChunkValues(chunk_of(frames), CaptureContext())
    expected = [summarize(dissect(frame, LinkType.ETHERNET, len(frame))) for frame in frames]
    for name, part in {
        "_ws.col.def_src": "source",
        "_ws.col.def_dst": "destination",
        "_ws.col.protocol": "protocol",
        "_ws.col.info": "info",
    }.items():
        texts = [getattr(summary, part) for summary in expected]
        assert listed(values.occurrences(name)) == [
            (row, 1, text) for row, text in enumerate(texts)
        ]
        assert len(set(texts)) > 1
