"""Dates and durations."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from core.analysis.filter.language.times import date_to_ns, seconds_to_ns

MOMENT = 1041342931_300000000  # 2002-12-31 13:55:31.3 UTC


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the local time zone to one of UTC+9 without daylight saving."""
    monkeypatch.setenv("TZ", "JST-9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        "2002-12-31 13:55:31.3Z",
        "2002-12-31T13:55:31.300000000 UTC",
        "2002-12-31 13:55:31.3 GMT",
        "2002-12-31 15:55:31.3+02:00",
        "2002-12-31 05:55:31.3 -0800",
        "2002-12-31 05:55:31.3 PST",
        "2002-12-31 06:55:31.3 PDT",
        "2002-12-31 19:55:31.3    F",
        "Dec 31, 2002 13:55:31.3 UTC",
        "dec 31, 2002 13:55:31.3Z",
    ],
)
def test_dates_with_a_zone(text: str) -> None:
    assert date_to_ns(text) == MOMENT


def test_a_date_without_a_zone_is_local(far_east: None) -> None:
    assert date_to_ns("2002-12-31 22:55:31.3") == MOMENT
    assert date_to_ns("1970-01-01 09:00") == 0
    assert date_to_ns("1970-01-01 10") == 3600 * 10**9
    assert date_to_ns("1970-01-02") == 15 * 3600 * 10**9


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mrt 1, 2000 00:00:00", "is not a date"),
        ("yesterday", "is not a date"),
        ("2002-12-31 13:55.3", "needs the seconds"),
        ("2002-12-31 13:55:31.", "1 to 9 digits"),
        ("2002-12-31 13:55:31.0000000001", "1 to 9 digits"),
        ("Dec 31, 2002 13:56:31.3 WET", "not a time zone"),
        ("2002-12-31 13:55:31 x", "not a time zone"),
        ("2002-13-01 00:00", "not in the calendar"),
        ("2002-02-30 00:00", "not in the calendar"),
        ("2002-02-03 24:00", "not in the calendar"),
    ],
)
def test_wrong_dates(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        date_to_ns(text)


def test_seconds_are_rounded_to_nanoseconds() -> None:
    assert seconds_to_ns("492204e-3") == 492_204_000_000
    assert seconds_to_ns("1041342931.3") == MOMENT
    assert seconds_to_ns("0.0000000016") == 2
