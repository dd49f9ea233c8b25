"""The two ends that headers of a part of a chunk name, as columns, for each level.

Every header counts, those inside tunnels included, as in Wireshark's statistics; packets that ICMP
errors quote do not. The columns of a chunk give the outermost headers, `tunneled_packets` those of
IP in IP, and `Chunk.datagrams` those of datagrams that a fragment completes. Packets with another
tunnel are dissected, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.flows.ends import Ends, Pairs, PlacedEnds, Rows, hashed_pairs, joined, with_ports
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

_NETWORKS = {Level.IPV4: Network.IPV4, Level.IPV6: Network.IPV6}
_TRANSPORTS: Mapping[Level, tuple[HeaderTable, int]] = {
    Level.TCP: (TCP, IpProtocol.TCP),
    Level.UDP: (UDP, IpProtocol.UDP),
}
_QUOTING = (int(IpProtocol.ICMP), int(IpProtocol.ICMPV6))


def dissected_rows(part: Chunk) -> Rows:
    """Return the rows of packets with a tunnel or a datagram whose headers have no columns."""
    state = part.state
    is_quoting = (state & HeaderState.TRANSPORT > 0) & np.isin(part.transport, _QUOTING)
    rows = np.flatnonzero((state & HeaderState.NESTED > 0) & ~is_quoting)
    if part.datagrams is not None:
        rows = np.setdiff1d(rows, part.datagrams.rows)
    return np.setdiff1d(rows, tunneled_packets(part).rows) if len(rows) else rows


def pairs_of(part: Chunk, seed: int) -> dict[Level, Pairs]:
    """Return the ends of all headers of a part; `seed` keys their hashes."""
    dissected = dissected_rows(part)
    by_columns = np.ones(len(part), np.bool_)
    by_columns[dissected] = False
    found = {level: [pairs] for level, pairs in _outermost(part, by_columns, seed).items()}
    found[Level.ETHERNET] = [_ethernet(part, by_columns, seed)]
    inner = tunneled_packets(part)
    if len(inner.rows):
        everything = np.ones(len(inner.rows), np.bool_)
        for level, pairs in _outermost(inner.chunk, everything, seed).items():
            found[level].append(replace(pairs, rows=inner.rows[pairs.rows]))
    if len(dissected):
        for level, pairs in _dissected(part, dissected, seed).items():
            found[level].append(pairs)
    return {level: joined(parts) for level, parts in found.items()}


def _outermost(part: Chunk, mask: NDArray[np.bool_], seed: int) -> dict[Level, Pairs]:
    """Return the ends of the outermost network and transport headers of some packets (n,)."""
    has_network = mask & (part.state & HeaderState.NETWORK > 0)
    found: dict[Level, Pairs] = {}
    for level, network in _NETWORKS.items():
        rows = np.flatnonzero(has_network & (part.network == network))
        starts = part.offset[rows].astype(np.int64) + part.network_offset[rows]
        found[level] = _pairs_at(part, rows, starts, level, seed)
    networks = joined(list(found.values()))
    place = np.zeros(len(part), np.int64)  # of each packet in these
    place[networks.rows] = np.arange(len(networks))
    for level, (table, number) in _TRANSPORTS.items():
        rows, source, destination = _ports(part, has_network, table, number)
        if part.datagrams is not None:  # whose addresses are those of the completing fragment
            inside = part.datagrams.chunk
            everything = np.ones(len(inside), np.bool_)
            completing, *ports = _ports(inside, everything, table, number)
            rows = np.concatenate([rows, part.datagrams.rows[completing]])
            order = np.argsort(rows)
            rows = rows[order]
            source = np.concatenate([source, ports[0]])[order]
            destination = np.concatenate([destination, ports[1]])[order]
        at = place[rows]
        found[level] = Pairs(
            rows,
            PlacedEnds(networks.source.take(slice(None)), at, source),
            PlacedEnds(networks.destination.take(slice(None)), at, destination),
            with_ports(networks.sources[at], source),
            with_ports(networks.destinations[at], destination),
        )
    return found


def _ports(
    part: Chunk, mask: NDArray[np.bool_], table: HeaderTable, number: int
) -> tuple[Rows, NDArray[np.uint16], NDArray[np.uint16]]:
    """Return the rows of packets that have this header whole, and in no fragment, and its ports."""
    state = part.state & (HeaderState.TRANSPORT | HeaderState.FRAGMENT)
    rows = np.flatnonzero(
        mask
        & (part.transport == number)
        & (state == HeaderState.TRANSPORT)
        & (part.state & HeaderState.CAUSE_MASK != Cause.MALFORMED)
    )
    limit = np.minimum(part.captured[rows], part.stop[rows])
    rows = rows[part.transport_offset[rows] + np.int64(table.size) <= limit]
    starts = part.offset[rows].astype(np.int64) + part.transport_offset[rows]
    source, destination = (table[key].column(part.data, starts) for key in ("srcport", "dstport"))
    return rows, source, destination


def _pairs_at(part: Chunk, rows: Rows, starts: Rows, level: Level, seed: int) -> Pairs:
    """Return the addresses in headers at `starts` (k,) of the data."""
    source, destination = (
        _ends(slot.column(part.data, starts), level) for slot in ADDRESSES[level]
    )
    return hashed_pairs(rows, source, destination, seed)


def _ends(column: NDArray[Any], level: Level) -> Ends:
    """Return ends without ports from a column of addresses, (k,) or (k, 2)."""
    words = word_columns(column)
    count = len(words)
    high = words[:, 0] if words.shape[1] == 2 else np.zeros(count, np.uint64)
    kind = np.full(count, KINDS.index(level), np.uint8)
    return Ends(kind, high, words[:, -1], np.zeros(count, np.uint16))


def _ethernet(part: Chunk, mask: NDArray[np.bool_], seed: int) -> Pairs:
    """Return the ends of the outermost Ethernet header of some packets (n,)."""
    is_ethernet = mask & (part.link_type == LinkType.ETHERNET)
    rows = np.flatnonzero(is_ethernet & (part.captured >= ETHERNET.size))
    starts = part.offset[rows].astype(np.int64)
    usual = _pairs_at(part, rows, starts, Level.ETHERNET, seed)
    others = np.flatnonzero(mask & ~is_ethernet)
    if not len(others):
        return usual
    rest = part.copied(others)
    source, destination = (read(rest, SLOTS[f"eth.{key}"]) for key in ("src", "dst"))
    index = np.flatnonzero(source.valid & destination.valid)
    ends = [_ends(each.values[index], Level.ETHERNET) for each in (source, destination)]
    return joined([usual, hashed_pairs(others[index], ends[0], ends[1], seed)])


_End = tuple[int, int, int, int]  # kind, the two words of the address, and port


class _Header(NamedTuple):
    """The two ends of one header."""

    row: int
    source: _End
    destination: _End


def _end(kind: int, address: int) -> _End:
    return kind, address >> WORD_BITS, address & (1 << WORD_BITS) - 1, 0


def _dissected(part: Chunk, rows: Rows, seed: int) -> dict[Level, Pairs]:
    """Return the ends of all headers of some packets, which are dissected."""
    found: dict[Level, list[_Header]] = {level: [] for level in Level}
    for row in rows.tolist():
        with suppress(Exception):  # an internal error, which the table reports
            for level, header in _headers_of(part.dissect(row), row):
                found[level].append(header)
    return {level: _of_headers(headers, level, seed) for level, headers in found.items()}


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


def _of_headers(headers: Sequence[_Header], level: Level, seed: int) -> Pairs:
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
    pairs = hashed_pairs(rows, source, destination, seed)
    if not level.has_ports:
        return pairs
    return replace(
        pairs,
        sources=with_ports(pairs.sources, source.port),
        destinations=with_ports(pairs.destinations, destination.port),
    )
