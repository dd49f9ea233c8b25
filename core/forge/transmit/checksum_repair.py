"""Correct the checksums of many packets after they were rewritten.

`adapt` changes a checksum by what changed in the bytes that it covers (RFC 1624, equation 3): a
correct checksum stays correct, a wrong one stays wrong. That holds also for packets that are cut
short and for first fragments, of which not all bytes are here. `compute` computes each checksum
again whose bytes are all here: those of IPv4 headers, and of every protocol with a rule
(`core.decode.verdicts`).

An absent UDP checksum stays absent over IPv4; over IPv6 it is illegal (RFC 8200 §8.1), so
`compute` fills it in. A UDP checksum of 0 is sent as 0xFFFF (RFC 768). Where a source route, a
routing header, or a home address may change the addresses in the pseudo-header, the packet is
dissected (`repair_routed`): the only loop over packets, over those alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.decode.checksum_rules import RULES, TransportRule
from core.decode.header_index import HeaderOffsets
from core.forge.transmit.frame_assembly import Rows
from core.wire.checksum.batch_checksums import add_folded, crc32c_many, header_sums, ones_sums
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Check, Verdict
from core.wire.model.field import PlacedField
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6

_ALL_ONES = np.uint16(0xFFFF)
_WORD = 4
_ADDRESSES = {
    Network.IPV4: (IPV4["src"].span.start, IPV4["dst"].span.stop),
    Network.IPV6: (IPV6["src"].span.start, IPV6["dst"].span.stop),
}
_UNREADY = (Verdict.BAD, Verdict.OFFLOADED, Verdict.ILLEGAL)


@dataclass(frozen=True, slots=True, eq=False)
class IndexedPackets:
    """n packets in one writable array, with the positions of their headers.

    `offset` and `captured` (n,) are int64.
    """

    data: NDArray[np.uint8]
    offset: Rows
    captured: Rows
    read: HeaderOffsets

    def with_network(self, network: Network) -> Rows:
        """Return the rows with a whole, consistent network header of this kind."""
        is_whole = self.read.state & HeaderState.NETWORK > 0
        return np.flatnonzero((self.read.network == network) & is_whole)

    def network_at(self, rows: Rows) -> Rows:
        """Return where the network headers of these packets begin in `data`."""
        at: Rows = self.offset[rows] + self.read.network_offset[rows]
        return at

    def transport_at(self, rows: Rows) -> Rows:
        """Return where the transport headers of these packets begin in `data`."""
        at: Rows = self.offset[rows] + self.read.transport_offset[rows]
        return at

    def ends(self, rows: Rows) -> Rows:
        """Return where the captured bytes of these packets end in `data`."""
        ends: Rows = self.offset[rows] + self.captured[rows]
        return ends

    def stops(self, rows: Rows) -> Rows:
        """Return where these network packets end, as their lengths say; maybe past `ends`."""
        stops: Rows = self.offset[rows] + self.read.stop[rows].astype(np.int64)
        return stops

    def carrying(self, protocol: int, *, has_routed: bool) -> Rows:
        """Return the rows whose transport header is of this IP protocol."""
        found = (self.read.state & HeaderState.TRANSPORT > 0) & (self.read.transport == protocol)
        if not has_routed:
            found &= self.read.state & HeaderState.ROUTED == 0
        return np.flatnonzero(found)


class HeaderSums(NamedTuple):
    """Sums of n packets, (n,) uint16: of IPv4 headers without options, and of both addresses."""

    headers: NDArray[np.uint16]
    addresses: NDArray[np.uint16]


def header_sums_of(packets: IndexedPackets) -> HeaderSums:
    """Return the sums of the network headers as they are now."""
    count = len(packets.offset)
    sums = HeaderSums(np.zeros(count, np.uint16), np.zeros(count, np.uint16))
    for network, (start, stop) in _ADDRESSES.items():
        rows = packets.with_network(network)
        at = packets.network_at(rows)
        words = np.full(len(rows), (stop - start) // _WORD)
        sums.addresses[rows] = header_sums(packets.data, at + start, words)
        if network == Network.IPV4:
            words = np.full(len(rows), IPV4.size // _WORD)
            sums.headers[rows] = header_sums(packets.data, at, words)
    return sums


def adapt(packets: IndexedPackets, before: HeaderSums) -> None:
    """Adapt the checksums to the network headers, which had the sums `before`."""
    after = header_sums_of(packets)
    rows = packets.with_network(Network.IPV4)
    rows = rows[before.headers[rows] != after.headers[rows]]
    at = packets.network_at(rows)
    _adapt(packets.data, at, IPV4["checksum"], before.headers[rows], after.headers[rows])
    for protocol, rule in RULES.items():
        if not rule.checksum.pseudo_header:
            continue
        rows = packets.carrying(protocol, has_routed=False)
        rows = rows[before.addresses[rows] != after.addresses[rows]]
        rows = _readable(packets, rows, rule.table["checksum"])
        rows = rows[_has_pseudo_header(packets, rows, rule)]
        at = packets.transport_at(rows)
        slot, sums = rule.table["checksum"], (before.addresses[rows], after.addresses[rows])
        if rule.checksum.zero_is_absent:
            there = slot.column(packets.data, at) != 0
            at, sums = at[there], (sums[0][there], sums[1][there])
        _adapt(packets.data, at, slot, *sums, zero_is_absent=rule.checksum.zero_is_absent)


def _adapt(
    data: NDArray[np.uint8],
    at: Rows,
    slot: PlacedField,
    before: NDArray[np.uint16],
    after: NDArray[np.uint16],
    *,
    zero_is_absent: bool = False,
) -> None:
    stored = slot.column(data, at)
    new = ~add_folded(~stored, ~before, after)
    _write(data, at, slot, np.where((new == 0) & zero_is_absent, _ALL_ONES, new))


def compute(packets: IndexedPackets) -> NDArray[np.bool_]:
    """Compute all checksums whose bytes are here; return which packets changed, (n,)."""
    changed = np.zeros(len(packets.offset), bool)
    data = packets.data
    rows = packets.with_network(Network.IPV4)
    length = IPV4["hdr_len"].column(data, packets.network_at(rows)).astype(np.int64)
    end = packets.network_at(rows) + length
    whole = end <= np.minimum(packets.ends(rows), packets.stops(rows))
    rows, at = rows[whole], packets.network_at(rows[whole])
    stored = _zeroed(data, at, IPV4["checksum"])
    new = ~header_sums(data, at, length[whole] // _WORD)
    _write(data, at, IPV4["checksum"], new)
    changed[rows] |= new != stored
    addresses = header_sums_of(packets).addresses
    for protocol, rule in RULES.items():
        has_pseudo = rule.checksum.pseudo_header
        rows = packets.carrying(protocol, has_routed=not has_pseudo)
        if len(rows):
            rows, different = _compute(packets, rows, protocol, rule, addresses)
            changed[rows] |= different
    return changed


def _compute(
    packets: IndexedPackets,
    rows: Rows,
    protocol: int,
    rule: TransportRule,
    addresses: NDArray[np.uint16],
) -> tuple[Rows, NDArray[np.bool_]]:
    """Compute the checksums of one protocol; return the rows computed, and which changed.

    `addresses` (n,) are the sums of the addresses of all packets.
    """
    data, slot = packets.data, rule.table["checksum"]
    rows, stops = _computable(packets, rows, rule)
    at = packets.transport_at(rows)
    stored = _zeroed(data, at, slot)
    if rule.checksum.cyclic:
        crc = crc32c_many(data, at, stops - at, slot.span.start).byteswap()
        _write(data, at, slot, crc)
        return rows, np.asarray(crc != stored)
    sums = ones_sums(data, at, stops - at)
    with_pseudo = np.flatnonzero(_has_pseudo_header(packets, rows, rule))
    pseudo = np.zeros(len(rows), np.uint16)
    lengths = (stops - at)[with_pseudo]
    pseudo[with_pseudo] = add_folded(
        addresses[rows[with_pseudo]], lengths, np.full(len(lengths), protocol)
    )
    new = ~add_folded(sums, pseudo)
    if rule.checksum.zero_is_absent:
        new[new == 0] = _ALL_ONES
    _write(data, at, slot, new)
    return rows, np.asarray(new != stored)


def _computable(packets: IndexedPackets, rows: Rows, rule: TransportRule) -> tuple[Rows, Rows]:
    """Return those of the rows whose checksum can be computed, and where its bytes end.

    All of these bytes are captured, and the checksum is not left out on purpose.
    """
    data, table = packets.data, rule.table
    end = packets.transport_at(rows) + table.stop
    rows = rows[end <= np.minimum(packets.ends(rows), packets.stops(rows))]
    at, stops = packets.transport_at(rows), packets.stops(rows)
    if rule.checksum.covered_length:
        covered = table[rule.checksum.covered_length].column(data, at).astype(np.int64)
        stops = np.where(covered > 0, at + covered, stops)
    whole = (stops <= packets.stops(rows)) & (stops <= packets.ends(rows))
    whole &= stops >= at + table.stop
    whole &= packets.read.state[rows] & HeaderState.FRAGMENT == 0
    if rule.checksum.zero_is_absent:
        is_zero = table["checksum"].column(data, at) == 0
        whole &= ~is_zero | (packets.read.network[rows] == Network.IPV6)
    return rows[whole], stops[whole]


def _readable(packets: IndexedPackets, rows: Rows, slot: PlacedField) -> Rows:
    """Return those of the rows whose transport header has a captured field."""
    end = packets.transport_at(rows) + slot.span.stop
    return rows[end <= np.minimum(packets.ends(rows), packets.stops(rows))]


def _has_pseudo_header(
    packets: IndexedPackets, rows: Rows, rule: TransportRule
) -> NDArray[np.bool_]:
    """Return (m,) whether the checksums of these rows cover a pseudo-header."""
    when = rule.checksum.pseudo_header_when
    if when is None:
        return np.full(len(rows), rule.checksum.pseudo_header)
    return np.isin(rule.table[when[0]].column(packets.data, packets.transport_at(rows)), [*when[1]])


def _zeroed(data: NDArray[np.uint8], at: Rows, slot: PlacedField) -> NDArray[Any]:
    """Set a field to zero, and return what it was, (n,)."""
    stored = slot.column(data, at)
    _write(data, at, slot, np.zeros_like(stored))
    return stored


def _write(data: NDArray[np.uint8], at: Rows, slot: PlacedField, values: NDArray[Any]) -> None:
    """Write a field of whole bytes, (n,)."""
    size = slot.span.stop - slot.span.start
    written = values.astype(f">u{size}").view(np.uint8).reshape(-1, size)
    data[at[:, None] + slot.span.start + np.arange(size)] = written


def repair_routed(
    packets: IndexedPackets,
    original: NDArray[np.uint8],
    computes: bool,
    changed: NDArray[np.bool_],
) -> None:
    """Repair packets whose pseudo-header may have other addresses than the IP header.

    `original` has the bytes before the change. Without `computes`, only a checksum that was right
    in a packet that changed (n,) is made right again. Repairs are marked in `changed`.
    """
    state = HeaderState.ROUTED | HeaderState.TRANSPORT
    for row in np.flatnonzero(packets.read.state & state == state).tolist():
        rule = RULES.get(int(packets.read.transport[row]))
        if rule is None or not rule.checksum.pseudo_header or not (computes or changed[row]):
            continue
        check = _check(packets, packets.data, row, rule)
        if check is None or check.verdict not in _UNREADY or check.expected is None:
            continue
        if not computes:
            before = _check(packets, original, row, rule)
            if before is None or before.verdict is not Verdict.GOOD:
                continue
        expected = check.expected or (0xFFFF if rule.checksum.zero_is_absent else 0)
        at = packets.transport_at(np.array([row]))
        _write(packets.data, at, rule.table["checksum"], np.array([expected]))
        changed[row] = True


def _check(
    packets: IndexedPackets, data: NDArray[np.uint8], row: int, rule: TransportRule
) -> Check | None:
    """Return the check of the outermost transport header of a packet, or None."""
    begin = int(packets.network_at(np.array([row]))[0])
    end = int(packets.ends(np.array([row]))[0])
    stop = int(packets.stops(np.array([row]))[0])
    is_six = packets.read.network[row] == Network.IPV6
    frame = data[begin : min(end, stop)].tobytes()
    layer = dissect(frame, LinkType.IPV6 if is_six else LinkType.IPV4, stop - begin).layer(
        rule.table.name
    )
    return layer.checks[0] if layer and layer.checks else None
