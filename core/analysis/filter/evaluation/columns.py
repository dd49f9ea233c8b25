"""The values of an expression for many packets, and how two of them meet.

A column has a value for each occurrence, so a packet may have several, or none. Two columns meet in
each packet: every value of one with every value of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.types import Spans, Values

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Values (k,), and the rows (k,) of their packets, ascending; see `types.Occurrences`."""

    rows: Index
    values: Values

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: NDArray[Any]) -> Column:
        """Return the occurrences that an ascending index or a mask selects."""
        return Column(self.rows[index], taken(self.values, index))


class Pairs(NamedTuple):
    """The places in two columns of all pairs of the same packet, and its row; each (m,)."""

    left: Index
    right: Index
    rows: Index


def taken(values: Values, index: NDArray[Any]) -> Values:
    """Return the values that an index or a mask selects."""
    return values.take(index) if isinstance(values, Spans) else values[index]


def pair(left: Column, right: Column) -> Pairs:
    """Return every pair of a value of `left` and a value of `right` in the same packet."""
    one, other = left.rows, right.rows
    if one is other or np.array_equal(one, other):
        is_single = len(one) < 2 or bool((one[1:] != one[:-1]).all())
        if is_single:
            index = np.arange(len(one))
            return Pairs(index, index, one)
    low = np.searchsorted(other, one, "left")
    counts = np.searchsorted(other, one, "right") - low
    first = np.repeat(np.arange(len(one)), counts)
    before = np.cumsum(counts) - counts
    second = np.repeat(low - before, counts) + np.arange(len(first))
    return Pairs(first, second, one[first])


def repeated(values: Values, count: int) -> Column:
    """Return a column in which each of `count` packets has all of the values."""
    size = len(values)
    index = np.tile(np.arange(size), count)
    return Column(np.repeat(np.arange(count), size), taken(values, index))


def merged(columns: Sequence[Column]) -> Column:
    """Return one column with the occurrences of all; their values are arrays of one shape."""
    rows = np.concatenate([column.rows for column in columns])
    values = np.concatenate([np.asarray(column.values) for column in columns])
    ascending = np.argsort(rows, kind="stable")
    return Column(rows[ascending], values[ascending])
