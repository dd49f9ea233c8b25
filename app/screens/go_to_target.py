"""A target that the user types to go to: a packet number, a number of rows, or a time.

* ``1204`` is the number of a packet; ``1,204`` is the same, as the program itself prints it.
* ``+100`` and ``-100`` count rows from the cursor.
* A point makes a number a time: ``5.09`` is in seconds after time zero, as the Time column has it.
* ``22:39:28.5`` is a time of day: the first such time in the capture, or the one on a date
  (``2026-11-22 22:39``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import regex

from app.screens.dialogs.dialog import MOST_DIGITS
from core.wire.model.text import safe
from widgets.packets.time_format import NS, local_datetime

_TARGET = regex.compile(
    r"(?P<rows>[+-]\d[\d,]*)"
    r"|(?P<number>\d{1,3}(?:,\d{3})+|\d+)"
    r"|(?P<seconds>[+-]?(?:\d+\.\d*|\.\d+))\ ?s?"
    r"|(?:(?P<date>\d{4}-\d\d-\d\d)[ T])?"
    r"(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d*)?)?"
)
_MOST_NS = (1 << 63) - 1  # in the column of times
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PacketNumber:
    """The packet with this number."""

    number: int


@dataclass(frozen=True, slots=True)
class RowOffset:
    """The packet this many rows below the cursor, or above it if negative."""

    rows: int


@dataclass(frozen=True, slots=True)
class Moment:
    """The first packet at this time or later. `text` is what the user typed."""

    timestamp_ns: int
    text: str


Target = PacketNumber | RowOffset | Moment


class TargetError(ValueError):
    """A text that names no packet; the message says why.

    `is_incomplete` is True if more characters could name one.
    """

    def __init__(self, message: str, *, is_incomplete: bool = False) -> None:
        super().__init__(message)
        self.is_incomplete = is_incomplete


@dataclass(frozen=True, slots=True)
class TargetContext:
    """The packets that a target is one of: numbers `first` … `last`, and their times.

    `zero_ns` is the time from which seconds count, and `zero_words` names it. `start_ns` and
    `end_ns` are the times of the first and the last packet.
    """

    first: int
    last: int
    zero_ns: int
    zero_words: str
    start_ns: int
    end_ns: int

    @property
    def numbers(self) -> str:
        """The range of packet numbers: ``1 to 4,709``."""
        return f"{self.first:,} to {self.last:,}"


def parse_target(text: str, context: TargetContext) -> Target:
    """Return the target that a text names. Raise `TargetError`."""
    text = text.strip()
    match = _TARGET.fullmatch(text, partial=True)
    if match is None:
        raise TargetError(f"{safe(text)!r} is not a packet number or a time")
    if match.partial:
        words = f"type a packet number, {context.numbers}, or a time"
        raise TargetError(words, is_incomplete=True)
    if match["number"]:
        return _number(match["number"], context)
    if match["rows"]:
        digits = match["rows"].replace(",", "")
        if len(digits) > MOST_DIGITS:
            raise TargetError("there are not that many rows")
        return RowOffset(int(digits))
    if match["seconds"]:
        time_ns = context.zero_ns + _seconds_ns(match["seconds"])
        return Moment(max(-_MOST_NS, min(time_ns, _MOST_NS)), text)
    return Moment(_clock_ns(match, context), text)


def _number(text: str, context: TargetContext) -> PacketNumber:
    digits = text.replace(",", "")
    words = f"no packet {safe(text)}; type {context.numbers}"
    if len(digits) > MOST_DIGITS or int(digits) > context.last:
        raise TargetError(words)
    if int(digits) < context.first:
        raise TargetError(words, is_incomplete=True)
    return PacketNumber(int(digits))


def _seconds_ns(text: str) -> int:
    """Return nanoseconds, without the rounding of floating point."""
    whole, _, fraction = text.lstrip("+-").partition(".")
    if len(whole) > MOST_DIGITS:
        raise TargetError("the time is out of range")
    duration = int(whole or 0) * NS + _fraction_ns(fraction)
    return -duration if text.startswith("-") else duration


def _fraction_ns(digits: str) -> int:
    return int(digits[:9].ljust(9, "0"))


def _clock_ns(match: regex.Match[str], context: TargetContext) -> int:
    """Return the time of a local time of day, on its date or on the first that fits."""
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 59:
        raise TargetError("a time of day is 00:00:00 to 23:59:59")
    fraction_ns = _fraction_ns((match["fraction"] or "").removeprefix("."))

    def on(day: date) -> int:
        moment = datetime(day.year, day.month, day.day, hour, minute, second)
        return int(moment.timestamp()) * NS + fraction_ns

    try:
        if match["date"]:
            return on(date.fromisoformat(match["date"]))
        day = local_datetime(context.start_ns).date()
        time_ns = on(day)
        if time_ns < context.start_ns and on(day + _DAY) <= context.end_ns:
            time_ns = on(day + _DAY)
    except (OverflowError, OSError, ValueError) as error:
        raise TargetError(f"no date {safe(match['date'] or match[0])}") from error
    return time_ns
