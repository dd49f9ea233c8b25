"""The clients of the echo server: a row each, any number, sorted by any column.

New figures come ten times a second. When the client under the cursor is closed, the cursor stays
where it was, so that the last steps of the client's log can still be read. `ClientRows` has the
lines, `paint` draws.
"""

from __future__ import annotations

from collections.abc import Hashable

from textual.strip import Strip

from core.echo.snapshot import EchoSnapshot
from widgets.echo.client_rows import ClientRows
from widgets.echo.columns import COLUMNS, FIXED
from widgets.echo.order import OLDEST_FIRST
from widgets.echo.paint import COMPONENTS, client_strip
from widgets.sorted.column_layout import ColumnLayout
from widgets.sorted.sorted_list import SortedList


class EchoClients(SortedList):
    """Clients as rows below their headings. See the module's text."""

    COMPONENT_CLASSES = set(COMPONENTS)

    DEFAULT_CSS = """
    EchoClients {
        & > .echo-clients--quiet { color: $text-muted; }
        & > .echo-clients--filled { color: $text-warning; }
        & > .echo-clients--builtin { color: $accent; text-style: bold; }
        & > .echo-clients--stalled { color: $text-error; text-style: bold; }
        & > .echo-clients--backed-up { color: $text-warning; text-style: bold; }
        & > .echo-clients--paused { color: $text-secondary; }
        & > .echo-clients--ended { color: $text-muted; }
        &:nocolor > .echo-clients--stalled { color: $foreground; text-style: bold; }
        &:nocolor > .echo-clients--backed-up { color: $foreground; text-style: bold; }
        &:nocolor > .echo-clients--filled { color: $foreground; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        self._clients = ClientRows()
        layout = ColumnLayout(COLUMNS, FIXED)
        super().__init__(self._clients, layout, OLDEST_FIRST, id=id, classes=classes)

    def show(self, snapshot: EchoSnapshot) -> None:
        """Show a newer snapshot. This costs a sort, and what is visible."""
        before = self.cursor_line
        self._clients.update(snapshot, self.sort)
        self.update_rows(before)

    def sort_rows(self) -> None:
        """Sort the clients."""
        self._clients.sort(self.sort)

    def line_key(self, line: int) -> Hashable:
        """Return the client, its words and signs."""
        return super().line_key(line), self._clients.is_builtin(line)

    def build_line(self, line: int) -> Strip:
        """Draw one client."""
        return client_strip(
            self._clients.words(line),
            self.shown_columns,
            self.component,
            builtin=self._clients.is_builtin(line),
            cursor_width=self.window.width if line == self.cursor_line else 0,
        )
