"""Comments on packets and their other options, counted and bounded.

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
    """Comments by packet number, and packed options. One writer; any thread may read both.

    `options` are those of `core.decode.batch.Batch`: kept only to be saved with the packet.
    """

    def __init__(self) -> None:
        self._texts: dict[int, tuple[str, ...]] = {}
        self._options: dict[int, bytes] = {}
        self.by_number: Mapping[int, tuple[str, ...]] = MappingProxyType(self._texts)
        self.options: Mapping[int, bytes] = MappingProxyType(self._options)
        self.memory = 0  # bytes

    def add(self, number: int, texts: Iterable[str]) -> None:
        """Attach comments to a packet, up to `LONGEST` characters."""
        self.replace(number, (*self._texts.get(number, ()), *texts))

    def replace(self, number: int, texts: Iterable[str]) -> None:
        """Replace the comments on a packet; without any, it has none."""
        before = self._texts.pop(number, ())
        after = within_bounds(texts)
        if after:
            self._texts[number] = after
        self.memory += _memory(after) - _memory(before)

    def add_options(self, number: int, packed: bytes) -> None:
        """Keep the options of a packet."""
        self._options[number] = packed
        self.memory += sys.getsizeof(packed) + _OVERHEAD

    def forget(self, numbers: range) -> int:
        """Discard what belongs to these packets; return the memory that this frees."""
        freed = 0
        for number in _having(self._texts, numbers):
            freed += _memory(self._texts.pop(number))
        for number in _having(self._options, numbers):
            freed += sys.getsizeof(self._options.pop(number)) + _OVERHEAD
        self.memory -= freed
        return freed


def _having(by_number: Mapping[int, object], numbers: range) -> list[int]:
    """Return the numbers that have an entry, at the cost of the shorter of both."""
    if len(by_number) < len(numbers):
        return [number for number in by_number if number in numbers]
    return [number for number in numbers if number in by_number]


def _memory(texts: Iterable[str]) -> int:
    return sum(sys.getsizeof(text) + _OVERHEAD for text in texts)


def within_bounds(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the first `LONGEST` characters; end a comment that is cut with an ellipsis."""
    kept: list[str] = []
    room = LONGEST
    for text in texts:
        if room <= 0:
            break
        kept.append(text if len(text) <= room else text[:room] + "…")
        room -= len(text) + _OVERHEAD
    return tuple(kept)
