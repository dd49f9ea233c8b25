"""The packets of a dump that pass its display filter.

The filter goes by the columns of a chunk, so a packet that does not pass costs almost nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.cli.output import CommandError
from core.analysis.filter.display_filter import DisplayFilter
from core.analysis.filter.evaluation.pattern_search import SlowPatternError
from core.analysis.filter.values.chunk_values import ChunkValues


class Selection:
    """Applies a filter to the chunks of one capture."""

    def __init__(self, display_filter: DisplayFilter) -> None:
        self._filter = display_filter

    def rows(self, values: ChunkValues) -> NDArray[np.int64]:
        """Return the rows (k,) of the packets of a chunk that pass.

        Raise `CommandError` if a regular expression takes too long.
        """
        try:
            return np.flatnonzero(self._filter.passes(values))
        except SlowPatternError as error:
            raise CommandError(f"-Y: {error}") from error
