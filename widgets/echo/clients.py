"""The clients of the echo server: a row each, any number, sorted by any column.

The cursor is a client, not a row: it stays with it when the order changes, and when the client is
closed it stays where it was, so that the last steps of its log can still be read.

Color is never the only signal: the second column says in a word how the client is.
"""

from __future__ import annotations

from textual import events
from textual.message import Message

from core.echo.client_columns import ClientTable
from core.echo.snapshot import EchoSnapshot
from widgets.echo.columns import COLUMNS, ClientColumn
from widgets.echo.lines import EchoLines
from widgets.echo.order import Sort
from widgets.lines.line_window import target_of


class EchoClients(EchoLines):
    """Clients as rows. See the module's text."""

    class Picked(Message):
        """The user put the cursor on a client."""

        def __init__(self, client: int) -> None:
            super().__init__()
            self.client = client

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._line = 0  # of the cursor, also when its client is gone

    # -- what it shows ----------------------------------------------------------------

    def show(self, snapshot: EchoSnapshot) -> None:
        """Take in a newer snapshot; costs a sort, and what is visible."""
        table = snapshot.clients
        rows = [table.row_of_peer(one.address, one.port, one.listener) for one in snapshot.talkers]
        self._ours = {int(table.identifier[row]) for row in rows if row is not None}
        self._take(table)
        if self.selected is None and len(snapshot.clients):
            self.selected = self._client(0)

    def _take(self, table: ClientTable) -> None:
        line, top = self.cursor_line, self.window.top
        self._arrange(table)
        now = self.cursor_line
        if line is not None and now is not None and now != line:
            if top <= line < top + self.window.page:
                self.show_line(now)  # it was in sight, so it stays in sight
            self._line = now

    # -- the cursor ---------------------------------------------------------------------

    @property
    def cursor_line(self) -> int | None:
        """The line of the selected client; None if it is closed."""
        return None if self._table is None else self._order.line_of(self._table, self.selected)

    def select(self, client: int) -> bool:
        """Put the cursor on a client, not by the user; False if it is closed."""
        self.selected = client
        line = self.cursor_line
        if line is not None:
            self._line = line
            self.show_line(line)
        return line is not None

    def move_to_line(self, line: int) -> None:
        """The user put the cursor on a line."""
        self._line = line
        self.selected = self._client(line)
        self.show_line(line)
        self.post_message(self.Picked(self.selected))

    def action_move(self, motion: str) -> None:
        """Move from where the cursor was, if its client is gone."""
        if self.cursor_line is None and self.line_count:
            self.move_to_line(target_of(motion, self._line, self.window))
        else:
            super().action_move(motion)

    def watch_selected(self, before: int | None, now: int | None) -> None:
        if self._table is not None:
            for client in (before, now):
                line = self._order.line_of(self._table, client)
                if line is not None:
                    self.refresh_line(line)

    def on_resize(self) -> None:
        """The selection stays on the screen, and no blank comes behind the last column."""
        self.action_shift(0)  # as far as is sensible now
        if (line := self.cursor_line) is not None:
            self.show_line(line)

    # -- sorting --------------------------------------------------------------------------

    def sort_by(self, column: ClientColumn) -> None:
        """Sort by a column; by the one it is sorted by, the other way round."""
        same = column is self.sort.column
        self.sort = self.sort.reversed if same else Sort.first_by(column)

    def action_sort_next(self) -> None:
        """Sort by the next column."""
        self.sort = Sort.first_by(COLUMNS[(COLUMNS.index(self.sort.column) + 1) % len(COLUMNS)])

    def action_sort_reverse(self) -> None:
        """Sort the other way round."""
        self.sort = self.sort.reversed

    def watch_sort(self) -> None:
        if self._table is not None:
            self._take(self._table)
        self.show_column(COLUMNS.index(self.sort.column))
        self.scroll_to(y=0)  # what was asked for is at the top
        self.forget_lines()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A press on a heading sorts by it."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < self.HEADER_LINES:
            column = self.column_at(offset.x)
            if column is not None:
                self.sort_by(column)
