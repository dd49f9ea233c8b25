"""Read any field of any outermost header of a chunk's packets as a column.

Theory
------
A field's name may belong to several tables (``eth.dst`` is in Ethernet II and in 802.3,
``tcp.srcport`` in one): a column takes each packet's value from the table that its header has.
The position of the header comes from

* the chunk's own columns, for IP and transport headers;
* a walk that stops at the network header, for link-layer headers (``eth.type``, ``vlan.id``);
* a walk over ARP packets only, for ARP;
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
from core.decode.chunk import Chunk
from core.decode.header_index import LINK_STEPS, STEPS, walk_headers
from core.decode.header_positions import NOWHERE, HeaderPositions
from core.decode.verdicts import RULES
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Cause
from core.wire.model.field import Kind, PlacedField
from core.wire.model.table import HeaderTable
from core.wire.network.arp import ARP, ARP_IPV4
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.registry import LINK_TABLES, TABLES

_NETWORKS = {IPV4: Network.IPV4, IPV6: Network.IPV6}
_ONLY_IN = {ARP: Network.ARP, ARP_IPV4: Network.ARP}
_TRANSPORTS = {rule.table: protocol for protocol, rule in RULES.items() if rule.is_only_form}


_LOW_64 = (1 << 64) - 1


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

    @property
    def nbytes(self) -> int:
        """The memory of both arrays."""
        return self.values.nbytes + self.valid.nbytes


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
        wanted = np.array([value >> 64, value & _LOW_64], dtype=np.uint64)
    same: NDArray[np.bool_] = column.values == wanted
    return column.valid & (same.all(axis=1) if same.ndim == 2 else same)


_Place = tuple[NDArray[np.int64], NDArray[np.int32]]  # offset in the frame, last bit with a meaning


def _locate(chunk: Chunk, slots: tuple[PlacedField, ...]) -> list[_Place]:
    """Return for each field the position of its table's header, (n,); see `HeaderPositions`."""
    tables = [slot.table for slot in slots]
    if all(table in LINK_TABLES for table in tables):
        return _walk(chunk, tables, LINK_STEPS)
    if not all(table in _NETWORKS or table in _TRANSPORTS for table in tables):
        return _walk_candidates(chunk, tables)
    contradicting = np.flatnonzero(chunk.state & HeaderState.CAUSE_MASK == Cause.MALFORMED)
    again = _walk(chunk.copied(contradicting), tables, STEPS)
    found = []
    for table, (offsets, last_bits) in zip(tables, again, strict=True):
        at, last_bit = _known(chunk, table), np.full(len(chunk), np.iinfo(np.int32).max, np.int32)
        at[contradicting] = offsets
        last_bit[contradicting] = last_bits
        found.append((at, last_bit))
    return found


def _known(chunk: Chunk, table: HeaderTable) -> NDArray[np.int64]:
    """Return the position of a network or transport header by the chunk's own columns, (n,)."""
    if table in _NETWORKS:
        there = chunk.network == _NETWORKS[table]
        return np.where(there, chunk.network_offset, NOWHERE)
    there = (chunk.state & HeaderState.TRANSPORT > 0) & (chunk.transport == _TRANSPORTS[table])
    return np.where(there, chunk.transport_offset, NOWHERE)


def _walk_candidates(chunk: Chunk, tables: list[HeaderTable]) -> list[_Place]:
    """Walk only the packets whose network header has one of these tables."""
    networks = {_ONLY_IN.get(table) for table in tables}
    if None in networks:
        return _walk(chunk, tables, STEPS)
    rows = np.flatnonzero(np.isin(chunk.network, [int(each) for each in networks if each]))
    found = []
    for offsets, last_bits in _walk(chunk.copied(rows), tables, STEPS):
        at = np.full(len(chunk), NOWHERE, dtype=np.int64)
        last_bit = np.full(len(chunk), np.iinfo(np.int32).max, dtype=np.int32)
        at[rows], last_bit[rows] = offsets, last_bits
        found.append((at, last_bit))
    return found


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
