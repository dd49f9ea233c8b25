"""Fields read from eight bytes of each header equal those of `PlacedField.column`."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.filter.values.header_words import HeaderWords, byte_rows
from core.wire.model.field import PlacedField
from core.wire.model.kind import Kind
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.registry import TABLES
from core.wire.transport.tcp import TCP

RANDOM = np.random.default_rng(4)
SLOTS = [
    slot
    for table in TABLES
    for slot in table.slots
    if slot.field.kind is not Kind.BYTES and slot.field.bits <= 64
]


def headers(slot: PlacedField, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random bytes, with the last header at their very end, and starts of headers."""
    data = RANDOM.integers(0, 256, 300, np.uint8)
    starts = np.sort(RANDOM.integers(0, len(data) - slot.table.stop + 1, count))
    starts[-1] = len(data) - slot.table.stop
    return data, starts


def test_every_field_of_every_table() -> None:
    """Fields of one table are read one after the other, as the fields of a filter are."""
    for table in TABLES:
        slots = [slot for slot in SLOTS if slot.table is table]
        if not slots:
            continue
        data, starts = headers(slots[0], 20)
        words = HeaderWords(data)
        for slot in (*slots, *reversed(slots)):
            expected = slot.column(data, starts)
            assert words.numbers(slot, starts).tolist() == expected.tolist(), slot.name


def test_fields_of_the_same_bytes_share_a_gather() -> None:
    data, starts = headers(TCP["srcport"], 5)
    words = HeaderWords(data)
    first = words.numbers(TCP["srcport"], starts)
    data[:] = 0  # what is kept was gathered before
    assert words.numbers(TCP["srcport"], starts).tolist() == first.tolist()
    assert words.numbers(TCP["window_size_value"], starts).tolist() == [0] * 5


@pytest.mark.parametrize(("slot", "size"), [(IPV6["src"], 16), (IPV6["dst"], 16), (IPV4["dst"], 4)])
def test_rows_of_bytes(slot: PlacedField, size: int) -> None:
    data, starts = headers(slot, 7)
    at = starts + slot.span.start
    expected = [data[start : start + size].tobytes() for start in at]
    assert [row.tobytes() for row in HeaderWords(data).byte_rows(slot, starts, size)] == expected
    assert [row.tobytes() for row in byte_rows(data, at, size)] == expected


@pytest.mark.parametrize("size", [1, 3, 6, 8, 12, 16, 32])
def test_rows_of_any_size_reach_to_the_end_of_the_data(size: int) -> None:
    data = RANDOM.integers(0, 256, 100, np.uint8)
    starts = np.array((0, 1, 33, 100 - size))
    expected = [data[start : start + size].tobytes() for start in starts.tolist()]
    assert [row.tobytes() for row in byte_rows(data, starts, size)] == expected


@pytest.mark.parametrize("kept", range(1, TCP.size + 1))
def test_the_last_header_may_be_cut_after_a_field(kept: int) -> None:
    data = RANDOM.integers(0, 256, TCP.size + kept, np.uint8)
    starts = np.array((0, TCP.size))
    words = HeaderWords(data)
    for slot in TCP.slots:
        if slot.span.stop <= kept:
            expected = [slot.number(data[start:].tobytes()) for start in starts]
            assert words.numbers(slot, starts).tolist() == expected, slot.name


def test_no_headers() -> None:
    words = HeaderWords(np.zeros(0, np.uint8))
    none = np.zeros(0, np.int64)
    assert len(words.numbers(TCP["srcport"], none)) == 0
    assert words.byte_rows(IPV6["src"], none, 16).shape == (0, 16)
