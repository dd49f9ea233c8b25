"""The bytes of a recording: where each packet ends, and what a format cannot hold."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from core.files.pcapng_options import packed_option
from core.recording import packet_format
from core.recording.packet_format import EncodedPackets, PcapFormat, PcapngFormat
from tests.core.decode.support import batch_of
from tests.core.recording.made import ETH0, TUN0

LENGTHS = [60, 0, 1, 1514, 33, 62]


def walked(packets: EncodedPackets, length_at: int, header: int) -> list[int]:
    """Return the ends by the lengths in the bytes."""
    ends, end, data = [], 0, packets.data.tobytes()
    while end < len(data):
        end += struct.unpack_from("=I", data, end + length_at)[0] + header
        ends.append(end)
    return ends


@pytest.mark.parametrize(
    ("kind", "length_at", "header"), [(PcapngFormat, 4, 0), (PcapFormat, 8, 16)]
)
def test_ends_are_those_in_the_bytes(kind, length_at, header) -> None:
    frames = batch_of([bytes(length) for length in LENGTHS], flags=[0, 1, 2, 0, 1, 0x8000], gap=5)
    frames = replace(frames, comments={3: ["a", "bcde"]}, options={4: packed_option(99, b"odd")})
    packets = kind().encoded(frames, [ETH0])
    assert packets.ends.tolist() == walked(packets, length_at, header)
    part = packets.part(2, 5)
    assert (part.count, part.ends.tolist()) == (3, walked(part, length_at, header))


def test_classic_pcap_stops_before_the_first_packet_without_a_place() -> None:
    frames = batch_of([bytes(60)] * 4, interface=[0, 0, 1, 0], times_ns=[5, 6, 7, -1])
    packets = PcapFormat().encoded(frames, [ETH0, TUN0])
    assert (packets.count, len(packets.data)) == (2, 2 * 76)
    assert packets.refusal == (
        "classic pcap holds one link type, ETHERNET, and a packet is RAW; "
        "record to a name that ends in .pcapng"
    )
    packets = PcapFormat().encoded(frames, [ETH0, ETH0])
    assert packets.count == 3
    assert packets.refusal.startswith("classic pcap holds times from 1970 to 2106;")


def test_the_memory_of_one_batch_is_used_for_the_next_if_it_is_small(monkeypatch) -> None:
    monkeypatch.setattr(packet_format, "_MOST_ROOM", 4_000)
    kind = PcapngFormat()
    encoded = [
        kind.encoded(batch_of([bytes([count]) * 60] * count), [ETH0]) for count in (10, 12, 100, 1)
    ]
    first, second, large, last = (each.data for each in encoded)
    assert np.shares_memory(first, second)
    assert np.shares_memory(first, last)
    assert not np.shares_memory(first, large)
    for data, count in ((large, 100), (last, 1)):
        whole = PcapngFormat().encoded(batch_of([bytes([count]) * 60] * count), [ETH0])
        assert data.tobytes() == whole.data.tobytes()
