"""The options of many headers at once, each with its place.

`core.decode.option_steps` finds the first option of a kind; a filter compares all of them. The
search walks the lists of all headers in rounds, the first option of every header, then the second,
by the same `OptionList` that reads one packet's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.fields.catalog import option_lists
from core.analysis.filter.values.byte_fields import headers_with_options
from core.analysis.filter.values.chunk_headers import NETWORKS, TRANSPORTS, ChunkHeaders
from core.analysis.filter.values.header_list import Headers
from core.analysis.filter.values.places import BytePlaces, FieldPlaces
from core.wire.model.field import PlacedField
from core.wire.model.options import OptionList
from core.wire.model.table import HeaderTable
from core.wire.protocol import Protocol
from core.wire.registry import PROTOCOLS

OPTION_LISTS: tuple[tuple[Protocol, OptionList], ...] = tuple(
    (protocol, options) for protocol in PROTOCOLS for options in option_lists(protocol)
)
"""The protocols with options, and what these may be."""

COLUMN_OPTIONS = frozenset(
    protocol.name
    for protocol, _ in OPTION_LISTS
    if protocol.length_rule is not None
    and (protocol.name in NETWORKS or protocol.name in TRANSPORTS)
)
"""Protocols whose options are found for all headers at once: a field tells where they end."""


def has_table(options: OptionList, table: HeaderTable) -> bool:
    """Return True if a table is that of an option in the list."""
    return any(kind.table is table for kind in options.kinds.values())


@dataclass(frozen=True, slots=True, eq=False)
class OptionPlaces:
    """Options (k,): ``index`` of the header, ``start`` in the data, ``length``, and ``kind``."""

    index: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    kind: NDArray[np.uint8]


def find_options(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    options: OptionList,
) -> OptionPlaces:
    """Return all options in the lists from `starts` to `stops` (n,), which are wholly captured.

    Options with an impossible length, and what follows them, are left out.
    """
    single = np.isin(np.arange(256), list(options.single))
    rounds: list[tuple[NDArray[np.int64], ...]] = []
    index = np.flatnonzero(starts < stops)
    at, stop = starts[index], stops[index]
    while len(index):
        kind = data[at]
        alone = single[kind]
        length = data[np.minimum(at + 1, stop - 1)] * np.int64(options.unit)
        if not options.inclusive:
            length += 2
        length[alone] = 1
        after = at + length
        readable = alone | ((length >= 2) & (at + 2 <= stop))
        readable &= after <= stop
        if not readable.all():
            index, at, stop, after = index[readable], at[readable], stop[readable], after[readable]
            kind, length = kind[readable], length[readable]
        rounds.append((index, at, length, kind.astype(np.int64)))
        on = after < stop
        if options.end is not None:
            on &= kind != options.end
        index, at, stop = index[on], after[on], stop[on]
    if not rounds:
        none = np.zeros(0, np.int64)
        return OptionPlaces(none, none, none, none.astype(np.uint8))
    columns = [np.concatenate(column) for column in zip(*rounds, strict=True)]
    return OptionPlaces(columns[0], columns[1], columns[2], columns[3].astype(np.uint8))


class ColumnOptions:
    """The options of the headers that columns describe, of the protocols in `COLUMN_OPTIONS`."""

    def __init__(self, headers: ChunkHeaders) -> None:
        self._headers = headers
        self._found: dict[str, tuple[Headers, OptionPlaces]] = {}

    def _all(self, protocol: Protocol, options: OptionList) -> tuple[Headers, OptionPlaces]:
        if protocol.name not in self._found:
            headers = headers_with_options(self._headers, protocol)
            starts = headers.starts
            ends = starts + protocol.header_lengths(self._headers.chunk.data, starts)
            first = starts + protocol.tables[0].size
            found = find_options(self._headers.chunk.data, first, ends, options)
            self._found[protocol.name] = (headers, found)
        return self._found[protocol.name]

    def values(self, protocol: Protocol, options: OptionList, slot: PlacedField) -> FieldPlaces:
        """Return all places of a field of an option."""
        headers, found = self._all(protocol, options)
        kinds = [number for number, kind in options.kinds.items() if kind.table is slot.table]
        hits = np.flatnonzero(_is_one_of(found.kind, kinds) & (found.length >= slot.table.stop))
        rows, starts = headers.rows[found.index[hits]], found.start[hits]
        if any(options.kinds[kind].repeated for kind in kinds):
            size = slot.table.size
            repeats = (found.length[hits] - slot.table.start) // size
            place = np.arange(int(repeats.sum())) - np.repeat(np.cumsum(repeats) - repeats, repeats)
            rows, starts = np.repeat(rows, repeats), np.repeat(starts, repeats) + place * size
        order = np.lexsort((starts, rows))
        return FieldPlaces(slot, rows[order], starts[order])

    def spans(self, protocol: Protocol, options: OptionList, name: str) -> BytePlaces:
        """Return the bytes of all options of one name."""
        headers, found = self._all(protocol, options)
        kinds = [number for number, kind in options.kinds.items() if kind.name == name]
        hits = np.flatnonzero(_is_one_of(found.kind, kinds))
        rows, starts = headers.rows[found.index[hits]], found.start[hits]
        order = np.lexsort((starts, rows))
        ends = (starts + found.length[hits])[order]
        return BytePlaces(rows[order], starts[order], ends)


def _is_one_of(kind: NDArray[np.uint8], wanted: list[int]) -> NDArray[np.bool_]:
    table = np.isin(np.arange(256), wanted)
    mask: NDArray[np.bool_] = table[kind]
    return mask
