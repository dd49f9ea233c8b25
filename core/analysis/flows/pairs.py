"""The two ends that headers of a part of a chunk name, as columns, for each level.

Every header counts, those inside tunnels included, as in Wireshark's statistics; packets that ICMP
errors quote do not. The columns of a chunk give the outermost headers, `tunneled_packets` those of
IP in IP. Packets with another tunnel are dissected, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.flows.level import ADDRESSES, KINDS, Level
from core.decode.chunk import Chunk
from core.decode.columns import SLOTS, read
from core.decode.inner_packets import tunneled_packets
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Cause, Dissection
from core.wire.model.table import HeaderTable
from core.wire.model.words import WORD_BITS, word_columns
from core.wire.transport.tcp import TCP
from core.wire.transport.udp import UDP

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd
_NETWORKS = {Level.IPV4: Network.IPV4, Level.IPV6: Network.IPV6}
_TRANSPORTS: Mapping[Level, tuple[HeaderTable, int]] = {
    Level.TCP: (TCP, IpProtocol.TCP),
    Level.UDP: (UDP, IpProtocol.UDP),
}
_QUOTING = (int(IpProtocol.ICMP), int(IpProtocol.ICMPV6))

Rows = NDArray[np.int64]
Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """One end of k headers: parallel arrays (k,).

    ``kind``  uint8   index in `core.analysis.flows.level.KINDS`
    ``high``  uint64  the high word of the address; 0 if it has one word
    ``low``   uint64  the low word
    ``port``  uint16  0 at levels without ports
    """

    kind: NDArray[np.uint8]
    high: Words
    low: Words
    port: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, index: NDArray[Any]) -> Ends:
        """Return the ends that an index or a mask selects."""
        return Ends(*(getattr(self, name)[index] for name in self.__slots__))

    def hashed(self, seed: int) -> Words:
        """Return a keyed hash of each end, (k,)."""
        state = np.full(len(self), seed, np.uint64)
        for word in (self.high, self.low, self.kind.astype(np.uint64) << np.uint64(16) | self.port):
            state = (state ^ word) * _MULTIPLIER
            state ^= state >> np.uint64(32)
        return state


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Source and destination of k headers, by ascending row of their packets in a part."""

    rows: Rows
    source: Ends
    destination: Ends

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: NDArray[Any]) -> Pairs:
        """Return the headers that an index or a mask selects."""
        return Pairs(self.rows[index], self.source.take(index), self.destination.take(index))


def dissected_rows(part: Chunk) -> Rows:
    """Return the rows of packets with a tunnel whose headers have no columns."""
    state = part.state
    is_quoting = (state & HeaderState.TRANSPORT > 0) & np.isin(part.transport, _QUOTING)
    rows = np.flatnonzero((state & HeaderState.NESTED > 0) & ~is_quoting)
    return rows[~np.isin(rows, tunneled_packets(part).rows)] if len(rows) else rows


def pairs_of(part: Chunk) -> dict[Level, Pairs]:
    """Return the ends of all headers of a part."""
    dissected = dissected_rows(part)
    by_columns = np.ones(len(part), np.bool_)
    by_columns[dissected] = False
    found = {level: [pairs] for level, pairs in _outermost(part, by_columns).items()}
    found[Level.ETHERNET] = [_ethernet(part, by_columns)]
    inner = tunneled_packets(part)
    if len(inner.rows):
        everything = np.ones(len(inner.rows), np.bool_)
        for level, pairs in _outermost(inner.chunk, everything).items():
            rows = inner.rows[pairs.rows]
            found[level].append(Pairs(rows, pairs.source, pairs.destination))
    if len(dissected):
        for level, pairs in _dissected(part, dissected).items():
            found[level].append(pairs)
    return {level: _joined(parts) for level, parts in found.items()}


def _outermost(part: Chunk, mask: NDArray[np.bool_]) -> dict[Level, Pairs]:
    """Return the ends of the outermost network and transport headers of some packets (n,)."""
    found: dict[Level, Pairs] = {}
    place = np.zeros(len(part), np.int64)  # of each packet in the pairs of its network header
    for level, network in _NETWORKS.items():
        is_whole = mask & (part.network == network) & (part.state & HeaderState.NETWORK > 0)
        rows = np.flatnonzero(is_whole)
        starts = part.offset[rows].astype(np.int64) + part.network_offset[rows]
        place[rows] = np.arange(len(rows))
        found[level] = _pairs_at(part, rows, starts, level)
    for level, (table, number) in _TRANSPORTS.items():
        rows = _with_transport(part, mask, table, number)
        starts = part.offset[rows].astype(np.int64) + part.transport_offset[rows]
        source, destination = (
            table[key].column(part.data, starts) for key in ("srcport", "dstport")
        )
        parts = [_NO_PAIRS]
        for kind, network in _NETWORKS.items():
            index = np.flatnonzero(part.network[rows] == network)
            if len(index):
                around = found[kind].take(place[rows[index]])
                parts.append(
                    Pairs(
                        rows[index],
                        replace(around.source, port=source[index]),
                        replace(around.destination, port=destination[index]),
                    )
                )
        found[level] = _joined(parts)
    return found


def _with_transport(part: Chunk, mask: NDArray[np.bool_], table: HeaderTable, number: int) -> Rows:
    """Return the rows of packets that have this header whole, and not in a fragment."""
    wanted = HeaderState.NETWORK | HeaderState.TRANSPORT
    rows = np.flatnonzero(
        mask
        & (part.transport == number)
        & (part.state & (wanted | HeaderState.FRAGMENT) == wanted)
        & (part.state & HeaderState.CAUSE_MASK != Cause.MALFORMED)
    )
    limit = np.minimum(part.captured[rows], part.stop[rows])
    return rows[part.transport_offset[rows] + np.int64(table.size) <= limit]


def _pairs_at(part: Chunk, rows: Rows, starts: Rows, level: Level) -> Pairs:
    """Return the addresses in headers at `starts` (k,) of the data."""
    source, destination = (slot.column(part.data, starts) for slot in ADDRESSES[level])
    return Pairs(rows, _ends(source, level), _ends(destination, level))


def _ends(column: NDArray[Any], level: Level) -> Ends:
    """Return ends without ports from a column of addresses, (k,) or (k, 2)."""
    words = word_columns(column)
    count = len(words)
    high = words[:, 0] if words.shape[1] == 2 else np.zeros(count, np.uint64)
    kind = np.full(count, KINDS.index(level), np.uint8)
    return Ends(kind, high, words[:, -1], np.zeros(count, np.uint16))


def _ethernet(part: Chunk, mask: NDArray[np.bool_]) -> Pairs:
    """Return the ends of the outermost Ethernet header of some packets (n,)."""
    is_usual = (part.link_type == LinkType.ETHERNET) & (part.network != Network.NONE)
    is_usual &= part.network_offset == ETHERNET.size
    rows = np.flatnonzero(is_usual & mask)
    usual = _pairs_at(part, rows, part.offset[rows].astype(np.int64), Level.ETHERNET)
    others = np.flatnonzero(mask & ~is_usual)
    if not len(others):
        return usual
    rest = part.copied(others)
    source, destination = (read(rest, SLOTS[f"eth.{key}"]) for key in ("src", "dst"))
    is_there = source.valid & destination.valid
    level = Level.ETHERNET
    pairs = Pairs(others, _ends(source.values, level), _ends(destination.values, level))
    return _joined([usual, pairs.take(is_there)])


_End = tuple[int, int, int, int]  # kind, the two words of the address, and port


class _Header(NamedTuple):
    """The two ends of one header."""

    row: int
    source: _End
    destination: _End


def _end(kind: int, address: int) -> _End:
    return kind, address >> WORD_BITS, address & (1 << WORD_BITS) - 1, 0


def _dissected(part: Chunk, rows: Rows) -> dict[Level, Pairs]:
    """Return the ends of all headers of some packets, which are dissected."""
    found: dict[Level, list[_Header]] = {level: [] for level in Level}
    for row in rows.tolist():
        with suppress(Exception):  # an internal error, which the table reports
            for level, header in _headers_of(part.dissect(row), row):
                found[level].append(header)
    return {level: _of_headers(headers) for level, headers in found.items()}


def _headers_of(dissection: Dissection, row: int) -> Iterator[tuple[Level, _Header]]:
    data = dissection.data
    network: _Header | None = None
    for layer in dissection.layers:
        if layer.quoted:
            return
        level = _LEVELS.get(layer.name)
        if level is None:
            continue
        if level.has_ports:
            table, _ = _TRANSPORTS[level]
            if network is None or layer.fragment or not layer.is_whole(table):
                continue
            ports = (table[key].number(data, layer.offset) for key in ("srcport", "dstport"))
            source, destination = (
                (*end[:3], port)
                for end, port in zip((network.source, network.destination), ports, strict=True)
            )
            yield level, _Header(row, source, destination)
            continue
        numbers = [layer.number(data, key) for key in ("src", "dst")]
        if None in numbers or layer.last is not None:
            continue
        kind = KINDS.index(level)
        header = _Header(row, *(_end(kind, number or 0) for number in numbers))
        if level is not Level.ETHERNET:
            network = header
        yield level, header


_LEVELS = {level.value: level for level in Level}


def _of_headers(headers: Sequence[_Header]) -> Pairs:
    rows = np.array([header.row for header in headers], np.int64)
    source, destination = (
        Ends(
            *(
                np.array([end[part] for end in ends], kind)
                for part, kind in enumerate((np.uint8, np.uint64, np.uint64, np.uint16))
            )
        )
        for ends in (
            [header.source for header in headers],
            [header.destination for header in headers],
        )
    )
    return Pairs(rows, source, destination)


_NO_PAIRS = _of_headers(())


def _joined(parts: Sequence[Pairs]) -> Pairs:
    """Return the pairs of all parts, by row."""
    parts = [part for part in parts if len(part)]
    if len(parts) <= 1:
        return parts[0] if parts else _NO_PAIRS
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows, kind="stable")
    source, destination = (
        Ends(
            *(
                np.concatenate([getattr(getattr(part, end), name) for part in parts])[order]
                for name in Ends.__slots__
            )
        )
        for end in ("source", "destination")
    )
    return Pairs(rows[order], source, destination)
