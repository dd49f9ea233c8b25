"""The lines of the client list without their drawing: which client is in which line, and its words.

The words of a row are made when they are first read and kept until the next snapshot, so ten
thousand clients cost the text of those on the screen.
"""

from __future__ import annotations

from core.echo.client_columns import ClientTable
from core.echo.snapshot import EchoSnapshot
from widgets.echo.columns import COLUMNS, ClientColumn
from widgets.echo.order import ClientOrder
from widgets.sorted.column import Sort

Words = tuple[str, ...]  # of one row, a text for each of `COLUMNS`


class ClientRows:
    """The clients of the latest snapshot in their order. Empty before the first one."""

    def __init__(self) -> None:
        self._table: ClientTable | None = None
        self._order = ClientOrder()
        self._builtin: set[int] = set()
        self._words: dict[int, Words] = {}  # by line

    def __len__(self) -> int:
        return 0 if self._table is None else len(self._table)

    def update(self, snapshot: EchoSnapshot, sort: Sort[ClientColumn]) -> None:
        """Take the clients of a newer snapshot."""
        table = self._table = snapshot.clients
        rows = [
            table.row_of_peer(builtin.address, builtin.port, builtin.listener)
            for builtin in snapshot.builtin_clients
        ]
        self._builtin = {int(table.identifier[row]) for row in rows if row is not None}
        self.sort(sort)

    def sort(self, sort: Sort[ClientColumn]) -> None:
        """Arrange the clients; `ClientOrder` defines when a known order is made again."""
        if self._table is not None:
            self._order.arrange(self._table, sort)
            self._words.clear()

    def id_of(self, line: int) -> int:
        """Return the identifier of the client in a line. Raise IndexError if there is no line."""
        if self._table is None:
            raise IndexError(line)
        return int(self._table.identifier[self._order.rows[line]])

    def line_of(self, id: int | None) -> int | None:
        """Return the line of a client; None if it is closed."""
        return None if self._table is None else self._order.line_of(self._table, id)

    def is_builtin(self, line: int) -> bool:
        """Return True if the client in a line is a built-in one."""
        return self.id_of(line) in self._builtin

    def words(self, line: int) -> Words:
        """Return the text of every column of a line."""
        words = self._words.get(line)
        if words is None:
            if self._table is None:
                raise IndexError(line)
            table, row = self._table, int(self._order.rows[line])
            words = self._words[line] = tuple(column.text(table, row) for column in COLUMNS)
        return words
