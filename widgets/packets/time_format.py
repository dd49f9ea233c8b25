"""The time of a packet in three formats, from whole nanoseconds.

These functions read no clock and use no floating point, so they show a time exactly as the capture
has it, also before 1970 or after 2106.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

NS = 1_000_000_000
EPOCH = datetime(1970, 1, 1)


class TimeFormat(Enum):
    """The reference of the Time column."""

    RELATIVE = "since the first packet"
    ABSOLUTE = "local time of day"
    DELTA = "since the packet above"

    @property
    def next(self) -> TimeFormat:
        """Return the format that follows this one; the first follows the last."""
        members = list(TimeFormat)
        return members[(members.index(self) + 1) % len(members)]


def local_datetime(timestamp_ns: int) -> datetime:
    """Return the local wall clock time, in whole seconds.

    Return UTC for a time that the C library cannot convert.
    """
    seconds = timestamp_ns // NS
    try:
        return datetime.fromtimestamp(seconds)
    except (OverflowError, OSError, ValueError):
        return EPOCH + timedelta(seconds=seconds)


def date_text(timestamp_ns: int) -> str:
    """Return the local date: ``2026-11-22``."""
    return local_datetime(timestamp_ns).strftime("%Y-%m-%d")


def clock_text(timestamp_ns: int, decimals: int, *, with_date: bool) -> str:
    """Return the local time of day, ``12:03:44.123456``, after the date if `with_date`."""
    moment = local_datetime(timestamp_ns)
    fraction = timestamp_ns % NS // 10 ** (9 - decimals)
    clock = f"{moment:%H:%M:%S}.{fraction:0{decimals}d}"
    return f"{moment:%Y-%m-%d} {clock}" if with_date else clock
