"""The analysis of flows of a store: an `Analyzer`, and what it has found for any reader.

A store has one `FlowIndex`, `index_of` its snapshots. The analysis thread extends it all the time.
A filter that names one of its fields may ask for packets that it has not reached yet; then the
asking thread extends it as far as that.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Protocol

from core.analysis.reassembly.chunk_pieces import few_fragments, with_pieces
from core.analysis.reassembly.fragment_index import SnapshotFragments
from core.analysis.store_index import StoreIndex
from core.analysis.tcp.evaluation import PART, FlowAnalysis
from core.analysis.tcp.flow_table import FlowTable, appended
from core.analysis.tcp.segments import tunneled_rows
from core.decode.chunk import Chunk
from core.store.snapshot import Snapshot

MOST_TUNNELED = 256
"""Packets with another one inside, which are dissected, in a step."""

PART_S = 0.1
"""The processor time of a part; parts get smaller while they need more.

Smaller parts need more time in all: each part reads and writes the state of its streams.
"""
_LEAST = 1 << 10  # packets


def _no_pause() -> None:
    """Do nothing, for an index that nobody asks to pause."""


class FlowSource(Protocol):
    """Gives the results of the analysis up to a packet."""

    def reaching(self, through: int) -> FlowTable:
        """Return results that reach packet `through`, or all that there will be."""
        ...


class FlowIndex(StoreIndex[FlowTable]):
    """Analyzes the flows of one store. Any thread may read `published`.

    It calls `pause` every few milliseconds of its work.
    """

    def __init__(self) -> None:
        super().__init__(FlowTable())
        self.pause: Callable[[], None] = _no_pause
        self._most = PART  # packets of the next part
        self._analysis = FlowAnalysis(int.from_bytes(os.urandom(8), "big"))

    def forget(self, first: int) -> None:
        """Drop the results of evicted packets. The state of their streams stays."""
        with self.lock:
            self.published = self.published.without_evicted(first)

    def append(self, chunk: Chunk) -> FlowTable:
        """Return the results of the packets of the next chunk, and forget earlier ones.

        For packets that no store keeps: the chunks must have ascending numbers, and what is known
        of their fragments.
        """
        with self.lock:
            self.published = FlowTable()
            for start in range(0, len(chunk), PART):
                self._add(chunk.rows(start, min(start + PART, len(chunk))))
            return self.published

    def _extend_once(self, snapshot: Snapshot) -> bool:
        with self.lock:
            through = self.published.through
            for chunk in snapshot.chunks_after(through):
                start = max(0, through + 1 - chunk.first)
                part = chunk.rows(start, min(start + self._most, len(chunk)))
                if len(part):
                    part = with_pieces(few_fragments(part), SnapshotFragments(snapshot))
                    tunneled = tunneled_rows(part)
                    if len(tunneled) > MOST_TUNNELED:
                        part = part.rows(0, int(tunneled[MOST_TUNNELED]))
                    self._add(part)
                    return True
            self.published = FlowTable(self.published.blocks, max(through, snapshot.count))
            return False

    def _add(self, part: Chunk) -> None:
        began_s = time.thread_time()
        block = self._analysis.analyze(part, self.pause)
        took_s = time.thread_time() - began_s
        if took_s > PART_S:
            self._most = max(_LEAST, self._most // 2)
        elif took_s < PART_S / 2:
            self._most = min(PART, self._most * 2)
        blocks = appended(self.published.blocks, block)
        self.published = FlowTable(blocks, part.last)


class SnapshotFlows:
    """The flows of a snapshot; a `FlowSource` that analyzes what is missing."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def reaching(self, through: int) -> FlowTable:
        """Return results that reach packet `through`."""
        return index_of(self._snapshot).reaching(self._snapshot, through)


def index_of(snapshot: Snapshot) -> FlowIndex:
    """Return the index of the store of a snapshot."""
    return snapshot.annotations.of(FlowIndex)
