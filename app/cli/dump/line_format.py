"""The interface of the output formats of `dump`, and the part of a chunk that they print.

A format writes most packets by the columns of their chunk (`LineFormat.lines`), and leaves the
others to its packet path, which dissects one packet at a time. Both read the same `core.wire`
tables as the screen. If the packet path fails because of an internal error, `LineFormat.failed`
makes a line that reports it, of what is known without dissecting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.batch import CaptureInterface
from core.decode.chunk import Chunk
from core.store.captured_packet import CapturedPacket
from core.wire.protocol import SequenceBase, SequenceBases

BLOCK = 1 << 8  # packets between two checks whether the user stops the command


@dataclass(frozen=True, slots=True)
class ChunkPart:
    """The rows (k,) of a chunk that are to be printed, ascending.

    `values` has the values of all its packets. `bases` are those of all rows, unknown if nothing
    needs the analysis of flows.
    """

    chunk: Chunk
    context: CaptureContext
    values: ChunkValues
    rows: NDArray[np.int64]
    bases: SequenceBases

    @property
    def interfaces(self) -> Sequence[CaptureInterface]:
        """The interfaces of the capture."""
        return self.context.interfaces

    def slices(self, size: int) -> Iterator[ChunkPart]:
        """Yield the same rows in parts of chunks of at most `size` packets."""
        chunk, context = self.chunk, self.context
        if len(chunk) <= size:
            yield self
            return
        comments = {chunk.first + row: texts for row, texts in chunk.comments.items()}
        context = replace(context, comments={**context.comments, **comments})
        for start in range(0, len(chunk), size):
            part = chunk.rows(start, start + size)
            low, high = np.searchsorted(self.rows, (start, start + size))
            if low < high:
                values = ChunkValues(part, context)
                bases = self.bases.take(slice(start, start + size))
                yield ChunkPart(part, context, values, self.rows[low:high] - start, bases)
            context = context.after(part)

    def by_packet(self, start: int = 0) -> Iterator[list[str | None]]:
        """Yield None for each row from `start` on, in blocks: leave them to the packet path."""
        for first in range(start, len(self.rows), BLOCK):
            yield [None] * min(BLOCK, len(self.rows) - first)


class UnknownFieldError(Exception):
    """An unknown field name; the text offers the nearest known ones."""


class LineFormat(Protocol):
    """Writes packets.

    `needs_flows` is true if it shows what an analysis of flows finds, `needs_programs` if it shows
    their programs.
    """

    needs_flows: bool
    needs_programs: bool

    def __call__(self, packet: CapturedPacket, base: SequenceBase | None = None) -> str:
        """Return the line or lines of a packet; sequence numbers are relative to `base`."""
        ...

    def lines(self, part: ChunkPart) -> Iterator[list[str | None]]:
        """Yield what is printed for each row, in blocks; None for those of the packet path."""
        ...

    def failed(self, packet: CapturedPacket, words: str) -> str:
        """Return the line of a packet that could not be described; `words` report the failure."""
        ...

    def begin(self, timestamp_ns: int | None) -> None:
        """Show times relative to this one, if the format does; None if no packet has a time."""
        ...
