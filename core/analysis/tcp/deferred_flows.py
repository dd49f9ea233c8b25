"""The flows of packets that no store keeps, analyzed when something first reads them.

A command that prints few packets of a file, or none, need not analyze the others for them. But what
is known of a packet's flow depends on all packets before it, so the chunks of a file wait for the
first reader. Their bytes are those of the mapped file; only their columns take memory, at most
`MOST_BYTES`. Packets of a pipe or an interface are analyzed at once: they would take more memory,
and the first line would wait for all of them.
"""

from __future__ import annotations

from collections import deque

from core.analysis.tcp.flow_index import FlowIndex
from core.analysis.tcp.flow_table import FlowTable
from core.decode.chunk import COLUMN_BYTES, Chunk
from core.decode.memory import is_mapped

MOST_BYTES = 64 << 20


class DeferredFlows:
    """A `FlowSource` over chunks with ascending numbers. Read the results of the newest only."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._index = FlowIndex()
        self._most_packets = most_bytes // COLUMN_BYTES
        self._waiting: deque[Chunk] = deque()
        self._count = 0  # of their packets

    def append(self, chunk: Chunk) -> None:
        """Add the packets of the next chunk."""
        self._waiting.append(chunk)
        self._count += len(chunk)
        if not is_mapped(chunk.data):
            self.reaching(chunk.last)
        while self._count > self._most_packets:
            self._analyze_next()

    def reaching(self, through: int) -> FlowTable:
        """Return the results for the chunk with packet `through`."""
        while self._waiting and self._waiting[0].first <= through:
            self._analyze_next()
        return self._index.published

    def _analyze_next(self) -> None:
        chunk = self._waiting.popleft()
        self._count -= len(chunk)
        self._index.append(chunk)
