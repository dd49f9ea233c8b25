"""Ranges of offsets."""

from __future__ import annotations

import pytest

from core.analysis.filter.language.errors import FilterError, TextSpan
from core.analysis.filter.language.ranges import parse_range
from core.analysis.filter.language.syntax import Range

HERE = TextSpan(3, 9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2", Range(2, length=1)),
        ("-1", Range(-1, length=1)),
        ("0:4", Range(0, length=4)),
        (" 0 : 2 ", Range(0, length=2)),
        ("2-5", Range(2, end=5)),
        ("-4--2", Range(-4, end=-2)),
        ("0-300", Range(0, end=300)),
        ("-4-0", Range(-4, end=0)),
        (":3", Range(0, length=3)),
        ("4:", Range(4)),
        ("-1:", Range(-1)),
        (":", Range(0)),
        ("0x10:010", Range(16, length=8)),
    ],
)
def test_forms(text: str, expected: Range) -> None:
    assert parse_range(text, HERE) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected an offset"),
        ("x", "expected an offset"),
        ("1:2:3", "expected an offset"),
        ("0:0", "must be positive"),
        ("0:-1", "must be positive"),
        ("3-1", "not after its start"),
        ("5-5", "not after its start"),
        ("-1-2", "different signs"),
        ("1--2", "different signs"),
        ("09", "not an octal number"),
        ("99999999999", "too large"),
    ],
)
def test_wrong_ranges(text: str, says: str) -> None:
    with pytest.raises(FilterError, match=says) as caught:
        parse_range(text, HERE)
    assert caught.value.place == HERE
