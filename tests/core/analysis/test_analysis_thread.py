"""The analysis thread: fair, cancelable, and alive after an analyzer fails."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from core.analysis import analysis_thread
from core.analysis.analysis_thread import AnalysisThread
from core.store.budget import Budget
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of
from tests.helpers.waiting import PATIENCE_S, until


@pytest.fixture
def thread() -> Iterator[AnalysisThread]:
    made = AnalysisThread()
    yield made
    made.close()


def _store(packets: int = 3) -> PacketStore:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of([b"frame"] * packets))
    return store


class Counted:
    """Counts packets, `per_step` in each step; `gate` holds up a step."""

    def __init__(self, per_step: int = 1 << 30) -> None:
        self.per_step = per_step
        self.through = 0
        self.first = 0
        self.steps = 0
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.has_begun = threading.Event()
        self.was_canceled = False

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        self.has_begun.set()
        assert self.gate.wait(PATIENCE_S)
        self.was_canceled = budget._is_canceled
        self.threads.add(threading.get_ident())
        self.steps += 1
        self.through = min(snapshot.count, self.through + self.per_step)
        return self.through < snapshot.count

    def forget(self, first: int) -> None:
        self.first = first


class Broken(Counted):
    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        super().extend(snapshot, budget)
        raise ZeroDivisionError


def test_each_snapshot_is_analyzed_to_its_end_on_the_analysis_thread(thread):
    store, analyzer = _store(3), Counted()
    for count in (3, 5):
        thread.offer(store.snapshot(), analyzer)
        assert thread.wait(PATIENCE_S)
        assert analyzer.through == count
        store.append(batch_of([b"frame"] * 2))
    assert analyzer.first == 1
    assert analyzer.threads.isdisjoint({threading.get_ident()})
    assert thread.slices == analyzer.steps == 2


def test_analyzers_take_turns(thread):
    """A long analysis does not hold up a short one that was offered later."""
    long, short = Counted(per_step=1), Counted()
    long.gate.clear()
    thread.offer(_store(1_000).snapshot(), long)
    assert long.has_begun.wait(PATIENCE_S)
    thread.offer(_store(1_000).snapshot(), long, short)
    done_at = []
    extend = short.extend
    short.extend = lambda *given: done_at.append(long.steps) or extend(*given)  # type: ignore
    long.gate.set()
    assert thread.wait(PATIENCE_S)
    assert done_at == [1]
    assert (long.steps, short.steps) == (1_000, 1)


def test_analyzers_follow_different_stores(thread):
    """As in a paused view: the tracker of sent packets gets newer snapshots than the filter."""
    old, new, both = _store(3), _store(8), _store(5)
    first, second = Counted(), Counted()
    thread.offer(old.snapshot(), first)
    thread.offer(new.snapshot(), second)
    assert thread.wait(PATIENCE_S)
    assert (first.through, second.through) == (3, 8)
    thread.offer(both.snapshot(), first)
    assert thread.wait(PATIENCE_S)
    assert (first.through, second.through, second.steps) == (5, 8, 1)


def test_an_analyzer_is_waited_for_while_another_is_behind(thread):
    slow, quick = Counted(), Counted()
    thread.offer(_store().snapshot(), quick)
    assert thread.wait(PATIENCE_S)
    slow.gate.clear()
    thread.offer(_store().snapshot(), slow)
    assert slow.has_begun.wait(PATIENCE_S)
    assert thread.is_idle(quick)
    assert thread.wait(0, quick)
    assert not thread.is_idle(slow)
    assert not thread.is_idle(quick, slow)
    assert not thread.is_idle()
    slow.gate.set()
    assert thread.wait(PATIENCE_S, slow)
    assert thread.is_idle()


def test_a_newer_snapshot_replaces_one_that_waits(thread):
    store, analyzer = _store(3), Counted()
    analyzer.gate.clear()
    thread.offer(store.snapshot(), analyzer)
    assert analyzer.has_begun.wait(PATIENCE_S)
    for _ in range(3):
        store.append(batch_of([b"frame"]))
        thread.offer(store.snapshot(), analyzer)
    assert not thread.is_idle()
    assert not thread.wait(0)
    analyzer.gate.set()
    assert thread.wait(PATIENCE_S)
    assert (analyzer.through, analyzer.steps) == (6, 2)


def test_a_canceled_analyzer_ends_in_its_step_and_is_not_run_again(thread):
    analyzer, other = Counted(per_step=1), Counted()
    analyzer.gate.clear()
    thread.offer(_store(100).snapshot(), analyzer, other)
    assert analyzer.has_begun.wait(PATIENCE_S)
    thread.cancel(analyzer)
    analyzer.gate.set()
    assert thread.wait(PATIENCE_S)
    assert (analyzer.steps, analyzer.was_canceled) == (1, True)
    assert other.through == 100


def test_a_failed_analyzer_ends_alone(thread):
    broken, whole = Broken(), Counted()
    for count in (3, 4):
        thread.offer(_store(count).snapshot(), broken, whole)
        assert thread.wait(PATIENCE_S)
    assert whole.through == 4
    assert broken.steps == 1
    assert isinstance(thread.failure_of(broken), ZeroDivisionError)
    assert thread.failure_of(whole) is None
    thread.cancel(broken)
    assert thread.failure_of(broken) is None


def test_an_analyzer_that_fails_after_it_was_canceled_is_forgotten(thread):
    broken = Broken()
    broken.gate.clear()
    thread.offer(_store().snapshot(), broken)
    assert broken.has_begun.wait(PATIENCE_S)
    thread.cancel(broken)
    broken.gate.set()
    assert thread.wait(PATIENCE_S)
    assert broken.steps == 1
    assert thread.failure_of(broken) is None


def test_an_idle_thread_holds_no_packets(thread):
    store = _store()
    snapshot = store.snapshot()
    thread.offer(snapshot, Counted())
    assert thread.wait(PATIENCE_S)
    chunk = weakref.ref(snapshot.chunks[0].data)
    del snapshot, store

    def is_free() -> bool:
        gc.collect()
        return chunk() is None

    until(is_free, "the end of the chunk")


def test_a_closed_thread_has_ended(thread):
    analyzer = Counted(per_step=1)
    thread.offer(_store(1_000_000).snapshot(), analyzer)
    assert analyzer.has_begun.wait(PATIENCE_S)
    thread.close()
    assert thread._thread is not None
    assert not thread._thread.is_alive()
    assert analyzer.through < 1_000_000
    thread.offer(_store().snapshot(), analyzer)  # does nothing


def test_a_closed_thread_is_offered_nothing(thread):
    """A screen that is drawn while the program exits must not wait for what nobody analyzes."""
    counted = Counted()
    thread.close()
    thread.offer(_store().snapshot(), counted)
    assert thread.is_idle()
    assert thread.wait(PATIENCE_S)
    assert counted.through == 0


def test_urgent_work_ends_a_step_and_holds_up_the_next_one(thread):
    """But a thread that waits for the analysis lends it the right of way."""
    row = thread.right_of_way
    budgets: list[bool] = []

    class Noting(Counted):
        def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
            budgets.append(budget.is_spent)
            row.claim("key", PATIENCE_S)
            budgets.append(budget.is_spent)
            return super().extend(snapshot, budget)

    analyzer = Noting(per_step=1)
    thread.offer(_store(2).snapshot(), analyzer)
    until(lambda: analyzer.steps == 1, "the first step")
    assert thread.wait(PATIENCE_S)
    assert analyzer.steps == 2
    assert not budgets[0]


def test_an_analyzer_with_long_slices_gets_no_more_time_than_the_others(thread, monkeypatch):
    spent = [0.0]
    clock = SimpleNamespace(thread_time=lambda: spent[0], sleep=lambda _seconds: None)
    monkeypatch.setattr(analysis_thread, "time", clock)

    class Costly(Counted):
        def __init__(self, seconds: float) -> None:
            super().__init__(per_step=1)
            self.seconds = seconds

        def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
            spent[0] += self.seconds
            return super().extend(snapshot, budget)

    slow, quick = Costly(5), Costly(1)
    slow.gate.clear()
    thread.offer(_store(100).snapshot(), slow)
    assert slow.has_begun.wait(PATIENCE_S)
    thread.offer(_store(100).snapshot(), quick)
    steps: list[int] = []
    extend = quick.extend
    quick.extend = lambda *given: steps.append(slow.steps) or extend(*given)  # type: ignore
    slow.gate.set()
    assert thread.wait(PATIENCE_S)
    assert len(steps) == 100
    assert 100 / 5 - 1 <= steps[-1] <= 100 / 5 + 1
    assert slow.steps == 100
