"""The positions of chosen headers in each packet of a batch walk, for columns.

The walk itself keeps only the network and the transport header. To read a column of another header
(a VLAN tag, an extension header), `core.decode.columns` walks again and watches its tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.wire.model.field import PlacedField
from core.wire.model.table import HeaderTable
from core.wire.present.record import STACKED

NOWHERE = np.int64(-1)
"""The position of a header that a packet does not have.

A typed number on purpose: NumPy casts a plain -1 to the type of the array beside it, so that
``np.where(there, offsets, -1)`` gives 65535 where `offsets` is uint16 (NEP 50). An `np.int64`
makes the result int64 instead.
"""
_NO_LIMIT = np.iinfo(np.int32).max


class HeaderObserver(Protocol):
    """A receiver of the headers that a batch walk finds.

    `rows` (n,) are packets of the batch, `at` (n,) the offset in the frame where the layer starts.
    """

    def found(self, table: HeaderTable, rows: NDArray[np.int64], at: NDArray[np.int64]) -> None:
        """Note headers of this table."""
        ...

    def reclassify(
        self,
        table: HeaderTable,
        other: HeaderTable,
        rows: NDArray[np.int64],
        at: NDArray[np.int64],
    ) -> None:
        """Note that headers reported as ones of `table` are of `other`."""
        ...

    def contradiction(
        self, slot: PlacedField, rows: NDArray[np.int64], at: NDArray[np.int64]
    ) -> None:
        """Note that these headers contradict themselves in `slot`: later fields mean nothing."""
        ...


class HeaderPositions:
    """The outermost header of each watched table, for n packets.

    ``offset[table]`` (n,) int64 counts from the frame, `NOWHERE` if the packet has no such header;
    ``last_bit[table]`` (n,) int32 is the first bit of the last field that has a meaning, if the
    header contradicts itself.

    A protocol's outermost header counts, whichever of its tables it has: an 802.3 frame inside an
    Ethernet II frame gives no ``eth.len``. Of tags and labels, which stack, each table has its own.
    """

    def __init__(self, tables: Iterable[HeaderTable], count: int) -> None:
        self.offset = {table: np.full(count, NOWHERE, dtype=np.int64) for table in tables}
        self.last_bit = {table: np.full(count, _NO_LIMIT, dtype=np.int32) for table in self.offset}
        names = {_layer_name(table) for table in self.offset} - STACKED
        self._outermost = {name: np.full(count, NOWHERE, dtype=np.int64) for name in names}

    def found(self, table: HeaderTable, rows: NDArray[np.int64], at: NDArray[np.int64]) -> None:
        """Note a header of the table at `at` (n,) in the packets `rows` (n,).

        Headers of a protocol that the packet already has further out do not count.
        """
        outermost = self._outermost.get(_layer_name(table))
        if outermost is not None:
            before = outermost.take(rows)
            counts = (before == NOWHERE) | (before == at)
            if not counts.all():
                rows, at = rows[counts], at[counts]
            outermost[rows] = at
        column = self.offset.get(table)
        if column is not None:
            is_first = column.take(rows) == NOWHERE
            if not is_first.all():
                rows, at = rows[is_first], at[is_first]
            column[rows] = at

    def reclassify(
        self,
        table: HeaderTable,
        other: HeaderTable,
        rows: NDArray[np.int64],
        at: NDArray[np.int64],
    ) -> None:
        """Note that these headers, reported as ones of `table`, are of `other`."""
        if table in self.offset:
            column = self.offset[table]
            column[rows] = np.where(column[rows] == at, NOWHERE, column[rows])
        self.found(other, rows, at)

    def contradiction(
        self, slot: PlacedField, rows: NDArray[np.int64], at: NDArray[np.int64]
    ) -> None:
        """Note that these headers contradict themselves in `slot`: later fields mean nothing."""
        table = slot.table
        if table in self.offset:
            rows = rows[self.offset[table][rows] == at]
            self.last_bit[table][rows] = slot.first_bit


def _layer_name(table: HeaderTable) -> str:
    """Return the protocol of a header or of its continuation: ``ipv6.routing`` for its RPL part."""
    return table.name.rpartition(".")[0] if table.start and "." in table.name else table.name
