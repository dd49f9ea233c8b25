"""When a packet came: three ways to say it, all from whole nanoseconds.

No clock is read here and nothing goes through floating point, so a time is shown exactly as
the capture has it, also one before 1970 or after 2106.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

NS = 1_000_000_000
EPOCH = datetime(1970, 1, 1)


class TimeFormat(Enum):
    """What the Time column counts from."""

    RELATIVE = "since the first packet"
    ABSOLUTE = "local time of day"
    DELTA = "since the packet above"

    @property
    def next(self) -> TimeFormat:
        """The format that comes after this one."""
        members = list(TimeFormat)
        return members[(members.index(self) + 1) % len(members)]


def local_datetime(timestamp_ns: int) -> datetime:
    """Local wall clock time at a moment, whole seconds.

    Falls back to UTC for moments outside what the C library converts.
    """
    seconds = timestamp_ns // NS
    try:
        return datetime.fromtimestamp(seconds)
    except (OverflowError, OSError, ValueError):
        return EPOCH + timedelta(seconds=seconds)


def date_text(timestamp_ns: int) -> str:
    """The local date: ``2026-11-22``."""
    return local_datetime(timestamp_ns).strftime("%Y-%m-%d")


def clock_text(timestamp_ns: int, decimals: int, *, with_date: bool) -> str:
    """Local time of day, ``12:03:44.123456``, after the date where that is wanted."""
    moment = local_datetime(timestamp_ns)
    fraction = timestamp_ns % NS // 10 ** (9 - decimals)
    clock = f"{moment:%H:%M:%S}.{fraction:0{decimals}d}"
    return f"{moment:%Y-%m-%d} {clock}" if with_date else clock
