"""The TCP segments and UDP datagrams of a chunk, as columns that an analysis of flows reads.

A direction is a 64-bit hash of the addresses of the network header that carries the header, and of
its ports. The columns of a chunk describe outermost packets, so a header in a tunnel is found by
dissecting its packet: every packet whose columns end at a tunnel is dissected. A packet has at most
one TCP segment and one UDP datagram here, the outermost of each that no ICMP error quotes.
Fragments have none: only the packet that completes their datagram says what is in it.
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
from core.wire.model.dissection import Cause, Dissection, Layer
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Numbering
from core.wire.model.words import mixed, split_words, word_columns
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.registry import PROTOCOLS
from core.wire.transport.tcp import TCP
from core.wire.transport.udp import UDP

_TABLES = {Network.IPV4: IPV4, Network.IPV6: IPV6}
_NAMES = {table.name: kind for kind, table in _TABLES.items()}
_TRANSPORTS: tuple[tuple[HeaderTable, int], ...] = ((TCP, IpProtocol.TCP), (UDP, IpProtocol.UDP))
_PORTS = ("srcport", "dstport")
_ENDS = ("src", "dst")

_LEAST_INSIDE = IPV4.size + UDP.size  # bytes of a datagram and its network header


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
class Headers:
    """Transport headers of one protocol, whole and in no fragment: parallel arrays (k,), by row.

    ``rows``      int64   rows in the chunk, ascending
    ``starts``    int64   where each header begins in the chunk's data
    ``stops``     int64   where its payload ends there; may be past the captured bytes
    ``forward``   uint64  hash of source to destination
    ``backward``  uint64  hash of destination to source
    """

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    forward: NDArray[np.uint64]
    backward: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.rows)

    def merged(self, other: Headers) -> Headers:
        """Return the headers of both, by row; those of `self` stay if a row is in both."""
        other = other.take(~np.isin(other.rows, self.rows))
        if not len(other):
            return self
        order = np.argsort(np.concatenate([self.rows, other.rows]), kind="stable")
        return Headers(
            *(
                np.concatenate([getattr(self, name), getattr(other, name)])[order]
                for name in self.__slots__
            )
        )

    def take(self, index: NDArray[np.bool_] | NDArray[np.int64]) -> Headers:
        """Return the headers that an index or a mask selects."""
        return Headers(*(getattr(self, name)[index] for name in self.__slots__))


def tunneled_rows(chunk: Chunk) -> NDArray[np.int64]:
    """Return the rows of packets that may have another packet inside a tunnel.

    Those that complete a fragmented datagram are among them if columns do not describe it.
    """
    rows = np.flatnonzero(_MAY_TUNNEL[chunk.transport])
    rows = rows[chunk.state[rows] & HeaderState.TRANSPORT > 0]
    is_udp = chunk.transport[rows] == IpProtocol.UDP
    least = UDP.size + _OVER_UDP.least_header + _LEAST_INSIDE
    datagrams = _whole(chunk, rows[is_udp], least)
    ports = UDP["dstport"].column(chunk.data, _starts(chunk, datagrams))
    is_tunnel = np.zeros(len(ports), dtype=np.bool_)
    for port in _OVER_UDP.numbers:
        is_tunnel |= ports == port
    found = [rows[~is_udp], datagrams[is_tunnel], _completing(chunk)]
    return np.sort(np.concatenate(found))


def _completing(chunk: Chunk) -> NDArray[np.int64]:
    """Return the rows of packets that complete a datagram which columns do not describe."""
    found = [row for row, each in chunk.pieces.items() if each.piece.datagram is not None]
    rows = np.array(found, np.int64)
    return rows if chunk.datagrams is None else np.setdiff1d(rows, chunk.datagrams.rows)


def transport_headers(
    chunk: Chunk, seed: int, tunneled: NDArray[np.int64]
) -> tuple[Headers, Headers]:
    """Return the TCP and the UDP headers of a chunk; `seed` keys the hashes.

    `tunneled` are the chunk's `tunneled_rows`.
    """
    inner = _inner(chunk, tunneled) if len(tunneled) else []
    tcp, udp = (
        _by_columns(chunk, seed, table, number).merged(
            _headers([each for each in inner if each.name == table.name], seed)
        )
        for table, number in _TRANSPORTS
    )
    return tcp, udp


def _by_columns(chunk: Chunk, seed: int, table: HeaderTable, number: int) -> Headers:
    """Return the headers in outermost packets, and in the datagrams that they complete."""
    found = _outermost(chunk, seed, table, number)
    if chunk.datagrams is None:
        return found
    return found.merged(_outermost(chunk.datagrams.chunk, seed, table, number, chunk))


def _outermost(
    chunk: Chunk, seed: int, table: HeaderTable, number: int, around: Chunk | None = None
) -> Headers:
    """Return the headers of outermost packets, or of the datagrams that those `around` complete."""
    state = chunk.state
    mask = (state & HeaderState.TRANSPORT > 0) & (chunk.transport == number)
    mask &= (state & HeaderState.FRAGMENT == 0) & (
        state & HeaderState.CAUSE_MASK != Cause.MALFORMED
    )
    rows = _whole(chunk, np.flatnonzero(mask), table.size)
    starts = _starts(chunk, rows)
    ports = [table[key].column(chunk.data, starts).astype(np.uint64) for key in _PORTS]
    stops = chunk.offset[rows].astype(np.int64) + chunk.stop[rows]
    if around is not None:
        assert around.datagrams is not None
        chunk, rows = around, around.datagrams.rows[rows]
    forward = np.full(len(rows), seed, dtype=np.uint64)
    backward = forward.copy()
    for kind, network in _TABLES.items():
        of_kind = np.flatnonzero(chunk.network[rows] == kind)
        if not len(of_kind):
            continue
        at = chunk.offset[rows[of_kind]].astype(np.int64)
        at += chunk.network_offset[rows[of_kind]]
        source, destination = (word_columns(network[key].column(chunk.data, at)).T for key in _ENDS)
        forward[of_kind] = mixed(forward[of_kind], *source, *destination)
        backward[of_kind] = mixed(backward[of_kind], *destination, *source)
    return Headers(rows, starts, stops, mixed(forward, *ports), mixed(backward, *reversed(ports)))


class _InnerHeader(NamedTuple):
    """A header in a tunnel; `source` and `destination` are addresses in words of 64 bits."""

    name: str
    row: int
    start: int
    stop: int
    source: tuple[int, ...]
    destination: tuple[int, ...]
    ports: tuple[int, int]


def _inner(chunk: Chunk, rows: NDArray[np.int64]) -> list[_InnerHeader]:
    """Return the headers in tunnels of these packets."""
    found: list[_InnerHeader] = []
    for row in rows.tolist():
        with suppress(Exception):  # an internal error, which the table reports
            found += _headers_of(chunk.dissect(row), row, chunk.dissected_start(row))
    return found


def _headers_of(dissection: Dissection, row: int, base: int) -> list[_InnerHeader]:
    """Return the outermost whole header of each transport that no ICMP error quotes."""
    network: Layer | None = None
    data = dissection.data
    found: dict[str, _InnerHeader] = {}
    for layer in dissection.layers:
        if layer.quoted:
            break
        if layer.name in _NAMES:
            network = layer
        for table, _ in _TRANSPORTS:
            if layer.name != table.name or network is None or table.name in found:
                continue
            if not layer.is_whole(table) or layer.fragment:
                continue
            slots = [_TABLES[_NAMES[network.name]][key] for key in _ENDS]
            source, destination = (
                split_words(slot.number(data, network.offset), slot.field.bits) for slot in slots
            )
            source_port, destination_port = (
                table[key].number(data, layer.offset) for key in _PORTS
            )
            found[table.name] = _InnerHeader(
                table.name,
                row,
                base + layer.offset,
                base + layer.stop,
                source,
                destination,
                (source_port, destination_port),
            )
    return list(found.values())


def _headers(found: Sequence[_InnerHeader], seed: int) -> Headers:
    forward = np.full(len(found), seed, dtype=np.uint64)
    backward = forward.copy()
    for width in {len(each.source) for each in found}:
        index = [place for place, each in enumerate(found) if len(each.source) == width]
        source = _columns([found[place].source for place in index])
        destination = _columns([found[place].destination for place in index])
        ports = _columns([found[place].ports for place in index])
        forward[index] = mixed(forward[index], *source, *destination, *ports)
        backward[index] = mixed(backward[index], *destination, *source, *reversed(ports))
    rows, starts, stops = (
        np.array([getattr(each, name) for each in found], dtype=np.int64)
        for name in ("row", "start", "stop")
    )
    return Headers(rows, starts, stops, forward, backward)


def _columns(values: Sequence[tuple[int, ...]]) -> list[NDArray[np.uint64]]:
    return [np.array(column, dtype=np.uint64) for column in zip(*values, strict=True)]


def _whole(chunk: Chunk, rows: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return those of `rows` with `size` bytes of their transport header."""
    limit = np.minimum(chunk.captured[rows], chunk.stop[rows])
    return rows[chunk.transport_offset[rows] + np.int64(size) <= limit]


def _starts(chunk: Chunk, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return chunk.offset[rows].astype(np.int64) + chunk.transport_offset[rows]
