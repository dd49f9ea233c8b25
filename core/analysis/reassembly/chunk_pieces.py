"""Chunks and packets with what is known of their fragments.

Readers of columns need the bytes of a whole datagram beside those of the packets. `with_pieces`
copies the frames of a chunk that has fragments, appends those of packets that complete a datagram,
and marks all reassembled fragments as packets that only their dissection describes. A chunk without
fragments stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.analysis.reassembly.fragment_index import FragmentSource, FragmentTable
from core.analysis.reassembly.fragments import fragment_rows
from core.decode.chunk import Chunk, PlacedPiece
from core.store.captured_packet import CapturedPacket
from core.wire.model.batch import HeaderState

_HEADERS = HeaderState.CAUSE_MASK | HeaderState.TRANSPORT | HeaderState.SYN
_KEPT = np.uint8(~_HEADERS & 0xFF)
_ONLY_DISSECTED = np.uint8(HeaderState.NESTED)


def with_pieces(
    chunk: Chunk, source: FragmentSource, numbers: Sequence[int] | None = None
) -> Chunk:
    """Return a chunk with what `source` knows of its fragments (`Chunk.pieces`).

    `numbers` are those of its packets, if they do not follow each other from `first` on.
    """
    rows = fragment_rows(chunk)
    if not len(rows) or chunk.pieces:
        return chunk
    table = source.reaching(chunk.last if numbers is None else numbers[-1])
    found = {
        row: piece
        for row in rows.tolist()
        if (piece := table.piece(chunk.first + row if numbers is None else numbers[row]))
    }
    if not found:
        return chunk
    low = int(chunk.offset.min())
    size = int((chunk.offset.astype(np.int64) + chunk.captured).max()) - low
    parts = [chunk.data[low : low + size]]
    offset = chunk.offset - np.uint32(low)
    placed: dict[int, PlacedPiece] = {}
    for row, piece in found.items():
        start = int(offset[row])
        if piece.datagram is not None:
            frame = piece.frame_with_datagram(chunk.frame(row))
            start, size = size, size + len(frame)
            parts.append(np.frombuffer(frame, np.uint8))
        placed[row] = PlacedPiece(piece, start)
    state = chunk.state.copy()
    state[list(found)] = state[list(found)] & _KEPT | _ONLY_DISSECTED
    return replace(
        chunk,
        data=np.concatenate(parts),
        offset=offset,
        state=state,
        verdict=chunk.verdict.copy(),  # those of the chunk itself do not know the pieces
        pieces=placed,
    )


def with_piece(packet: CapturedPacket, table: FragmentTable) -> CapturedPacket:
    """Return a packet with what is known of its fragment."""
    piece = table.piece(packet.number)
    return packet if piece is None else replace(packet, piece=piece)
