"""Color rules over a few packets give the same as their filters over whole chunks."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from core.analysis.color_rules import rule_matcher
from core.analysis.color_rules.rule import Color, ColorRule
from core.analysis.color_rules.rule_matcher import RuleMatcher
from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.evaluation import evaluation
from core.analysis.filter.evaluation.pattern_search import Searched
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.types import Values
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.store.budget import Budget
from core.store.snapshot import Snapshot
from tests.helpers.scripted import scripted_store

FILTERS = (
    "frame.number in {2, 5 .. 9, 26}",
    "frame.number == 1",
    "frame.time_delta > 0.003",
    "frame.time_delta < 0.0005 and tcp",
    "frame.time_relative > 0.02",
    'frame.interface_name == "eth0"',
    "frame.len > 100",
    'frame contains "example"',
    'tcp.checksum.status == "bad"',
    "not tcp",
)  # fmt: skip


def _rule(text: str, name: str = "", enabled: bool = True) -> ColorRule:
    return ColorRule(name or text, text, Color.ACCENT, enabled=enabled)


def _names(
    rules: Sequence[ColorRule], snapshot: Snapshot, numbers: Sequence[int]
) -> dict[int, str]:
    found = RuleMatcher(rules).match(snapshot, numbers)
    return {number: rule.name if rule else "" for number, rule in found.items()}


@pytest.mark.parametrize("text", FILTERS)
def test_any_few_packets_pass_as_in_the_whole_store(text: str) -> None:
    snapshot = scripted_store(rounds=3).snapshot()
    context = CaptureContext(snapshot.interfaces, snapshot.first_timestamp_ns)
    passing: set[int] = set()
    for chunk in snapshot.chunks:
        mask = compile_filter(text, CATALOG).passes(ChunkValues(chunk, context))
        passing |= set((np.flatnonzero(mask) + chunk.first).tolist())
        context = context.after(chunk)
    choose = random.Random(5)
    numbers = range(1, snapshot.count + 1)
    samples = [sorted(choose.sample(numbers, count)) for count in (1, 2, 7, 30)]
    for sample in [*samples, numbers, numbers[20:50]]:
        found = RuleMatcher([_rule(text)]).match(snapshot, sample)
        assert {number for number, rule in found.items() if rule} == passing & set(sample)


def test_the_first_enabled_rule_wins() -> None:
    snapshot = scripted_store().snapshot()
    rules = [
        _rule("tcp", "off", enabled=False),
        _rule("tcp.flags.syn == 1", "first"),
        _rule("ip", "second"),
        _rule("tcp", "never"),
    ]
    assert _names(rules, snapshot, [1, 3, 5, 7]) == {1: "", 3: "second", 5: "first", 7: "second"}


def test_packets_outside_the_snapshot_are_left_out() -> None:
    snapshot = scripted_store().snapshot()
    assert _names([_rule("frame")], snapshot, [0, 1, snapshot.count + 1]) == {1: "frame"}
    assert _names([_rule("frame")], snapshot, [0]) == {}


def test_a_wrong_filter_is_refused() -> None:
    with pytest.raises(FilterError, match="is not a field"):
        RuleMatcher([_rule("no.such.field == 1")])
    RuleMatcher([_rule("no.such.field == 1", enabled=False)])


def test_a_slow_pattern_turns_its_rule_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_pattern: object, values: Values, *_: object) -> Searched:
        return Searched(np.zeros(len(values), np.bool_), np.arange(1))

    monkeypatch.setattr(evaluation, "search", slow)
    matcher = RuleMatcher([_rule("tcp", "a"), _rule('frame matches "x"', "slow"), _rule("udp")])
    found = matcher.match(scripted_store().snapshot(), [1, 3, 5])
    assert [rule.name if rule else "" for rule in found.values()] == ["", "udp", "a"]
    reason = "its regular expression took too long for a packet"
    assert matcher.trouble == f"the color rule 'slow' is off: {reason}"


@pytest.mark.parametrize(
    "text", ['frame matches "(?=x)"', 'frame.number > 0 and ip matches "(?=x)"']
)
def test_a_spent_budget_leaves_packets_for_the_next_step(text: str) -> None:
    snapshot = scripted_store().snapshot()
    matcher = RuleMatcher([_rule("arp"), _rule(text, "slow"), _rule("ip")])
    for wanted in ([1, 2, 3, 4, 5, 6], [1, 3, 5, 6]):
        expected, left, steps = matcher.match(snapshot, wanted), wanted, 0
        found: dict[int, ColorRule | None] = {}
        while left:
            found |= matcher.match(snapshot, left, Budget(0))
            left, steps = [number for number in wanted if number not in found], steps + 1
        assert found == expected
        assert 1 < steps <= len(wanted)


def test_a_packet_that_cannot_be_read_costs_no_other_its_color(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gather = rule_matcher.gather

    def failing(snapshot: Snapshot, numbers: Sequence[int]) -> object:
        if 5 in numbers:
            raise ValueError("an error of a parser")
        return gather(snapshot, numbers)

    monkeypatch.setattr(rule_matcher, "gather", failing)
    snapshot = scripted_store().snapshot()
    assert _names([_rule("ip")], snapshot, [1, 5, 6, 7]) == {1: "", 5: "", 6: "ip", 7: "ip"}
