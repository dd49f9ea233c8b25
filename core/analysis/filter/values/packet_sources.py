"""The sources of values in a chunk: levels that columns describe, and dissected packets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.values.byte_fields import SpanOf
from core.analysis.filter.values.chunk_headers import ChunkHeaders
from core.analysis.filter.values.dissected import DissectedPackets
from core.analysis.filter.values.packet_levels import PacketLevel, levels_of
from core.analysis.filter.values.places import BytePlaces
from core.decode.chunk import Chunk
from core.wire.protocol import Protocol


class PacketSources:
    """The packets of a chunk, by what describes them.

    With `outermost`, only the outermost packets count, without those inside them.
    """

    def __init__(self, chunk: Chunk, *, outermost: bool) -> None:
        self.headers = ChunkHeaders(chunk)
        self._chunk = chunk
        self._outermost = outermost

    @cached_property
    def all_levels(self) -> Sequence[PacketLevel]:
        """All levels, the outermost packets first."""
        return levels_of(self.headers)

    @property
    def levels(self) -> Sequence[PacketLevel]:
        """The levels that count."""
        """The levels whose packets have values: all, or those that belong to the outermost one."""
        levels = self.all_levels
        return [each for each in levels if each.is_outermost] if self._outermost else levels

    def candidates(self, protocol: Protocol) -> NDArray[np.int64]:
        """Return the rows of the packets, described by columns, that may have a protocol."""
        rows = [level.candidates(protocol) for level in self.levels]
        return rows[0] if len(rows) == 1 else np.unique(np.concatenate(rows))

    @cached_property
    def inner(self) -> DissectedPackets:
        """The packets that columns do not describe."""
        return self.dissected(np.flatnonzero(self.headers.dissected))

    def dissected(self, rows: NDArray[np.int64]) -> DissectedPackets:
        """Return the dissections of the packets `rows` (k,)."""
        return DissectedPackets(self._chunk, rows, outermost=self._outermost)

    def dissect(self, span_of: SpanOf) -> list[BytePlaces]:
        """Return the spans of the packets in `inner`, as a list of at most one source."""
        return [self.inner.spans(span_of)] if self.headers.has_dissected else []
