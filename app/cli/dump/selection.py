"""The packets of a dump that pass its display filter.

The filter is evaluated over whole columns, so a packet that does not pass costs almost nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.display_filter import DisplayFilter
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.flow_values import NEED_FLOWS
from core.analysis.programs.fields import PROGRAM_FIELDS


class Selection:
    """Applies a filter to the chunks of one capture.

    `slow_packets` is the number of packets that a regular expression took too long for.
    """

    def __init__(self, display_filter: DisplayFilter) -> None:
        self.slow_packets = 0
        self._filter = display_filter

    @property
    def needs_flows(self) -> bool:
        """True if the filter reads fields that an analysis of flows finds."""
        return not NEED_FLOWS.isdisjoint(self._filter.fields)

    @property
    def needs_programs(self) -> bool:
        """True if the filter reads the programs of flows."""
        return not PROGRAM_FIELDS.keys().isdisjoint(self._filter.fields)

    def rows(self, values: ChunkValues, is_stopped: Callable[[], bool]) -> NDArray[np.int64]:
        """Return the rows (k,) of the packets of a chunk that pass.

        After `is_stopped` returns True, those of the packets checked before.
        """
        found = self._filter.passing(values, None, is_stopped)
        self.slow_packets += len(found.slow)
        return np.flatnonzero(found.mask)
