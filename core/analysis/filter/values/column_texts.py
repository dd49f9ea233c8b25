"""``_ws.col.*``: the texts of the packet table.

They are those of ``dump``, with what an analysis of flows tells about TCP segments.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from core.analysis.filter.fields.packet_fields import COLUMNS
from core.analysis.filter.types import Occurrences
from core.analysis.filter.values.dissected import DissectedPackets
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.chunk import Chunk
from core.decode.summaries import Summaries, summaries
from core.wire.present.summary import summarize


class ColumnTexts:
    """The texts of a chunk's packets in the packet table. It keeps what it found."""

    def __init__(self, chunk: Chunk, context: CaptureContext) -> None:
        self._chunk, self._context = chunk, context

    def of(self, name: str) -> Occurrences:
        """Return the texts of a column, by a name in `COLUMNS`."""
        return Occurrences(np.arange(len(self._chunk)), getattr(self._texts, COLUMNS[name]))

    @cached_property
    def _texts(self) -> Summaries:
        bases = self._context.flows.reaching(self._chunk.last).bases(self._chunk)
        found = summaries(self._chunk, bases)
        left = np.flatnonzero([text is None for text in found.info.tolist()])
        for packet in DissectedPackets(self._chunk, left):
            summary = summarize(packet.dissection, bases.of(packet.row))
            for part in COLUMNS.values():
                getattr(found, part)[packet.row] = getattr(summary, part)
        return found
