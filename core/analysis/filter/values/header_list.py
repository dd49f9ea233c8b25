"""Every header that a batch walk finds, not only the outermost of each kind.

`core.decode.header_positions` keeps one position of a header for each packet. A filter compares all
occurrences: each tag of a stack, each of two destination options headers. `HeaderList` keeps what
the walk reports, and `headers` sorts it by packet and place when the walk is over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.wire.model.field import PlacedField
from core.wire.model.table import HeaderTable

_PLACE_BITS = 32  # of a frame's offsets, in a key of row and place
_NO_LIMIT = np.iinfo(np.int32).max


def place_keys(rows: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for each row and offset (n,), which sorts by row and then by offset."""
    return rows << _PLACE_BITS | at


@dataclass(frozen=True, slots=True, eq=False)
class Headers:
    """Headers of one table: of packets `rows` (k,) ascending, at offset `at` (k,) in the frame.

    ``starts`` (k,) int64 is the same place in the chunk's data. ``last_bit`` (k,) int32 is the
    first bit of the last field that has a meaning; it is None if each header is whole and does not
    contradict itself. ``numbers`` (k,) is the number of each header among those of its protocol in
    the packet, from 1; None if all are 1.
    """

    rows: NDArray[np.int64]
    at: NDArray[np.int64]
    starts: NDArray[np.int64]
    last_bit: NDArray[np.int32] | None = None
    numbers: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.rows)


class HeaderList:
    """A `core.decode.header_positions.HeaderObserver` that keeps all headers of some tables.

    `packets` (k,) ascending are the rows that the walk's own rows stand for, and `base` (k,) the
    starts of their frames in the chunk's data.
    """

    def __init__(
        self,
        tables: Iterable[HeaderTable],
        packets: NDArray[np.int64],
        base: NDArray[np.int64],
    ) -> None:
        self._packets, self._base = packets, base
        self._found: dict[HeaderTable, list[NDArray[np.int64]]] = {table: [] for table in tables}
        self._withdrawn: defaultdict[HeaderTable, list[NDArray[np.int64]]] = defaultdict(list)
        self._ends: defaultdict[HeaderTable, list[tuple[NDArray[np.int64], int]]]
        self._ends = defaultdict(list)
        self._places: dict[HeaderTable, NDArray[np.int64]] = {}
        self._families: dict[str, NDArray[np.int64]] = {}

    def found(self, table: HeaderTable, rows: NDArray[np.int64], at: NDArray[np.int64]) -> None:
        """Note headers of this table."""
        kept = self._found.get(table)
        if kept is not None and len(rows):
            kept.append(place_keys(rows, at))

    def reclassify(
        self,
        table: HeaderTable,
        other: HeaderTable,
        rows: NDArray[np.int64],
        at: NDArray[np.int64],
    ) -> None:
        """Note that headers reported as ones of `table` are of `other`."""
        if table in self._found and len(rows):
            self._withdrawn[table].append(place_keys(rows, at))
        self.found(other, rows, at)

    def contradiction(
        self, slot: PlacedField, rows: NDArray[np.int64], at: NDArray[np.int64]
    ) -> None:
        """Note that these headers contradict themselves in `slot`: later fields mean nothing."""
        if slot.table in self._found and len(rows):
            self._ends[slot.table].append((place_keys(rows, at), slot.first_bit))

    def headers(self, table: HeaderTable) -> Headers:
        """Return all headers of a watched table, by packet and place."""
        keys = self._keys(table)
        last_bit = np.full(len(keys), _NO_LIMIT, np.int32)
        for places, bit in self._ends[table]:
            last_bit[np.isin(keys, places, assume_unique=True)] = bit
        index, at = keys >> _PLACE_BITS, keys & ((1 << _PLACE_BITS) - 1)
        return Headers(
            self._packets[index], at, self._base[index] + at, last_bit, self._numbers(table, keys)
        )

    def _keys(self, table: HeaderTable) -> NDArray[np.int64]:
        """Return the places of a table's headers, each once, as `place_keys`."""
        if table not in self._places:
            found = self._found[table]
            keys = np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)
            if self._withdrawn[table]:
                gone = np.concatenate(self._withdrawn[table])
                keys = keys[~np.isin(keys, gone, assume_unique=True)]
            self._places[table] = keys
        return self._places[table]

    def _numbers(self, table: HeaderTable, keys: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Return the number of each header among those of its protocol in the packet."""
        everything = self._family(table.name)
        rows = everything >> _PLACE_BITS
        if (rows[1:] != rows[:-1]).all():
            return None
        numbers = np.arange(len(rows)) - np.searchsorted(rows, rows) + 1
        return numbers[np.searchsorted(everything, keys)]

    def _family(self, name: str) -> NDArray[np.int64]:
        """Return the places of all headers of a protocol, each once."""
        if name not in self._families:
            places = [self._keys(table) for table in self._found if table.name == name]
            self._families[name] = (
                places[0] if len(places) == 1 else np.unique(np.concatenate(places))
            )
        return self._families[name]
