"""Rates and times in units that fit them, from milliseconds to years."""

from __future__ import annotations

from widgets.status.line import si

_UNITS = ((1, "s"), (60, "min"), (3_600, "h"), (86_400, "day"))
_FEW = 9.95
"""Smaller numbers have two significant digits."""

_LONG_S = 7_200
_DAY_S = 86_400


def rate_text(per_s: float, unit: str = "") -> str:
    """Return a rate per second, or below one per minute, hour, or day: ``34 b/min``, ``1.5/day``.

    `unit` is that of the quantity, empty for a count.
    """
    seconds, name = next((each for each in _UNITS if per_s * each[0] >= 1), _UNITS[-1])
    amount = per_s * seconds
    if not amount:
        return si(0, f"{unit}/s")
    if amount >= _FEW:
        return si(amount, f"{unit}/{name}")
    return f"{amount:.2g}{' ' * bool(unit)}{unit}/{name}"


def time_text(seconds: float, decimals: int = 0) -> str:
    """Return seconds, after two hours ``h:mm:ss``, after two days ``d days hh:mm``."""
    if seconds < _LONG_S:
        return f"{seconds:,.{decimals}f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if seconds < 2 * _DAY_S:
        return f"{hours}:{minutes:02}:{rest:02}"
    days, hours = divmod(hours, 24)
    return f"{days:,} days {hours:02}:{minutes:02}"
