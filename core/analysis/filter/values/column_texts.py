"""``_ws.col.*``: the texts of the packet table.

They are those of ``dump``, with what an analysis of flows tells about TCP segments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.fields.packet_fields import COLUMNS
from core.analysis.filter.types import Occurrences
from core.analysis.filter.values.dissected import DissectedPackets
from core.analysis.filter.values.frame_values import CaptureContext
from core.analysis.tcp.flow_table import NO_FLOWS
from core.decode.chunk import Chunk
from core.decode.summaries import ALL_INFO, LeftOut, summaries
from core.wire.present.summary import summarize

_ONLY_ADDRESSES = LeftOut(checksums=True, info=ALL_INFO, applications=True)
_ONLY: Mapping[str, LeftOut] = {
    "source": replace(_ONLY_ADDRESSES, destination=True),
    "destination": replace(_ONLY_ADDRESSES, source=True),
    "protocol": LeftOut(addresses=True, checksums=True, info=ALL_INFO, application_lines=True),
    "info": LeftOut(addresses=True, checksums=True),
}
"""The parts of rows that a column does not need."""


class ColumnTexts:
    """The texts of a chunk's packets in the packet table. It keeps what it found."""

    def __init__(self, chunk: Chunk, context: CaptureContext) -> None:
        self._chunk, self._context = chunk, context
        self._found: dict[str, NDArray[Any]] = {}

    def of(self, name: str) -> Occurrences:
        """Return the texts of a column, by a name in `COLUMNS`."""
        part = COLUMNS[name]
        if part not in self._found:
            self._found[part] = self._texts(part)
        return Occurrences(np.arange(len(self._chunk)), self._found[part])

    def _texts(self, part: str) -> NDArray[Any]:
        flows = self._context.flows.reaching(self._chunk.last) if part == "info" else NO_FLOWS
        bases = flows.bases(self._chunk)
        texts: NDArray[Any] = getattr(summaries(self._chunk, bases, _ONLY[part]), part)
        left = np.flatnonzero([text is None for text in texts.tolist()])
        for packet in DissectedPackets(self._chunk, left):
            texts[packet.row] = getattr(summarize(packet.dissection, bases.of(packet.row)), part)
        return texts
