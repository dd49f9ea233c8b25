"""Find the first color rule that each of a few packets passes.

The packets become one small chunk (`core.store.gathered_packets`), over which the filters go by
columns: 50 packets and the default rules take about 2 ms. A filter that depends on the place of a
packet among the others (`_POSITIONAL`) is evaluated for each run of consecutive packets.
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
from core.analysis.filter.evaluation.pattern_search import SlowPatternError
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.packet_filter import context_of
from core.analysis.filter.values.chunk_values import ChunkValues
from core.decode.chunk import Chunk
from core.store.gathered_packets import gather
from core.store.snapshot import Snapshot

_POSITIONAL = frozenset(
    {"frame.number", "frame.comment", "frame.time_delta", "frame.time_delta_displayed"}
)
"""Fields that depend on a packet's number, or on the packet before it."""

Mask = NDArray[np.bool_]


class RuleMatcher:
    """Applies a list of color rules. `trouble` says why a rule does not work anymore."""

    def __init__(self, rules: Sequence[ColorRule]) -> None:
        """Compile the enabled rules. Raise `FilterError` for a wrong filter."""
        self.trouble = ""
        self._filters = [
            (rule, compile_filter(rule.filter, CATALOG)) for rule in rules if rule.enabled
        ]

    def match(self, snapshot: Snapshot, numbers: Sequence[int]) -> Mapping[int, ColorRule | None]:
        """Return the rule of each packet; None if it passes no filter.

        The numbers are ascending. Leave out packets that are not in the snapshot. A packet that
        some filter cannot read, because of an internal error, has no rule.
        """
        held = [number for number in numbers if snapshot.first <= number <= snapshot.count]
        if not held:
            return {}
        try:
            return self._match(snapshot, held)
        except Exception:
            if len(held) == 1:
                return {held[0]: None}
        found: dict[int, ColorRule | None] = {}
        for number in held:
            found |= self.match(snapshot, [number])
        return found

    def _match(self, snapshot: Snapshot, numbers: Sequence[int]) -> dict[int, ColorRule | None]:
        packets = _Packets(snapshot, numbers)
        rules = np.full(len(numbers), -1)
        for index, (rule, display_filter) in enumerate(self._filters):
            left = rules < 0
            if not left.any():
                break
            try:
                passed = packets.passing(display_filter)
            except SlowPatternError as error:
                self._filters = [each for each in self._filters if each[0] is not rule]
                self.trouble = f"the color rule {rule.name!r} is off: {error}"
                return self._match(snapshot, numbers)
            rules[left & passed] = index
        return {
            number: None if index < 0 else self._filters[index][0]
            for number, index in zip(numbers, rules.tolist(), strict=True)
        }


class _Packets:
    """A few packets, over which filters are evaluated; what one filter read, the next one knows."""

    def __init__(self, snapshot: Snapshot, numbers: Sequence[int]) -> None:
        self._snapshot, self._numbers = snapshot, numbers
        self._chunk = gather(snapshot, numbers)
        self._is_run = numbers[-1] - numbers[0] == len(numbers) - 1
        self._all = self._evaluation(self._chunk)

    @cached_property
    def _each_run(self) -> list[Evaluation]:
        return [self._evaluation(run) for run in _runs(self._chunk, self._numbers)]

    def passing(self, display_filter: DisplayFilter) -> Mask:
        """Return a mask (n,) of the packets that pass."""
        condition = display_filter.condition
        if condition is None:
            return np.ones(len(self._numbers), dtype=np.bool_)
        if self._is_run or not display_filter.fields & _POSITIONAL:
            return self._all.passes(condition)
        return np.concatenate([run.passes(condition) for run in self._each_run])

    def _evaluation(self, chunk: Chunk) -> Evaluation:
        return Evaluation(ChunkValues(chunk, context_of(self._snapshot, chunk)))


def _runs(chunk: Chunk, numbers: Sequence[int]) -> Iterator[Chunk]:
    """Yield the runs of consecutive packets, each with the right number."""
    start = 0
    for stop in range(1, len(numbers) + 1):
        if stop == len(numbers) or numbers[stop] != numbers[stop - 1] + 1:
            yield replace(chunk.rows(start, stop), first=numbers[start])
            start = stop
