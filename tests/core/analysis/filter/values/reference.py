"""Values of fields read by dissecting every packet, to compare with those read by columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from core.analysis.filter.types import Occurrences, Spans
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.chunk import Chunk
from core.wire.model.batch import HeaderState
from core.wire.model.dissection import Cause


def dissecting_values(chunk: Chunk, context: CaptureContext) -> ChunkValues:
    """Return values that dissect all packets: no column describes any of them."""
    malformed = np.full(len(chunk), HeaderState.NESTED | Cause.MALFORMED, np.uint8)
    return ChunkValues(replace(chunk, index=replace(chunk.headers, state=malformed)), context)


def listed(found: Occurrences) -> list[tuple[int, int, Any]]:
    """Return row, number of the header, and value of every occurrence."""
    rows = found.rows.tolist()
    layers = found.layers.tolist() if found.layers is not None else [1] * len(rows)
    return list(zip(rows, layers, plain(found), strict=True))


def plain(found: Occurrences) -> list[Any]:
    """Return the values as Python values."""
    if isinstance(found.values, Spans):
        spans = zip(found.values.starts.tolist(), found.values.ends.tolist(), strict=True)
        return [found.values.data[start:end].tobytes() for start, end in spans]
    if found.values.ndim == 2:
        return [row.tobytes() for row in found.values]
    return list(found.values.tolist())
