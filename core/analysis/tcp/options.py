"""The options of TCP headers that the analysis needs: window scale and selective acknowledgment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.wire.transport.tcp import TCP
from core.wire.transport.tcp_options import END, NO_OPERATION, SACK, TIMESTAMPS, WINDOW_SCALE

_MOST = 40  # bytes of options, so also options, in a header
_PADDED_TIMESTAMPS = (NO_OPERATION, NO_OPERATION, TIMESTAMPS, 10)  # all that most segments have
_MOST_RANGES = 4

UNKNOWN_SCALE = -1
"""The scale of a SYN segment without the option."""


class SegmentOptions:
    """The options of k headers, ``scale`` (k,) int64 and ``sacked`` (k,) int64.

    ``scale`` is the shift count of the window; `UNKNOWN_SCALE` without the option. ``sacked`` sums
    the bytes of the ranges that the header acknowledges selectively; -1 without such an option.
    """

    def __init__(
        self,
        data: NDArray[np.uint8],
        starts: NDArray[np.int64],
        lengths: NDArray[np.int64],
        limits: NDArray[np.int64],
    ) -> None:
        """Read headers of `lengths` (k,) bytes at `starts`, captured up to `limits` in `data`."""
        self.scale = np.full(len(starts), UNKNOWN_SCALE, np.int64)
        self.sacked = np.full(len(starts), -1, np.int64)
        ends = np.minimum(starts + lengths, limits)
        index = np.flatnonzero(ends - starts > TCP.size)
        at = starts[index] + TCP.size
        is_usual = ends[index] - at == 12
        usual = np.flatnonzero(is_usual)
        first = at[usual, np.newaxis] + np.arange(len(_PADDED_TIMESTAMPS))
        is_usual[usual] = (data[first] == np.array(_PADDED_TIMESTAMPS, np.uint8)).all(axis=1)
        self._walk(data, index[~is_usual], at[~is_usual], ends[index[~is_usual]])

    def _walk(
        self,
        data: NDArray[np.uint8],
        index: NDArray[np.int64],
        at: NDArray[np.int64],
        ends: NDArray[np.int64],
    ) -> None:
        """Read one option of every header after the other."""
        for _ in range(_MOST):
            kept = at < ends
            index, at, ends = index[kept], at[kept], ends[kept]
            if not len(index):
                return
            kinds = data[at]
            kept = kinds != END
            is_single = kinds == NO_OPERATION
            kept &= is_single | (at + 1 < ends)
            index, at, ends = index[kept], at[kept], ends[kept]
            kinds, is_single = kinds[kept], is_single[kept]
            sizes = np.ones(len(at), np.int64)
            sizes[~is_single] = data[at[~is_single] + 1]
            kept = is_single | ((sizes >= 2) & (at + sizes <= ends))
            index, at, ends, kinds, sizes = (each[kept] for each in (index, at, ends, kinds, sizes))
            scales = np.flatnonzero((kinds == WINDOW_SCALE) & (sizes == 3))
            self.scale[index[scales]] = data[at[scales] + 2]
            ranges = np.flatnonzero(kinds == SACK)
            if len(ranges):
                self._add_ranges(data, index[ranges], at[ranges], sizes[ranges])
            at = at + sizes

    def _add_ranges(
        self,
        data: NDArray[np.uint8],
        index: NDArray[np.int64],
        at: NDArray[np.int64],
        sizes: NDArray[np.int64],
    ) -> None:
        self.sacked[index] = 0
        for number in range(_MOST_RANGES):
            has = 2 + 8 * (number + 1) <= sizes
            places = at[has, np.newaxis] + 2 + 8 * number + np.arange(8)
            edges = data[places].view(">u4").astype(np.int64)
            self.sacked[index[has]] += (edges[:, 1] - edges[:, 0]) & 0xFFFF_FFFF
