"""Decode a batch of frames into a chunk, without a store.

A chunk has at most `CHUNK_PACKETS` packets and counts offsets in 32 bits, so `parts_of` cuts a
larger batch first. The chunk shares the bytes of its batch and has columns of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.decode.chunk import CHUNK_PACKETS, INDEX_COLUMNS, VERDICT_UNKNOWN, Chunk
from core.decode.header_index import index_headers
from core.decode.postponed_index import NOT_INDEXED
from core.wire.model.decode_rules import NO_RULES, DecodeRules

OFFSET_LIMIT = 1 << 32  # bytes that the column `offset` can count


def decode_batch(
    batch: Batch,
    link_types: NDArray[np.int32],
    first: int = 1,
    decode_rules: DecodeRules = NO_RULES,
) -> Chunk:
    """Return the packets of a batch, numbered from `first`, as a chunk over the same bytes.

    `link_types` (int32) holds the link type of each interface that the batch names. Raise
    `ValueError` if the batch does not fit in a chunk (see `parts_of`), or if a frame lies outside
    the batch's data. Traffic raises nothing.
    """
    if len(batch) > CHUNK_PACKETS:
        raise ValueError(f"a chunk has at most {CHUNK_PACKETS:,} packets")
    low, high = extent(batch)
    if low < 0 or high > len(batch.data):
        raise ValueError("a frame lies outside the batch's data")
    if high - low > OFFSET_LIMIT:
        raise ValueError(f"the frames of a chunk lie within {OFFSET_LIMIT:,} bytes")
    chunk = Chunk.allocate(first, batch.data[low:high], link_types, len(batch), decode_rules)
    chunk.offset[:] = batch.offset - low
    fill_columns(chunk, batch)
    return replace(chunk, comments=batch.comments, options=batch.options)


def fill_columns(
    rows: Chunk, source: Batch | Chunk, start: int = 0, *, postpones_index: bool = False
) -> None:
    """Fill the columns of `rows`, except `offset`, for the packets of `source` from `start` on.

    Their bytes are in place already. A batch is decoded; the columns of a chunk are copied. With
    `postpones_index`, the positions of headers in a batch are left to `PostponedIndex`.
    """
    part = slice(start, start + len(rows))
    if isinstance(source, Chunk):
        for name, column in rows.stored_columns():
            if name != "offset":
                column[:] = getattr(source, name)[part]
        return
    rows.timestamp_ns[:] = source.timestamp_ns[part]
    rows.captured[:] = source.captured[part]
    rows.original[:] = source.original[part]
    rows.interface[:] = source.interface[part]
    rows.flags[:] = source.flags[part]
    rows.verdict.fill(VERDICT_UNKNOWN)
    if postpones_index:
        rows.index.network.fill(NOT_INDEXED)
        return
    headers = index_headers(
        rows.data, rows.offset, rows.captured, rows.original, rows.link_type, rows.flags
    )
    for name in INDEX_COLUMNS:
        getattr(rows.index, name)[:] = getattr(headers, name)


def parts_of(batch: Batch) -> Iterator[Batch]:
    """Yield a batch in parts that fit in a chunk each, in order."""
    start = 0
    while start < len(batch):
        stop = min(start + CHUNK_PACKETS, len(batch))
        low, high = extent(batch, start, stop)
        while high - low > OFFSET_LIMIT:
            stop = start + (stop - start) // 2
            low, high = extent(batch, start, stop)
        yield batch.part(start, stop)
        start = stop


def extent(batch: Batch, start: int = 0, stop: int | None = None) -> tuple[int, int]:
    """Return the first byte of packets `start` … ``stop - 1`` in `batch.data`, and the end."""
    offsets = batch.offset[start:stop]
    if not len(offsets):
        return 0, 0
    return int(offsets.min()), int((offsets + batch.captured[start:stop]).max())
