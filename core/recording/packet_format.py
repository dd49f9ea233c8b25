"""Packets as the bytes of a pcapng or a classic pcap file, with the place where each one ends.

A file ends between two packets: because it reached its size, or because the disk is full. So
`EncodedPackets` knows where its packets end. Only then does it matter, so the ends are found on
demand, by the lengths in the bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch, CaptureInterface
from core.decode.chunk import Chunk
from core.files.writing import pcap_records, pcapng_blocks
from core.files.writing.pcapng_encoder import packed_options, stamps_of
from core.wire.link.link_types import LinkType, link_type_name

_BLOCK_LENGTH_AT = 4  # in a block: its whole length
_RECORD_LENGTH_AT = 8  # in a record: the length of the frame after its header
_RECORD_HEADER = 16
_ADVICE = "record to a name that ends in .pcapng"


class EncodedPackets:
    """The bytes of `count` packets, uint8, as pcapng blocks or as records of classic pcap.

    If the format cannot hold the next packet, `refusal` is the reason and the advice.
    """

    def __init__(
        self, data: NDArray[np.uint8], count: int, *, classic: bool, refusal: str = ""
    ) -> None:
        self.data = data
        self.count = count
        self.refusal = refusal
        self._is_classic = classic
        self._ends: NDArray[np.int64] | None = None

    @property
    def ends(self) -> NDArray[np.int64]:
        """The offset after each packet, ascending."""
        if self._ends is None:
            self._ends = self._find_ends()
        return self._ends

    def part(self, start: int, stop: int) -> EncodedPackets:
        """Return packets `start` … ``stop - 1``, over the same bytes."""
        if start == 0 and stop == self.count:
            return self
        ends = self.ends
        low = int(ends[start - 1]) if start else 0
        part = EncodedPackets(
            self.data[low : int(ends[stop - 1])], stop - start, classic=self._is_classic
        )
        part._ends = ends[start:stop] - low
        return part

    def _find_ends(self) -> NDArray[np.int64]:
        at, header = _BLOCK_LENGTH_AT, 0
        if self._is_classic:
            at, header = _RECORD_LENGTH_AT, _RECORD_HEADER
        length_at = struct.Struct("=I").unpack_from
        ends, end, view = [], 0, self.data.data
        for _ in range(self.count):
            end += length_at(view, end + at)[0] + header
            ends.append(end)
        return np.array(ends, np.int64)


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

    def encoded(
        self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]
    ) -> EncodedPackets:
        """Return packets as bytes: all, or those before the first that the format cannot hold."""
        ...


class PcapngFormat:
    """See `PacketFormat`. Comments and other options of packets are kept."""

    begins_with_packet = False

    def beginning(self, interfaces: Sequence[CaptureInterface]) -> bytes:
        """Implement `PacketFormat.beginning`."""
        return pcapng_blocks.section_header() + self.descriptions(interfaces)

    def descriptions(self, interfaces: Sequence[CaptureInterface]) -> bytes:
        """Implement `PacketFormat.descriptions`."""
        return b"".join(map(pcapng_blocks.interface_description, interfaces))

    def encoded(
        self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]
    ) -> EncodedPackets:
        """Implement `PacketFormat.encoded`."""
        options = packed_options(frames.comments, frames.options)
        stamp = stamps_of(frames.timestamp_ns, frames.interface, interfaces)
        blocks = pcapng_blocks.packet_blocks(frames, stamp=stamp, options=options)
        return EncodedPackets(blocks, len(frames), classic=False)


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

    def encoded(
        self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]
    ) -> EncodedPackets:
        """Implement `PacketFormat.encoded`."""
        types = np.array([each.link_type for each in interfaces], np.int64)[frames.interface]
        if self._link_type is None:
            self._link_type = int(types[0])
        count, refusal = _before(types != self._link_type), ""
        if count < len(types):
            first, other = link_type_name(self._link_type), link_type_name(int(types[count]))
            refusal = (
                f"classic pcap holds one link type, {first}, and a packet is {other}; {_ADVICE}"
            )
        try:
            records = pcap_records.packet_records(frames, np.arange(count))
        except pcap_records.TimeOutOfRangeError as error:
            count, refusal = error.row, f"{error}; {_ADVICE}"
            records = pcap_records.packet_records(frames, np.arange(count))
        return EncodedPackets(records, count, classic=True, refusal=refusal)


def _before(stops: NDArray[np.bool_]) -> int:
    """Return the number of elements before the first true one."""
    return int(stops.argmax()) if stops.any() else len(stops)
