"""Background work pauses for claims, for a bounded time, and never while somebody waits for it."""

from __future__ import annotations

import threading

import pytest

from core.store.budget import Budget
from core.store.right_of_way import (
    LONGEST_PAUSE_S,
    LONGEST_YIELD_S,
    RUN_S,
    RightOfWay,
)
from tests.helpers.waiting import PATIENCE_S


class Clock:
    def __init__(self) -> None:
        self.now_s = 10.0

    def __call__(self) -> float:
        return self.now_s


def test_a_claim_ends_by_its_release_or_by_itself():
    clock = Clock()
    row = RightOfWay(clock)
    assert not row.is_claimed
    row.claim("ring", 0.1)
    row.claim("key", 0.3)
    assert row.is_claimed
    row.release("key")
    assert row.is_claimed  # by the other one
    row.release("ring")
    row.release("ring")
    assert not row.is_claimed
    row.claim("key", 0.1)
    clock.now_s += 0.1
    assert not row.is_claimed


def test_a_claim_spends_a_budget_while_it_stands():
    row = RightOfWay()
    budget = Budget(right_of_way=row)
    assert not budget.is_spent
    row.claim("key", PATIENCE_S)
    assert budget.is_spent
    row.release("key")
    assert not budget.is_spent
    budget.cancel()
    assert budget.is_spent


def test_a_pause_ends_with_the_claim():
    row = RightOfWay()
    row.pause()  # returns at once
    row.claim("key", PATIENCE_S)
    resumed = threading.Event()

    def work() -> None:
        while row.is_claimed:
            row.pause()
        resumed.set()

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    assert not resumed.is_set()
    row.release("key")
    assert resumed.wait(PATIENCE_S)
    worker.join(PATIENCE_S)


def test_the_longest_pause_ends_although_the_claim_stands_and_work_runs_for_a_while():
    clock = Clock()
    row = RightOfWay(clock)
    row.claim("ring", 1_000)
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        clock.now_s += seconds
        return False

    row._changed.wait = wait  # type: ignore[method-assign, assignment]
    row.pause()
    assert sum(waits) == pytest.approx(LONGEST_PAUSE_S)
    assert not row.is_claimed
    row.pause()
    assert len(waits) == 1
    clock.now_s += RUN_S
    assert row.is_claimed


def test_work_that_somebody_waits_for_does_not_pause():
    row = RightOfWay()
    row.claim("key", PATIENCE_S)
    paused = threading.Thread(target=row.pause, daemon=True)
    paused.start()
    with row.lent():
        assert not row.is_claimed
        row.pause()
        paused.join(PATIENCE_S)
        assert not paused.is_alive()
    assert row.is_claimed


def test_a_ring_yields_to_a_key_for_a_moment_but_not_to_other_work() -> None:
    clock = Clock()
    row = RightOfWay(clock)
    row.claim("ring", PATIENCE_S)
    assert _yield_s(row) < LONGEST_YIELD_S
    row.claim_for_key("key", PATIENCE_S)
    assert row.is_claimed
    assert _yield_s(row) >= LONGEST_YIELD_S
    clock.now_s += PATIENCE_S
    assert _yield_s(row) < LONGEST_YIELD_S


def _yield_s(row: RightOfWay) -> float:
    """Return how long a ring waits for a key."""
    waited: list[float] = []
    row.yield_to_key(waited.append)
    return sum(waited)
