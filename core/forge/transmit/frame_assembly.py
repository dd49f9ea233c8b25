"""Select frames of a batch, and put new headers before them, as columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch

Rows: TypeAlias = NDArray[np.int64]


def joined(
    data: NDArray[np.uint8],
    at: Rows,
    size: Rows,
    heads: NDArray[np.uint8],
    has_head: NDArray[np.bool_],
) -> tuple[NDArray[np.uint8], Rows, Rows]:
    """Return the packets ``data[at : at + size]`` after their headers: bytes, offsets, lengths.

    `heads` (m, width) are the headers of the m packets for which `has_head` (n,) is True, in order.
    """
    width = heads.shape[1]
    length = size + np.where(has_head, width, 0)
    offset = np.cumsum(length) - length
    found = np.zeros(int(length.sum()), np.uint8)
    found[offset[has_head, None] + np.arange(width)] = heads
    before = np.cumsum(size) - size
    body = offset + length - size
    each = np.arange(int(size.sum()))
    found[np.repeat(body - before, size) + each] = data[np.repeat(at - before, size) + each]
    return found, offset, length


def selected(batch: Batch, rows: NDArray[np.bool_] | Rows) -> Batch:
    """Return some packets of a batch, over the same bytes and without comments."""
    return replace(
        batch,
        offset=batch.offset[rows],
        captured=batch.captured[rows],
        original=batch.original[rows],
        timestamp_ns=batch.timestamp_ns[rows],
        interface=batch.interface[rows],
        flags=batch.flags[rows],
        comments={},
    )
