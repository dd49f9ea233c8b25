"""Packets and bytes over time, in bins of equal width.

The bins become wider when the capture becomes longer: each width is a multiple of the one before,
so bins are added up and no packet is read again. Bins of an adaptive width begin at multiples of
it since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics.hierarchy import byte_sums

MOST_BINS = 1 << 13
"""Bins of an adaptive width, 16 bytes each."""

_MS, _S = 10**6, 10**9
WIDTHS_NS = (
    *(_MS, 2 * _MS, 10 * _MS, 20 * _MS, 100 * _MS, 200 * _MS),
    *(_S, 2 * _S, 10 * _S, 20 * _S, 60 * _S, 120 * _S, 600 * _S, 1200 * _S),
    *(3600 * _S, 2 * 3600 * _S, 6 * 3600 * _S, 12 * 3600 * _S, 86400 * _S, 7 * 86400 * _S),
)
"""The adaptive widths; wider ones are powers of two times the last."""


class TooManyBinsError(Exception):
    """The capture is too long for bins of a fixed width."""


@dataclass(frozen=True, slots=True, eq=False)
class RateBins:
    """Packets and bytes (m,) in bins of `width_ns`; the first begins at `start_ns`."""

    width_ns: int
    start_ns: int
    packets: NDArray[np.int64]
    bytes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.packets)

    def merged(self, most: int) -> RateBins:
        """Return at most `most` bins, each the sum of equally many, by the fewest."""
        factor = max(1, -(-len(self) // max(1, most)))
        return self if factor == 1 else self.in_groups(factor)

    def wider(self) -> RateBins:
        """Return bins of the next adaptive width, beginning at multiples of it."""
        wider = next((width for width in WIDTHS_NS if width > self.width_ns), 2 * self.width_ns)
        skipped = (self.start_ns % wider) // self.width_ns
        return self.in_groups(wider // self.width_ns, skipped)

    def at_most(self, most: int) -> RateBins:
        """Return at most `most` bins, at least one, of the narrowest adaptive width."""
        bins = self
        while len(bins) > max(1, most):
            bins = bins.wider()
        return bins

    def in_groups(self, factor: int, skipped: int = 0) -> RateBins:
        """Return bins that are the sums of `factor` ones.

        The first new bin begins `skipped` old ones before the first of these.
        """
        starts = np.arange(-skipped, len(self), factor)
        starts[:1] = 0
        packets, sizes = (
            np.add.reduceat(column, starts) if len(column) else column
            for column in (self.packets, self.bytes)
        )
        start_ns = self.start_ns - skipped * self.width_ns
        return RateBins(self.width_ns * factor, start_ns, packets, sizes)


_NO_COUNTS = np.zeros(0, np.int64)
NO_BINS = RateBins(WIDTHS_NS[0], 0, _NO_COUNTS, _NO_COUNTS)


class RateCounter:
    """Counts packets by time.

    With `width_ns`, bins have this width, and the first one begins with the first packet; then
    `add` raises `TooManyBinsError` for more than `most` bins.
    """

    def __init__(self, width_ns: int | None = None, most: int = MOST_BINS) -> None:
        self._is_adaptive = width_ns is None
        self._most = most
        self._bins = RateBins(width_ns or WIDTHS_NS[0], 0, _NO_COUNTS, _NO_COUNTS)

    def add(self, times_ns: NDArray[np.int64], sizes: NDArray[Any]) -> None:
        """Count packets by their times (n,) since the epoch, and their lengths (n,) in bytes."""
        if not len(times_ns):
            return
        first, last = int(times_ns.min()), int(times_ns.max())
        if not len(self._bins):
            width = self._bins.width_ns
            start = first // width * width if self._is_adaptive else int(times_ns[0])
            self._bins = RateBins(width, start, _NO_COUNTS, _NO_COUNTS)
        self._make_room(first, last)
        bins = self._bins
        index = (times_ns - bins.start_ns) // bins.width_ns
        bins.packets[:] += np.bincount(index, minlength=len(bins))
        bins.bytes[:] += byte_sums(index, sizes, len(bins))

    def result(self) -> RateBins:
        """Return the bins up to now."""
        bins = self._bins
        return RateBins(bins.width_ns, bins.start_ns, bins.packets.copy(), bins.bytes.copy())

    def _make_room(self, first: int, last: int) -> None:
        """Let the bins reach from `first` to `last`; widen them if they were too many."""
        while True:
            bins = self._bins
            before = max(0, -((first - bins.start_ns) // bins.width_ns))
            after = max(0, (last - bins.start_ns) // bins.width_ns + 1 - len(bins))
            if before + len(bins) + after <= self._most:
                break
            if not self._is_adaptive:
                raise TooManyBinsError
            self._bins = bins.wider()
        if before or after:
            self._bins = RateBins(
                bins.width_ns,
                bins.start_ns - before * bins.width_ns,
                np.pad(bins.packets, (before, after)),
                np.pad(bins.bytes, (before, after)),
            )
