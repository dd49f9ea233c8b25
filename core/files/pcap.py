"""Classic pcap files: one file header, then records of a small header and a frame.

Theory (draft-ietf-opsawg-pcap; pcap-savefile(5))
-------------------------------------------------
* Seconds are unsigned here: they last until 2106.
* The two lengths are swapped before version 2.3, in version 2.3 by some writers, and in DG/UX's
  543.0. Where both orders are possible, the larger length is the original one.
* A captured length beyond `maximum_packet` is an error: nothing after it can be found.
* Records that consist of zeros are withheld until a nonzero byte follows. If the input ends first,
  they are not packets: the file was extended but not written (power loss).

The parser finds the frames by following the lengths, the only step that needs a loop. It gathers
everything else for the whole batch from an unaligned view over the record headers.
`core.files.pcap_header` reads the file header and chooses the layout of the record headers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import MICROSECONDS, NANOSECONDS, Batch, CaptureInterface, FileBlock
from core.files.pcap_header import choose_variant, read_file_header
from core.files.step import SPAN_BYTES, Step, invalid_flags, maximum_packet, unaligned
from core.files.timestamps import nanoseconds
from core.files.zeros import zero_end

_RECORD_HEADER = ("seconds", "fraction", "captured", "original")  # four 32-bit words


class PcapParser:
    """A parser of the records of a pcap file; see `core.files.step.Parser`.

    `head` is the beginning of the file and holds at least the file header. If `has_records` is
    true, it also holds a few records, or the whole file, and the parser tries the record layouts on
    it. If false, as on a pipe that must not wait, the parser uses the usual layout. Raises
    `RefusalError` if the header is cut short or its version is not supported.
    """

    format = "pcap"

    def __init__(self, head: NDArray[np.uint8], has_records: bool) -> None:
        header = read_file_header(bytes(head[:28]))
        self.header_length = header.length
        resolution = NANOSECONDS if header.unit_ns == 1 else MICROSECONDS
        self.interfaces = [
            CaptureInterface("", header.link_type, header.snap_length, resolution=resolution)
        ]
        self.blocks: list[FileBlock] = []
        self.notes: list[str] = []
        if reserved := header.reserved:
            self.notes.append(f"reserved bits {reserved:#010x} of the link type were ignored")
        self._file = header
        self._maximum = maximum_packet(header.link_type)
        self._order_unknown = header.version == (2, 3)
        swapped = header.version < (2, 3) or header.version[0] == 543
        variant, usual = choose_variant(header, head if has_records else head[:0])
        if not usual:
            self.notes.append(f"the record headers read as {variant.name}, not as the usual pcap")
        names = ("seconds", "fraction", "original", "captured") if swapped else _RECORD_HEADER
        self._fields = np.dtype([(name, header.order + "u4") for name in names])
        self._record = self._fields.itemsize + variant.extra
        self._captured = _length_reader(header.order, swapped, self._order_unknown)
        self._at_zeros = False  # the last walk ended at zeros that reach the end of its span
        self._withheld = 0  # zero records directly before the next position

    def parse(self, window: NDArray[np.uint8], start: int, limit: int, origin: int) -> Step:
        """Read at most `limit` records; see `Parser.parse`."""
        view = window.data
        if self._withheld:
            if zero_end(window, start, _span_end(window, start)) < _span_end(window, start):
                return self._release(window, start, limit)
            return self._withhold(window, start)
        positions = np.fromiter(islice(self._walk(window, start), limit), np.int64)
        if len(positions):
            batch = self._batch(window, positions)
            return Step(batch, int(batch.offset[-1]) + int(batch.captured[-1]))
        if self._at_zeros:
            return self._withhold(window, start)
        if len(window) - start < self._record:
            return Step(None, start, needed=self._record)
        (captured,) = self._captured(view, start)
        if captured > self._maximum:
            fault = (
                f"damaged at byte {origin + start}: the record claims {captured} captured bytes, "
                f"more than the {self._maximum} a packet can have"
            )
            return Step(None, start, fault=fault)
        return Step(None, start, needed=self._record + captured)

    def _walk(self, window: NDArray[np.uint8], position: int) -> Iterator[int]:
        """Yield the positions of whole records from `position` on, up to a tail of zeros."""
        record, maximum, read_captured = self._record, self._maximum, self._captured
        view, end, blank = window.data, len(window), bytes(self._record)
        last = end - record
        nonzero = position  # zero records before this byte are not part of the tail
        self._at_zeros = False
        while position <= last:
            (captured,) = read_captured(view, position)
            if not captured and position >= nonzero and view[position : position + record] == blank:
                nonzero = zero_end(window, position, _span_end(window, position))
                if nonzero == _span_end(window, position):
                    self._at_zeros = True
                    return
            after = position + record + captured
            if captured > maximum or after > end:
                return
            yield position
            position = after

    def _withhold(self, window: NDArray[np.uint8], start: int) -> Step:
        """Skip the zero records from `start` on; the bytes after them decide whether they count."""
        stop = _span_end(window, start)
        whole = (stop - start) // self._record
        self._withheld += whole
        needed = self._record if stop == len(window) else 0
        zeros = self._withheld * self._record
        return Step(None, start + whole * self._record, needed, zeros=zeros)

    def _release(self, window: NDArray[np.uint8], start: int, limit: int) -> Step:
        """Return withheld zero records as packets, because other bytes follow them."""
        count = min(limit, self._withheld)
        self._withheld -= count
        batch = Batch(
            data=window,
            offset=np.full(count, start, np.int64),
            captured=np.zeros(count, np.uint32),
            original=np.zeros(count, np.uint32),
            timestamp_ns=np.zeros(count, np.int64),
            interface=np.zeros(count, np.uint16),
            flags=np.full(count, self._file.fcs_flag, np.uint16),
            stable=True,
        )
        return Step(batch, start)

    def _batch(self, window: NDArray[np.uint8], positions: NDArray[np.int64]) -> Batch:
        heads = unaligned(window, self._fields)[positions]
        captured = heads["captured"].astype(np.uint32)
        original = heads["original"].astype(np.uint32)
        if self._order_unknown:
            captured, original = np.minimum(captured, original), np.maximum(captured, original)
        fraction = heads["fraction"].astype(np.int64) * self._file.unit_ns
        timestamp, invalid = nanoseconds(heads["seconds"].astype(np.int64), fraction)
        flags = np.full(len(positions), self._file.fcs_flag, np.uint16)
        flags |= invalid_flags(invalid, captured > original)
        return Batch(
            data=window,
            offset=positions + self._record,
            captured=captured,
            original=original,
            timestamp_ns=timestamp,
            interface=np.zeros(len(positions), np.uint16),
            flags=flags,
            stable=True,
        )


def _span_end(window: NDArray[np.uint8], start: int) -> int:
    """Return the position up to which one call scans zeros that begin at `start`."""
    return min(len(window), start + SPAN_BYTES)


def _length_reader(
    order: str, swapped: bool, order_unknown: bool
) -> Callable[[memoryview, int], tuple[int]]:
    """Return a function that reads the captured length of the record at a position, as a 1-tuple.

    It is `Struct.unpack_from` where possible, the fastest reader in Python.
    """
    if not order_unknown:
        return struct.Struct(order + ("12xI" if swapped else "8xI")).unpack_from
    both = struct.Struct(order + "8xII").unpack_from
    return lambda view, position: (min(both(view, position)),)
