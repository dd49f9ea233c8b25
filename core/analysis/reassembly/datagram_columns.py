"""The transport headers of whole datagrams as columns: most of them are TCP or UDP.

The frames of completing packets, with the whole datagram in them, are walked as if their headers
said so: in a copy, the lengths are those of the datagram and the fragment fields are 0. The places
that the walk finds are those of the frames themselves. Packets with other headers, or with headers
that contradict themselves, are left to their dissection.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import COLUMN_TYPES, VERDICT_UNKNOWN, Chunk, Datagrams
from core.decode.header_index import index_headers
from core.decode.verdicts import TRANSPORT_MASK, fill
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import HeaderState, Network
from core.wire.model.reassembly import Piece
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.network.ipv6_extensions import FRAGMENT

_TRANSPORTS = (IpProtocol.TCP, IpProtocol.UDP)
_OTHERWISE = HeaderState.CAUSE_MASK | HeaderState.FRAGMENT | HeaderState.ROUTED | HeaderState.NESTED
_LENGTH_4, _PLACE_4 = IPV4["len"], IPV4["flags"].span.start
_LENGTH_6, _PLACE_6 = IPV6["plen"], FRAGMENT["offset"].span.start


def datagrams_of(
    chunk: Chunk, data: NDArray[np.uint8], pieces: Sequence[tuple[int, int, Piece]]
) -> Datagrams | None:
    """Return the TCP segments and UDP datagrams that some packets complete, or None.

    `pieces` are rows of `chunk`, ascending; where in `data` the frame with the datagram begins; and
    the piece.
    """
    if not pieces:
        return None
    rows, starts, growth, at = np.array(
        [(row, start, piece.growth, piece.at) for row, start, piece in pieces], np.int64
    ).T
    columns = {name: getattr(chunk, name)[rows].copy() for name in COLUMN_TYPES}
    columns["offset"] = starts.astype(np.uint32)
    for name in ("captured", "original"):
        columns[name] = (columns[name] + growth).astype(np.uint32)
    columns["verdict"].fill(VERDICT_UNKNOWN)
    patched = _patched(data, int(starts[0]), columns["network"], columns["network_offset"], pieces)
    columns["offset"] -= np.uint32(starts[0])
    found = index_headers(
        patched, columns["offset"], columns["captured"], columns["original"],
        chunk.link_types.take(columns["interface"]), columns["flags"],
    )  # fmt: skip
    for name in ("network", "network_offset", "transport", "transport_offset", "stop", "state"):
        columns[name] = getattr(found, name)
    state = found.state & np.uint8(_OTHERWISE | HeaderState.TRANSPORT)
    is_simple = (state == HeaderState.TRANSPORT) & (found.transport_offset == at)
    index = np.flatnonzero(is_simple & np.isin(found.transport, _TRANSPORTS))
    if not len(index):
        return None
    rules = chunk.decode_rules
    walked = Chunk.of(chunk.first, patched, chunk.link_types, columns, rules).copied(index)
    verdict = fill(walked) & np.uint8(TRANSPORT_MASK)
    columns = {name: getattr(walked, name) for name in COLUMN_TYPES} | {
        "offset": walked.offset + np.uint32(starts[0]),
        "network": np.full(len(index), Network.NONE, np.uint8),  # the packets' own columns have it
        "verdict": verdict,
    }
    return Datagrams(rows[index], Chunk.of(chunk.first, data, chunk.link_types, columns, rules))


def _patched(
    data: NDArray[np.uint8],
    first: int,
    networks: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    pieces: Sequence[tuple[int, int, Piece]],
) -> NDArray[np.uint8]:
    """Return the bytes from `first` on, in which the frames say that they are not fragments."""
    patched = data[first:].copy()
    for (_, start, piece), network, offset in zip(
        pieces, networks.tolist(), offsets.tolist(), strict=True
    ):
        begin, end = start - first, piece.span.stop
        if network == Network.IPV4:
            slot, length, place = _LENGTH_4, end - offset, begin + offset + _PLACE_4
        else:
            slot, length = _LENGTH_6, end - offset - IPV6.size
            place = begin + piece.at - FRAGMENT.size + _PLACE_6
        span = slot.span.shifted(begin + offset)
        size = np.frombuffer(min(length, slot.maximum).to_bytes(2, "big"), np.uint8)
        patched[span.start : span.stop] = size
        patched[place : place + 2] = 0
    return patched
