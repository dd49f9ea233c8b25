"""Bins as columns of a plot."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.statistics.rate import RateBins
from widgets.statistics.plot_layout import PlotLayout, TimeRange

S = 10**9


def _bins(*packets: int) -> RateBins:
    counts = np.array(packets, np.int64)
    return RateBins(S, 100 * S, counts, counts * 125)


@pytest.mark.parametrize(("count", "width"), [(1, 40), (3, 40), (40, 40), (41, 40), (999, 40)])
def test_every_bin_has_its_columns(count, width) -> None:
    layout = PlotLayout.of(_bins(*range(count)), width, in_bits=False)
    assert width // 2 <= layout.columns <= width
    assert [layout.bin_at(column) for column in (-5, 0, 10_000)] == [0, 0, len(layout.bins) - 1]
    for number in range(len(layout.bins)):
        start, stop = layout.times(number)
        assert layout.bin_of(start) == layout.bin_of(stop - 1) == number
        assert layout.bin_at(number * layout.stretch) == number


def test_heights() -> None:
    layout = PlotLayout.of(_bins(0, 1, 50, 100), 4, in_bits=False)
    assert layout.levels(2).tolist() == [0, 1, 8, 16]
    assert layout.top == 100.0
    assert PlotLayout.of(_bins(0, 8), 2, in_bits=True).top == 8_000.0
    assert PlotLayout.of(_bins(0, 0), 2, in_bits=True).levels(3).tolist() == [0, 0]


def test_no_bins() -> None:
    layout = PlotLayout.of(_bins(), 40, in_bits=False)
    assert (layout.bin_at(3), layout.top, layout.columns) == (None, 0.0, 0)
    assert PlotLayout.of(_bins(1), 0, in_bits=False).columns == 1


def test_a_range_may_end_before_it_began() -> None:
    assert (TimeRange((5, 6), (1, 2)).start_ns, TimeRange((5, 6), (1, 2)).stop_ns) == (1, 6)
    assert (TimeRange((1, 2), (5, 6)).start_ns, TimeRange((1, 2), (5, 6)).stop_ns) == (1, 6)
