"""Packets as the bytes of a pcapng or a classic pcap file, with the place where each one ends.

A file ends between two packets: because it reached its size, or because the disk is full. So
`EncodedPackets` knows where its packets end.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch, CaptureInterface
from core.decode.chunk import Chunk
from core.files.writing import pcap_records, pcapng_blocks
from core.files.writing.encoder import InterfaceCounts
from core.files.writing.packet_blocks import packet_blocks, packet_layout
from core.files.writing.pcapng_encoder import counts_block, packed_options, stamps_of
from core.wire.link.link_types import LinkType

_MOST_ROOM = 1 << 22  # bytes that are kept for the next batch
_ADVICE = "record to a name that ends in .pcapng"


class EncodedPackets:
    """The bytes of `count` packets, uint8, as pcapng blocks or as records of classic pcap.

    `ends` (count,) int64 are the offsets after each packet, ascending. If the format cannot hold
    the next packet, `refusal` is the reason and the advice.
    """

    def __init__(self, data: NDArray[np.uint8], ends: NDArray[np.int64], refusal: str = "") -> None:
        self.data = data
        self.ends = ends
        self.refusal = refusal

    @property
    def count(self) -> int:
        """The number of packets."""
        return len(self.ends)

    def part(self, start: int, stop: int) -> EncodedPackets:
        """Return packets `start` … ``stop - 1``, over the same bytes."""
        if start == 0 and stop == self.count:
            return self
        ends = self.ends
        low = int(ends[start - 1]) if start else 0
        return EncodedPackets(self.data[low : int(ends[stop - 1])], ends[start:stop] - low)


class PacketFormat(Protocol):
    """The bytes of one recording. The interfaces are those of the recording, by number.

    If a file `begins_with_packet`, its header depends on its first packet.
    """

    begins_with_packet: bool

    def beginning(self, interfaces: Sequence[CaptureInterface]) -> bytes:
        """Return the first bytes of a file that describes these interfaces."""
        ...

    def descriptions(self, interfaces: Sequence[CaptureInterface]) -> bytes:
        """Return the description of further interfaces."""
        ...

    def ending(
        self, interfaces: Sequence[CaptureInterface], counts: Sequence[InterfaceCounts]
    ) -> bytes:
        """Return the last bytes of a file, with the statistics of its interfaces."""
        ...

    def encoded(
        self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]
    ) -> EncodedPackets:
        """Return packets as bytes: all, or those before the first that the format cannot hold.

        They are valid until the next call.
        """
        ...


class PcapngFormat:
    """See `PacketFormat`. Comments and other options of packets are kept.

    The bytes of a small batch are in memory that the next batch uses again: new memory would cost
    as much as writing the blocks.
    """

    begins_with_packet = False

    def __init__(self) -> None:
        self._room = np.empty(0, np.uint8)

    def beginning(self, interfaces: Sequence[CaptureInterface]) -> bytes:
        """Implement `PacketFormat.beginning`."""
        return pcapng_blocks.section_header() + self.descriptions(interfaces)

    def descriptions(self, interfaces: Sequence[CaptureInterface]) -> bytes:
        """Implement `PacketFormat.descriptions`."""
        return b"".join(map(pcapng_blocks.interface_description, interfaces))

    def ending(
        self, interfaces: Sequence[CaptureInterface], counts: Sequence[InterfaceCounts]
    ) -> bytes:
        """Implement `PacketFormat.ending`."""
        return b"".join(
            counts_block(interfaces[each.interface], each.interface, each) for each in counts
        )

    def encoded(
        self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]
    ) -> EncodedPackets:
        """Implement `PacketFormat.encoded`."""
        options = packed_options(frames.comments, frames.options)
        stamp = stamps_of(frames.timestamp_ns, frames.interface, interfaces)
        layout = packet_layout(frames.captured, frames.flags, options)
        needed = layout.total
        if len(self._room) < needed <= _MOST_ROOM:
            self._room = np.empty(max(needed, min(2 * needed, _MOST_ROOM)), np.uint8)
        blocks = packet_blocks(frames, stamp=stamp, options=options, layout=layout, room=self._room)
        return EncodedPackets(blocks, layout.stop)


class PcapFormat:
    """See `PacketFormat`. The first packet decides the link type, which all packets must have."""

    begins_with_packet = True

    def __init__(self) -> None:
        self._link_type: int | None = None

    def beginning(self, interfaces: Sequence[CaptureInterface]) -> bytes:
        """Implement `PacketFormat.beginning`."""
        link_type = self._link_type
        if link_type is None:
            link_type = interfaces[0].link_type if interfaces else LinkType.ETHERNET
        return pcap_records.file_header(link_type)

    def descriptions(self, interfaces: Sequence[CaptureInterface]) -> bytes:
        """Implement `PacketFormat.descriptions`: classic pcap has none."""
        return b""

    def ending(
        self, interfaces: Sequence[CaptureInterface], counts: Sequence[InterfaceCounts]
    ) -> bytes:
        """Implement `PacketFormat.ending`: classic pcap has none."""
        return b""

    def encoded(
        self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]
    ) -> EncodedPackets:
        """Implement `PacketFormat.encoded`."""
        if self._link_type is None:
            self._link_type = interfaces[int(frames.interface[0])].link_type
        rows, refusal = np.arange(len(frames)), ""
        records = partial(
            pcap_records.packet_records, link_type=self._link_type, interfaces=interfaces
        )
        try:
            data = records(frames, rows)
        except pcap_records.NoPlaceError as error:
            rows, refusal = rows[: error.row], f"{error}; {_ADVICE}"
            data = records(frames, rows)
        length = pcap_records.packet_record_bytes(frames.captured[rows])
        return EncodedPackets(data, np.cumsum(length), refusal)
