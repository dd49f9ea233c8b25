"""The packet that a text names: its number, rows from the cursor, or a time."""

from __future__ import annotations

from datetime import datetime

import pytest

from app.screens.go_to_target import (
    Moment,
    PacketNumber,
    RowOffset,
    TargetContext,
    TargetError,
    parse_target,
)

NS = 1_000_000_000


def local_ns(*moment: int) -> int:
    return int(datetime(*moment).timestamp()) * NS


ZERO = 5 * NS + 7
NIGHT = TargetContext(
    10, 4_709, ZERO, "since the first packet",
    local_ns(2026, 11, 22, 22, 30), local_ns(2026, 11, 23, 4, 0),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("1204", PacketNumber(1204)),
        (" 4,709 ", PacketNumber(4709)),
        ("+1000", RowOffset(1000)),
        ("-1,000", RowOffset(-1000)),
        ("5.09", Moment(ZERO + 5_090_000_000, "5.09")),
        ("5.", Moment(ZERO + 5 * NS, "5.")),
        (".5s", Moment(ZERO + NS // 2, ".5s")),
        ("-0.000000001", Moment(ZERO - 1, "-0.000000001")),
        ("0.1234567899", Moment(ZERO + 123_456_789, "0.1234567899")),
        ("22:39", Moment(local_ns(2026, 11, 22, 22, 39), "22:39")),
        ("22:39:28.5", Moment(local_ns(2026, 11, 22, 22, 39, 28) + NS // 2, "22:39:28.5")),
        ("3:05:01", Moment(local_ns(2026, 11, 23, 3, 5, 1), "3:05:01")),
        ("05:00", Moment(local_ns(2026, 11, 22, 5, 0), "05:00")),
        ("2026-11-23 22:39", Moment(local_ns(2026, 11, 23, 22, 39), "2026-11-23 22:39")),
        ("2026-11-23T22:39:01.", Moment(local_ns(2026, 11, 23, 22, 39, 1), "2026-11-23T22:39:01.")),
    ],
)
def test_targets(text, target):
    assert parse_target(text, NIGHT) == target


@pytest.mark.parametrize(
    ("text", "is_incomplete"),
    [
        ("", True),
        ("+", True),
        ("-", True),
        ("9", True),  # could become 90
        ("12:", True),
        ("2026-11-2", True),
        ("4710", False),
        ("9" * 30, False),
        ("9" * 30 + ".", False),
        ("+" + "9" * 30, False),
        ("seven", False),
        ("5.0.9", False),
        ("1,2", True),
        ("24:00", False),
        ("23:60", False),
        ("2026-02-30 10:00", False),
        ("5.09 m", False),
        ("\x1b[2J", False),
    ],
)
def test_texts_that_name_no_packet(text, is_incomplete):
    with pytest.raises(TargetError) as raised:
        parse_target(text, NIGHT)
    assert raised.value.is_incomplete is is_incomplete
    assert str(raised.value).isprintable()


def test_a_time_far_outside_fits_into_a_column():
    assert parse_target("9" * 20 + ".", NIGHT).timestamp_ns < 1 << 63
