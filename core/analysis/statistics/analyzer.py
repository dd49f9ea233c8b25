"""The statistics of a growing store, as an analyzer."""

from __future__ import annotations

import numpy as np

from core.analysis.reassembly.chunk_pieces import with_pieces
from core.analysis.reassembly.fragment_index import SnapshotFragments
from core.analysis.statistics.statistics import Statistics, StatisticsCounter
from core.decode.chunk import Chunk
from core.store.budget import Budget
from core.store.filtered_view import FilteredPackets
from core.store.snapshot import Snapshot

PART = 1 << 15
"""Packets that are counted at a time, in about 15 ms."""


class StatisticsIndex:
    """Counts the packets of one store: all, or those that pass a filter.

    For a filter, set `selected` to the packets that are known to pass before each step; those up to
    `selected.through` are then counted. Packets that the store evicted before they were reached are
    not counted; `missed` is their number. Packets that it evicts later stay counted.
    """

    def __init__(self, selected: FilteredPackets | None = None) -> None:
        self.published = Statistics()
        self.selected = selected
        self.missed = 0
        self._counter = StatisticsCounter()
        self._through = 0

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Count packets of `snapshot` that were not counted before.

        Return True if the budget was spent before the last of them.
        """
        selected = self.selected
        last = snapshot.count if selected is None else min(snapshot.count, selected.through)
        while self._through < last:
            self._count(snapshot, selected, last)
            if budget.is_spent:
                break
        self.published = self._counter.result(self._through)
        return self._through < last

    def forget(self, first: int) -> None:
        """Keep what was counted: evicted packets belong to the capture."""

    def _count(self, snapshot: Snapshot, selected: FilteredPackets | None, last: int) -> None:
        """Count the next part, or go to the end if the store has no more packets."""
        chunk = next(iter(snapshot.chunks_after(self._through)), None)
        if chunk is None:
            self._through = last
            return
        if chunk.first > self._through + 1:
            self.missed += chunk.first - self._through - 1
        start = max(0, self._through + 1 - chunk.first)
        part = chunk.rows(start, min(start + PART, len(chunk), last + 1 - chunk.first))
        if not len(part):  # the filter has not seen packets of this chunk
            self._through = last
            return
        self._through = part.last
        part = with_pieces(part, SnapshotFragments(snapshot))
        self._counter.add(_selected(part, selected))


def _selected(part: Chunk, selected: FilteredPackets | None) -> Chunk:
    if selected is None:
        return part
    numbers = selected.between(part.first, part.last)
    if len(numbers) == len(part):
        return part
    return part.copied(np.asarray(numbers - part.first, np.int64))
