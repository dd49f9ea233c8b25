"""Find the first color rule that each of a few packets passes.

The packets become one small chunk (`core.store.gathered_packets`), over whose columns the filters
are evaluated: 50 packets and the default rules take about 2 ms. A filter that depends on the place
of a packet among the others (`_POSITIONAL`) is evaluated for each run of consecutive packets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.analysis.color_rules.rule import ColorRule
from core.analysis.filter.display_filter import DisplayFilter, compile_filter
from core.analysis.filter.evaluation.evaluation import Evaluation
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.language.macros import NO_MACROS, Macros
from core.analysis.filter.packet_filter import context_of
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.flow_values import NEED_FLOWS
from core.analysis.reassembly.chunk_pieces import with_pieces
from core.analysis.reassembly.fragment_index import NO_FRAGMENTS, SnapshotFragments
from core.decode.chunk import Chunk
from core.store.budget import UNLIMITED, Budget
from core.store.gathered_packets import gather
from core.store.snapshot import Snapshot

_POSITIONAL = NEED_FLOWS | {
    "frame.number",
    "frame.comment",
    "frame.time_delta",
    "frame.time_delta_displayed",
}
"""Fields that depend on a packet's number, or on packets before it."""

_REASON = "its regular expression took too long for a packet"

Mask = NDArray[np.bool_]


class RuleMatcher:
    """Applies a list of color rules. `trouble` says why a rule does not work anymore."""

    def __init__(self, rules: Sequence[ColorRule], macros: Macros = NO_MACROS) -> None:
        """Compile the enabled rules. Raise `FilterError` for a wrong filter."""
        self.trouble = ""
        self._filters = [
            (rule, compile_filter(rule.filter, CATALOG, macros)) for rule in rules if rule.enabled
        ]

    def match(
        self, snapshot: Snapshot, numbers: Sequence[int], budget: Budget = UNLIMITED
    ) -> Mapping[int, ColorRule | None]:
        """Return the rule of each packet; None if it passes no filter.

        The numbers are ascending. Leave out packets that are not in the snapshot, and the last ones
        if the budget is spent, but not the first one. A packet that some filter cannot read,
        because of an internal error, has no rule.
        """
        held = [number for number in numbers if snapshot.first <= number <= snapshot.count]
        if not held:
            return {}
        try:
            return self._match(snapshot, held, budget)
        except Exception:
            if len(held) == 1:
                return {held[0]: None}
        found: dict[int, ColorRule | None] = {}
        for number in held:
            found |= self.match(snapshot, [number], budget)
            if budget.is_spent:
                break
        return found

    def _match(
        self, snapshot: Snapshot, numbers: Sequence[int], budget: Budget
    ) -> dict[int, ColorRule | None]:
        packets = _Packets(snapshot, numbers, budget)
        rules = np.full(len(numbers), -1)
        for index, (rule, display_filter) in enumerate(self._filters):
            left = rules < 0
            if not left.any():
                break
            passed, is_slow = packets.passing(display_filter)
            if is_slow:
                self._filters = [each for each in self._filters if each[0] is not rule]
                self.trouble = f"the color rule {rule.name!r} is off: {_REASON}"
                return self._match(snapshot, numbers, budget)
            numbers, rules = numbers[: len(passed)], rules[: len(passed)]
            rules[left[: len(passed)] & passed] = index
        return {
            number: None if index < 0 else self._filters[index][0]
            for number, index in zip(numbers, rules.tolist(), strict=True)
        }


class _Packets:
    """A few packets, over which filters are evaluated; what one filter read, the next one knows."""

    def __init__(self, snapshot: Snapshot, numbers: Sequence[int], budget: Budget) -> None:
        self._snapshot, self._numbers, self._budget = snapshot, numbers, budget
        fragments = SnapshotFragments(snapshot)
        self._chunk = with_pieces(gather(snapshot, numbers), fragments, numbers)
        self._is_run = numbers[-1] - numbers[0] == len(numbers) - 1
        self._all = self._evaluation(self._chunk)

    @cached_property
    def _each_run(self) -> list[tuple[Evaluation, int]]:
        runs = _runs(self._chunk, self._numbers)
        return [(self._evaluation(run), len(run)) for run in runs]

    def passing(self, display_filter: DisplayFilter) -> tuple[Mask, bool]:
        """Return a mask (m,) of the first packets that pass, and True if some took too long.

        These are all packets, or fewer, at least one, if the budget is spent before.
        """
        if self._is_run or not display_filter.fields & _POSITIONAL:
            found = self._all.passing(display_filter.condition)
            return found.mask, bool(found.slow)
        masks, is_slow = [], False
        for run, count in self._each_run:
            found = run.passing(display_filter.condition)
            masks.append(found.mask)
            is_slow |= bool(found.slow)
            if len(found.mask) < count:
                break
        return np.concatenate(masks), is_slow

    def _evaluation(self, chunk: Chunk) -> Evaluation:
        context = replace(context_of(self._snapshot, chunk), fragments=NO_FRAGMENTS)
        values = ChunkValues(chunk, context)
        budget = self._budget  # not `self`, which would be in a cycle, with the packets
        return Evaluation(values, is_spent=lambda: budget.is_spent)


def _runs(chunk: Chunk, numbers: Sequence[int]) -> Iterator[Chunk]:
    """Yield the runs of consecutive packets, each with the right number."""
    start = 0
    for stop in range(1, len(numbers) + 1):
        if stop == len(numbers) or numbers[stop] != numbers[stop - 1] + 1:
            yield replace(chunk.rows(start, stop), first=numbers[start])
            start = stop
