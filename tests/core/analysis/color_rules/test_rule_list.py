"""The list of rules that the user edits, without a screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.analysis.color_rules.rule import DEFAULT_RULES, Color, ColorRule
from core.analysis.color_rules.rule_list import RuleList

A, B, C = (ColorRule(name, "tcp", Color.ACCENT) for name in "ABC")


def _names(rules: RuleList) -> str:
    return "".join(rule.name if rule.enabled else rule.name.lower() for rule in rules.rules)


@pytest.fixture
def rules() -> RuleList:
    made = RuleList([A, B, C])
    made.selected = 1
    return made


def test_the_selected_rule_changes_and_stays_selected(rules: RuleList) -> None:
    rules.toggle()
    assert (_names(rules), rules.selected) == ("AbC", 1)
    rules.toggle()
    rules.move(1)
    assert (_names(rules), rules.selected) == ("ACB", 2)
    rules.move(1)
    assert (_names(rules), rules.selected) == ("ACB", 2)
    rules.move(-1)
    rules.replace(ColorRule("D", "udp", Color.MUTED))
    assert (_names(rules), rules.selected) == ("ADC", 1)
    rules.insert(B)
    assert (_names(rules), rules.selected) == ("ABDC", 1)
    rules.selected = 3
    rules.remove()
    assert (_names(rules), rules.selected) == ("ABD", 2)


def test_every_change_is_undone_in_turn(rules: RuleList) -> None:
    changes = (rules.toggle, rules.remove, lambda: rules.move(-1), rules.restore)
    states = []
    for change in changes:
        states.append((rules.rules, rules.selected))
        change()
    assert rules.rules == DEFAULT_RULES
    for rules_before, selected in reversed(states):
        assert rules.undo()
        assert (rules.rules, rules.selected) == (rules_before, selected)
    assert not rules.undo()


def test_an_empty_list_can_be_filled_again() -> None:
    rules = RuleList([A])
    rules.remove()
    assert (rules.rules, rules.rule) == ((), None)
    for change in (rules.toggle, rules.remove, lambda: rules.move(1)):
        change()
    assert rules.rules == ()
    rules.insert(B)
    assert (rules.rules, rules.rule) == ((B,), B)
    rules.restore()
    assert rules.rules == DEFAULT_RULES


def test_missing_default_rules_are_added_in_their_places() -> None:
    """A default rule with another name or another filter is not missing."""
    first, second, third, *others = DEFAULT_RULES
    renamed = replace(second, name="Mine")
    refined = replace(third, filter="tcp")
    rules = RuleList([first, A, renamed, refined, *others[2:]])
    assert rules.missing == tuple(others[:2])
    assert rules.add_missing() == 2
    assert rules.rules == (first, A, renamed, refined, *others)
    assert rules.rule == others[0]
    assert rules.add_missing() == 0
    assert rules.undo()
    assert rules.missing == tuple(others[:2])
    empty = RuleList([A])
    assert empty.add_missing() == len(DEFAULT_RULES)
    assert empty.rules == (*DEFAULT_RULES, A)
