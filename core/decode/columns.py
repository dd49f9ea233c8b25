"""Read any field of any outermost header of a chunk's packets as a column.

Theory
------
A field's name may belong to several tables (``eth.dst`` is in Ethernet II and in 802.3,
``tcp.srcport`` in one): a column takes each packet's value from the table that its header has.
The position of the header comes from

* the chunk's own columns, for IP and transport headers, and for Ethernet II frames whose network
  header follows at once: these have no other link-layer header;
* a walk of the remaining packets that stops at the network header, for link-layer headers
  (``eth.type``, ``vlan.id``); an Ethernet header at the start of a frame takes only its first step;
* a walk over the packets with that network header only, for further tables of one (the addresses
  of ARP);
* a walk over all packets, for the rest (extension headers may follow IPv4, too).

The few packets whose headers contradict themselves are always walked again. A packet has a value
exactly where dissection gives one: the field is captured whole, lies inside the packet, and is
meaningful.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decode.batch_walk import Steps
from core.decode.checksum_rules import RULES
from core.decode.chunk import Chunk
from core.decode.header_index import LINK_STEPS, STEPS, walk_headers
from core.decode.header_positions import NOWHERE, HeaderPositions
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Cause
from core.wire.model.field import PlacedField
from core.wire.model.kind import Kind
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Numbering
from core.wire.model.words import split_words
from core.wire.registry import LINK_TABLES, PROTOCOLS, TABLES

_NETWORKS = {
    protocol.tables[0]: protocol.network
    for protocol in PROTOCOLS
    if protocol.network is not Network.NONE and protocol.has_single_form
}
_ONLY_IN = {  # further tables of network headers, which are at the same place
    table: protocol.network
    for protocol in PROTOCOLS
    for table in protocol.tables
    if protocol.network is not Network.NONE and table not in _NETWORKS
}
_TRANSPORTS = {rule.table: protocol for protocol, rule in RULES.items() if rule.is_only_form}


_FIRST_STEP: Steps = {Numbering.LINK: LINK_STEPS[Numbering.LINK]}
_NO_LIMIT = np.iinfo(np.int32).max


def _slots_by_name() -> Mapping[str, tuple[PlacedField, ...]]:
    slots: defaultdict[str, list[PlacedField]] = defaultdict(list)
    for table in TABLES:
        for slot in table.slots:
            if slot.field.kind is not Kind.BYTES:
                slots[slot.name].append(slot)
    return {name: tuple(found) for name, found in slots.items()}


SLOTS = _slots_by_name()


@dataclass(frozen=True, slots=True, eq=False)
class FieldColumn:
    """``values`` (n,), or (n, 2) uint64 for 128 bits, and ``valid`` (n,) bool.

    Values are zero where they are not valid.
    """

    values: NDArray[Any]
    valid: NDArray[np.bool_]


def read(chunk: Chunk, slots: tuple[PlacedField, ...]) -> FieldColumn:
    """Return the values of the fields of one name, each where its table is the packet's."""
    shape: tuple[int, ...] = (len(chunk), 2) if slots[0].field.bits > 64 else (len(chunk),)
    widest = max(slot.maximum for slot in slots)
    kind = np.uint64 if len(shape) == 2 else np.min_scalar_type(widest)
    values = np.zeros(shape, dtype=kind)
    valid = np.zeros(len(chunk), dtype=np.bool_)
    limit = np.minimum(chunk.captured, chunk.stop)
    for slot, (at, last_bit) in zip(slots, _locate(chunk, slots), strict=True):
        there = at != NOWHERE
        if not there.any():  # most chunks have only one of a name's tables
            continue
        there &= at + slot.span.stop <= limit
        there &= slot.first_bit <= last_bit
        rows = np.flatnonzero(there & ~valid)
        starts = chunk.offset[rows].astype(np.int64) + at[rows]
        values[rows] = slot.column(chunk.data, starts)
        valid[rows] = True
    return FieldColumn(values, valid)


def equals(chunk: Chunk, name: str, value: int) -> NDArray[np.bool_]:
    """Return a mask (n,) of the packets whose field `name` has this value.

    `value` is the field's number, an address as its big-endian integer. Raises `KeyError` for a
    name that is not in `SLOTS`.
    """
    column = read(chunk, SLOTS[name])
    wanted: Any = value
    if column.values.ndim == 2:
        wanted = np.array(split_words(value, SLOTS[name][0].field.bits), dtype=np.uint64)
    same: NDArray[np.bool_] = column.values == wanted
    return column.valid & (same.all(axis=1) if same.ndim == 2 else same)


_Place = tuple[NDArray[np.int64], NDArray[np.int32]]  # offset in the frame, last bit with a meaning


def _locate(chunk: Chunk, slots: tuple[PlacedField, ...]) -> list[_Place]:
    """Return for each field the position of its table's header, (n,); see `HeaderPositions`."""
    tables = [slot.table for slot in slots]
    if all(table in LINK_TABLES for table in tables):
        return _link_headers(chunk, tables)
    if not all(table in _NETWORKS or table in _TRANSPORTS for table in tables):
        return _walk_candidates(chunk, tables)
    found = [
        (_known(chunk, table), np.full(len(chunk), _NO_LIMIT, dtype=np.int32)) for table in tables
    ]
    contradicting = chunk.state & HeaderState.CAUSE_MASK == Cause.MALFORMED
    _walk_into(found, chunk, tables, contradicting, STEPS)
    return found


def _known(chunk: Chunk, table: HeaderTable) -> NDArray[np.int64]:
    """Return the position of a network or transport header by the chunk's own columns, (n,)."""
    if table in _NETWORKS:
        there = chunk.network == _NETWORKS[table]
        return np.where(there, chunk.network_offset, NOWHERE)
    there = (chunk.state & HeaderState.TRANSPORT > 0) & (chunk.transport == _TRANSPORTS[table])
    return np.where(there, chunk.transport_offset, NOWHERE)


def _link_headers(chunk: Chunk, tables: list[HeaderTable]) -> list[_Place]:
    """Locate headers before the network header; walk only packets that may have several."""
    is_ethernet = chunk.link_type == LinkType.ETHERNET
    is_alone = is_ethernet & (chunk.network != Network.NONE)
    is_alone &= chunk.network_offset == ETHERNET.size
    found = _nowhere(chunk, tables)
    for table, (at, _) in zip(tables, found, strict=True):
        if table is ETHERNET:
            at[is_alone] = 0
    if all(table.name == ETHERNET.name for table in tables):
        _walk_into(found, chunk, tables, is_ethernet & ~is_alone, _FIRST_STEP)
        _walk_into(found, chunk, tables, ~is_ethernet, LINK_STEPS)
    else:
        _walk_into(found, chunk, tables, ~is_alone, LINK_STEPS)
    return found


def _walk_candidates(chunk: Chunk, tables: list[HeaderTable]) -> list[_Place]:
    """Walk only the packets whose network header has one of these tables."""
    networks = {_ONLY_IN.get(table) for table in tables}
    if None in networks:
        return _walk(chunk, tables, STEPS)
    found = _nowhere(chunk, tables)
    mask = np.isin(chunk.network, [int(each) for each in networks if each])
    _walk_into(found, chunk, tables, mask, STEPS)
    return found


def _nowhere(chunk: Chunk, tables: list[HeaderTable]) -> list[_Place]:
    """Return positions for each table that no packet has yet."""
    count = len(chunk)
    return [
        (np.full(count, NOWHERE, dtype=np.int64), np.full(count, _NO_LIMIT, dtype=np.int32))
        for _ in tables
    ]


def _walk_into(
    found: list[_Place],
    chunk: Chunk,
    tables: list[HeaderTable],
    mask: NDArray[np.bool_],
    steps: Steps,
) -> None:
    """Walk the packets of a mask (n,), and write their positions to `found`."""
    rows = np.flatnonzero(mask)
    if not len(rows):
        return
    walked = _walk(chunk.copied(rows), tables, steps)
    for (at, last_bit), (offsets, last_bits) in zip(found, walked, strict=True):
        at[rows], last_bit[rows] = offsets, last_bits


def _walk(chunk: Chunk, tables: list[HeaderTable], steps: Steps) -> list[_Place]:
    positions = HeaderPositions(tables, len(chunk))
    if len(chunk):
        walk_headers(
            chunk.data,
            chunk.offset,
            chunk.captured,
            chunk.original,
            chunk.link_type,
            chunk.flags,
            positions,
            steps,
        )
    return [(positions.offset[table], positions.last_bit[table]) for table in tables]
