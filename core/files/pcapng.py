"""pcapng files: a chain of blocks, each with its length before and after.

Theory (draft-ietf-opsawg-pcapng)
---------------------------------
* Every block is type, total length, body, total length again; lengths are multiples of 4.
* A Section Header Block begins a section and sets its byte order; interfaces are counted from
  0 again in each section. Sections in either order may follow one another.
* An Interface Description Block gives link type, snap length, and how times are to be read.
* Packets are in Enhanced Packet Blocks, in Simple ones (no time, no interface, no captured
  length: the section's first interface and its snap length hold) and in obsolete Packet Blocks.
* All other blocks (names, statistics, secrets, custom, unknown) are stepped over.

What cannot be followed any further ends the file there, and is named with its offset: a
length below a block's least, above `_MAXIMUM_BLOCK`, two lengths that differ, a packet of an
interface that was never described. If only zeros follow, the reason given is that the file was
extended but not written (power loss). Lengths that are no multiple of 4 are rounded up, as
Wireshark does, since real writers produce them.

The chain is walked in one tight loop over packet blocks and those stepped over; what is in the
packets (`core.files.pcapng_packets`) is then read and checked for the whole run at once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import CaptureInterface
from core.files import pcapng_options as options
from core.files.formats import RefusalError
from core.files.pcapng_packets import (
    ENHANCED_PACKET,
    PACKET_BLOCKS,
    Interface,
    Section,
    read_packets,
)
from core.files.step import SPAN_BYTES, Step
from core.files.zeros import zero_end, zero_start
from core.store.interface_numbers import MORE, OWN, InterfaceNumbers

SECTION_HEADER = 0x0A0D0D0A
INTERFACE_DESCRIPTION = 1
INTERFACE_STATISTICS = 5

_BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_UNEQUAL_LENGTHS = "does not repeat its length at its end"
_VERSIONS = ((1, 0), (1, 2))  # 1.2 differs in nothing a reader sees (§4.1)
_TRAILER = 4
_LEAST_BLOCK = 12
_LEAST = {SECTION_HEADER: 28, INTERFACE_DESCRIPTION: 20} | {
    kind: fixed + _TRAILER for kind, fixed in PACKET_BLOCKS.items()
}
_LEAST_ENHANCED = _LEAST[ENHANCED_PACKET]
_MAXIMUM_BLOCK = 16 << 20  # of a block that is read; as libpcap's sf-pcapng.c has it
_MAXIMUM_SKIPPED = 1 << 30  # of a block that is stepped over
_MAXIMUM_INTERFACES = 1 << 20  # of one section, whose properties are kept
_MAXIMUM_TEXT = 4 << 20  # characters of all interfaces' names and descriptions together

_OPTIONS_EACH = 16  # options that are read of every interface description …
_MAXIMUM_OPTIONS = 1 << 14  # … and of all of them together besides


class _DamageError(Exception):
    """Why the block at `position` of the window cannot be followed."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position


class PcapngParser:
    """A pcapng file's blocks; see `core.files.step.Parser`.

    `head` is the file's beginning. Raises `RefusalError` when it is no whole section header.
    """

    format = "pcapng"
    header_length = 0  # the first section header is read like any later one

    def __init__(self, head: NDArray[np.uint8]) -> None:
        magic = bytes(head[8:12])
        if len(head) < _LEAST[SECTION_HEADER]:
            raise RefusalError(
                f"the pcapng section header is cut short: {len(head)} of at least "
                f"{_LEAST[SECTION_HEADER]} bytes are there; fetch or capture the file again"
            )
        if magic not in _BYTE_ORDERS:
            raise RefusalError(
                f"not a pcapng file: its byte-order mark is {magic.hex(' ')}; "
                "check that it was not altered on its way (copy it as binary)"
            )
        self._numbers = InterfaceNumbers()
        self.interfaces = self._numbers.interfaces
        self.notes: list[str] = []
        self._order = _BYTE_ORDERS[magic]
        self._section = Section()
        self._text_room = _MAXIMUM_TEXT
        self._options_room = _MAXIMUM_OPTIONS
        self._walked = 0  # where the last walk ended
        self._skipped = 0  # length of a block stepped over, while its trailer is yet to come
        self._zeros = 0  # bytes since a fault, as long as they are nothing but zeros
        self._fault_before_zeros = ""
        self._told_unread = False
        self._told_shared = False  # that interfaces share a number

    def parse(self, window: NDArray[np.uint8], start: int, limit: int, origin: int) -> Step:
        """Read at most `limit` packets; see `Parser.parse`."""
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
            self._note_unread(f"the packet block at byte {origin + int(positions[run.unread])}")
        if run.reason:
            bad = int(positions[len(run.batch)])
            if len(run.batch):
                return Step(run.batch, bad)  # the next call begins with the bad block
            return self._damaged(window, bad, origin, run.reason)
        return Step(run.batch, self._walked if is_all else run.stop)

    def _walk(self, view: memoryview, position: int) -> Iterator[int]:
        """Yield the positions of packet blocks, up to one that is incomplete or no packet.

        Stop after `SPAN_BYTES`, so that the caller can be canceled among blocks without packets.
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
            position = after
        self._walked = position

    def _closes(self, view: memoryview, after: int, length: int) -> bool:
        """Return True if the block that ends before `after` repeats its length there."""
        (trailer,) = struct.unpack_from(self._order + "I", view, after - _TRAILER)
        return bool(_padded(trailer) == _padded(length))

    def _other_block(self, view: memoryview, position: int) -> Step:
        """One block that is no whole packet: interface, section, or what cannot be passed."""
        there = len(view) - position
        if there < _LEAST_BLOCK:
            return Step(None, position, needed=_LEAST_BLOCK)
        (kind,) = struct.unpack_from(self._order + "I", view, position)
        if kind == SECTION_HEADER:
            if there < _LEAST[SECTION_HEADER]:
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
                f"which is not within {least} and {maximum} bytes",
            )
        if there < padded:
            if kind in _LEAST:
                return Step(None, position, needed=padded)
            self._skipped = length
            return Step(None, position + padded - _TRAILER, _TRAILER, inside=True)
        if not self._closes(view, position + padded, length):
            raise _DamageError(position, f"a block of type {kind:#010x} {_UNEQUAL_LENGTHS}")
        if kind == INTERFACE_DESCRIPTION:
            self._add_interface(view, position, position + length - _TRAILER)
        return Step(None, position + padded)

    def _note_unread(self, block: str, most: int = options.MOST_OPTIONS) -> None:
        """Say once that not all options of a block are read."""
        if not self._told_unread:
            self._told_unread = True
            self.notes.append(
                f"{block} has more than {most:,} options: "
                "those that follow them, there and in later blocks, are not read"
            )

    def _damaged(self, window: NDArray[np.uint8], position: int, origin: int, reason: str) -> Step:
        """End the file at the bad block at `position`.

        If the block ends in zeros, and zeros follow, wait for the byte that ends them.
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
        """Step over zeros behind a fault; what ends them makes the fault the reason again."""
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
        """Interface Description Block (§4.2)."""
        if len(self._section) == _MAXIMUM_INTERFACES:
            reason = f"there are more than {_MAXIMUM_INTERFACES:,} interfaces in one section"
            raise _DamageError(position, reason)
        link_type, snap_length = struct.unpack_from(self._order + "HxxI", view, position + 8)
        name, description, resolution, offset_s, fcs_bits = "", "", 6, 0, 0
        try:
            most = min(options.MOST_OPTIONS, _OPTIONS_EACH + self._options_room)
            found = options.OptionReader(view, position + 16, stop, self._order, most)
            for count, (code, value) in enumerate(found):
                self._options_room -= count >= _OPTIONS_EACH
                match code, len(value):
                    case options.IF_NAME, _:
                        name = options.text(value)
                    case options.IF_DESCRIPTION, _:
                        description = options.text(value)
                    case options.IF_TSRESOL, 1:
                        resolution = value[0]
                    case options.IF_TSOFFSET, 8:
                        (offset_s,) = struct.unpack(self._order + "q", value)
                    case options.IF_FCSLEN, 1:
                        fcs_bits = value[0]
        except options.BadOptionError as error:
            raise _DamageError(
                position, f"an interface description cannot be read: {error}"
            ) from None
        if found.unread:
            self._note_unread(f"the description of interface {len(self.interfaces)}", most)
        if len(name) + len(description) > self._text_room:
            if self._text_room:
                self.notes.append(
                    f"the names of interfaces from number {len(self.interfaces)} on were left "
                    f"out: together they are longer than {_MAXIMUM_TEXT:,} characters"
                )
            name, description, self._text_room = "", "", 0
        self._text_room -= len(name) + len(description)
        described = CaptureInterface(name, link_type, snap_length, description)
        number = self._number(described, position)
        self._section.add(Interface(number, link_type, snap_length, resolution, offset_s, fcs_bits))

    def _number(self, interface: CaptureInterface, position: int) -> int:
        """Return the number of an interface in the file, and say once that some share one."""
        try:
            number = self._numbers.add(interface)
        except ValueError as error:
            raise _DamageError(position, str(error)) from None
        if number >= OWN and not self._told_shared:
            self._told_shared = True
            self.notes.append(
                f"there are more than {OWN:,} interfaces: those that follow are all named {MORE!r}"
            )
        return number


def _padded(length: int) -> int:
    return length + (-length & 3)
