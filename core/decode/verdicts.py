"""The checksum verdicts of many packets: those of the outermost network and transport headers.

The rules are those of `core.wire.checksum.packet_checksums`, as masks over rows. Both verdicts
share a byte, the network's in the low four bits. Checking reads every byte of every packet, which
is most of the cost of a large file, so verdicts are computed when a reader needs them:
`verdict_pair` fills the `BLOCK` of packets around one row, `fill` all of a chunk. A verdict depends
only on the packet, so two threads that fill the same rows write the same values and need no lock.

Where a source route, a routing header or a home address may change the pseudo-header's addresses (a
few packets in a million, or all packets of an attacker), the packet is dissected. That costs 40
times as much, so `verdict_pair` does it only for the row it was called for.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decode.checksum_rules import (
    ADDRESS_SPANS,
    HEADER_SUMS,
    LINK_TYPES,
    RULES,
    HeaderSum,
    TransportRule,
)
from core.decode.chunk import VERDICT_UNKNOWN, Chunk
from core.wire.checksum.batch_checksums import add_folded, crc32c_many, header_sums, ones_sums
from core.wire.dissect import dissect
from core.wire.model.batch import HeaderState
from core.wire.model.dissection import PacketFlag, Verdict
from core.wire.model.table import HeaderTable

BLOCK = 1 << 10  # packets checked at once for one row
SLICE = 1 << 13  # packets checked at once for all rows: their columns stay in the cache

_ALL_ONES = 0xFFFF
_WORD = 4
_TRANSPORT_SHIFT = 4
_NETWORK_MASK = (1 << _TRANSPORT_SHIFT) - 1
TRANSPORT_MASK = 0xFF ^ _NETWORK_MASK
"""The bits of the `verdict` column that belong to the transport header."""


def unpack(value: int) -> tuple[Verdict, Verdict]:
    """Return the network and the transport verdict of a byte of the `verdict` column."""
    return Verdict(value & _NETWORK_MASK), Verdict(value >> _TRANSPORT_SHIFT)


def verdict_pair(chunk: Chunk, row: int) -> tuple[Verdict, Verdict]:
    """Return the network and transport verdicts of one packet; compute them if need be.

    Raises only if rawscope fails on this very packet (`core.wire.present.faults`).
    """
    if chunk.verdict[row] == VERDICT_UNKNOWN:
        routed = int(chunk.rows(row, row + 1).state[0]) & HeaderState.ROUTED
        if not routed:
            start = row - row % BLOCK
            with suppress(Exception):  # if another packet fails, check this one alone
                _fill(chunk.rows(start, start + BLOCK), 0)
        if chunk.verdict[row] == VERDICT_UNKNOWN:
            _fill(chunk.rows(row, row + 1), routed)
    return unpack(int(chunk.verdict[row]))


def fill(chunk: Chunk) -> NDArray[np.uint8]:
    """Return the `verdict` column of a chunk after computing all of it."""
    for start in range(0, len(chunk), SLICE):
        part = chunk.rows(start, start + SLICE)
        _fill(part, 0)
        _fill(part, HeaderState.ROUTED)
    return chunk.verdict


def network_verdicts(chunk: Chunk) -> NDArray[np.uint8]:
    """Return the `Verdict` on each packet's network header, (n,), after computing all of them."""
    return fill(chunk) & np.uint8(_NETWORK_MASK)


def transport_verdicts(chunk: Chunk) -> NDArray[np.uint8]:
    """Return the `Verdict` on each packet's transport header, (n,), after computing all of them."""
    return fill(chunk) >> np.uint8(_TRANSPORT_SHIFT)


def _fill(chunk: Chunk, routed: int) -> None:
    """Check the unchecked packets whose `HeaderState.ROUTED` bit is as `routed`."""
    unknown = chunk.verdict == VERDICT_UNKNOWN
    rows = np.flatnonzero(unknown & (chunk.state & HeaderState.ROUTED == routed))
    if len(rows):
        chunk.verdict[rows] = _check(chunk, rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Headers:
    """Rows of a chunk, with the offsets in its bytes of a header and of the end of its packet."""

    rows: NDArray[np.int64]
    start: NDArray[np.int64]
    captured: NDArray[np.int64]  # where the frame's captured bytes end
    stop: NDArray[np.int64]  # where the network packet ends

    @property
    def limit(self) -> NDArray[np.int64]:
        """The end of the readable bytes of each packet."""
        return np.minimum(self.captured, self.stop)

    def where(self, mask: NDArray[Any]) -> _Headers:
        """Return the rows for which the mask holds, or those of these indices."""
        return _Headers(self.rows[mask], self.start[mask], self.captured[mask], self.stop[mask])


def _check(chunk: Chunk, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the verdict bytes of some rows of a chunk."""
    base = chunk.offset[rows].astype(np.int64)
    ends = (base + chunk.captured[rows], base + chunk.stop[rows])
    network = np.full(len(rows), Verdict.NONE, dtype=np.uint8)
    headers = _Headers(rows, base + chunk.network_offset[rows], *ends)
    for kind, header in HEADER_SUMS.items():
        these = np.flatnonzero(chunk.network[rows] == kind)
        network[these] = _network(chunk, headers.where(these), header)

    transport = np.full(len(rows), Verdict.NONE, dtype=np.uint8)
    headers = _Headers(rows, base + chunk.transport_offset[rows], *ends)
    found = chunk.state[rows] & HeaderState.TRANSPORT > 0
    protocols = chunk.transport[rows]
    counts = np.bincount(protocols[found], minlength=max(RULES) + 1)
    for protocol, rule in RULES.items():
        if not counts[protocol]:
            continue
        these = np.flatnonzero(found & (protocols == protocol))
        concerned = headers.where(these)
        if rule.checksum.pseudo_header_when is None:
            transport[these] = _transport(chunk, concerned, protocol, rule)
            continue
        for index, part in rule.parts(chunk.data, concerned.start, concerned.limit):
            transport[these[index]] = _transport(chunk, concerned.where(index), protocol, part)
    return network | transport << np.uint8(_TRANSPORT_SHIFT)


def _network(chunk: Chunk, headers: _Headers, header: HeaderSum) -> NDArray[np.uint8]:
    """Return the verdicts on the checksums of network headers of one kind."""
    data = chunk.data
    verdicts = _of_parts(headers, header.table)
    right = np.flatnonzero(chunk.state[headers.rows] & HeaderState.NETWORK > 0)
    headers = headers.where(right)
    length = header.protocol.header_lengths(data, headers.start)
    whole = headers.start + length <= headers.limit
    sums = header_sums(data, headers.start[whole], length[whole] // _WORD)
    result = np.full(len(right), Verdict.UNVERIFIED, dtype=np.uint8)
    result[whole] = np.where(sums == _ALL_ONES, Verdict.GOOD, Verdict.BAD)
    verdicts[right] = result
    return verdicts


def _of_parts(headers: _Headers, table: HeaderTable) -> NDArray[np.uint8]:
    """Return `UNVERIFIED` for headers that are not whole, but have the checksum field."""
    there = headers.start + table["checksum"].span.stop <= headers.limit
    cut = headers.start + table.stop > headers.limit
    return np.where(there & cut, Verdict.UNVERIFIED, Verdict.NONE).astype(np.uint8)


def _transport(
    chunk: Chunk, headers: _Headers, protocol: int, rule: TransportRule
) -> NDArray[np.uint8]:
    """Return the verdicts on the checksums of one transport protocol."""
    verdicts = _of_parts(headers, rule.table)
    read = np.flatnonzero(headers.start + rule.table.stop <= headers.limit)
    headers = headers.where(read)
    flags = chunk.flags[headers.rows]
    waiting = flags & PacketFlag.CHECKSUM_NOT_READY > 0

    stops = headers.stop
    if rule.checksum.covered_length:
        slot = rule.table[rule.checksum.covered_length]
        length = slot.column(chunk.data, headers.start).astype(np.int64)
        stops = np.where(length > 0, headers.start + length, stops)
    cut = (stops > headers.stop) | (stops > headers.captured)
    cut |= chunk.state[headers.rows] & HeaderState.FRAGMENT > 0
    result = np.where(waiting, Verdict.OFFLOADED, Verdict.UNVERIFIED).astype(np.uint8)
    sure = np.flatnonzero(~cut)
    result[sure] = _judge(chunk, headers.where(sure), stops[sure], protocol, rule)
    if rule.checksum.pseudo_header or rule.checksum.cyclic:  # the sums that network cards compute
        result[(result == Verdict.BAD) & waiting] = Verdict.OFFLOADED
    stopped = chunk.state[headers.rows] & HeaderState.CAUSE_MASK > 0
    if rule.checksum.zero_is_absent:
        absent = rule.table["checksum"].column(chunk.data, headers.start) == 0
        illegal_over = sorted(rule.checksum.zero_is_illegal_over)
        is_illegal = np.isin(chunk.network[headers.rows], illegal_over)
        absence = np.where(is_illegal, Verdict.ILLEGAL, Verdict.NOT_PRESENT)
        result[absent] = absence[absent]
    if rule.checksum.own_length:
        ended = np.flatnonzero(stopped)
        own = rule.table[rule.checksum.own_length].column(chunk.data, headers.start[ended])
        result[ended[own < rule.table.size]] = Verdict.NONE
    if rule.checksum.pseudo_header:
        routed = chunk.state[headers.rows] & HeaderState.ROUTED > 0
        for index in np.flatnonzero(routed).tolist():
            result[index] = _dissected(chunk, int(headers.rows[index]), rule)
    verdicts[read] = result
    return verdicts


def _dissected(chunk: Chunk, row: int, rule: TransportRule) -> Verdict:
    """Return the verdict from dissecting one packet from its network header on."""
    start, stop = int(chunk.network_offset[row]), int(chunk.stop[row])
    data = chunk.frame(row)[start:stop]
    link_type = LINK_TYPES[int(chunk.network[row])]
    flags = int(chunk.flags[row]) & ~PacketFlag.FCS_MASK
    layer = dissect(data, link_type, stop - start, flags).layer(rule.table.name)
    return layer.checks[0].verdict if layer and layer.checks else Verdict.NONE


def _judge(
    chunk: Chunk, headers: _Headers, stops: NDArray[np.int64], protocol: int, rule: TransportRule
) -> NDArray[np.uint8]:
    """Return the verdicts on segments that are all there, by their bytes alone."""
    data, lengths = chunk.data, stops - headers.start
    stored = rule.table["checksum"].column(data, headers.start)
    if rule.checksum.cyclic:
        field = rule.table["checksum"].span.start
        right = crc32c_many(data, headers.start, lengths, field).byteswap() == stored
        return np.where(right, Verdict.GOOD, Verdict.BAD).astype(np.uint8)
    sums = ones_sums(data, headers.start, lengths)
    if not rule.checksum.pseudo_header:
        return np.where(sums == _ALL_ONES, Verdict.GOOD, Verdict.BAD).astype(np.uint8)
    bare = _pseudo_sums(chunk, headers, protocol)
    pseudo = add_folded(bare, lengths)
    verdicts = np.where(add_folded(sums, pseudo) == _ALL_ONES, Verdict.GOOD, Verdict.BAD)
    partial = (stored == pseudo) | (stored == bare)
    verdicts[(verdicts == Verdict.BAD) & partial] = Verdict.OFFLOADED
    return verdicts.astype(np.uint8)


def _pseudo_sums(chunk: Chunk, headers: _Headers, protocol: int) -> NDArray[np.uint16]:
    """Return the folded pseudo-header sums, (n,), without the length."""
    network = chunk.network[headers.rows]
    starts = chunk.offset[headers.rows].astype(np.int64) + chunk.network_offset[headers.rows]
    addresses = np.zeros(len(starts), dtype=np.uint16)
    for kind, span in ADDRESS_SPANS.items():
        these = np.flatnonzero(network == kind)
        words = np.full(len(these), (span.stop - span.start) // _WORD)
        addresses[these] = header_sums(chunk.data, starts[these] + span.start, words)
    return add_folded(addresses, np.full(len(starts), protocol))
