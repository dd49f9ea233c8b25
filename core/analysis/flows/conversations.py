"""All conversations of a capture, at every level: `FlowCounter` takes its packets in parts."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from core.analysis.flows.history import TimeScale
from core.analysis.flows.level import Level
from core.analysis.flows.pairs import Pairs, pairs_of
from core.analysis.flows.table import MOST_FLOWS, UNTIMED, ConversationTable, Headers
from core.analysis.flows.tcp_marks import add_marks
from core.analysis.tcp.flow_table import FlowTable
from core.decode.chunk import Chunk
from core.wire.model.dissection import PacketFlag

PART = 1 << 14
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
        times = part.timestamp_ns
        is_untimed = (times == 0) & (part.flags & PacketFlag.TIME_INVALID > 0)
        if is_untimed.any():
            times = np.where(is_untimed, UNTIMED, times)
            is_untimed = ~is_untimed
            self.scale.cover(times[is_untimed])
        else:
            self.scale.cover(times)
        self.packets += len(part) if wanted is None else int(np.count_nonzero(wanted))
        for level, pairs in pairs_of(part).items():
            if wanted is not None:
                pairs = pairs.take(wanted[pairs.rows])
            if level is Level.TCP:
                self._add_tcp(part, times, pairs, flows)
                continue
            source, destination = (
                pairs.source.hashed(self._seed),
                pairs.destination.hashed(self._seed),
            )
            keys = _both(source, destination)
            self.tables[level].add(_headers(part, times, pairs, keys, source))

    def _add_tcp(
        self, part: Chunk, times: NDArray[np.int64], pairs: Pairs, flows: FlowTable
    ) -> None:
        """Count the outermost segment of each packet, by its stream."""
        is_first = np.ones(len(pairs), np.bool_)
        is_first[1:] = pairs.rows[1:] != pairs.rows[:-1]
        pairs = pairs.take(is_first)
        segments = flows.tcp(np.arange(part.first, part.last + 1))
        rows = segments["row"]
        if not len(rows):
            return
        at = np.minimum(np.searchsorted(rows, pairs.rows), len(rows) - 1)
        is_known = rows[at] == pairs.rows
        at, pairs = at[is_known], pairs.take(is_known)
        source = pairs.source.hashed(self._seed)
        keys = segments["stream"][at].astype(np.uint64)
        counted = self.tables[Level.TCP].add(_headers(part, times, pairs, keys, source))
        found = {name: column[at] for name, column in segments.items()}
        add_marks(self.tables[Level.TCP], counted, found)


def _both(source: NDArray[np.uint64], destination: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a key of each pair of ends, the same in both directions."""
    low, high = np.minimum(source, destination), np.maximum(source, destination)
    return low * np.uint64(0x9E3779B97F4A7C15) ^ high


def _headers(
    part: Chunk,
    times: NDArray[np.int64],
    pairs: Pairs,
    keys: NDArray[np.uint64],
    sources: NDArray[np.uint64],
) -> Headers:
    rows = pairs.rows
    lengths = part.original[rows].astype(np.int64)
    return Headers(pairs, keys, sources, part.first + rows, times[rows], lengths)
