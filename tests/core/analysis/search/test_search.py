"""A search finds the nearest packet in its direction, and then those around the end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.search import search as search_module
from core.analysis.search.criteria import Answer, ByteCriterion, Criterion, Rows, first_of
from core.analysis.search.search import FIRST_ROWS, Search, SearchState
from core.decode.chunk import CHUNK_PACKETS, Chunk
from core.store.budget import Budget
from core.store.filtered_view import AllPackets, PacketNumbers, View
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from core.wire.model.field import Span
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of


class OneOf:
    """Finds the packets with these numbers; `asked` lists the numbers of each question."""

    most_rows = CHUNK_PACKETS

    def __init__(self, numbers: Sequence[int], most_rows: int = CHUNK_PACKETS) -> None:
        self._numbers = numbers
        self.most_rows = most_rows
        self.asked: list[list[int]] = []

    def find(self, snapshot: Snapshot, chunk: Chunk, rows: Rows, budget: Budget) -> Answer:
        numbers = rows + chunk.first
        self.asked.append(numbers.tolist())
        return first_of(np.isin(numbers, self._numbers), rows)

    def span_in(self, data: bytes) -> Span | None:
        return None


class OneEachTime(OneOf):
    """Checks a single packet of each question."""

    def find(self, snapshot: Snapshot, chunk: Chunk, rows: Rows, budget: Budget) -> Answer:
        return Answer(super().find(snapshot, chunk, rows[:1], budget).row, 1)


def _store(count: int, limit: int = 1 << 30, size: int = 60) -> PacketStore:
    store = PacketStore(limit)
    store.add_interface(ETHERNET_INTERFACE)
    for start in range(0, count, 400):
        store.append(batch_of([bytes(size)] * min(400, count - start)))
    return store


def _run(
    criterion: Criterion,
    snapshot: Snapshot,
    start: int,
    step: int = 1,
    numbers: PacketNumbers | None = None,
    seconds: float = 60,
) -> SearchState:
    search = Search(criterion, numbers or AllPackets(snapshot.first, snapshot.count), start, step)
    while search.extend(snapshot, Budget(seconds)):
        assert not search.state.is_done
    assert search.state.is_done
    return search.state


def _expected(shown: Sequence[int], targets: set[int], start: int, step: int) -> int | None:
    """Return what a search finds, by a walk over all packets."""
    ahead = [each for each in shown if not start or step * each > step * start][::step]
    around = [each for each in shown if start and step * each <= step * start][::step]
    return next((each for each in ahead + around if each in targets), None)


STORE = _store(1500).snapshot()
THIRDS = View(lambda chunk, *_: np.arange(chunk.first, chunk.last + 1) % 3 == 0)
THIRDS.extend(STORE, Budget())


@settings(max_examples=40)
@given(
    targets=st.sets(st.integers(1, 1500), max_size=4),
    start=st.integers(0, 1500),
    step=st.sampled_from([1, -1]),
    numbers=st.sampled_from([None, THIRDS.packets]),
    most_rows=st.sampled_from([40, CHUNK_PACKETS]),
    seconds=st.sampled_from([0, 60]),
)
def test_a_search_finds_what_a_walk_over_all_packets_finds(
    targets, start, step, numbers, most_rows, seconds
):
    shown = list(numbers or range(1, 1501))
    criterion = OneOf(sorted(targets), most_rows)
    found = _run(criterion, STORE, start, step, numbers, seconds).found
    assert found == _expected(shown, targets, start, step)
    asked = [number for numbers in criterion.asked for number in numbers]
    assert sorted(asked) == sorted(set(asked))  # none twice
    if found is None:
        assert sorted(asked) == shown


def test_a_match_behind_the_end_is_marked():
    assert _run(OneOf([3]), STORE, 2) == SearchState(3, False, True, pytest.approx(500 / 1500, 1))
    assert _run(OneOf([3]), STORE, 900).is_wrapped
    assert _run(OneOf([3]), STORE, 3).found == 3  # itself, if no other packet is
    assert _run(OneOf([3]), STORE, 3).is_wrapped
    assert _run(OneOf([900]), STORE, 3, -1).is_wrapped
    assert not _run(OneOf([3]), STORE, 900, -1).is_wrapped
    assert not _run(OneOf([]), STORE, 0).is_wrapped
    assert _run(OneOf([]), STORE, 9).progress == 1


def test_a_search_asks_about_few_packets_at_first_and_continues_where_the_criterion_ended():
    criterion = OneOf([])
    _run(criterion, STORE, 0)
    assert len(criterion.asked[0]) == FIRST_ROWS
    assert len(criterion.asked) < 1500 / FIRST_ROWS + 1
    slow = OneEachTime([800])
    assert _run(slow, STORE, 700, seconds=0).found == 800
    assert slow.asked == [[number] for number in range(701, 801)]


def test_a_step_reads_a_bounded_number_of_bytes(monkeypatch):
    monkeypatch.setattr(search_module, "MOST_BYTES", 1 << 20)
    size = 60_000
    snapshot = _store(400, size=size).snapshot()
    for step in (1, -1):
        criterion = OneOf([])
        _run(criterion, snapshot, 0, step)
        assert max(map(len, criterion.asked)) == (1 << 20) // size
        assert sum(map(len, criterion.asked)) == 400


def test_evicted_packets_are_passed_over_and_new_ones_left_out():
    store = _store(1500, limit=1 << 17)
    before = store.snapshot()
    assert before.first > 1
    search = Search(OneOf([before.count + 9, 1]), AllPackets(before.first, before.count), 0)
    assert search.extend(before, Budget(0))
    for _ in range(9):
        store.append(batch_of([bytes(60)] * 400))
    assert store.snapshot().first > before.count
    assert not search.extend(store.snapshot(), Budget(0))
    assert search.state == SearchState(None, False, True, search.state.progress)


def test_an_empty_table():
    empty = PacketStore().snapshot()
    assert _run(OneOf([1]), empty, 0) == SearchState(None, False, True, 0)


def test_bytes_are_found_in_both_directions():
    store = _store(600)
    store.append(batch_of([b"x" * 60 + b"needle" + b"y" * 9]))
    store.append(batch_of([bytes(60)] * 600))
    criterion = ByteCriterion(b"needle")
    for start, step in ((1, 1), (1200, -1), (900, 1)):
        assert _run(criterion, store.snapshot(), start, step).found == 601
