"""The last bytes that one side of a stream sent, to compare what it sends again.

At most `HISTORY` bytes of memory hold them, the objects around the bytes included. Bytes that
follow each other share blocks of about `BLOCK` bytes, so that small segments need no more memory
than large ones.
"""

from __future__ import annotations

import sys
from collections import deque

HISTORY = 1 << 20
BLOCK = 1 << 12
BLOCK_COST = 128
"""The bytes of memory that a block takes beside its `bytearray`."""


class History:
    """The last bytes of a side, by position. Positions only grow."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[int, bytearray]] = deque()  # each with its first position
        self._held = 0

    def add(self, position: int, data: bytes) -> None:
        """Add bytes behind all others, and forget the oldest ones if there are too many."""
        last, block = self._blocks[-1] if self._blocks else (0, bytearray())
        if self._blocks and len(block) < BLOCK and last + len(block) == position:
            self._held -= sys.getsizeof(block)
            block += data
        else:
            block = bytearray(data)
            self._blocks.append((position, block))
            self._held += BLOCK_COST
        self._held += sys.getsizeof(block)
        while self._held > HISTORY and len(self._blocks) > 1:
            self._held -= BLOCK_COST + sys.getsizeof(self._blocks.popleft()[1])

    def count_differences(self, start: int, data: bytes) -> int:
        """Return how many of the bytes at a position differ from those that are known."""
        stop, count = start + len(data), 0
        for first, known in reversed(self._blocks):
            if first + len(known) <= start:
                break
            low, high = max(first, start), min(first + len(known), stop)
            if low < high:
                before, now = known[low - first : high - first], data[low - start : high - start]
                if before != now:
                    count += sum(a != b for a, b in zip(before, now, strict=True))
        return count
