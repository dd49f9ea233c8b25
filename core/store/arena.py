"""Copy many frames at once into an arena, which grows until it is a full chunk.

Theory
------
The kernel takes a ring block back as soon as it was read, so its frames are copied
(`core.store.frame_copies`). They are packed without the ring's headers between them: a 60-byte
frame takes 144 bytes of ring.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import CHUNK_PACKETS, Chunk
from core.decode.memory import allocate_bytes
from core.decode.postponed_index import PostponedIndex
from core.store.frame_copies import copy_frames_in_order
from core.wire.model.decode_rules import NO_RULES, DecodeRules

_WORTH_A_COPY = 16  # free memory is returned if it is more than this part of the arena


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
        copy_frames_in_order(source, starts, lengths, self.chunk.data, places)
        rows = self.chunk.rows(self.packets, self.packets + len(lengths))
        rows.offset[:] = places
        self.packets += len(lengths)
        self.used += int(lengths.sum())
        return rows

    def postpone_index(self) -> None:
        """Let readers compute the positions of headers that the last rows do not have."""
        if self.chunk.postponed is None:
            self.chunk = replace(self.chunk, postponed=PostponedIndex())

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
        compact = replace(compact, postponed=chunk.postponed)
        for (_, kept), (_, column) in zip(
            compact.stored_columns(), chunk.stored_columns(), strict=True
        ):
            kept[:] = column
        return compact
