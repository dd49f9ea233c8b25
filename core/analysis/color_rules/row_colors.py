"""The colors of the packets on the screen, computed on a thread of their own.

The screen asks for the packets that it is about to draw, and waits at most `PATIENCE_S`: the rules
usually need less, so rows appear in their color. A regular expression of the user may need
seconds. Then the rows are drawn without a color, and `has_late_colors` returns True once when
drawing them again will show it. The thread also imports the filter language, which would delay the
first frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from core.analysis.analysis_thread import AnalysisThread
from core.analysis.color_rules.rule import DEFAULT_RULES, ColorRule
from core.analysis.filter.language.macros import NO_MACROS, Macros
from core.analysis.programs.program_table import programs_of
from core.store.budget import Budget
from core.store.snapshot import Snapshot

if TYPE_CHECKING:
    from core.analysis.color_rules.rule_matcher import RuleMatcher

PATIENCE_S = 0.005
MOST_KNOWN = 4096  # packets whose rule is remembered


class RowColors:
    """Knows the color rule of each visible packet. For one thread, that of the screen."""

    def __init__(
        self, rules: Sequence[ColorRule] = DEFAULT_RULES, patience_s: float = PATIENCE_S
    ) -> None:
        self.patience_s = patience_s
        self.macros: Macros = NO_MACROS  # that the rules may use
        self._thread = AnalysisThread("rawscope colors")
        self._is_late = False
        self._programs = 0  # the version of what is known of programs
        self._matching = _Matching(rules, NO_MACROS)

    @property
    def rules(self) -> tuple[ColorRule, ...]:
        """The rules, in their order. Assign valid ones to replace them; then draw again."""
        return self._matching.rules

    @rules.setter
    def rules(self, rules: Sequence[ColorRule]) -> None:
        self._restart(rules)

    def forget(self) -> None:
        """Forget all packets: in another store, the numbers mean others."""
        self._restart(self.rules)

    def request(self, snapshot: Snapshot, numbers: Iterable[int]) -> None:
        """Find the rules of packets that are about to be drawn, in ascending order.

        If more programs are known than before, rules that name them are applied again.
        """
        before, self._programs = self._programs, programs_of(snapshot).published.version
        if self._programs != before and any("process." in rule.filter for rule in self.rules):
            self.forget()
        matching = self._matching
        missing = tuple(number for number in numbers if number not in matching.known)
        if not missing:
            return
        matching.wanted = missing
        self._thread.offer(snapshot, matching)
        if not self._thread.wait(self.patience_s, matching):
            self._is_late = True

    def rule_of(self, number: int) -> ColorRule | None:
        """Return the rule of a packet; None if it has none, or if it is not known yet."""
        return self._matching.known.get(number)

    def has_late_colors(self) -> bool:
        """Return True, once, if the last rows were drawn before their colors were known."""
        if not self._is_late or not self._thread.is_idle(self._matching):
            return False
        self._is_late = False
        return True

    @property
    def trouble(self) -> str:
        """One line about a rule that does not work anymore; empty without such a rule."""
        if self._thread.failure_of(self._matching) is not None:
            return "the color rules failed: rows have no colors"
        return self._matching.trouble

    def close(self) -> None:
        """End the thread."""
        self._thread.close()

    def _restart(self, rules: Sequence[ColorRule]) -> None:
        self._thread.cancel(self._matching)
        self._matching = _Matching(rules, self.macros)


class _Matching:
    """Applies the rules to the packets `wanted`. An `Analyzer` of packets on demand.

    Any thread may read `known`, which the thread replaces: the rules by packet, the latest last.
    """

    def __init__(self, rules: Sequence[ColorRule], macros: Macros) -> None:
        self.rules = tuple(rules)
        self._macros = macros
        self.wanted: tuple[int, ...] = ()
        self.known: dict[int, ColorRule | None] = {}
        self.trouble = ""
        self._matcher: RuleMatcher | None = None

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Find the rules of the packets `wanted`. Return True if the budget was spent before."""
        if self._matcher is None:
            from core.analysis.color_rules.rule_matcher import RuleMatcher

            self._matcher = RuleMatcher(self.rules, self._macros)
        wanted = [number for number in self.wanted if number not in self.known]
        found = self._matcher.match(snapshot, wanted, budget)
        self.trouble = self._matcher.trouble
        kept = islice(self.known.items(), max(0, len(self.known) + len(found) - MOST_KNOWN), None)
        self.known = dict(kept) | dict(found)
        return bool(found) and found.keys() < {each for each in wanted if each <= snapshot.count}

    def forget(self, first: int) -> None:
        """Keep the rules: the rows of evicted packets are not drawn."""
