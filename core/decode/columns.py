"""Any field of any outermost header of a chunk's packets as a column, made on demand.

Theory
------
A field's name may belong to several tables (``eth.dst`` is in Ethernet II and in 802.3,
``tcp.srcport`` in one): a column takes each packet's value from the table its header has.
Where the header is comes from the chunk for network and transport headers, which is nearly
all that anybody asks for, and from a second walk over the frames (`core.decode.header_positions`)
for the others and for the few packets that contradict themselves. A value is given exactly where
dissection gives one: the field wholly captured, inside the packet, and meaningful.

Columns are kept, the last used ones within `limit_bytes`; a chunk that has grown since gets
the new rows only.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import Chunk, HeaderState, Network
from core.decode.header_index import walk_headers
from core.decode.header_positions import NOWHERE, HeaderPositions
from core.decode.verdicts import RULES
from core.wire.model.dissection import Cause
from core.wire.model.field import Kind, PlacedField
from core.wire.model.table import HeaderTable
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.registry import TABLES

_NETWORKS = {IPV4: Network.IPV4, IPV6: Network.IPV6}
_TRANSPORTS = {rule.table: protocol for protocol, rule in RULES.items()}


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
        """Memory of both arrays."""
        return self.values.nbytes + self.valid.nbytes


class FieldColumns:
    """Makes and keeps columns. For any thread."""

    def __init__(self, limit_bytes: int = 64 << 20) -> None:
        self._limit = limit_bytes
        self._held = 0
        self._columns: OrderedDict[tuple[int, str], FieldColumn] = OrderedDict()
        self._lock = threading.Lock()

    def column(self, chunk: Chunk, name: str) -> FieldColumn:
        """The field of this name of every packet of a chunk, as held by a snapshot.

        `KeyError` for a name that no table has, or only as a byte string.
        """
        slots = SLOTS[name]
        key = chunk.first, name
        with self._lock:
            known = self._columns.get(key)
        if known is None:
            column = read(chunk, slots)
        elif len(known.valid) < len(chunk):
            column = _joined(known, read(chunk.rows(len(known.valid), len(chunk)), slots))
        else:
            column = known
        with self._lock:
            self._keep(key, column)
        if len(column.valid) > len(chunk):  # asked for an older snapshot's part of the chunk
            return FieldColumn(column.values[: len(chunk)], column.valid[: len(chunk)])
        return column

    def _keep(self, key: tuple[int, str], column: FieldColumn) -> None:
        before = self._columns.pop(key, None)
        self._held += column.nbytes - (before.nbytes if before else 0)
        self._columns[key] = column
        while self._held > self._limit and len(self._columns) > 1:
            _, oldest = self._columns.popitem(last=False)
            self._held -= oldest.nbytes


def _joined(first: FieldColumn, second: FieldColumn) -> FieldColumn:
    return FieldColumn(
        np.concatenate([first.values, second.values]), np.concatenate([first.valid, second.valid])
    )


def read(chunk: Chunk, slots: tuple[PlacedField, ...]) -> FieldColumn:
    """The values of the slots of one name, each where its table is the packet's."""
    shape: tuple[int, ...] = (len(chunk), 2) if slots[0].field.bits > 64 else (len(chunk),)
    widest = max(slot.maximum for slot in slots)
    kind = np.uint64 if len(shape) == 2 else np.min_scalar_type(widest)
    values = np.zeros(shape, dtype=kind)
    valid = np.zeros(len(chunk), dtype=np.bool_)
    limit = np.minimum(chunk.captured, chunk.stop)
    for slot, (at, last_bit) in zip(slots, _locate(chunk, slots), strict=True):
        there = (at != NOWHERE) & (at + slot.span.stop <= limit)
        there &= slot.first_bit <= last_bit
        rows = np.flatnonzero(there & ~valid)
        starts = chunk.offset[rows].astype(np.int64) + at[rows]
        values[rows] = slot.column(chunk.data, starts)
        valid[rows] = True
    return FieldColumn(values, valid)


_Place = tuple[NDArray[np.int64], NDArray[np.int32]]  # offset in the frame, last bit with a meaning


def _locate(chunk: Chunk, slots: tuple[PlacedField, ...]) -> list[_Place]:
    """For each slot where its table's header is, (n,) each; see `HeaderPositions`."""
    tables = [slot.table for slot in slots]
    if not all(table in _NETWORKS or table in _TRANSPORTS for table in tables):
        return _walk(chunk, tables)
    contradicting = np.flatnonzero(chunk.state & HeaderState.CAUSE_MASK == Cause.MALFORMED)
    again = _walk(chunk.copied(contradicting), tables)
    found = []
    for table, (offsets, last_bits) in zip(tables, again, strict=True):
        at, last_bit = _known(chunk, table), np.full(len(chunk), np.iinfo(np.int32).max, np.int32)
        at[contradicting] = offsets
        last_bit[contradicting] = last_bits
        found.append((at, last_bit))
    return found


def _known(chunk: Chunk, table: HeaderTable) -> NDArray[np.int64]:
    """Where the chunk's own columns say that a network or transport header is, (n,)."""
    if table in _NETWORKS:
        there = chunk.network == _NETWORKS[table]
        return np.where(there, chunk.network_offset, NOWHERE)
    there = (chunk.state & HeaderState.TRANSPORT > 0) & (chunk.transport == _TRANSPORTS[table])
    return np.where(there, chunk.transport_offset, NOWHERE)


def _walk(chunk: Chunk, tables: list[HeaderTable]) -> list[_Place]:
    places = HeaderPositions(tables, len(chunk))
    if len(chunk):
        walk_headers(
            chunk.data,
            chunk.offset,
            chunk.captured,
            chunk.original,
            chunk.link_type,
            chunk.flags,
            places,
        )
    return [(places.offset[table], places.last_bit[table]) for table in tables]
