"""Ranges of packet numbers as the user types them."""

from __future__ import annotations

import pytest

from app.screens.saving.packet_ranges import RangeError, parse_ranges


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("7", [(7, 7)]),
        ("10-20, 30", [(10, 20), (30, 30)]),
        ("-12,90-", [(5, 12), (90, 99)]),
        ("1-200", [(5, 99)]),
        ("20-30,10-21,31", [(10, 31)]),
        ("-", None),
    ],
)
def test_ranges(text: str, ranges: list[tuple[int, int]] | None) -> None:
    if ranges is None:
        with pytest.raises(RangeError):
            parse_ranges(text, 5, 99)
        return
    found = parse_ranges(text, 5, 99)
    assert found.ranges == ranges
    numbers = [n for low, high in ranges for n in range(low, high + 1)]
    assert len(found) == len(numbers)
    assert found.between(1, 1000).tolist() == numbers
    assert found.between(11, 30).tolist() == [n for n in numbers if 11 <= n <= 30]
    assert found.between(3, 4).tolist() == []


@pytest.mark.parametrize(
    ("text", "words", "is_incomplete"),
    [
        ("", "type packet numbers", True),
        ("5,", "type packet numbers", True),
        ("9-8", "9-8 ends before it begins", True),
        ("3", "packets 5 to 99 are in memory", True),
        ("100-", "packets 5 to 99 are in memory", True),
        ("x", "not a range: x", False),
        ("1-2-3", "not a range", False),
        ("9" * 50, "not a range", False),
        ("7," * 2000, "at most 1,000 ranges", False),
    ],
)
def test_texts_that_are_not_ranges(text: str, words: str, is_incomplete: bool) -> None:
    with pytest.raises(RangeError, match=words) as caught:
        parse_ranges(text, 5, 99)
    assert caught.value.is_incomplete is is_incomplete
