"""The interface of the encoders: they make the content of a file, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import Chunk

_PART_BYTES = 4 << 20


class CannotWriteError(Exception):
    """The packets have no place in the format. The text is the reason, with the next step."""


@dataclass(frozen=True, slots=True)
class ChunkRows:
    """Some packets of a chunk: ascending `rows` (k,), their comments and options by row."""

    chunk: Chunk
    rows: NDArray[np.int64]
    comments: Mapping[int, Sequence[str]] = field(default_factory=dict)
    options: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InterfaceCounts:
    """The packets that an interface received and the kernel dropped, for a statistics block.

    None is an unknown number; `comment` says what else is known.
    """

    interface: int
    timestamp_ns: int
    received: int | None = None
    dropped: int | None = None
    comment: str = ""


def slices(chunk: Chunk, rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield rows in parts of about `_PART_BYTES`, so that the copy of a chunk takes no more."""
    if not len(rows):
        return
    ends = np.cumsum(chunk.captured[rows], dtype=np.int64)
    cuts = np.searchsorted(ends, np.arange(_PART_BYTES, int(ends[-1]), _PART_BYTES)) + 1
    yield from (part for part in np.split(rows, np.unique(cuts)) if len(part))


class Encoder(Protocol):
    """Makes the content of one file. Raises `CannotWriteError`."""

    def encode(self, part: ChunkRows) -> Iterator[bytes | memoryview]:
        """Yield the next bytes of the file."""
        ...

    def finish(self) -> Iterator[bytes]:
        """Yield the last bytes, and the first if there was no packet."""
        ...
