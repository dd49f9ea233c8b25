"""The bins of a plot cover the capture, whatever its times."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.flows.history import BINS, TimeScale, widened
from core.analysis.flows.table import UNTIMED

SECOND = 1_000_000_000


@pytest.mark.parametrize("seconds", [0, 1, 2, 3, 1000, 10**9])
def test_bins_cover_the_capture(seconds: int) -> None:
    scale = TimeScale()
    times = np.array([SECOND, SECOND + seconds * SECOND])
    scale.cover(times)
    bins = scale.bins(times)
    assert bins[0] == 0
    assert bins[1] == scale.used - 1 < BINS
    assert scale.used > BINS // 2 or seconds < 2


def test_earlier_times_belong_to_the_first_bin() -> None:
    scale = TimeScale()
    scale.cover(np.array([10 * SECOND, 11 * SECOND]))
    scale.cover(np.array([], np.int64))
    assert scale.bins(np.array([0, 10 * SECOND])).tolist() == [0, 0]
    assert scale.bins(np.array([UNTIMED, np.iinfo(np.int64).min])).tolist() == [0, 0]


def test_wider_bins_have_the_same_sum() -> None:
    rates = np.arange(2 * BINS, dtype=np.float32).reshape(2, BINS)
    wider = widened(rates)
    assert wider[:, : BINS // 2].tolist() == (rates[:, ::2] + rates[:, 1::2]).tolist()
    assert not wider[:, BINS // 2 :].any()
