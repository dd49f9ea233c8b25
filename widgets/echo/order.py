"""The order of the echo clients, kept stable enough to read and click.

Ten times a second all figures change, and rows that moved as often could be neither read nor
clicked. So the order is computed again once a second, or when the user asks for another one; in
between, closed clients are dropped and new ones appended. All of it is a sort and a search over
columns: ten thousand clients take about a millisecond.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.echo.client_columns import ClientTable
from widgets.echo.columns import AGE, ClientColumn
from widgets.sorted.column import Sort

SETTLED_S = 1.0


OLDEST_FIRST: Sort[ClientColumn] = Sort.first_by(AGE)


class ClientOrder:
    """The rows of a `ClientTable` in the order of the lines: `rows[line]` is a row."""

    def __init__(self) -> None:
        self.rows: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._sort = OLDEST_FIRST
        self._identifiers: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._sorted_s = -np.inf

    def arrange(self, table: ClientTable, sort: Sort[ClientColumn]) -> None:
        """Take a newer table."""
        waited_s = table.taken_s - self._sorted_s
        if sort != self._sort or not 0 <= waited_s < SETTLED_S:
            self._sort = sort
            self._sorted_s = table.taken_s
            self.rows = _sorted(table, sort)
        else:
            self.rows = self._kept(table)
        self._identifiers = table.identifier[self.rows]

    def line_of(self, table: ClientTable, identifier: int | None) -> int | None:
        """Return the line of a client; None if it is closed."""
        row = table.row(identifier) if identifier is not None else None
        if row is None:
            return None
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if len(found) else None

    def _kept(self, table: ClientTable) -> NDArray[np.intp]:
        """Return the last order without closed clients and with new ones appended.

        Identifiers ascend, and none is used twice.
        """
        known = self._identifiers
        at = np.searchsorted(table.identifier, known)
        there = at < len(table)
        there[there] = table.identifier[at[there]] == known[there]
        newest = known.max(initial=0)
        first_new = int(np.searchsorted(table.identifier, newest, side="right"))
        return np.concatenate([at[there], np.arange(first_new, len(table), dtype=np.intp)])


def _sorted(table: ClientTable, sort: Sort[ClientColumn]) -> NDArray[np.intp]:
    """Return the rows sorted; equal ones in the order in which they were accepted."""
    values = sort.column.values(table)
    if sort.descending:
        return len(table) - 1 - np.argsort(values[::-1], kind="stable")[::-1]
    return np.argsort(values, kind="stable")
