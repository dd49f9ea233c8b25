"""Options of pcapng blocks: a 16-bit code, a 16-bit length, a value padded to four bytes.

Source: draft-ietf-opsawg-pcapng §3.5. A block of 16 MiB has room for four million empty options,
which only a loop can follow. So at most `MOST_OPTIONS` of a block are read, and the caller learns
which block has more. Options of packet blocks are read in rounds: the first option of every block
of a batch, then the second. A file with flags on every packet thus costs a few vector operations
instead of a loop. Other options are only located; `PacketComments` and `FurtherOptions` read them
on demand, as a store does for the packets that it keeps.

An option that runs past the end of its block, or has a length that its code does not allow, makes
the block unreadable, as in Wireshark: the bytes after it have no known meaning.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.files.byte_order import PACKET_OPTIONS, native_value
from core.files.step import unaligned

END_OF_OPTIONS = 0
COMMENT = 1
IF_NAME = 2
IF_DESCRIPTION = 3
IF_TSRESOL = 9
IF_FCSLEN = 13
IF_TSOFFSET = 14
EPB_FLAGS = 2
EPB_PROCESSID_THREADID = 8
SHB_USERAPPL = 4

Lengths = TypeVar("Lengths", int, NDArray[np.int64])
Value = TypeVar("Value")

MOST_OPTIONS = 128  # of one block that are read; writers use fewer than ten
_HEADER_BYTES = 4
_PACKED = struct.Struct("=HH")
_FEW_BLOCKS = 128  # up to this number, a loop is faster than vector operations

# Lengths that packet block options must have, and least lengths (§4.3).
_EXACT = {EPB_FLAGS: 4, 4: 8, 5: 8, 6: 4, 8: 8}
_LEAST = {7: 1, 2988: 4, 2989: 4, 19372: 4, 19373: 4}
_CHECKED = _EXACT.keys() | _LEAST.keys()


class BadOptionError(Exception):
    """A block's options cannot be read. The text is the reason."""


class OptionReader:
    """An iterable over the first `most` options between two bytes of `view`, as (code, value).

    Iterating raises `BadOptionError`, and sets `unread` if the block has more options.
    """

    def __init__(
        self, view: memoryview, start: int, stop: int, order: str, most: int = MOST_OPTIONS
    ) -> None:
        self.unread = False
        self._view = view
        self._start = start
        self._stop = stop
        self._header = struct.Struct(order + "HH").unpack_from
        self._most = most

    def __iter__(self) -> Iterator[tuple[int, memoryview]]:
        view, start, stop = self._view, self._start, self._stop
        for _ in range(self._most):
            if start >= stop:
                return
            if stop - start < _HEADER_BYTES:
                raise BadOptionError(f"{stop - start} bytes are left where an option should be")
            code, length = self._header(view, start)
            start += _HEADER_BYTES
            if start + _padded(length) > stop:
                raise BadOptionError(
                    f"option {code} of {length} bytes runs past the end of its block"
                )
            if code == END_OF_OPTIONS:
                return
            yield code, view[start : start + length]
            start += _padded(length)
        self.unread = start < stop


def text(value: memoryview) -> str:
    """Return a UTF-8 option value up to the first NUL. It is not yet safe to print."""
    return bytes(value).split(b"\0")[0].decode("utf-8", "replace")


class _OptionsByRow(Mapping[int, Value]):
    """Something about the options of packets by their row in a batch, read at each access.

    `starts` and `stops` (n,) are the bounds of the options of each block in `window`; `rows` are
    the blocks that have such an option, ascending.
    """

    def __init__(
        self,
        window: NDArray[np.uint8],
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
        order: str,
        rows: Sequence[int],
    ) -> None:
        self._view = window.data
        self._spans = {row: (int(starts[row]), int(stops[row])) for row in rows}
        self._order = order

    def __iter__(self) -> Iterator[int]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)

    def _options(self, row: int) -> OptionReader:
        return OptionReader(self._view, *self._spans[row], self._order)


class PacketComments(_OptionsByRow[Sequence[str]]):
    """The comments of packets."""

    def __getitem__(self, row: int) -> Sequence[str]:
        return [text(value) for code, value in self._options(row) if code == COMMENT]


class FurtherOptions(_OptionsByRow[bytes]):
    """The options of packets that are neither comments nor flags; see `Batch.options`."""

    def __getitem__(self, row: int) -> bytes:
        return b"".join(
            packed_option(code, native_value(code, bytes(value), self._order, PACKET_OPTIONS))
            for code, value in self._options(row)
            if code not in (COMMENT, EPB_FLAGS)
        )


def packed_option(code: int, value: bytes) -> bytes:
    """Return an option as it is written in the byte order of this host."""
    return _PACKED.pack(code, len(value)) + value + bytes(-len(value) & 3)


@dataclass(frozen=True, slots=True)
class PacketOptions:
    """The options of a batch's packet blocks.

    `flags` (n,) uint32 are the ``epb_flags`` words, 0 where absent. `commented` are the indices of
    the blocks that have a comment, `further` of those with other options. `bad` is the index of the
    first block that cannot be read, with `reason`. `unread` is the index of the first block with
    more than `MOST_OPTIONS` options.
    """

    flags: NDArray[np.uint32]
    commented: Sequence[int] = ()
    further: Sequence[int] = ()
    bad: int | None = None
    reason: str = ""
    unread: int | None = None


def read_packet_options(
    window: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    order: str,
) -> PacketOptions:
    """Read the options of many packet blocks, in `window` from `starts` to `stops` (n,)."""
    active = np.flatnonzero(starts < stops)
    if not len(active):
        return PacketOptions(np.zeros(len(starts), np.uint32))
    rounds = _Rounds(window, starts, stops, order)
    count = 0
    while len(active) > _FEW_BLOCKS and count < MOST_OPTIONS:
        active = rounds.next_option(active)
        count += 1
    for index in active.tolist():
        if not rounds.rest_of(index, MOST_OPTIONS - count):
            break
    return rounds.found()


class _Rounds:
    """A reader of packet block options, one option of many blocks at a time."""

    def __init__(
        self,
        window: NDArray[np.uint8],
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
        order: str,
    ) -> None:
        self._view = window.data
        self._order = order
        layout = np.dtype([("code", order + "u2"), ("length", order + "u2")])
        self._headers = unaligned(window, layout)
        self._words = unaligned(window, np.dtype([("word", order + "u4")]))["word"]
        self._position = starts.copy()
        self._stops = stops
        self._flags = np.zeros(len(starts), np.uint32)
        self._commented: set[int] = set()
        self._further: set[int] = set()
        self._unread: int | None = None
        self._bad: int | None = None
        self._reason = ""

    def next_option(self, active: NDArray[np.int64]) -> NDArray[np.int64]:
        """Read one option of each block of `active` (ascending); return the blocks that have more.

        Blocks after a bad one are left out, because none of their options is used.
        """
        stops = self._stops[active]
        value = self._position[active] + _HEADER_BYTES
        inside = value <= stops
        heads = self._headers[np.where(inside, value - _HEADER_BYTES, 0)]
        code, length = heads["code"].astype(np.int64), heads["length"].astype(np.int64)
        after = value + _padded(length)
        wrong = ~inside | (after > stops) | _wrong_length(code, length)
        if wrong.any():
            good = int(wrong.argmax())
            self.rest_of(int(active[good]), 1)
            active, code, length = active[:good], code[:good], length[:good]
            value, after, stops = value[:good], after[:good], stops[:good]
        flagged = code == EPB_FLAGS
        self._flags[active[flagged]] = self._words[value[flagged]]
        self._commented.update(active[code == COMMENT].tolist())
        known = flagged | (code == COMMENT) | (code == END_OF_OPTIONS)
        self._further.update(active[~known].tolist())
        self._position[active] = after
        more: NDArray[np.int64] = active[(code != END_OF_OPTIONS) & (after < stops)]
        return more

    def rest_of(self, index: int, most: int) -> bool:
        """Read up to `most` further options of one block; return False if it is bad."""
        start, stop = int(self._position[index]), int(self._stops[index])
        options = OptionReader(self._view, start, stop, self._order, most)
        try:
            for code, value in options:
                if code in _CHECKED and _wrong_length(code, len(value)):
                    raise BadOptionError(f"packet option {code} cannot be {len(value)} bytes long")
                if code == COMMENT:
                    self._commented.add(index)
                elif code == EPB_FLAGS:
                    (self._flags[index],) = struct.unpack(self._order + "I", value)
                else:
                    self._further.add(index)
        except BadOptionError as error:
            self._bad, self._reason = index, str(error)
            return False
        if options.unread and self._unread is None:
            self._unread = index
        return True

    def found(self) -> PacketOptions:
        """Return the options that were read."""
        return PacketOptions(
            self._flags,
            sorted(self._commented),
            sorted(self._further),
            self._bad,
            self._reason,
            self._unread,
        )


def _padded(length: Lengths) -> Lengths:
    return (length + 3) & ~3


def _wrong_length(code: Lengths, length: Lengths) -> bool | NDArray[np.bool_]:
    """Return True where packet options of these codes cannot have these lengths.

    Both arguments are numbers, or both are columns.
    """
    wrong = length < 0
    for known, exact in _EXACT.items():
        wrong = wrong | ((code == known) & (length != exact))
    for known, least in _LEAST.items():
        wrong = wrong | ((code == known) & (length < least))
    return wrong
