"""The statistics as text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.cli.analysis.stats_text import statistics_lines
from core.analysis.statistics.rate import RateBins
from core.analysis.statistics.statistics import Statistics

DAY_NS = 86_400 * 10**9


def test_rates_over_years_have_significant_digits() -> None:
    found = replace(Statistics(), packets=3, bytes=300, first_ns=0, last_ns=1_000 * DAY_NS)
    counts = np.array([3, 0], np.int64)
    lines = list(statistics_lines(found, RateBins(500 * DAY_NS, 0, counts, counts * 100)))
    assert lines[0].endswith("s: 0.000000035 packets/s, 0.000028 bit/s")
    assert lines[-2].split()[-2:] == ["0.000000069", "0.000056"]
    assert lines[-1].split()[-2:] == ["0.0", "0"]
