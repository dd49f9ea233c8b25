"""The values of the fields of reassembled fragments, such as ``ip.fragment.count``."""

from __future__ import annotations

import numpy as np

from core.analysis.filter.types import Occurrences, Spans
from core.decode.chunk import Chunk
from core.wire.model.reassembly import FRAGMENT_FIELDS, REASSEMBLED_DATA


def fragment_numbers(chunk: Chunk, name: str) -> Occurrences:
    """Return the values of one of `FRAGMENT_FIELDS` in the packets of a chunk."""
    field = FRAGMENT_FIELDS[name]
    found = [
        (row, value)
        for row, placed in sorted(chunk.pieces.items())
        if placed.piece.owner == field.owner
        for value in field.numbers(placed.piece, chunk.first + row)
    ]
    rows, values = np.array(found, np.int64).reshape(-1, 2).T
    return Occurrences(rows, values > 0 if field.kind == "mark" else values)


def reassembled_data(chunk: Chunk, name: str) -> Occurrences:
    """Return the bytes of whole datagrams in the packets of a chunk that complete them."""
    owner = REASSEMBLED_DATA[name]
    found = [
        (row, placed.start + placed.piece.span.start, placed.start + placed.piece.span.stop)
        for row, placed in sorted(chunk.pieces.items())
        if placed.piece.owner == owner and placed.piece.datagram is not None
    ]
    rows, starts, ends = np.array(found, np.int64).reshape(-1, 3).T
    return Occurrences(rows, Spans(chunk.data, starts, ends))
