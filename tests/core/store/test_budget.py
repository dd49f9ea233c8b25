"""The budget of one step of work."""

from __future__ import annotations

from core.store.budget import Budget


def test_a_budget_is_spent_when_its_time_has_passed():
    now = [10.0]
    budget = Budget(0.5, lambda: now[0])
    assert not budget.is_spent
    now[0] = 10.5
    assert budget.is_spent


def test_a_canceled_budget_is_spent():
    budget = Budget()
    assert not budget.is_spent
    budget.cancel()
    assert budget.is_spent
