"""The values of ``process.…``: the programs that own the flows of packets."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.types import Occurrences
from core.analysis.filter.values.frame_values import CaptureContext
from core.analysis.programs.fields import PROGRAM_FIELDS
from core.decode.chunk import Chunk


class ProgramValues:
    """The values of `PROGRAM_FIELDS` in the packets of one chunk, with consecutive numbers."""

    def __init__(self, chunk: Chunk, context: CaptureContext) -> None:
        self._chunk, self._context = chunk, context

    def occurrences(self, name: str) -> Occurrences:
        """Return the values of a field, as far as they are known."""
        field = PROGRAM_FIELDS[name]
        rows = np.flatnonzero(self._indices >= 0)
        distinct, inverse = np.unique(self._indices[rows], return_inverse=True)
        owners = self._context.programs.owners
        lists = [field.values(owners[index]) for index in distinct.tolist()]
        sizes = np.array([len(each) for each in lists], np.int64)
        flat = np.empty(int(sizes.sum()), np.uint32 if field.is_number else object)
        flat[:] = [value for each in lists for value in each]
        counts = sizes[inverse]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        starts = np.cumsum(sizes) - sizes
        places = np.repeat(starts[inverse], counts) + within
        return Occurrences(np.repeat(rows, counts), flat[places])

    @cached_property
    def _indices(self) -> NDArray[np.int64]:
        """The index of each packet's owners (n,); -1 without."""
        chunk, programs = self._chunk, self._context.programs
        numbers = np.arange(chunk.first, chunk.first + len(chunk))
        if not programs.by_protocol:
            return np.full(len(chunk), -1, np.int64)
        return programs.indices(self._context.flows.reaching(chunk.last), numbers)
