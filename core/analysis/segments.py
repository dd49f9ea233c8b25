"""The TCP segments of a chunk, as columns: their directions, sequence numbers, and SYN flags.

A direction is a 64-bit hash of the addresses of the network header that carries the segment, and
of its ports. The columns of a chunk describe outermost packets, so a segment in a tunnel is found
by dissecting its packet: every packet whose columns end at a tunnel is dissected.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import Chunk
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.walk import Numbering
from core.wire.model.words import split_words, word_columns
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.registry import PROTOCOLS
from core.wire.transport.tcp import TCP
from core.wire.transport.udp import UDP

_TABLES = {Network.IPV4: IPV4, Network.IPV6: IPV6}
_NAMES = {table.name: kind for kind, table in _TABLES.items()}
_PORTS = ("srcport", "dstport")
_ENDS = ("src", "dst")
_MULTIPLIER = 0x9E3779B97F4A7C15  # 2**64 / golden ratio, odd

_LEAST_INSIDE = IPV4.size + TCP.size  # bytes of a segment and its network header


@dataclass(frozen=True, slots=True)
class _Tunnels:
    """The numbers of one numbering that lead out of the outermost packet, where columns end.

    A tunnel's header has at least `least_header` bytes.
    """

    numbers: tuple[int, ...]
    least_header: int

    @classmethod
    def of(cls, space: Numbering) -> _Tunnels:
        """Return the tunnels of a numbering: the readers without a step in the batch decode."""
        found = [
            (number, protocol.tables[0].size)
            for protocol in PROTOCOLS
            for reader in protocol.readers
            for number in reader.numbers
            if reader.space is space and reader.step is None
        ]
        numbers, sizes = zip(*found, strict=True)
        return cls(numbers, min(sizes))


_OVER_UDP = _Tunnels.of(Numbering.UDP_PORT)
_MAY_TUNNEL = np.zeros(256, dtype=np.bool_)
_MAY_TUNNEL[[*_Tunnels.of(Numbering.IP_PROTOCOL).numbers, int(IpProtocol.UDP)]] = True


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """TCP segments with a whole header: parallel arrays, by ascending row of the chunk.

    ``rows``      int64   rows in the chunk
    ``forward``   uint64  hash of source to destination
    ``backward``  uint64  hash of destination to source
    ``sequence``  uint32  the sequence number as captured
    """

    rows: NDArray[np.int64]
    forward: NDArray[np.uint64]
    backward: NDArray[np.uint64]
    sequence: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(
        cls, chunk: Chunk, seed: int, tunneled: NDArray[np.int64], *, only_syn: bool = False
    ) -> Segments:
        """Return the segments of a chunk; `seed` keys the hashes.

        `tunneled` are the chunk's `tunneled_rows`.
        """
        found = _outermost(chunk, seed, HeaderState.SYN if only_syn else 0)
        return found.merged(_inner(chunk, tunneled, seed, only_syn)) if len(tunneled) else found

    def merged(self, other: Segments) -> Segments:
        """Return the segments of both, by ascending row."""
        if not len(other):
            return self
        rows = np.concatenate([self.rows, other.rows])
        order = np.argsort(rows, kind="stable")
        return Segments(
            rows[order],
            np.concatenate([self.forward, other.forward])[order],
            np.concatenate([self.backward, other.backward])[order],
            np.concatenate([self.sequence, other.sequence])[order],
        )


def tunneled_rows(chunk: Chunk) -> NDArray[np.int64]:
    """Return the rows of packets that may have a TCP segment inside a tunnel."""
    rows = np.flatnonzero(_MAY_TUNNEL[chunk.transport])
    rows = rows[chunk.state[rows] & HeaderState.TRANSPORT > 0]
    is_udp = chunk.transport[rows] == IpProtocol.UDP
    least = UDP.size + _OVER_UDP.least_header + _LEAST_INSIDE
    datagrams = _whole(chunk, rows[is_udp], least)
    ports = UDP["dstport"].column(chunk.data, _starts(chunk, datagrams))
    is_tunnel = np.zeros(len(ports), dtype=np.bool_)
    for port in _OVER_UDP.numbers:
        is_tunnel |= ports == port
    return np.sort(np.concatenate([rows[~is_udp], datagrams[is_tunnel]]))


def _outermost(chunk: Chunk, seed: int, bits: int) -> Segments:
    """Return the segments of outermost packets with these state bits."""
    bits |= HeaderState.TRANSPORT
    rows = np.flatnonzero((chunk.state & bits == bits) & (chunk.transport == IpProtocol.TCP))
    rows = _whole(chunk, rows, TCP.size)
    starts = _starts(chunk, rows)
    ports = [TCP[key].column(chunk.data, starts).astype(np.uint64) for key in _PORTS]
    forward = np.full(len(rows), seed, dtype=np.uint64)
    backward = forward.copy()
    for kind, table in _TABLES.items():
        of_kind = np.flatnonzero(chunk.network[rows] == kind)
        at = chunk.offset[rows[of_kind]].astype(np.int64)
        at += chunk.network_offset[rows[of_kind]]
        source, destination = (word_columns(table[key].column(chunk.data, at)).T for key in _ENDS)
        forward[of_kind] = _hash(forward[of_kind], *source, *destination)
        backward[of_kind] = _hash(backward[of_kind], *destination, *source)
    sequence = TCP["seq_raw"].column(chunk.data, starts)
    return Segments(rows, _hash(forward, *ports), _hash(backward, *reversed(ports)), sequence)


class _InnerSegment(NamedTuple):
    """A segment in a tunnel; `source` and `destination` are addresses in words of 64 bits."""

    row: int
    sequence: int
    source: tuple[int, ...]
    destination: tuple[int, ...]
    ports: tuple[int, int]


def _inner(chunk: Chunk, rows: NDArray[np.int64], seed: int, only_syn: bool) -> Segments:
    """Return the segments in tunnels of these packets."""
    found = []
    for row in rows.tolist():
        segment = None
        with suppress(Exception):  # an internal error, which the table reports
            segment = _segment_of(chunk.dissect(row), row, only_syn)
        if segment is not None:
            found.append(segment)
    forward = np.full(len(found), seed, dtype=np.uint64)
    backward = forward.copy()
    for width in {len(segment.source) for segment in found}:
        index = [place for place, segment in enumerate(found) if len(segment.source) == width]
        source = _columns([found[place].source for place in index])
        destination = _columns([found[place].destination for place in index])
        ports = _columns([found[place].ports for place in index])
        forward[index] = _hash(forward[index], *source, *destination, *ports)
        backward[index] = _hash(backward[index], *destination, *source, *reversed(ports))
    return Segments(
        np.array([segment.row for segment in found], dtype=np.int64),
        forward,
        backward,
        np.array([segment.sequence for segment in found], dtype=np.uint32),
    )


def _segment_of(dissection: Dissection, row: int, only_syn: bool) -> _InnerSegment | None:
    """Return the outermost TCP segment; None without a whole one that no ICMP error quotes."""
    network: Layer | None = None
    for layer in dissection.layers:
        if layer.quoted:
            return None
        if layer.name in _NAMES:
            network = layer
        elif layer.name == TCP.name:
            break
    else:
        return None
    data = dissection.data
    if network is None or not layer.is_whole(TCP):
        return None
    if only_syn and not TCP["flags.syn"].number(data, layer.offset):
        return None
    slots = [_TABLES[_NAMES[network.name]][key] for key in _ENDS]
    source, destination = (
        split_words(slot.number(data, network.offset), slot.field.bits) for slot in slots
    )
    source_port, destination_port = (TCP[key].number(data, layer.offset) for key in _PORTS)
    sequence = TCP["seq_raw"].number(data, layer.offset)
    return _InnerSegment(row, sequence, source, destination, (source_port, destination_port))


def _columns(values: Sequence[tuple[int, ...]]) -> list[NDArray[np.uint64]]:
    return [np.array(column, dtype=np.uint64) for column in zip(*values, strict=True)]


def _whole(chunk: Chunk, rows: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return those of `rows` with `size` bytes of their transport header."""
    limit = np.minimum(chunk.captured[rows], chunk.stop[rows])
    return rows[chunk.transport_offset[rows] + np.int64(size) <= limit]


def _starts(chunk: Chunk, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return chunk.offset[rows].astype(np.int64) + chunk.transport_offset[rows]


def _hash(state: NDArray[np.uint64], *words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return `state` with each word mixed in."""
    for word in words:
        state = (state ^ word) * np.uint64(_MULTIPLIER)
        state = state ^ (state >> np.uint64(32))
    return state
