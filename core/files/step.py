"""What a capture-file parser gives back for one bite of bytes.

The parsers are sans-IO: they are handed a *window* (a mapped file, or the bytes that have
arrived so far) and say how far they came and why they stopped. `core.files.reader` owns the
descriptors and decides whether more bytes can be had.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch, CaptureInterface
from core.wire.model.dissection import PacketFlag

MAXIMUM_PACKET = 262_144  # bytes; libpcap's MAXIMUM_SNAPLEN and Wireshark's limit alike
_LARGER_PACKETS = {  # link types whose packets may be longer (Wireshark's wtap.h)
    231: 128 << 20,  # D-Bus
    249: 128 << 20,  # USBPcap
    279: 8 << 20,  # Elektrobit high-speed capture
}

# Bytes of the file from which one batch is full. What it may bring besides packets is in
# memory of its own, so a batch of many packets must not stand for gigabytes of comments.
SPAN_BYTES = 16 << 20


def maximum_packet(link_type: int) -> int:
    """The longest captured length to believe, in bytes, for a link type."""
    return _LARGER_PACKETS.get(link_type, MAXIMUM_PACKET)


@dataclass(frozen=True, slots=True)
class Step:
    """How far one call of `Parser.parse` came.

    `batch` holds the packets that were read, or None. `stop` is the first byte of the window
    that was not consumed; it may lie past the window's end, where a block is skipped whose
    bytes nobody needs. `needed` is how many bytes from `stop` on are needed to go further, 0
    when the caller may simply call again. `inside` is true where the input must not end at
    `stop`. `fault` says why nothing after `stop` can be read. `zeros` counts the zero bytes
    directly before `stop` that the parser has withheld: if the input ends there, its tail was
    never written.
    """

    batch: Batch | None
    stop: int
    needed: int = 0
    inside: bool = False
    fault: str = ""
    zeros: int = 0


class Parser(Protocol):
    """One capture format; `interfaces` and `notes` grow as blocks are read.

    Parsing begins after `header_length` bytes.
    """

    format: str
    header_length: int
    interfaces: list[CaptureInterface]
    notes: list[str]

    def parse(self, window: NDArray[np.uint8], start: int, limit: int, origin: int) -> Step:
        """Read at most `limit` packets from byte `start` of `window` (uint8, one-dimensional).

        `origin` is the offset in the file of the window's first byte, for messages.
        Never raises for content.
        """
        ...


def unaligned(window: NDArray[np.uint8], fields: np.dtype[np.void]) -> NDArray[np.void]:
    """A view in which element `i` is the header with these fields at byte `i` of `window`.

    Gathering from it at many positions reads all those headers in one pass. The window must
    hold at least one header.
    """
    shape = (len(window) - fields.itemsize + 1,)
    return np.ndarray(shape, fields, buffer=window.data, strides=(1,))


def joined(batches: Sequence[Batch]) -> Batch:
    """One batch of several over the same window."""
    if len(batches) == 1:
        return batches[0]
    columns = {
        name: np.concatenate([getattr(batch, name) for batch in batches])
        for name in ("offset", "captured", "original", "timestamp_ns", "interface", "flags")
    }
    comments = JoinedComments(batches)
    return Batch(batches[0].data, **columns, stable=batches[0].stable, comments=comments)


class JoinedComments(Mapping[int, Sequence[str]]):
    """The comments of several batches in a row, by the row in all of them; none is read here."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        lengths = [len(batch) for batch in batches]
        self._firsts = [0, *accumulate(lengths[:-1])]
        self._parts = [batch.comments for batch in batches]

    def __getitem__(self, row: int) -> Sequence[str]:
        part = bisect_right(self._firsts, row) - 1
        if part < 0:
            raise KeyError(row)
        return self._parts[part][row - self._firsts[part]]

    def __iter__(self) -> Iterator[int]:
        for first, part in zip(self._firsts, self._parts, strict=True):
            yield from (first + row for row in part)

    def __len__(self) -> int:
        return sum(map(len, self._parts))


def odd_flags(time: NDArray[np.bool_], length: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """The `PacketFlag` bits of packets with an odd time or an odd length, both (n,)."""
    flags = time.astype(np.uint16) * np.uint16(PacketFlag.TIME_INVALID)
    flags |= length.astype(np.uint16) * np.uint16(PacketFlag.LENGTH_INVALID)
    return flags
