"""Criteria: which packets they find, and which bytes of a frame they are about."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.filter.packet_filter import PacketFilter
from core.analysis.search.criteria import (
    Answer,
    ByteCriterion,
    Criterion,
    FilterCriterion,
    NumberCriterion,
    TimeCriterion,
    first_of,
)
from core.store.budget import Budget
from core.store.packet_store import PacketStore
from core.wire.model.field import Span
from tests.core.decode.frames import tcp_frame, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

FRAMES = [udp_frame(b"one"), tcp_frame(b"Two"), udp_frame(b"one two"), tcp_frame(b"\xffTWO")]


def _found(criterion: Criterion, step: int = 1, seconds: float = 60) -> list[int]:
    """Return all rows of `FRAMES` that meet a criterion, in the direction of the search."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(FRAMES, gap=2, times_ns=[10, 20, 15, 30]))
    snapshot = store.snapshot()
    (chunk,) = snapshot.chunks
    rows, found = np.arange(len(chunk))[::step], []
    while len(rows):
        answer = criterion.find(snapshot, chunk, rows, Budget(seconds))
        assert 1 <= answer.checked <= len(rows)
        if answer.row is not None:
            assert answer.row == rows[answer.checked - 1]
            found.append(answer.row)
        rows = rows[answer.checked :]
    return found


def _filter(text: str) -> FilterCriterion:
    return FilterCriterion(PacketFilter.compile(text))


@pytest.mark.parametrize(
    ("criterion", "rows"),
    [
        (ByteCriterion(b"Two"), [1]),
        (ByteCriterion(b"Two", ignores_case=True), [1, 2, 3]),
        (ByteCriterion(b"\xffT"), [3]),
        (ByteCriterion(b"absent"), []),
        (_filter("udp"), [0, 2]),
        (_filter("frame.number > 2"), [2, 3]),
        (_filter('frame matches "(?=two)(?!x)"'), [1, 2, 3]),
        (_filter('frame.interface_name == "eth0"'), [0, 1, 2, 3]),
        (_filter("frame.time_delta < 0"), [2]),
        (TimeCriterion(16), [1, 3]),
        (TimeCriterion(31), []),
        (NumberCriterion({4, 2, 9}), [1, 3]),
        (NumberCriterion(()), []),
    ],
)
def test_rows(criterion, rows):
    for seconds in (60, 0):
        assert _found(criterion, 1, seconds) == rows
        assert _found(criterion, -1, seconds) == rows[::-1]


def test_a_filter_knows_the_packet_before_its_part_of_a_chunk():
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(FRAMES, times_ns=[10, 20, 15, 30]))
    snapshot = store.snapshot()
    part = snapshot.chunks[0].rows(2, 4)
    criterion = _filter("frame.time_delta == -0.000000005 and frame.time_relative < 0.000000010")
    assert criterion.find(snapshot, part, np.arange(2), Budget()) == Answer(0, 1)


@pytest.mark.parametrize(
    ("criterion", "span"),
    [
        (ByteCriterion(b"two"), Span(12, 15)),
        (ByteCriterion(b"two", ignores_case=True), Span(4, 7)),
        (ByteCriterion(b"absent"), None),
        (_filter("udp"), None),
        (TimeCriterion(1), None),
        (NumberCriterion({1}), None),
    ],
)
def test_the_bytes_of_a_match(criterion, span):
    assert criterion.span_in(b"one TWO and two") == span


def test_the_first_of_a_mask():
    rows = np.array([9, 8, 7])
    assert first_of(np.array([False, True, True]), rows) == Answer(8, 2)
    assert first_of(np.array([False, False, False]), rows) == Answer(None, 3)
    assert first_of(np.zeros(0, np.bool_), rows[:0]) == Answer(None, 0)
