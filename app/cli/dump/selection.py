"""The packets of a dump that pass its display filter.

The filter goes by the columns of a chunk, so a packet that does not pass costs almost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.cli.output import CommandError
from core.analysis.filter.display_filter import DisplayFilter
from core.analysis.filter.evaluation.pattern_search import SlowPatternError
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.batch import CaptureInterface
from core.decode.chunk import Chunk


class Selection:
    """Applies a filter to the chunks of one capture, in their order."""

    def __init__(self, display_filter: DisplayFilter) -> None:
        self._filter = display_filter
        self._context = CaptureContext()

    @property
    def first_timestamp_ns(self) -> int | None:
        """The time of the first packet that has one, whether it passed or not."""
        return self._context.first_timestamp_ns

    def rows(self, chunk: Chunk, interfaces: Sequence[CaptureInterface]) -> NDArray[np.int64]:
        """Return the rows (k,) of the packets of the next chunk that pass.

        Raise `CommandError` if a regular expression takes too long.
        """
        context = replace(self._context, interfaces=interfaces)
        self._context = context.after(chunk)
        try:
            return np.flatnonzero(self._filter.passes(ChunkValues(chunk, context)))
        except SlowPatternError as error:
            raise CommandError(f"-Y: {error}") from error
