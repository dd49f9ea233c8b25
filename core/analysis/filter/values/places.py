"""Places of a field in a chunk's bytes, and how to read the values there.

All sources of occurrences (the chunk's columns, a walk, the dissection of single packets) give
*places*: packets, and the start of the layer with the field in the chunk's bytes. One reader turns
them into values, so the sources cannot read the same field differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.types import ADDRESS_BYTES, FilterType, Occurrences, Spans
from core.analysis.filter.values.header_words import HeaderWords
from core.wire.model.field import PlacedField


@dataclass(frozen=True, slots=True, eq=False)
class FieldPlaces:
    """Places of a field of one table, wholly captured and with a meaning.

    ``rows`` (k,) int64 ascending; ``starts`` (k,) int64, the start of the layer in the chunk's
    data; ``numbers`` (k,) int64, the number of the header among those of its protocol, from 1, or
    None if all are 1.
    """

    slot: PlacedField
    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    numbers: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BytePlaces:
    """Byte strings in a chunk: `rows`, `numbers` as in `FieldPlaces`, and ``start:end``, (k,)."""

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    numbers: NDArray[np.int64] | None = None


def read_values(
    sources: Sequence[Sequence[FieldPlaces]], words: HeaderWords, kind: FilterType
) -> Occurrences:
    """Return the values at all places, as the type of the field has them.

    `sources` describe different packets each, or the later one what is inside those of the other.
    """
    if kind.is_byte_string:
        places = [place for source in sources for place in source]
        return read_bytes(places, words.data)
    found: Occurrences | None = None
    for source in sources:
        places = [each for each in source if len(each.rows)]
        if places:
            values = _values_of(places, words, kind)
            found = values if found is None else merged(found, values)
    return Occurrences(np.zeros(0, np.int64), _empty(kind)) if found is None else found


def _values_of(places: list[FieldPlaces], words: HeaderWords, kind: FilterType) -> Occurrences:
    if all(each.rows is places[0].rows for each in places):
        places.sort(key=lambda each: each.slot.first_bit)
        if _is_bytes(kind) and len(places) > 1 and _adjoin(places):
            return _adjoining(places, words, ADDRESS_BYTES[kind])
        return _interleaved(places, [_column(each, words, kind) for each in places])
    columns = [_column(each, words, kind) for each in places]
    if len(places) == 2 and not np.isin(places[1].rows, places[0].rows).any():
        first, second = (
            Occurrences(each.rows, column, each.numbers)
            for each, column in zip(places, columns, strict=True)
        )
        return merged(first, second)
    rows = [each.rows for each in places]
    order = _order(rows, [each.starts + each.slot.span.start for each in places])
    return Occurrences(
        np.concatenate(rows)[order], np.concatenate(columns)[order], _numbers(places, order)
    )


def _interleaved(places: Sequence[FieldPlaces], columns: Sequence[NDArray[Any]]) -> Occurrences:
    """Return the values of fields that stand side by side in the same headers."""
    first = places[0]
    if len(places) == 1:
        return Occurrences(first.rows, columns[0], first.numbers)
    values = np.stack(columns, axis=1).reshape(-1, *columns[0].shape[1:])
    count = len(places)
    numbers = None if first.numbers is None else np.repeat(first.numbers, count)
    return Occurrences(np.repeat(first.rows, count), values, numbers)


def _adjoin(places: Sequence[FieldPlaces]) -> bool:
    """Return True if each field of the same headers begins where the one before it ends."""
    return all(
        one.starts is other.starts and one.slot.span.stop == other.slot.span.start
        for one, other in pairwise(places)
    )


def _adjoining(places: Sequence[FieldPlaces], words: HeaderWords, size: int) -> Occurrences:
    """Return what `_interleaved` does, by one gather of the bytes of all fields."""
    first, count = places[0], len(places)
    rows = words.byte_rows(first.slot, first.starts, size * count)
    numbers = None if first.numbers is None else np.repeat(first.numbers, count)
    return Occurrences(np.repeat(first.rows, count), rows.reshape(-1, size), numbers)


def merged(first: Occurrences, second: Occurrences) -> Occurrences:
    """Return the values of two sources by packet; in a packet, those of `first` come first."""
    main, rest = (first, second) if len(first.rows) >= len(second.rows) else (second, first)
    if not len(rest.rows):
        return main
    assert not isinstance(main.values, Spans)
    assert not isinstance(rest.values, Spans)
    places = np.searchsorted(main.rows, rest.rows, "right" if main is first else "left")
    rows = np.insert(main.rows, places, rest.rows)
    kind = np.result_type(main.values, rest.values)
    values = np.insert(main.values.astype(kind, copy=False), places, rest.values, axis=0)
    if main.layers is None and rest.layers is None:
        return Occurrences(rows, values)
    layers = np.insert(_or_ones(main.layers, main.rows), places, _or_ones(rest.layers, rest.rows))
    return Occurrences(rows, values, layers)


def _or_ones(numbers: NDArray[np.int64] | None, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.ones(len(rows), np.int64) if numbers is None else numbers


def read_bytes(places: Sequence[FieldPlaces], data: NDArray[np.uint8]) -> Occurrences:
    """Return the bytes that the field touches at all places."""
    spans = [
        BytePlaces(
            each.rows,
            each.starts + each.slot.span.start,
            each.starts + each.slot.span.stop,
            each.numbers,
        )
        for each in places
    ]
    return merge_bytes(spans, data)


def merge_bytes(places: Sequence[BytePlaces], data: NDArray[np.uint8]) -> Occurrences:
    """Return byte strings of several sources, by packet and place."""
    places = [each for each in places if len(each.rows)]
    if len(places) == 1:
        only = places[0]
        return Occurrences(only.rows, Spans(data, only.starts, only.ends), only.numbers)
    if not places:
        none = np.zeros(0, np.int64)
        return Occurrences(none, Spans(data, none, none), none)
    starts = [each.starts for each in places]
    order = _order([each.rows for each in places], starts)
    spans = Spans(
        data, np.concatenate(starts)[order], np.concatenate([each.ends for each in places])[order]
    )
    rows = np.concatenate([each.rows for each in places])[order]
    return Occurrences(rows, spans, _numbers(places, order))


def _column(places: FieldPlaces, words: HeaderWords, kind: FilterType) -> NDArray[Any]:
    if _is_bytes(kind):
        return words.byte_rows(places.slot, places.starts, ADDRESS_BYTES[kind])
    column = words.numbers(places.slot, places.starts)
    return column != 0 if kind is FilterType.BOOLEAN else column


def _is_bytes(kind: FilterType) -> bool:
    """Return True for addresses that are rows of bytes, and not numbers."""
    return kind in ADDRESS_BYTES and kind is not FilterType.IPV4


def _empty(kind: FilterType) -> NDArray[Any]:
    if kind is FilterType.IPV4:
        return np.zeros(0, np.uint32)
    if kind in ADDRESS_BYTES:
        return np.zeros((0, ADDRESS_BYTES[kind]), np.uint8)
    return np.zeros(0, np.bool_ if kind is FilterType.BOOLEAN else np.uint64)


def _order(
    rows: Sequence[NDArray[np.int64]], starts: Sequence[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """Return the order of all items by row, and by start in a row."""
    everything = np.concatenate(rows)
    order = np.argsort(everything, kind="stable")  # fast: each source is in order
    merged = everything[order]
    if (merged[1:] != merged[:-1]).all():
        return order
    return np.lexsort((np.concatenate(starts), everything))


def _numbers(
    places: Sequence[FieldPlaces] | Sequence[BytePlaces], order: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    if all(each.numbers is None for each in places):
        return None
    return np.concatenate([_or_ones(each.numbers, each.rows) for each in places])[order]
