"""The list of color rules that the user edits: immutable rules, a selected one, and undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.analysis.color_rules.rule import DEFAULT_RULES, ColorRule


class RuleList:
    """Changes `rules`, and keeps `selected` on the rule that was changed."""

    def __init__(self, rules: Sequence[ColorRule]) -> None:
        self.rules = tuple(rules)
        self.selected = 0
        self._before: list[tuple[tuple[ColorRule, ...], int]] = []

    @property
    def rule(self) -> ColorRule | None:
        """The selected rule; None in an empty list."""
        return self.rules[self.selected] if self.rules else None

    def toggle(self) -> None:
        """Turn the selected rule on, or off."""
        if self.rule is not None:
            self.replace(replace(self.rule, enabled=not self.rule.enabled))

    def replace(self, rule: ColorRule) -> None:
        """Put another rule in place of the selected one."""
        at = self.selected
        self._change((*self.rules[:at], rule, *self.rules[at + 1 :]), at)

    def insert(self, rule: ColorRule) -> None:
        """Add a rule above the selected one, so that it wins over that one, and select it."""
        at = self.selected
        self._change((*self.rules[:at], rule, *self.rules[at:]), at)

    def remove(self) -> None:
        """Remove the selected rule."""
        at = self.selected
        if self.rules:
            self._change((*self.rules[:at], *self.rules[at + 1 :]), at)

    def move(self, step: int) -> None:
        """Exchange the selected rule with the one below (1) or above (-1)."""
        rules, at, other = list(self.rules), self.selected, self.selected + step
        if 0 <= other < len(rules):
            rules[at], rules[other] = rules[other], rules[at]
            self._change(tuple(rules), other)

    def restore(self) -> None:
        """Take the default rules instead of all others."""
        if self.rules != DEFAULT_RULES:
            self._change(DEFAULT_RULES, 0)

    @property
    def missing(self) -> tuple[ColorRule, ...]:
        """The default rules that the list lacks: no rule has the name or the filter of one."""
        names = {rule.name for rule in self.rules}
        filters = {rule.filter for rule in self.rules}
        return tuple(
            rule for rule in DEFAULT_RULES if rule.name not in names and rule.filter not in filters
        )

    def add_missing(self) -> int:
        """Add the missing default rules, and return how many.

        Each comes after the nearest default rule before it that the list has, else first.
        """
        missing = self.missing
        rules = list(self.rules)
        for rule in missing:
            before = {each.name for each in DEFAULT_RULES[: DEFAULT_RULES.index(rule)]}
            places = [place for place, each in enumerate(rules, 1) if each.name in before]
            rules.insert(max(places, default=0), rule)
        if missing:
            self._change(tuple(rules), rules.index(missing[0]))
        return len(missing)

    def undo(self) -> bool:
        """Take back the last change. Return False if nothing was changed."""
        if not self._before:
            return False
        self.rules, self.selected = self._before.pop()
        return True

    def _change(self, rules: tuple[ColorRule, ...], selected: int) -> None:
        self._before.append((self.rules, self.selected))
        self.rules, self.selected = rules, max(0, min(selected, len(rules) - 1))
