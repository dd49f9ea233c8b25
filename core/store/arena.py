"""Copy many frames at once into an arena, which grows until it is a full chunk.

Theory
------
The kernel takes a ring block back as soon as it was read, so its frames are copied. They are packed
without the ring's headers between them: a 60-byte frame takes 144 bytes of ring. A loop over frames
costs 150 ns each; numpy copies items of one size several times faster. So frames are copied by
*classes* of length, W ≤ length < 2·W for each power of two: one item of W bytes from the frame's
start and one that ends at its end cover the frame; where they overlap, both write the same bytes. C
libraries copy short runs in the same way. Frames of `LONG` bytes and more are copied one by one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import CHUNK_PACKETS, COLUMN_TYPES, Chunk
from core.decode.memory import allocate_bytes
from core.wire.model.decode_rules import NO_RULES, DecodeRules

LONG = 2048
_WORTH_A_COPY = 16  # free memory is returned if it is more than this part of the arena


def copy_frames(
    source: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    target: NDArray[np.uint8],
    places: NDArray[np.int64],
) -> None:
    """Copy frame i, `lengths[i]` bytes at `starts[i]` of `source`, to `places[i]` of `target`.

    Every frame must lie inside `source`, and its place inside `target`.
    """
    if not len(lengths):
        return
    # frexp's exponent of a length is its bit length: class e holds 2**(e-1) … 2**e - 1
    classes = np.frexp(lengths.astype(np.float64))[1]
    for exponent in np.flatnonzero(np.bincount(classes)):
        if exponent == 0:  # empty frames
            continue
        rows = np.flatnonzero(classes == exponent)
        begin, length, place = starts[rows], lengths[rows], places[rows]
        width = 1 << (int(exponent) - 1)
        if width >= LONG:
            _copy_each(source, begin, length, target, place)
            continue
        reads, writes = _items(source, width), _items(target, width)
        writes[place] = reads[begin]
        spare = length - width
        writes[place + spare] = reads[begin + spare]


def _items(data: NDArray[np.uint8], width: int) -> NDArray[np.void]:
    """Return every run of `width` bytes of `data` as an item, indexed by its first byte."""
    return np.ndarray(
        shape=(len(data) - width + 1,), dtype=f"V{width}", buffer=data.data, strides=(1,)
    )


def _copy_each(
    source: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    target: NDArray[np.uint8],
    places: NDArray[np.int64],
) -> None:
    triples = zip(starts.tolist(), lengths.tolist(), places.tolist(), strict=True)
    read, written = source.data, target.data  # half the cost of slices of arrays
    for start, length, place in triples:
        written[place : place + length] = read[start : start + length]


class Arena:
    """An unfinished chunk: room for bytes and rows, of which the first ones are in use.

    `comment_bytes` is the memory of the comments on its packets, which the store counts. `packets`
    and `used` (bytes) only grow, and nothing below them is written again, so a `Chunk` that
    `published` returned does not change while the arena grows.
    """

    def __init__(
        self,
        first: int,
        capacity_bytes: int,
        link_types: NDArray[np.int32],
        decode_rules: DecodeRules = NO_RULES,
    ) -> None:
        data = allocate_bytes(capacity_bytes)
        self.chunk = Chunk.allocate(first, data, link_types, CHUNK_PACKETS, decode_rules)
        self.packets = 0
        self.used = 0
        self.comment_bytes = 0

    def room_for(self, captured: NDArray[np.uint32]) -> int:
        """Return how many of the next frames still fit."""
        free = len(self.chunk.data) - self.used
        ahead = captured[: CHUNK_PACKETS - self.packets]
        return int(np.searchsorted(np.cumsum(ahead, dtype=np.int64), free, side="right"))

    def add(
        self, source: NDArray[np.uint8], starts: NDArray[np.int64], captured: NDArray[np.uint32]
    ) -> Chunk:
        """Copy frames behind the last one; return their rows, with only `offset` filled."""
        lengths = captured.astype(np.int64)
        places = np.cumsum(lengths) - lengths + self.used
        copy_frames(source, starts, lengths, self.chunk.data, places)
        rows = self.chunk.rows(self.packets, self.packets + len(lengths))
        rows.offset[:] = places
        self.packets += len(lengths)
        self.used += int(lengths.sum())
        return rows

    def published(self) -> Chunk:
        """Return the rows in use as an immutable chunk."""
        return self.chunk.rows(0, self.packets)

    def sealed(self) -> Chunk:
        """Return the rows in use; move them to smaller memory if much of the arena is free.

        Unwritten columns take no memory (see `core.decode.memory`).
        """
        chunk = self.published()
        spare = len(chunk.data) - self.used
        if spare * _WORTH_A_COPY < len(chunk.data):
            return chunk
        data = allocate_bytes(self.used)
        data[:] = chunk.data[: self.used]
        compact = Chunk.allocate(
            chunk.first, data, chunk.link_types, len(chunk), chunk.decode_rules
        )
        for name in COLUMN_TYPES:
            getattr(compact, name)[:] = getattr(chunk, name)
        return compact
