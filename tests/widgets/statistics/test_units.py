"""Rates and times in units that are easy to read, for captures of any length."""

from __future__ import annotations

import pytest

from widgets.statistics.units import rate_text, time_text


@pytest.mark.parametrize(
    ("per_s", "unit", "text"),
    [
        (0, "", "0/s"),
        (0, "b", "0 b/s"),
        (41_234, "", "41.2k/s"),
        (12, "bit", "12 bit/s"),
        (1.5, "", "1.5/s"),
        (1, "", "1/s"),
        (0.5, "", "30/min"),
        (1 / 60, "bit", "1 bit/min"),
        (1 / 61, "", "59/h"),
        (1 / 3_601, "", "24/day"),
        (2.4 / 86_400, "", "2.4/day"),
        (0.003 / 86_400, "b", "0.003 b/day"),
    ],
)
def test_rates(per_s, unit, text) -> None:
    assert rate_text(per_s, unit) == text


def test_no_rate_but_zero_reads_as_zero() -> None:
    for exponent in range(-90, 90):
        number = rate_text(10 ** (exponent / 10)).partition("/")[0]
        assert float(number.rstrip("kMG")) > 0


@pytest.mark.parametrize(
    ("seconds", "decimals", "text"),
    [
        (0.25, 3, "0.250 s"),
        (7_199, 0, "7,199 s"),
        (7_200, 0, "2:00:00"),
        (90_061.9, 1, "25:01:01"),
        (172_800, 0, "2 days 00:00"),
        (3 * 365.25 * 86_400 + 4_000, 0, "1,095 days 19:06"),
    ],
)
def test_times(seconds, decimals, text) -> None:
    assert time_text(seconds, decimals) == text
