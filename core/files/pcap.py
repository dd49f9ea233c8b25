"""Classic pcap files: one file header, then records of a small header and a frame.

Theory (draft-ietf-opsawg-pcap; pcap-savefile(5))
-------------------------------------------------
* Seconds are unsigned here: they last until 2106.
* The two lengths were the other way round before version 2.3, in version 2.3 by some writers,
  and in DG/UX's 543.0. Where it may be either, the greater is the original length.
* A captured length beyond `maximum_packet` is never believed: nothing after it can be found.
* Records of nothing but zeros are withheld until a nonzero byte follows. If the input ends first,
  they are no packets: the file was extended but not written (power loss).

Frames are found by walking the lengths, the one thing that needs a loop; everything else is
gathered for the whole batch from an unaligned view over the record headers. The file header and
the layouts of record headers are in `core.files.pcap_header`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch, CaptureInterface
from core.files.pcap_header import choose_variant, read_file_header
from core.files.step import SPAN_BYTES, Step, maximum_packet, odd_flags, unaligned
from core.files.timestamps import nanoseconds
from core.files.zeros import zero_end

_RECORD_HEADER = ("seconds", "fraction", "captured", "original")  # four 32-bit words


class PcapParser:
    """A pcap file's records; see `core.files.step.Parser`.

    `head` is the file's beginning, the file header at least. With `settled` it holds some
    records too, or all there are, so that the record layouts can be tried on it; without,
    as on a pipe that must not wait, the usual layout is taken. Raises `RefusalError` when the
    header is cut short or of a version that cannot be read.
    """

    format = "pcap"

    def __init__(self, head: NDArray[np.uint8], settled: bool) -> None:
        header = read_file_header(bytes(head[:28]))
        self.header_length = header.length
        self.interfaces = [CaptureInterface("", header.link_type, header.snap_length)]
        self.notes: list[str] = []
        if reserved := header.reserved:
            self.notes.append(f"reserved bits {reserved:#010x} of the link type were ignored")
        self._file = header
        self._maximum = maximum_packet(header.link_type)
        self._either_way = header.version == (2, 3)
        swapped = header.version < (2, 3) or header.version[0] == 543
        variant, usual = choose_variant(header, head if settled else head[:0])
        if not usual:
            self.notes.append(f"the record headers read as {variant.name}, not as the usual pcap")
        names = ("seconds", "fraction", "original", "captured") if swapped else _RECORD_HEADER
        self._fields = np.dtype([(name, header.order + "u4") for name in names])
        self._record = self._fields.itemsize + variant.extra
        self._captured = _length_reader(header.order, swapped, self._either_way)
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
        """Yield the position of every whole record from `position` on, up to a tail of zeros."""
        record, maximum, read_captured = self._record, self._maximum, self._captured
        view, end, blank = window.data, len(window), bytes(self._record)
        last = end - record
        nonzero = position  # no zero record before this byte needs a closer look
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
        """Step over the zero records from `start` on: more input decides whether they are any."""
        stop = _span_end(window, start)
        whole = (stop - start) // self._record
        self._withheld += whole
        needed = self._record if stop == len(window) else 0
        zeros = self._withheld * self._record
        return Step(None, start + whole * self._record, needed, zeros=zeros)

    def _release(self, window: NDArray[np.uint8], start: int, limit: int) -> Step:
        """Give out withheld zero records as packets: something follows them."""
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
        if self._either_way:
            captured, original = np.minimum(captured, original), np.maximum(captured, original)
        fraction = heads["fraction"].astype(np.int64) * self._file.unit_ns
        timestamp, odd = nanoseconds(heads["seconds"].astype(np.int64), fraction)
        flags = np.full(len(positions), self._file.fcs_flag, np.uint16)
        flags |= odd_flags(odd, captured > original)
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
    """Return how far one call looks for the end of zeros that begin at `start`."""
    return min(len(window), start + SPAN_BYTES)


def _length_reader(
    order: str, swapped: bool, either_way: bool
) -> Callable[[memoryview, int], tuple[int]]:
    """A function from buffer and record position to the captured length, in a 1-tuple.

    The tuple is `Struct.unpack_from`'s own, which is the fastest reader there is.
    """
    if not either_way:
        return struct.Struct(order + ("12xI" if swapped else "8xI")).unpack_from
    both = struct.Struct(order + "8xII").unpack_from
    return lambda view, position: (min(both(view, position)),)
