"""The interface between capture-file parsers and their caller.

The parsers do no I/O: they take a *window* (a mapped file, or the bytes that have arrived) and
return how far they came and why they stopped. `core.files.reader` owns the descriptors and decides
whether to fetch more bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch, CaptureInterface, FileBlock
from core.wire.model.dissection import PacketFlag

Value = TypeVar("Value")

MAXIMUM_PACKET = 262_144  # bytes; the limit of libpcap (MAXIMUM_SNAPLEN) and of Wireshark
_LARGER_PACKETS = {  # link types whose packets may be longer (Wireshark's wtap.h)
    231: 128 << 20,  # D-Bus
    249: 128 << 20,  # USBPcap
    279: 8 << 20,  # Elektrobit high-speed capture
}

# A batch is full when it covers this many bytes of the file. Comments take memory of their own,
# so a batch of many packets must not refer to gigabytes of them.
SPAN_BYTES = 16 << 20


def maximum_packet(link_type: int) -> int:
    """Return the largest plausible captured length, in bytes, for a link type."""
    return _LARGER_PACKETS.get(link_type, MAXIMUM_PACKET)


@dataclass(frozen=True, slots=True)
class Step:
    """The result of one call of `Parser.parse`.

    `batch` holds the packets that were read, or None. `stop` is the first byte of the window that
    was not consumed; it may lie past the end of the window if the rest of a block is to be skipped.
    `needed` is the number of bytes from `stop` on that the parser needs to continue, 0 if the
    caller may simply call again. `inside` is true if the input must not end at `stop`. `fault` is
    the reason why nothing after `stop` can be read. `zeros` counts the zero bytes directly before
    `stop` that the parser has withheld: if the input ends there, its tail was never written.
    """

    batch: Batch | None
    stop: int
    needed: int = 0
    inside: bool = False
    fault: str = ""
    zeros: int = 0


class Parser(Protocol):
    """A parser of one capture format. `interfaces`, `blocks`, and `notes` grow as it reads.

    Parsing begins after `header_length` bytes.
    """

    format: str
    header_length: int
    interfaces: list[CaptureInterface]
    blocks: list[FileBlock]
    notes: list[str]

    def parse(self, window: NDArray[np.uint8], start: int, limit: int, origin: int) -> Step:
        """Read at most `limit` packets from byte `start` of `window` (uint8, one-dimensional).

        `origin` is the offset of the window in the file, for messages. Never raises for content.
        """
        ...


def unaligned(window: NDArray[np.uint8], fields: np.dtype[np.void]) -> NDArray[np.void]:
    """Return a view whose element `i` is the header with these fields at byte `i` of `window`.

    Indexing it with many positions reads all those headers in one pass. The window must hold at
    least one header.
    """
    shape = (len(window) - fields.itemsize + 1,)
    return np.ndarray(shape, fields, buffer=window.data, strides=(1,))


def join_batches(batches: Sequence[Batch]) -> Batch:
    """Return one batch made of several over the same window."""
    if len(batches) == 1:
        return batches[0]
    columns = {
        name: np.concatenate([getattr(batch, name) for batch in batches])
        for name in ("offset", "captured", "original", "timestamp_ns", "interface", "flags")
    }
    comments = JoinedRows(batches, [batch.comments for batch in batches])
    options = JoinedRows(batches, [batch.options for batch in batches])
    first = batches[0]
    return Batch(first.data, **columns, stable=first.stable, comments=comments, options=options)


class JoinedRows(Mapping[int, Value]):
    """Properties of rows of several batches, by the row in all of them. Reads none by itself."""

    def __init__(self, batches: Sequence[Batch], parts: Sequence[Mapping[int, Value]]) -> None:
        lengths = [len(batch) for batch in batches]
        self._firsts = [0, *accumulate(lengths[:-1])]
        self._parts = parts

    def __getitem__(self, row: int) -> Value:
        part = bisect_right(self._firsts, row) - 1
        if part < 0:
            raise KeyError(row)
        return self._parts[part][row - self._firsts[part]]

    def __iter__(self) -> Iterator[int]:
        for first, part in zip(self._firsts, self._parts, strict=True):
            yield from (first + row for row in part)

    def __len__(self) -> int:
        return sum(map(len, self._parts))


def invalid_flags(time: NDArray[np.bool_], length: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Return the `PacketFlag` bits of packets with an invalid time or length, both (n,) bool."""
    flags = time.astype(np.uint16) * np.uint16(PacketFlag.TIME_INVALID)
    flags |= length.astype(np.uint16) * np.uint16(PacketFlag.LENGTH_INVALID)
    return flags
