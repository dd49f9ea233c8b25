"""The rate as columns of a plot: which times a column stands for, and how high it is.

Numbers only: no drawing, no Textual.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics.rate import NO_BINS, RateBins

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class PlotLayout:
    """Bins in `width` columns: each bin takes `stretch` of them.

    `values` are packets per second or bits per second, one for each bin.
    """

    bins: RateBins = field(default_factory=lambda: NO_BINS)
    width: int = 0
    stretch: int = 1
    values: NDArray[np.floating[Any]] = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, bins: RateBins, width: int, *, in_bits: bool) -> PlotLayout:
        """Return the layout of bins in a plot that is `width` cells wide."""
        merged = bins.merged(max(1, width))
        stretch = max(1, width // len(merged)) if len(merged) else 1
        counts = merged.bytes * 8 if in_bits else merged.packets
        values = counts * (_SECOND_NS / merged.width_ns)
        return cls(merged, max(0, width), stretch, values)

    @property
    def top(self) -> float:
        """The highest value; 0 without any."""
        return float(self.values.max(initial=0.0))

    @property
    def columns(self) -> int:
        """The number of columns with a bin."""
        return len(self.bins) * self.stretch

    def bin_at(self, column: int) -> int | None:
        """Return the bin in a column; the nearest one beyond the ends; None without bins."""
        if not len(self.bins):
            return None
        return min(max(0, column // self.stretch), len(self.bins) - 1)

    def bin_of(self, time_ns: int) -> int:
        """Return the bin of a time; it may be outside."""
        return (time_ns - self.bins.start_ns) // self.bins.width_ns

    def times(self, number: int) -> tuple[int, int]:
        """Return where a bin begins, and where the next one does, in ns since the epoch."""
        start = self.bins.start_ns + number * self.bins.width_ns
        return start, start + self.bins.width_ns

    def levels(self, height: int) -> NDArray[np.int64]:
        """Return the height of each column in eighths of `height` lines; at least 1 above zero."""
        top = self.top
        if not top:
            return np.zeros(self.columns, np.int64)
        levels = np.ceil(self.values / top * height * 8).astype(np.int64)
        return np.repeat(levels, self.stretch)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """The times between two ends, in ns since the epoch: `anchor` is where the range began.

    Each end is a whole bin: from the start of the earlier one to the end of the later one.
    """

    anchor: tuple[int, int]
    cursor: tuple[int, int]

    @property
    def start_ns(self) -> int:
        """The first time in the range."""
        return min(self.anchor[0], self.cursor[0])

    @property
    def stop_ns(self) -> int:
        """The first time after the range."""
        return max(self.anchor[1], self.cursor[1])
