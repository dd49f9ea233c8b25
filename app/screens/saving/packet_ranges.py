"""Ranges of packet numbers as the user types them: ``10-200,300``, ``-50``, ``1000-``."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from app.screens.dialogs.dialog import MOST_DIGITS

_MOST_RANGES = 1000
_RANGE = re.compile(r"(\d*)\s*(-?)\s*(\d*)")


class RangeError(ValueError):
    """The text is not a list of ranges. `is_incomplete` is True if more text may make it one."""

    def __init__(self, reason: str, *, is_incomplete: bool = False) -> None:
        super().__init__(reason)
        self.is_incomplete = is_incomplete


class PacketRanges:
    """A `core.store.filtered_view.NumberRange` of ranges (first, last), both ends included."""

    def __init__(self, ranges: list[tuple[int, int]]) -> None:
        self.ranges = ranges

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def between(self, first: int, last: int) -> NDArray[np.int64]:
        """Return the numbers (k,) from packet `first` to `last`."""
        pieces = [
            np.arange(max(first, low), min(last, high) + 1)
            for low, high in self.ranges
            if low <= last and high >= first
        ]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int64)


def parse_ranges(text: str, first: int, last: int) -> PacketRanges:
    """Return the packets from `first` to `last` that a text names. Raise `RangeError`."""
    found: list[tuple[int, int]] = []
    parts = text.split(",")
    if len(parts) > _MOST_RANGES:
        raise RangeError(f"at most {_MOST_RANGES:,} ranges")
    for part in parts:
        match = _RANGE.fullmatch(part.strip())
        if match is None or len(part) > 2 * MOST_DIGITS:
            raise RangeError(f"not a range: {part.strip()[:MOST_DIGITS]}; type 10-200,300")
        low, dash, high = match.groups()
        if not low and not high:
            raise RangeError("type packet numbers: 10-200,300", is_incomplete=True)
        start = int(low) if low else first
        stop = int(high) if high else (last if dash else start)
        if low and high and stop < start:
            raise RangeError(f"{low}-{high} ends before it begins", is_incomplete=True)
        clipped = (max(start, first), min(stop, last))
        if clipped[1] < clipped[0]:
            raise RangeError(f"packets {first:,} to {last:,} are in memory", is_incomplete=True)
        found.append(clipped)
    return PacketRanges(_merged(found))


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ascending ranges without overlap."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged
