"""Header positions that are computed when a reader first needs them.

Theory
------
A ring that fills with small packets must be emptied first: finding their headers takes longer than
copying them, and the kernel drops what does not fit meanwhile. So the store postpones the index of
such a batch, and the first reader computes it: usually the analysis thread, which pauses while
frames arrive.

Like a verdict, the position of a header depends only on the bytes, so two threads that compute it
at once write the same, and no lock is needed. `NOT_INDEXED` in the column `network` marks a packet
that has no positions yet. That column is written last and copied first, so a packet without the
mark has all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.decode.header_index import index_headers

if TYPE_CHECKING:
    from core.decode.chunk import Chunk

NOT_INDEXED = np.uint8(0xFF)


class PostponedIndex:
    """Says whether the index of some packets may be incomplete. Each view of them has its own."""

    __slots__ = ("is_complete",)

    def __init__(self) -> None:
        self.is_complete = False

    def complete(self, chunk: Chunk) -> None:
        """Compute the positions that the packets of a chunk do not have."""
        index = chunk.index
        rows = (index.network == NOT_INDEXED).nonzero()[0]
        if len(rows):
            found = index_headers(
                chunk.data,
                chunk.offset[rows],
                chunk.captured[rows],
                chunk.original[rows],
                chunk.link_type[rows],
                chunk.flags[rows],
            )
            index.network_offset[rows] = found.network_offset
            index.transport[rows] = found.transport
            index.transport_offset[rows] = found.transport_offset
            index.stop[rows] = found.stop
            index.state[rows] = found.state
            index.network[rows] = found.network
        self.is_complete = True
