"""The three formats of a packet's time."""

import time

import pytest

from core.store.frame_detail import seconds_text
from widgets.packets.time_format import TimeFormat, clock_text, date_text

NOON = 1_700_000_000_123_456_789  # 2023-11-14 22:13:20 UTC


@pytest.fixture
def timezone(monkeypatch):
    def use(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield use
    monkeypatch.undo()
    time.tzset()


def test_seconds_are_exact_signed_and_cut():
    assert seconds_text(0, 6) == "0.000000"
    assert seconds_text(1_000_999_999, 6) == "1.000999"
    assert seconds_text(-1_500, 6) == "-0.000001"
    assert seconds_text(9_007_199_254_740_993_000, 6) == "9007199254.740993"  # > 2**53 ns


def test_time_of_day_is_local(timezone):
    timezone("UTC")
    assert clock_text(NOON, 6, with_date=False) == "22:13:20.123456"
    timezone("Asia/Kolkata")
    assert clock_text(NOON, 3, with_date=True) == "2023-11-15 03:43:20.123"
    assert date_text(NOON) == "2023-11-15"


@pytest.mark.parametrize("timestamp_ns", [-1, 0, 2**62, 2**63 - 1, -(2**63)])
def test_every_timestamp_of_64_bits_is_shown(timestamp_ns):
    assert len(clock_text(timestamp_ns, 6, with_date=False)) == len("12:03:44.123456")


def test_the_formats_go_round():
    seen = [TimeFormat.RELATIVE]
    while (following := seen[-1].next) not in seen:
        seen.append(following)
    assert len(seen) == len(TimeFormat)
