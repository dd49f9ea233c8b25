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

    def undo(self) -> bool:
        """Take back the last change. Return False if nothing was changed."""
        if not self._before:
            return False
        self.rules, self.selected = self._before.pop()
        return True

    def _change(self, rules: tuple[ColorRule, ...], selected: int) -> None:
        self._before.append((self.rules, self.selected))
        self.rules, self.selected = rules, max(0, min(selected, len(rules) - 1))
