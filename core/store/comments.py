"""Comments on packets, counted and bounded.

A file may contain any number of comments of any length. So the store adds their `memory` to what it
holds, and discards comments with their packets. The comments of one packet are bounded too, because
the detail tree shows them in rows of one line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from types import MappingProxyType

LONGEST = 1 << 16  # characters of all comments of one packet
_OVERHEAD = 1 << 7  # bytes that a comment costs besides its text, even an empty one


class Comments:
    """Comments by packet number. One writer; `by_number` may be read from any thread."""

    def __init__(self) -> None:
        self._texts: dict[int, tuple[str, ...]] = {}
        self.by_number: Mapping[int, tuple[str, ...]] = MappingProxyType(self._texts)
        self.memory = 0  # bytes

    def add(self, number: int, texts: Iterable[str]) -> None:
        """Attach comments to a packet, up to `LONGEST` characters."""
        before = self._texts.get(number, ())
        after = _within_bounds((*before, *texts))
        self._texts[number] = after
        self.memory += _memory(after) - _memory(before)

    def forget(self, numbers: range) -> int:
        """Discard the comments on these packets; return the memory that this frees."""
        if not self._texts:
            return 0
        freed = sum(_memory(self._texts.pop(number, ())) for number in numbers)
        self.memory -= freed
        return freed


def _memory(texts: Iterable[str]) -> int:
    return sum(sys.getsizeof(text) + _OVERHEAD for text in texts)


def _within_bounds(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the first `LONGEST` characters; end a comment that is cut with an ellipsis."""
    kept: list[str] = []
    room = LONGEST
    for text in texts:
        if room <= 0:
            break
        kept.append(text if len(text) <= room else text[:room] + "…")
        room -= len(text) + _OVERHEAD
    return tuple(kept)
