"""Rewrite the outermost network header of many packets: addresses, and TTL or hop limit.

The packets may have any link type that rawscope reads. A header that contradicts itself or is cut
short stays as it is, and so does all that a packet carries: quoted headers, tunnels, and addresses
in source routes, routing headers, and neighbor discovery. Checksums follow
(`core.forge.transmit.checksum_repair`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.decode.batch_decoder import extent
from core.decode.header_index import index_batch
from core.forge.transmit import checksum_repair
from core.forge.transmit.checksum_repair import IndexedPackets
from core.forge.transmit.frame_assembly import Rows
from core.forge.transmit.rewrite_rules import MOST_HOPS, AddressMap, HopLimitEdit, RewriteRules
from core.wire.model.assigned_numbers import EtherType
from core.wire.model.batch import Network
from core.wire.model.field import PlacedField
from core.wire.model.words import split_words, word_columns
from core.wire.network.arp import ARP, ARP_IPV4, IPV4_BYTES, MAC_BYTES, REPLY, REQUEST
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6

_HOP_LIMITS = {Network.IPV4: IPV4["ttl"], Network.IPV6: IPV6["hlim"]}
_TABLES = {Network.IPV4: IPV4, Network.IPV6: IPV6}
_ARP_VALUES = {
    "proto.type": (EtherType.IPV4,),
    "hw.size": (MAC_BYTES,),
    "proto.size": (IPV4_BYTES,),
    "opcode": (REQUEST, REPLY),
}
_VERSIONS = {32: 4, 128: 6}  # by the width of an address field


def rewrite_packets(
    batch: Batch, link_types: NDArray[np.int64], rules: RewriteRules
) -> tuple[Batch, NDArray[np.bool_]]:
    """Return the packets of a batch after the rules, and which of them changed, (n,).

    `link_types` (n,) are those of the packets. Link headers stay as they are.
    """
    if not rules.changes_packets or not len(batch):
        return batch, np.zeros(len(batch), bool)
    low, high = extent(batch)
    data, offset = batch.data[low:high].copy(), batch.offset - low
    copy = replace(batch, data=data, offset=offset, stable=True)
    read = index_batch(copy, link_types)
    packets = IndexedPackets(data, offset, batch.captured.astype(np.int64), read)
    before = checksum_repair.header_sums_of(packets)
    changed = np.zeros(len(batch), bool)
    for network, table in _TABLES.items():
        rows = packets.with_network(network)
        at = packets.network_at(rows)
        for key, mapping in (("src", rules.sources), ("dst", rules.destinations)):
            changed[rows] |= _map_addresses(data, at, table[key], mapping)
        if rules.hop_limit is not None:
            changed[rows] |= _edit_hop_limit(data, at, _HOP_LIMITS[network], rules.hop_limit)
    if rules.in_arp:
        rows = _arp_rows(packets)
        for key in ("src.proto_ipv4", "dst.proto_ipv4"):
            at = packets.network_at(rows)
            changed[rows] |= _map_addresses(data, at, ARP_IPV4[key], rules.sources)
    checksum_repair.adapt(packets, before)
    if rules.fixes_checksums:
        changed |= checksum_repair.compute(packets)
    checksum_repair.repair_routed(packets, batch.data[low:high], rules.fixes_checksums, changed)
    return copy, changed


def _map_addresses(
    data: NDArray[np.uint8], at: Rows, slot: PlacedField, mapping: AddressMap
) -> NDArray[np.bool_]:
    """Map an address of the headers at `at` (n,), in place; return which changed, (n,)."""
    bits = slot.field.bits
    pairs = [pair for pair in mapping if pair.old.version == _VERSIONS[bits]]
    changed = np.zeros(len(at), bool)
    if not pairs or not len(at):
        return changed
    old = word_columns(slot.column(data, at))
    new, mapped = old.copy(), np.zeros(len(at), bool)
    for pair in pairs:
        mask, network = _words(int(pair.old.netmask), bits), pair.old.network_address
        rows = ~mapped & ((old & mask) == _words(int(network), bits)).all(axis=1)
        keep = ~_words(int(pair.new.netmask), bits)
        new[rows] = (old[rows] & keep) | _words(int(pair.new.network_address), bits)
        mapped |= rows
    changed[:] = (new != old).any(axis=1)
    rows = np.flatnonzero(changed)
    size = bits // 8
    written = new[rows].astype(">u8").view(np.uint8).reshape(len(rows), 8 * new.shape[1])
    data[at[rows, None] + slot.span.start + np.arange(size)] = written[:, -size:]
    return changed


def _words(number: int, bits: int) -> NDArray[np.uint64]:
    """Return an address or mask as one or two 64-bit words, high word first."""
    return np.array(split_words(number, bits), np.uint64)


def _edit_hop_limit(
    data: NDArray[np.uint8], at: Rows, slot: PlacedField, edit: HopLimitEdit
) -> NDArray[np.bool_]:
    """Edit the field of the headers at `at` (n,), in place; return which changed, (n,)."""
    places = at + slot.span.start
    old = data[places]
    new = np.full(len(at), edit.number, np.int64)
    if edit.is_relative:
        new = np.clip(old.astype(np.int64) + edit.number, 1, MOST_HOPS)
    data[places] = new
    return np.asarray(new != old)


def _arp_rows(packets: IndexedPackets) -> Rows:
    """Return the rows of whole ARP requests and replies about IPv4 over Ethernet."""
    rows = np.flatnonzero(packets.read.network == Network.ARP)
    end = packets.network_at(rows) + ARP_IPV4.stop
    rows = rows[end <= packets.ends(rows)]
    for key, values in _ARP_VALUES.items():
        rows = rows[np.isin(ARP[key].column(packets.data, packets.network_at(rows)), values)]
    return rows
