"""Packets by length, in the ranges of ``tshark -z plen,tree``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EDGES = (0, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120)
"""The shortest length of each range, in bytes; each range ends before the next."""


@dataclass(frozen=True, slots=True)
class LengthRange:
    """The packets of `first` … `last` bytes; `last` is None if the range has no end.

    `shortest` and `longest` are lengths of packets, 0 without packets.
    """

    first: int
    last: int | None
    packets: int
    bytes: int
    shortest: int
    longest: int

    @property
    def average(self) -> float:
        """The mean length in bytes; 0 without packets."""
        return self.bytes / self.packets if self.packets else 0.0

    @property
    def text(self) -> str:
        """The range in words: ``40-79``, ``5120 and greater``."""
        return f"{self.first} and greater" if self.last is None else f"{self.first}-{self.last}"


class LengthCounter:
    """Counts packets by length, before they were cut."""

    def __init__(self) -> None:
        count = len(EDGES)
        self._packets, self._bytes, self._longest = np.zeros((3, count), np.int64)
        self._shortest = np.full(count, np.iinfo(np.int64).max)

    def add(self, lengths: NDArray[Any]) -> None:
        """Count packets by their lengths (n,)."""
        if not len(lengths):
            return
        if int(lengths.max()) < _MOST_COUNTED:
            counts = np.bincount(lengths)
            values = np.flatnonzero(counts)
            counts = counts[values]
        else:
            values, counts = np.unique(lengths.astype(np.int64), return_counts=True)
        index = np.searchsorted(_STARTS, values, "right") - 1
        np.add.at(self._packets, index, counts)
        np.add.at(self._bytes, index, values * counts)
        np.minimum.at(self._shortest, index, values)
        np.maximum.at(self._longest, index, values)

    def result(self) -> tuple[LengthRange, ...]:
        """Return all ranges, those without packets, too."""
        ends: list[int | None] = [edge - 1 for edge in EDGES[1:]]
        columns = (self._packets, self._bytes, self._shortest, self._longest)
        rows = zip(EDGES, [*ends, None], *(column.tolist() for column in columns), strict=True)
        return tuple(
            LengthRange(first, last, packets, size, shortest if packets else 0, longest)
            for first, last, packets, size, shortest, longest in rows
        )


_STARTS = np.array(EDGES)
_MOST_COUNTED = 1 << 17  # the least length of packets that are sorted by it instead
