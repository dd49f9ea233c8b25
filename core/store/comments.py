"""Comments on packets, counted and bounded.

A file may bring any number of comments of any length, so they are billed like packets: the
store adds `memory` to what it holds, and comments go when their packets do. What one
packet may have is bounded too, since the user reads it in one row of the detail tree.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from types import MappingProxyType

LONGEST = 1 << 16  # characters kept of one packet's comments, all together
_OVERHEAD = 1 << 7  # bytes that a comment costs besides its text; no comment is for nothing


class Comments:
    """Comments by packet number. One writer; `by_number` may be read from any thread."""

    def __init__(self) -> None:
        self._texts: dict[int, tuple[str, ...]] = {}
        self.by_number: Mapping[int, tuple[str, ...]] = MappingProxyType(self._texts)
        self.memory = 0  # bytes

    def add(self, number: int, texts: Iterable[str]) -> None:
        """Attach remarks to a packet, as far as it may have more."""
        before = self._texts.get(number, ())
        after = _within_bounds((*before, *texts))
        self._texts[number] = after
        self.memory += _memory(after) - _memory(before)

    def forget(self, numbers: range) -> int:
        """Drop the comments on these packets; returns the memory they held."""
        if not self._texts:
            return 0
        freed = sum(_memory(self._texts.pop(number, ())) for number in numbers)
        self.memory -= freed
        return freed


def _memory(texts: Iterable[str]) -> int:
    return sum(sys.getsizeof(text) + _OVERHEAD for text in texts)


def _within_bounds(texts: Iterable[str]) -> tuple[str, ...]:
    """The first `LONGEST` characters; where they end inside a comment stands an ellipsis."""
    kept: list[str] = []
    room = LONGEST
    for text in texts:
        if room <= 0:
            break
        kept.append(text if len(text) <= room else text[:room] + "…")
        room -= len(text) + _OVERHEAD
    return tuple(kept)
