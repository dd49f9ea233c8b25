"""Chunks and packets with what is known of their fragments.

Readers of columns need the bytes of a whole datagram beside those of the packets. `with_pieces`
copies the frames of a chunk that has fragments, and appends those of packets that complete a
datagram, with all of it. The columns of a fragment then describe its network header only; those of
TCP and UDP in datagrams are a level of their own (`datagram_columns`), and other completing packets
are dissected. A chunk without fragments stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.analysis.reassembly.datagram_columns import datagrams_of
from core.analysis.reassembly.fragment_index import FragmentSource, FragmentTable
from core.analysis.reassembly.fragments import fragment_rows
from core.decode.chunk import Chunk, PlacedPiece
from core.store.captured_packet import CapturedPacket
from core.wire.model.batch import HeaderState, Network
from core.wire.model.reassembly import Piece
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6_extensions import EXTENSION_HEADERS

_HEADERS = HeaderState.CAUSE_MASK | HeaderState.TRANSPORT | HeaderState.SYN
_KEPT = np.uint8(~_HEADERS & 0xFF)
_ONLY_DISSECTED = np.uint8(HeaderState.NESTED)
FEW = 1 << 10


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
    return _placed(chunk, found) if found else chunk


def _placed(chunk: Chunk, found: Mapping[int, Piece]) -> Chunk:
    """Return a chunk with pieces, by row, over a copy of its frames and of those that they make."""
    low = int(chunk.offset.min())
    size = int((chunk.offset.astype(np.int64) + chunk.captured).max()) - low
    parts = [chunk.data[low : low + size]]
    offset = chunk.offset - np.uint32(low)
    placed: dict[int, PlacedPiece] = {}
    completing: list[tuple[int, int, Piece]] = []
    for row, piece in found.items():
        start = int(offset[row])
        if piece.datagram is not None:
            frame = piece.frame_with_datagram(chunk.frame(row))
            start, size = size, size + len(frame)
            parts.append(np.frombuffer(frame, np.uint8))
            completing.append((row, start, piece))
        placed[row] = PlacedPiece(piece, start)
    data = np.concatenate(parts)
    transport = chunk.transport.copy()
    transport[list(found)] = 0
    return replace(
        chunk,
        data=data,
        offset=offset,
        index=replace(chunk.headers, state=_states(chunk, found), transport=transport),
        postponed=None,
        verdict=chunk.verdict.copy(),  # those of the chunk itself do not know the pieces
        pieces=placed,
        datagrams=datagrams_of(chunk, data, completing),
    )


def _states(chunk: Chunk, found: Mapping[int, Piece]) -> NDArray[np.uint8]:
    """Return the states of packets whose fragments carry data, except for completing packets.

    The columns describe headers before the fragment. More than that needs a dissection: of
    completing packets, and of fragments behind extension headers, which a walk would read on.
    """
    rows = np.fromiter(found, np.int64, len(found))
    completing = np.array([piece.datagram is not None for piece in found.values()])
    state = chunk.state.copy()
    state[rows] &= _KEPT
    is_walked = (chunk.network[rows] != Network.IPV4) | np.isin(
        _protocols(chunk, rows), sorted(EXTENSION_HEADERS)
    )
    state[rows[completing | is_walked]] |= _ONLY_DISSECTED
    return state


def _protocols(chunk: Chunk, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the protocols (k,) in the IPv4 headers of packets; others have any number."""
    at = chunk.offset[rows].astype(np.int64) + chunk.network_offset[rows]
    protocols: NDArray[np.uint8] = chunk.data[at + IPV4["proto"].span.start]
    return protocols


def few_fragments(chunk: Chunk) -> Chunk:
    """Return the first packets of a chunk, with at most `FEW` fragments among them.

    Analyzers that take a limited number of packets with others inside begin with these.
    """
    rows = fragment_rows(chunk)
    return chunk.rows(0, int(rows[FEW])) if len(rows) > FEW else chunk


def with_piece(packet: CapturedPacket, table: FragmentTable) -> CapturedPacket:
    """Return a packet with what is known of its fragment."""
    piece = table.piece(packet.number)
    return packet if piece is None else replace(packet, piece=piece)
