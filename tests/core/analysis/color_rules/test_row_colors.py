"""The colors of visible rows: found on another thread, in bounded time, and remembered."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from core.analysis.color_rules import row_colors
from core.analysis.color_rules.row_colors import RowColors
from core.analysis.color_rules.rule import Color, ColorRule
from core.analysis.color_rules.rule_matcher import RuleMatcher
from core.store.budget import Budget
from core.store.snapshot import Snapshot
from tests.helpers.scripted import scripted_store
from tests.helpers.waiting import PATIENCE_S, until

TCP, UDP = ColorRule("tcp", "tcp", Color.SUCCESS), ColorRule("udp", "udp", Color.PRIMARY)


@pytest.fixture
def colors() -> Iterator[RowColors]:
    made = RowColors([TCP, UDP], patience_s=PATIENCE_S)
    yield made
    made.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Record the packets and the thread of each match."""
    match, found = RuleMatcher.match, []

    def recorded(
        self: RuleMatcher, snapshot: Snapshot, numbers: Sequence[int], budget: Budget
    ) -> object:
        assert threading.current_thread() is not threading.main_thread()
        found.append(tuple(numbers))
        return match(self, snapshot, numbers, budget)

    monkeypatch.setattr(RuleMatcher, "match", recorded)
    return found


def test_each_packet_is_matched_once_and_on_another_thread(
    colors: RowColors, asked: list[tuple[int, ...]]
) -> None:
    snapshot = scripted_store().snapshot()
    colors.request(snapshot, [1, 3, 5])
    assert [colors.rule_of(number) for number in (1, 3, 5, 6)] == [None, UDP, TCP, None]
    colors.request(snapshot, [3, 5, 6])
    colors.request(snapshot, [1, 6])
    assert colors.rule_of(6) is TCP
    assert asked == [(1, 3, 5), (6,)]
    assert not colors.has_late_colors()


def test_the_screen_does_not_wait_for_slow_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, match = threading.Event(), RuleMatcher.match

    def slow(
        self: RuleMatcher, snapshot: Snapshot, numbers: Sequence[int], budget: Budget
    ) -> object:
        assert gate.wait(PATIENCE_S)
        return match(self, snapshot, numbers, budget)

    monkeypatch.setattr(RuleMatcher, "match", slow)
    colors = RowColors([TCP], patience_s=0)
    colors.request(scripted_store().snapshot(), [5])
    assert colors.rule_of(5) is None
    assert not colors.has_late_colors()
    gate.set()
    until(colors.has_late_colors, "the colors")
    assert colors.rule_of(5) is TCP
    assert not colors.has_late_colors()
    colors.close()


def test_other_rules_and_other_packets_replace_what_is_known(colors: RowColors) -> None:
    snapshot = scripted_store().snapshot()
    colors.request(snapshot, [5])
    colors.rules = [UDP]
    assert colors.rules == (UDP,)
    assert colors.rule_of(5) is None
    colors.request(snapshot, [3, 5])
    assert [colors.rule_of(3), colors.rule_of(5)] == [UDP, None]
    colors.forget()
    assert colors.rule_of(3) is None
    colors.request(snapshot, [3])
    assert colors.rule_of(3) is UDP


def test_the_latest_packets_are_remembered(
    colors: RowColors, monkeypatch: pytest.MonkeyPatch, asked: list[tuple[int, ...]]
) -> None:
    monkeypatch.setattr(row_colors, "MOST_KNOWN", 4)
    snapshot = scripted_store().snapshot()
    for numbers in ([1, 2, 3], [4, 5], [5], [1]):
        colors.request(snapshot, numbers)
    assert asked == [(1, 2, 3), (4, 5), (1,)]


def test_a_failure_is_reported_and_rows_stay_plain(colors: RowColors) -> None:
    assert colors.trouble == ""
    colors.rules = [ColorRule("wrong", "no.such.field", Color.ERROR)]
    colors.request(scripted_store().snapshot(), [5])
    assert colors.rule_of(5) is None
    assert "color rules failed" in colors.trouble
