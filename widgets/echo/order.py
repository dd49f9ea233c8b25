"""In which order the clients of the echo server stand, without shaking under the eye.

Ten times a second all figures change, and rows that jumped as often could be neither read nor
clicked. So the order is made anew once a second, or when another one is asked for; in between
those who have gone fall out and those who came stand at the end. All of it is a sort and a search
over columns: ten thousand clients take about a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.echo.client_columns import ClientTable
from widgets.echo.columns import AGE, ClientColumn

SETTLED_S = 1.0


@dataclass(frozen=True, slots=True)
class Sort:
    """By which column, and whether the largest stands first."""

    column: ClientColumn
    descending: bool

    @classmethod
    def first_by(cls, column: ClientColumn) -> Sort:
        """As the first press of a heading has it."""
        return cls(column, column.largest_first)

    @property
    def reversed(self) -> Sort:
        """The other way round."""
        return Sort(self.column, not self.descending)


OLDEST_FIRST = Sort.first_by(AGE)


class ClientOrder:
    """Which row of a `ClientTable` stands in which line."""

    def __init__(self) -> None:
        self.rows: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._sort = OLDEST_FIRST
        self._identifiers: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._sorted_s = -np.inf

    def arrange(self, table: ClientTable, sort: Sort) -> None:
        """Take in a newer table."""
        waited_s = table.taken_s - self._sorted_s
        if sort != self._sort or not 0 <= waited_s < SETTLED_S:
            self._sort = sort
            self._sorted_s = table.taken_s
            self.rows = _sorted(table, sort)
        else:
            self.rows = self._kept(table)
        self._identifiers = table.identifier[self.rows]

    def line_of(self, table: ClientTable, identifier: int | None) -> int | None:
        """The line of a client, None if it is gone."""
        row = table.row(identifier) if identifier is not None else None
        if row is None:
            return None
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if len(found) else None

    def _kept(self, table: ClientTable) -> NDArray[np.intp]:
        """The order as it was; identifiers ascend and none is used twice."""
        known = self._identifiers
        at = np.searchsorted(table.identifier, known)
        there = at < len(table)
        there[there] = table.identifier[at[there]] == known[there]
        newest = known.max(initial=0)
        first_new = int(np.searchsorted(table.identifier, newest, side="right"))
        return np.concatenate([at[there], np.arange(first_new, len(table), dtype=np.intp)])


def _sorted(table: ClientTable, sort: Sort) -> NDArray[np.intp]:
    """Rows sorted; equal ones stay in the order in which they came."""
    values = sort.column.values(table)
    if sort.descending:
        return len(table) - 1 - np.argsort(values[::-1], kind="stable")[::-1]
    return np.argsort(values, kind="stable")
