"""The values of the fields that an analysis of flows finds, such as ``tcp.stream``."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from core.analysis.filter.fields.packet_fields import COLUMNS
from core.analysis.filter.types import Occurrences
from core.analysis.filter.values.frame_values import CaptureContext
from core.analysis.programs.fields import PROGRAM_FIELDS
from core.analysis.tcp.fields import FLOW_FIELDS
from core.analysis.tcp.flow_table import Columns
from core.decode.chunk import Chunk

NEED_FLOWS = FLOW_FIELDS.keys() | COLUMNS.keys() | PROGRAM_FIELDS.keys()
"""Fields whose values need an analysis of the packets before a chunk."""


class FlowValues:
    """The values of `FLOW_FIELDS` in the packets of one chunk, whose numbers follow each other."""

    def __init__(self, chunk: Chunk, context: CaptureContext) -> None:
        self._chunk, self._context = chunk, context

    def occurrences(self, name: str) -> Occurrences:
        """Return the values of a field."""
        field = FLOW_FIELDS[name]
        columns = self._tcp if field.protocol == "tcp" else self._udp
        index = np.flatnonzero(field.presence(columns))
        return Occurrences(columns["row"][index], field.values(columns, index))

    @cached_property
    def _tcp(self) -> Columns:
        return self._context.flows.reaching(self._chunk.last).tcp(self._numbers)

    @cached_property
    def _udp(self) -> Columns:
        return self._context.flows.reaching(self._chunk.last).udp(self._numbers)

    @cached_property
    def _numbers(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.arange(self._chunk.first, self._chunk.first + len(self._chunk))
