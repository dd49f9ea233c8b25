"""Packets by time: bins that widen, and bins of a fixed width."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from core.analysis.statistics.rate import (
    NO_BINS,
    WIDTHS_NS,
    RateBins,
    RateCounter,
    TooManyBinsError,
)

MS, S = 10**6, 10**9
DAY = 86_400 * S


def _check(bins: RateBins, times: list[int], sizes: list[int]) -> None:
    """Compare bins with a count by hand."""
    for number in range(len(bins)):
        start = bins.start_ns + number * bins.width_ns
        inside = [size for time, size in zip(times, sizes, strict=True)
                  if start <= time < start + bins.width_ns]  # fmt: skip
        assert (int(bins.packets[number]), int(bins.bytes[number])) == (len(inside), sum(inside))
    assert int(bins.packets.sum()) == len(times)


def test_each_width_is_a_multiple_of_the_one_before() -> None:
    assert all(wider % width == 0 for width, wider in itertools.pairwise(WIDTHS_NS))


@pytest.mark.parametrize("span", [S, 60 * S, DAY, 40 * 365 * DAY], ids=str)
def test_adaptive_bins(span) -> None:
    generator = random.Random(span)
    first = 1_700_000_000 * S + 123_456_789
    times = [first, *(first + generator.randrange(-span, span) for _ in range(300))]
    sizes = [generator.randrange(60, 1500) for _ in times]
    counter = RateCounter(most=64)
    for start in range(0, len(times), 50):
        part = slice(start, start + 50)
        counter.add(np.array(times[part]), np.array(sizes[part]))
    bins = counter.result()
    assert len(bins) <= 64
    assert bins.start_ns % bins.width_ns == 0
    _check(bins, times, sizes)
    for most in (1, 5, 33):
        assert len(bins.at_most(most)) <= most
        _check(bins.at_most(most), times, sizes)
        assert len(bins.merged(most)) <= most
        _check(bins.merged(most), times, sizes)


def test_bins_of_a_fixed_width_begin_with_the_first_packet() -> None:
    counter = RateCounter(width_ns=S, most=10)
    times = [5 * S + 7, 5 * S + 6, 9 * S, 3 * S]
    counter.add(np.array(times), np.ones(4))
    bins = counter.result()
    assert bins.start_ns % S == 7
    _check(bins, times, [1] * 4)
    with pytest.raises(TooManyBinsError):
        counter.add(np.array([30 * S]), np.ones(1))


def test_no_packets() -> None:
    counter = RateCounter()
    counter.add(np.zeros(0, np.int64), np.zeros(0))
    assert len(counter.result()) == 0
    assert len(NO_BINS.at_most(10)) == len(NO_BINS.merged(10)) == len(NO_BINS.wider()) == 0
