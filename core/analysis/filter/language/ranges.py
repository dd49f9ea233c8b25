"""Ranges of offsets: ``[0:4]``, ``[2-5]``, ``[-1]``, ``[:3]``, ``[4:]``, ``[:]``.

``i:n`` has n items from offset i, ``i-j`` ends at j inclusive, ``i`` is one item, ``:n`` begins at
0, ``i:`` reaches to the end, and ``:`` is everything. Negative offsets count from the end of the
data. Numbers may be decimal, hexadecimal (``0x``), or octal (a leading 0).
"""

from __future__ import annotations

import re

from core.analysis.filter.language.errors import FilterError, TextSpan
from core.analysis.filter.language.syntax import Range

_NUMBER = r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)"
_FORMS = re.compile(
    rf"\s*(?:(?P<start>{_NUMBER})\s*(?:(?P<colon>:)\s*(?P<length>{_NUMBER})?"
    rf"|-\s*(?P<end>{_NUMBER}))?|(?P<only>:)\s*(?P<first>{_NUMBER})?)\s*"
)


def parse_range(text: str, place: TextSpan) -> Range:
    """Return the range of a text between brackets or commas. Raise `FilterError`."""
    form = _FORMS.fullmatch(text)
    if form is None:
        expected = "expected an offset, such as [2], [0:4], [2-5], [:3], or [4:]"
        raise FilterError(f'"{text.strip()}" is not a range; {expected}', place)
    start = _number(form["start"] or "0", place)
    length = form["first"] or form["length"]
    if length is not None:
        return Range(start, length=_positive(_number(length, place), place))
    if form["colon"] or form["only"]:
        return Range(start)
    if form["end"] is None:
        return Range(start, length=1)
    end = _number(form["end"], place)
    if start < 0 < end or end < 0 < start:
        raise FilterError(f"the offsets {start} and {end} have different signs", place)
    if end <= start:
        raise FilterError(f"the range ends at {end}, which is not after its start {start}", place)
    return Range(start, end=end)


def _number(text: str, place: TextSpan) -> int:
    digits = text.lstrip("+-")
    is_octal = len(digits) > 1 and digits[0] == "0" and digits[1] not in "xX"
    try:
        value = int(digits, 8 if is_octal else 0)
    except ValueError:
        raise FilterError(f'"{text}" is not an octal number', place) from None
    if value > 0x7FFFFFFF:
        raise FilterError(f"the offset {text} is too large", place)
    return -value if text.startswith("-") else value


def _positive(length: int, place: TextSpan) -> int:
    if length <= 0:
        raise FilterError(f"the length of a range must be positive, not {length}", place)
    return length
