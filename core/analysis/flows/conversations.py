"""All conversations of a capture, at every level: `FlowCounter` takes its packets in parts."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from core.analysis.flows.ends import Pairs
from core.analysis.flows.history import TimeScale
from core.analysis.flows.level import Level
from core.analysis.flows.pairs import pairs_of
from core.analysis.flows.table import MOST_FLOWS, UNTIMED, ConversationTable, PartColumns
from core.analysis.flows.tcp_marks import MARKING, add_marks
from core.analysis.tcp.flow_table import FlowTable
from core.decode.chunk import Chunk
from core.wire.model.dissection import PacketFlag
from core.wire.model.words import mixed

PART = 1 << 13
"""The most packets in a part that is counted at once."""


class FlowCounter:
    """The conversations of one capture, whose parts come in the order of their packets."""

    def __init__(self, most: int = MOST_FLOWS) -> None:
        self.packets = 0
        self.scale = TimeScale()
        self.tables = {
            level: ConversationTable(self.scale, is_tcp=level is Level.TCP, most=most)
            for level in Level
        }
        self._seed = int.from_bytes(os.urandom(8), "big")

    def add(self, part: Chunk, flows: FlowTable, wanted: NDArray[np.bool_] | None = None) -> None:
        """Count the packets of a part, or those of a mask (n,). `flows` has their analysis."""
        columns = self._columns(part)
        self.packets += len(part) if wanted is None else int(np.count_nonzero(wanted))
        for level, pairs in pairs_of(part, self._seed).items():
            if wanted is not None:
                pairs = pairs.take(wanted[pairs.rows])
            if level is Level.TCP:
                self._add_tcp(part, columns, pairs, flows)
            else:
                self.tables[level].add(pairs, _keys(pairs), columns)

    def _columns(self, part: Chunk) -> PartColumns:
        """Return what is counted of each packet of a part."""
        times = part.timestamp_ns
        is_untimed = (times == 0) & (part.flags & PacketFlag.TIME_INVALID > 0)
        if is_untimed.any():
            self.scale.cover(times[~is_untimed])
            times = np.where(is_untimed, UNTIMED, times)
        else:
            self.scale.cover(times)
        lengths = part.original.astype(np.float64)
        return PartColumns(part.first, times, lengths, self.scale.bins(times))

    def _add_tcp(self, part: Chunk, columns: PartColumns, pairs: Pairs, flows: FlowTable) -> None:
        """Count the outermost segment of each packet, by its stream."""
        segments = flows.tcp(np.arange(part.first, part.last + 1))
        rows = segments["row"]
        if not len(rows):
            return
        if not np.array_equal(rows, pairs.rows):
            is_first = np.ones(len(pairs), np.bool_)
            is_first[1:] = pairs.rows[1:] != pairs.rows[:-1]
            at = np.minimum(np.searchsorted(rows, pairs.rows), len(rows) - 1)
            index = np.flatnonzero(is_first & (rows[at] == pairs.rows))
            pairs = pairs.take(index)
            segments = {name: segments[name][at[index]] for name in MARKING}
        table = self.tables[Level.TCP]
        counted = table.add(pairs, segments["stream"].astype(np.uint64), columns)
        add_marks(table, counted, segments)


def conversation_id(level: Level, packet: Chunk, flows: FlowTable) -> int | None:
    """Return the identifier in listings of the innermost conversation of a chunk of one packet.

    None if the packet has none at this level.
    """
    if level is Level.TCP:
        streams = flows.values(packet.first, level.value)["stream"]
        return int(streams[0]) if len(streams) else None
    pairs = pairs_of(packet, 0)[level]
    if not len(pairs):
        return None
    last = pairs.take(slice(-1, None))
    return int((last.sources + last.destinations).view(np.int64)[0])


def _keys(pairs: Pairs) -> NDArray[np.uint64]:
    """Return a key of each pair of ends, the same in both directions."""
    low = np.minimum(pairs.sources, pairs.destinations)
    return mixed(low, np.maximum(pairs.sources, pairs.destinations))
