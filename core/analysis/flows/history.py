"""The bytes of a flow over time, for a small plot: a few bins over the whole capture.

All flows share one scale. When a packet is later than the last bin, the bins become twice as wide,
and each takes two earlier ones; so the plot always covers the capture, with at least half of the
bins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 20
_LEAST_WIDTH_NS = 100_000_000


class TimeScale:
    """Which bin a time belongs to."""

    def __init__(self) -> None:
        self.width_ns = _LEAST_WIDTH_NS
        self.start_ns: int | None = None
        self.stop_ns = 0  # the latest time up to now

    def cover(self, times_ns: NDArray[np.int64]) -> None:
        """Widen the bins until they cover these times. The first time of all begins bin 0."""
        if not len(times_ns):
            return
        if self.start_ns is None:
            self.start_ns = int(times_ns[0])
        self.stop_ns = max(self.stop_ns, int(times_ns.max()))
        while self.stop_ns - self.start_ns >= BINS * self.width_ns:
            self.width_ns *= 2

    def bins(self, times_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the bin of each time (n,); bin 0 for earlier times than the first."""
        start_ns = self.start_ns or 0
        found: NDArray[np.int64] = (np.maximum(times_ns, start_ns) - start_ns) // self.width_ns
        return np.minimum(found, BINS - 1)

    @property
    def used(self) -> int:
        """The number of bins up to the latest time, at least 1."""
        if self.start_ns is None:
            return 1
        return min(BINS, (self.stop_ns - self.start_ns) // self.width_ns + 1)


def widened(rates: NDArray[Any]) -> NDArray[Any]:
    """Return bins (n, BINS) that are twice as wide."""
    found = np.zeros_like(rates)
    found[:, : BINS // 2] = rates[:, ::2] + rates[:, 1::2]
    return found
