"""Dates and durations in filters, as nanoseconds.

A date is ``"2002-12-31 13:55:31.3"`` (also with ``T`` between date and time, and without the
seconds, the minutes, or the time) or ``"Dec 31, 2002 13:55:31.3"``. A time zone may follow: ``Z``,
``UTC``, ``GMT``, ``+02:00``, a North American abbreviation, or a military letter. Without one, the
time is local.
"""

from __future__ import annotations

import calendar
import re
import time
from decimal import Decimal

NANOSECONDS = 1_000_000_000
MOST_DIGITS = 18  # of seconds: as many as 64 bits have at least
EXAMPLE = '"2011-07-04 12:34:56.789" or "Nov 12, 1999 08:55:44"'

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = r"(?P<hour>\d{1,2})(?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2}))?)?"
_ISO = re.compile(rf"(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}})(?:[T ]+{_CLOCK})?")
_NAMED = re.compile(rf"(?P<name>[A-Za-z]{{3}}) +(?P<day>\d{{1,2}}), +(?P<year>\d{{4}}) +{_CLOCK}")
_FRACTION = re.compile(r"\.(\d*)")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})?")
_ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "UT": 0,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    **{letter: hours for hours, letter in enumerate("ABCDEFGHIKLM", 1)},
    **{letter: -hours for hours, letter in enumerate("NOPQRSTUVWXY", 1)},
}  # fmt: skip


def seconds_to_ns(text: str) -> int:
    """Return a decimal number of seconds in nanoseconds, rounded. Raise `ValueError`."""
    seconds = Decimal(text)
    if seconds.adjusted() >= MOST_DIGITS:
        raise ValueError(f"{text} is too large for a time")
    return round(seconds * NANOSECONDS)


def date_to_ns(text: str) -> int:
    """Return a date in nanoseconds since 1970-01-01 UTC. Raise `ValueError` with the reason."""
    found = _NAMED.match(text) or _ISO.match(text)
    if found is None or ("name" in found.groupdict() and found["name"].lower() not in _MONTHS):
        raise ValueError(f'"{text}" is not a date; expected, for example, {EXAMPLE}')
    parts = found.groupdict()
    name = parts.get("name")
    month = _MONTHS.index(name.lower()) + 1 if name else int(parts["month"])
    day, clock = int(parts["day"]), [int(parts[key] or 0) for key in ("hour", "minute", "second")]
    _check_calendar(text, int(parts["year"]), month, day, clock)
    rest, fraction_ns = text[found.end() :], 0
    if fraction := _FRACTION.match(rest):
        if parts["second"] is None:
            raise ValueError("a fraction of a second needs the seconds before it")
        digits = fraction[1]
        if not digits or len(digits.rstrip("0")) > 9:
            raise ValueError("a fraction of a second has 1 to 9 digits")
        fraction_ns = int(digits[:9].ljust(9, "0"))
        rest = rest[fraction.end() :]
    moment = (int(parts["year"]), month, day, *clock, 0, 1, -1)
    return _seconds(moment, rest.strip()) * NANOSECONDS + fraction_ns


def _check_calendar(text: str, year: int, month: int, day: int, clock: list[int]) -> None:
    hour, minute, second = clock
    is_date = 1 <= month <= 12 and year and 1 <= day <= calendar.monthrange(year, month)[1]
    if not is_date or hour > 23 or minute > 59 or second > 60:
        raise ValueError(f'"{text}" is not in the calendar')


def _seconds(moment: tuple[int, ...], zone: str) -> int:
    """Return the seconds since 1970 of a calendar time in a zone, local if it is empty."""
    if not zone:
        try:
            return int(time.mktime(moment))  # type: ignore[arg-type] # nine numbers
        except OverflowError:
            raise ValueError("the date is too far from 1970") from None
    utc = calendar.timegm(moment)
    if zone in _ZONES:
        return utc - _ZONES[zone] * 3600
    offset = _OFFSET.fullmatch(zone)
    if offset is None:
        raise ValueError(f'"{zone}" is not a time zone; expected Z, UTC, PST, or +02:00')
    seconds = int(offset[2]) * 3600 + int(offset[3] or 0) * 60
    return utc - seconds if offset[1] == "+" else utc + seconds
