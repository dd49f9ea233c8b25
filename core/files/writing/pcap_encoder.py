"""Encode packets, a chunk at a time, as the content of a classic pcap file.

Such a file has one link type, so packets of a second one are refused. Comments, names, flags, and
all that is not a packet are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from core.decode.batch import MICROSECONDS, CaptureInterface
from core.files.step import MAXIMUM_PACKET
from core.files.writing.encoder import CannotWriteError, ChunkRows, slices
from core.files.writing.pcap_records import NoPlaceError, file_header, packet_records
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import PacketFlag


class PcapEncoder:
    """Encodes classic pcap, with microseconds if no interface of the source has a finer unit.

    `interfaces` may grow unless `is_final`. The first bytes of the file state the unit, so times
    then are in nanoseconds, which hold all that classic pcap can.
    """

    def __init__(self, interfaces: Sequence[CaptureInterface], *, is_final: bool = False) -> None:
        self._interfaces, self._is_final = interfaces, is_final
        self._link_type: int | None = None
        self._is_nano = False

    def encode(self, part: ChunkRows) -> Iterator[bytes | memoryview]:
        """Implement `Encoder.encode`."""
        chunk, rows = part.chunk, part.rows
        if not len(rows):
            return
        if self._link_type is None:
            fcs = np.unique(chunk.flags[rows] & np.uint16(PacketFlag.FCS_MASK)).tolist()
            first = int(chunk.interface[rows[0]])
            yield self._begin(first, fcs[0] >> PacketFlag.FCS_SHIFT if len(fcs) == 1 else 0)
        assert self._link_type is not None
        try:
            for piece in slices(chunk, rows):
                yield packet_records(
                    chunk,
                    piece,
                    nanoseconds=self._is_nano,
                    link_type=self._link_type,
                    interfaces=self._interfaces,
                ).data
        except NoPlaceError as error:
            number = chunk.first + error.row
            raise CannotWriteError(f"packet {number}: {error}: choose pcapng") from None

    def finish(self) -> Iterator[bytes]:
        """Implement `Encoder.finish`."""
        if self._link_type is None:
            yield self._begin(0, 0)

    def _begin(self, interface: int, fcs_bytes: int) -> bytes:
        """Return the file header, for packets of an interface of the source."""
        first = CaptureInterface("", LinkType.ETHERNET)
        if interface < len(self._interfaces):
            first = self._interfaces[interface]
        units = {each.resolution for each in self._interfaces}
        is_finer = any(code & 0x80 or code > MICROSECONDS for code in units)
        self._is_nano = is_finer or not self._is_final
        self._link_type = first.link_type
        snap_length = max(
            (each.snap_length or MAXIMUM_PACKET for each in self._interfaces), default=0
        )
        return file_header(
            first.link_type,
            snap_length,
            nanoseconds=self._is_nano,
            fcs_bytes=fcs_bytes & ~1,
        )
