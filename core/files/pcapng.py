"""pcapng files: a chain of blocks, each with its length at both ends.

Theory (draft-ietf-opsawg-pcapng)
---------------------------------
* A block is type, total length, body, and the total length again; lengths are multiples of 4.
* A Section Header Block begins a section and sets its byte order; interface numbers restart at 0
  in each section. A file may contain sections of both byte orders.
* An Interface Description Block gives the link type, the snap length, and the unit of times.
* Packets are in Enhanced Packet Blocks, in Simple Packet Blocks (without time, interface, and
  captured length: the section's first interface and its snap length apply), and in obsolete
  Packet Blocks.
* All other blocks (names, statistics, secrets, custom, unknown) are only kept, so that they can be
  written again (`core.files.kept_blocks`).

A block that cannot be followed ends the file, and the error names its offset: a length below the
block's minimum or above `_MAXIMUM_BLOCK`, two lengths that differ, a packet of an interface that
was never described. If only zeros follow, the reason given is that the file was extended but not
written (power loss). Lengths that are not multiples of 4 are rounded up, as in Wireshark, because
real writers produce them.

One tight loop follows the chain over packet blocks and skipped blocks; `core.files.pcapng_packets`
then reads and checks the packets of the whole run at once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from core.files.formats import RefusalError
from core.files.kept_blocks import SECTION_HEADER, KeptBlocks
from core.files.pcapng_interfaces import InterfaceDescriptions
from core.files.pcapng_packets import (
    ENHANCED_PACKET,
    PACKET_BLOCKS,
    Section,
    read_packets,
)
from core.files.step import SPAN_BYTES, Step
from core.files.zeros import zero_end, zero_start

INTERFACE_DESCRIPTION = 1
INTERFACE_STATISTICS = 5

_BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_UNEQUAL_LENGTHS = "does not repeat its length at its end"
_VERSIONS = ((1, 0), (1, 2))  # 1.2 reads the same (§4.1)
_TRAILER = 4
_LEAST_BLOCK = 12
_LEAST = {SECTION_HEADER: 28, INTERFACE_DESCRIPTION: 20} | {
    kind: fixed + _TRAILER for kind, fixed in PACKET_BLOCKS.items()
}
_LEAST_ENHANCED = _LEAST[ENHANCED_PACKET]
_MAXIMUM_BLOCK = 16 << 20  # of a block that is read; the same as in libpcap's sf-pcapng.c
_MAXIMUM_INTERFACES = 1 << 20  # of one section; each one's properties are kept
_MAXIMUM_SKIPPED = 1 << 30  # of a block that is skipped


class _DamageError(Exception):
    """The block at `position` of the window cannot be followed. The text is the reason."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position


class PcapngParser:
    """A parser of the blocks of a pcapng file; see `core.files.step.Parser`.

    `head` is the beginning of the file. Raises `RefusalError` if it is not a whole section header.
    """

    format = "pcapng"
    header_length = 0  # the first section header is read like the others

    def __init__(self, head: NDArray[np.uint8]) -> None:
        magic = bytes(head[8:12])
        if len(head) < _LEAST[SECTION_HEADER]:
            raise RefusalError(
                f"the pcapng section header is cut short: it has {len(head)} of at "
                f"least {_LEAST[SECTION_HEADER]} bytes; fetch or capture the file again"
            )
        if magic not in _BYTE_ORDERS:
            raise RefusalError(
                f"not a pcapng file: its byte-order mark is {magic.hex(' ')}; "
                "check that the file was copied as binary"
            )
        self.notes: list[str] = []
        self._kept = KeptBlocks()
        self.blocks = self._kept.blocks
        self._descriptions = InterfaceDescriptions(self._kept, self.notes)
        self.interfaces = self._descriptions.interfaces
        self._packets = 0  # before the next step
        self._passed: list[tuple[int, int, int]] = []  # position, type, length in the last walk
        self._order = _BYTE_ORDERS[magic]
        self._section = Section()
        self._walked = 0  # where the last walk ended
        self._skipped = 0  # length of a skipped block whose trailer has not been read
        self._zeros = 0  # bytes since a fault, if all of them are zeros
        self._fault_before_zeros = ""
        self._noted_left_out = False

    def parse(self, window: NDArray[np.uint8], start: int, limit: int, origin: int) -> Step:
        """Read at most `limit` packets; see `Parser.parse`."""
        self._passed.clear()
        step = self._parse(window, start, limit, origin)
        self._keep_passed(window.data, step)
        return step

    def _parse(self, window: NDArray[np.uint8], start: int, limit: int, origin: int) -> Step:
        view = window.data
        if self._zeros:
            return self._more_zeros(window, start)
        try:
            if self._skipped:
                return self._end_of_skipped(view, start)
            walk = self._walk(view, start)
            positions = np.fromiter(islice(walk, limit), np.int64)
            if not len(positions):
                if self._walked > start:
                    return Step(None, self._walked)
                return self._other_block(view, start)
            fit = max(1, int(np.searchsorted(positions, start + SPAN_BYTES)))
            is_all = fit == len(positions) < limit
            positions = positions[:fit]
        except _DamageError as damage:
            return self._damaged(window, damage.position, origin, str(damage))
        run = read_packets(window, positions, self._order, self._section)
        if run.unread is not None:
            at = origin + int(positions[run.unread])
            self._descriptions.note_unread(f"the packet block at byte {at}")
        if run.reason:
            bad = int(positions[len(run.batch)])
            if len(run.batch):
                return Step(run.batch, bad)  # the next call begins with the bad block
            return self._damaged(window, bad, origin, run.reason)
        return Step(run.batch, self._walked if is_all else run.stop)

    def _keep_passed(self, view: memoryview, step: Step) -> None:
        """Keep the blocks that the walk passed, up to the end of the step; count its packets."""
        count = 0 if step.batch is None else len(step.batch)
        for position, kind, length in self._passed:
            if position >= step.stop:
                break  # the next walk begins before it
            before = self._packets
            if step.batch is not None:
                before += int(np.searchsorted(step.batch.offset, position))
            body = view[position + 8 : position + length - _TRAILER]
            self._kept.add(kind, body, self._order, before, len(self.interfaces))
        self._packets += count
        if self._kept.left_out and not self._noted_left_out:
            self._noted_left_out = True
            self.notes.append(
                "the file has more blocks besides packets than are kept: a saved copy lacks them"
            )

    def _walk(self, view: memoryview, position: int) -> Iterator[int]:
        """Yield the positions of packet blocks, up to one that is incomplete or of another type.

        Stop after `SPAN_BYTES`, so that the caller can cancel among blocks without packets.
        """
        head = struct.Struct(self._order + "II").unpack_from
        end = len(view)
        last = min(end - _LEAST_BLOCK, position + SPAN_BYTES)
        while position <= last:
            kind, length = head(view, position)
            if kind == ENHANCED_PACKET and _LEAST_ENHANCED <= length <= _MAXIMUM_BLOCK:
                after = position + length + (-length & 3)
                if after > end:
                    break
                yield position
                position = after
                continue
            after = position + _padded(length)
            if after > end or length < _LEAST.get(kind, _LEAST_BLOCK):
                break
            if kind in PACKET_BLOCKS:
                if length > _MAXIMUM_BLOCK:
                    break
                yield position
            elif kind in _LEAST or not self._closes(view, after, length):
                break
            else:
                self._passed.append((position, kind, length))
            position = after
        self._walked = position

    def _closes(self, view: memoryview, after: int, length: int) -> bool:
        """Return True if the block that ends before `after` repeats its length there."""
        (trailer,) = struct.unpack_from(self._order + "I", view, after - _TRAILER)
        return bool(_padded(trailer) == _padded(length))

    def _other_block(self, view: memoryview, position: int) -> Step:
        """Read one block that is not a whole packet. Raises `_DamageError`."""
        available = len(view) - position
        if available < _LEAST_BLOCK:
            return Step(None, position, needed=_LEAST_BLOCK)
        (kind,) = struct.unpack_from(self._order + "I", view, position)
        if kind == SECTION_HEADER:
            if available < _LEAST[SECTION_HEADER]:
                return Step(None, position, needed=_LEAST[SECTION_HEADER])
            self._begin_section(view, position)
        (length,) = struct.unpack_from(self._order + "4xI", view, position)
        padded = _padded(length)
        least = _LEAST.get(kind, _LEAST_BLOCK)
        maximum = _MAXIMUM_BLOCK if kind in _LEAST else _MAXIMUM_SKIPPED
        if not least <= length <= maximum:
            raise _DamageError(
                position,
                f"a block of type {kind:#010x} gives its length as {length}, "
                f"which is not between {least} and {maximum} bytes",
            )
        if available < padded:
            if kind in _LEAST or self._kept.has_room(length):
                return Step(None, position, needed=padded)
            self._kept.left_out = True
            self._skipped = length
            return Step(None, position + padded - _TRAILER, _TRAILER, inside=True)
        if not self._closes(view, position + padded, length):
            raise _DamageError(position, f"a block of type {kind:#010x} {_UNEQUAL_LENGTHS}")
        if kind == INTERFACE_DESCRIPTION:
            self._add_interface(view, position, position + length - _TRAILER)
        elif kind == SECTION_HEADER:
            stop = position + length - _TRAILER
            self._kept.add_section(
                view, position + 24, stop, self._order, self._packets, len(self.interfaces)
            )
        else:
            self._passed.append((position, kind, length))
        return Step(None, position + padded)

    def _damaged(self, window: NDArray[np.uint8], position: int, origin: int, reason: str) -> Step:
        """End the file at the bad block at `position`.

        If the block ends in zeros and zeros follow, wait for the byte that ends them.
        """
        fault = f"damaged at byte {origin + position}: {reason}"
        block = _LEAST_BLOCK
        if len(window) - position >= _LEAST_BLOCK:
            (length,) = struct.unpack_from(self._order + "4xI", window.data, position)
            block = max(block, _padded(length) if length <= _MAXIMUM_BLOCK else 0)
        begin = zero_start(window, position, min(len(window), position + block))
        stop = min(len(window), begin + SPAN_BYTES)
        if stop - begin < _TRAILER or zero_end(window, begin, stop) < stop:
            return Step(None, position, fault=fault)
        self._fault_before_zeros = fault
        return self._more_zeros(window, begin)

    def _more_zeros(self, window: NDArray[np.uint8], start: int) -> Step:
        """Skip zeros after a fault. If another byte follows them, report the fault."""
        stop = min(len(window), start + SPAN_BYTES)
        if zero_end(window, start, stop) < stop:
            return Step(None, start, fault=self._fault_before_zeros)
        self._zeros += stop - start
        return Step(None, stop, needed=int(stop == len(window)), zeros=self._zeros)

    def _end_of_skipped(self, view: memoryview, position: int) -> Step:
        if len(view) - position < _TRAILER:
            return Step(None, position, _TRAILER, inside=True)
        length, self._skipped = self._skipped, 0
        if not self._closes(view, position + _TRAILER, length):
            raise _DamageError(position, f"the block that ends here {_UNEQUAL_LENGTHS}")
        return Step(None, position + _TRAILER)

    def _begin_section(self, view: memoryview, position: int) -> None:
        magic = bytes(view[position + 8 : position + 12])
        if magic not in _BYTE_ORDERS:
            raise _DamageError(position, f"the section's byte-order mark is {magic.hex(' ')}")
        order = _BYTE_ORDERS[magic]
        major, minor = struct.unpack_from(order + "HH", view, position + 12)
        if (major, minor) not in _VERSIONS:
            raise _DamageError(
                position, f"the section is of pcapng version {major}.{minor}, not 1.0"
            )
        self._order = order
        self._section = Section()

    def _add_interface(self, view: memoryview, position: int, stop: int) -> None:
        if len(self._section) == _MAXIMUM_INTERFACES:
            reason = f"there are more than {_MAXIMUM_INTERFACES:,} interfaces in one section"
            raise _DamageError(position, reason)
        try:
            described = self._descriptions.read(view, position, stop, self._order)
            self._section.add(described)
        except ValueError as error:
            raise _DamageError(position, str(error)) from None


def _padded(length: int) -> int:
    return length + (-length & 3)
