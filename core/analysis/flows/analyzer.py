"""Counts the conversations of a store's packets on the analysis thread, and lists them.

An `Analyzer` with a question: what to list, in which order. It publishes a new listing when the
question changes, and about once a second while packets come, since to sort all flows takes longer
than to count a few packets. With a `view`, it counts only the packets that a display filter has
passed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.analysis.flows.conversations import PART, FlowCounter
from core.analysis.flows.listing import FlowListing, FlowQuestion, Steps, listing_steps
from core.analysis.flows.pairs import dissected_rows
from core.analysis.flows.programs import programs_of_table
from core.analysis.flows.table import MOST_FLOWS
from core.analysis.programs.program_table import programs_of
from core.analysis.reassembly.chunk_pieces import few_fragments, with_pieces
from core.analysis.reassembly.fragment_index import SnapshotFragments
from core.analysis.tcp.flow_index import index_of
from core.decode.chunk import Chunk
from core.store.budget import Budget
from core.store.filtered_view import View
from core.store.snapshot import Snapshot

SETTLED_S = 1.0
"""The time between two listings while packets come."""

MOST_DISSECTED = 256
"""Packets in tunnels, which are dissected one by one, in a step."""


class FlowAnalyzer:
    """Counts the packets of one store, and answers the question `question`, which may change.

    Any thread may read `published` and set `question`. Nothing is dropped when packets are evicted;
    `first` is the first packet that was counted, `through` the last one, and `listed_through` the
    last one that `published` includes.
    """

    def __init__(
        self,
        question: FlowQuestion,
        view: View | None = None,
        most: int = MOST_FLOWS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.question = question
        self.published = FlowListing(question)
        self.first = 0
        self.through = 0
        self.listed_through = 0
        self._view = view
        self._counter = FlowCounter(most)
        self._clock = clock
        self._listed_s = -SETTLED_S  # when the listing was made
        self._listed = -1  # packets in it; -1 before the first listing
        self._steps: Steps[None] | None = None  # of the listing that is made
        self._asked = question  # what that lists
        self._programs = 0  # the version of the programs in it

    @property
    def has_answer(self) -> bool:
        """True once a listing is published."""
        return self._listed >= 0

    def is_due(self, snapshot: Snapshot) -> bool:
        """Return True if `extend` would publish a new listing, or count more packets."""
        is_listing = self._steps is not None
        return is_listing or self._target(snapshot) > self.through or self._is_stale(snapshot)

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Count packets not counted before, and publish a listing if one is due.

        Return True if the budget was spent before the last packet.
        """
        target = self._target(snapshot)
        if self._steps is None:
            while self.through < target and self._extend_once(snapshot, target):
                if budget.is_spent:
                    break
            if self._is_stale(snapshot):
                self._steps = self._listing(snapshot)
        while self._steps is not None and not self._has_ended(self._steps, snapshot):
            if budget.is_spent:
                return True
        if self._listed == self._counter.packets:
            self.listed_through = self.through
        return self.through < target

    def forget(self, first: int) -> None:
        """Keep the counts of evicted packets."""

    def _target(self, snapshot: Snapshot) -> int:
        """Return the last packet that can be counted now."""
        if self._view is None:
            return snapshot.count
        return min(snapshot.count, self._view.packets.through)

    def _is_stale(self, snapshot: Snapshot) -> bool:
        if self.question != self.published.question:
            return True
        is_settled = self._clock() - self._listed_s >= SETTLED_S
        known = programs_of(snapshot).published.version
        has_programs = self.question.programs and known != self._programs
        return is_settled and (self._listed != self._counter.packets or has_programs)

    def _has_ended(self, steps: Steps[None], snapshot: Snapshot) -> bool:
        """Do a step of a listing, or begin it again for a new question. Return True at its end."""
        try:
            next(steps)
        except StopIteration:
            self._steps = None
            return True
        if self.question != self._asked:
            self._steps = self._listing(snapshot)
        return False

    def _listing(self, snapshot: Snapshot) -> Steps[None]:
        """Answer the question in steps, between which nothing is counted."""
        question, counter = self.question, self._counter
        self._asked = question
        table = counter.tables[question.level]
        programs = None
        if question.programs:
            self._programs = programs_of(snapshot).published.version
            programs = yield from programs_of_table(question.level, table, snapshot)
        scale, packets = counter.scale, counter.packets
        self.published = yield from listing_steps(question, table, scale, packets, programs)
        self._listed_s, self._listed = self._clock(), counter.packets

    def _extend_once(self, snapshot: Snapshot, target: int) -> bool:
        """Count the next part. Return False without another one."""
        for chunk in snapshot.chunks_after(self.through):
            start = max(0, self.through + 1 - chunk.first)
            stop = min(start + PART, len(chunk), target + 1 - chunk.first)
            part = chunk.rows(start, stop)
            if not len(part):
                continue
            part = with_pieces(few_fragments(part), SnapshotFragments(snapshot))
            dissected = dissected_rows(part)
            if len(dissected) > MOST_DISSECTED:
                part = part.rows(0, int(dissected[MOST_DISSECTED]))
            flows = index_of(snapshot).reaching(snapshot, part.last)
            self._counter.add(part, flows, self._wanted(part))
            self.first = self.first or part.first
            self.through = part.last
            return True
        self.through = max(self.through, target)
        return False

    def _wanted(self, part: Chunk) -> NDArray[np.bool_] | None:
        """Return a mask (n,) of the packets that the filter has passed; None for all."""
        if self._view is None:
            return None
        wanted = np.zeros(len(part), np.bool_)
        wanted[self._view.packets.between(part.first, part.last) - part.first] = True
        return wanted
