"""A few packets of a store, wherever they are, as one chunk.

A filter over the packets on the screen costs what these packets cost, and not what their chunks
cost: the bytes are copied, one frame after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import COLUMN_TYPES, Chunk
from core.store.snapshot import Snapshot


def gather(snapshot: Snapshot, numbers: Sequence[int]) -> Chunk:
    """Return the packets of some ascending numbers, at least one.

    The numbers from `first` on are right only if these follow each other. Raise `KeyError` if a
    packet was evicted or never captured.
    """
    chunks: list[Chunk] = []
    rows: list[list[int]] = []
    for number in numbers:
        chunk, row = snapshot.find(number)
        if not chunks or chunk is not chunks[-1]:
            chunks.append(chunk)
            rows.append([])
        rows[-1].append(row)
    parts = list(zip(chunks, (np.array(each) for each in rows), strict=True))
    copies = [chunk.copied(row) for chunk, row in parts]  # has no more headers to find than these
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(each, name) for each in copies]) for name in COLUMN_TYPES
    }
    data = np.concatenate([frame for chunk, row in parts for frame in _frames(chunk, row)])
    captured = columns["captured"].astype(np.int64)
    columns["offset"] = (np.cumsum(captured) - captured).astype(np.uint32)
    last = chunks[-1]
    return Chunk.of(numbers[0], data, last.link_types, columns, last.decode_rules)


def _frames(chunk: Chunk, rows: NDArray[np.int64]) -> list[NDArray[np.uint8]]:
    starts, sizes = chunk.offset[rows].tolist(), chunk.captured[rows].tolist()
    return [chunk.data[start : start + size] for start, size in zip(starts, sizes, strict=True)]
