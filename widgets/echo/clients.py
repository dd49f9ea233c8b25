"""The clients of the echo server: a row each, any number, sorted by any column.

The cursor is a client, not a row: it stays with its client when the order changes. When the client
is closed the cursor stays where it was, so that the last steps of the client's log can still be
read.

New figures come ten times a second; the list repaints only visible lines whose words changed.
`ClientRows` has the lines, `ColumnLayout` the columns, `paint` draws.
"""

from __future__ import annotations

from collections.abc import Hashable

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from core.echo.snapshot import EchoSnapshot
from widgets.echo.client_rows import ClientRows, Words
from widgets.echo.column_layout import ColumnLayout
from widgets.echo.columns import COLUMNS
from widgets.echo.order import OLDEST_FIRST, Sort
from widgets.echo.paint import COMPONENTS, client_strip, heading_strip
from widgets.lines.column_shift import ColumnShift
from widgets.lines.cursor_view import MENU_BUTTON
from widgets.lines.line_window import target_of
from widgets.lines.shifted_view import ShiftedView


class EchoClients(ShiftedView):
    """Clients as rows below their headings. See the module's text."""

    COMPONENT_CLASSES = set(COMPONENTS)
    HEADER_LINES = 1

    DEFAULT_CSS = """
    EchoClients {
        & > .echo-clients--header { color: $text-muted; background: $panel; text-style: bold; }
        & > .echo-clients--sorted { color: $text-primary; background: $panel; text-style: bold; }
        & > .echo-clients--quiet { color: $text-muted; }
        & > .echo-clients--filled { color: $text-warning; }
        & > .echo-clients--builtin { color: $accent; text-style: bold; }
        & > .echo-clients--stalled { color: $text-error; text-style: bold; }
        & > .echo-clients--backed-up { color: $text-warning; text-style: bold; }
        & > .echo-clients--paused { color: $text-secondary; }
        & > .echo-clients--ended { color: $text-muted; }
        & > .echo-clients--cursor {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
            text-style: bold;
        }
        &:focus > .echo-clients--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
        }
        &:nocolor > .echo-clients--stalled { color: $foreground; text-style: bold; }
        &:nocolor > .echo-clients--backed-up { color: $foreground; text-style: bold; }
        &:nocolor > .echo-clients--filled { color: $foreground; text-style: bold; }
        &:ansi > .echo-clients--cursor { text-style: bold underline; }
        &:nocolor > .echo-clients--cursor { text-style: bold underline; }
        &:nocolor:focus > .echo-clients--cursor { text-style: bold reverse; }
    }
    """

    selected: reactive[int | None] = reactive(None, repaint=False)
    """The identifier of the client under the cursor, which may be closed."""

    sort: reactive[Sort] = reactive(OLDEST_FIRST, repaint=False, init=False)

    class Picked(Message):
        """The user put the cursor on a client."""

        def __init__(self, client: int) -> None:
            super().__init__()
            self.client = client

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.shift = ColumnShift(step=1)
        self._rows = ClientRows()
        self._columns = ColumnLayout()
        self._painted: dict[int, Words] = {}  # by line, as on the screen
        # `_cursor` is the line where the selected client was last seen

    # -- content --------------------------------------------------------------------------

    def show(self, snapshot: EchoSnapshot) -> None:
        """Show a newer snapshot. This costs a sort, and what is visible."""
        before = self.cursor_line
        self._rows.update(snapshot, self.sort)
        self._update(before)
        if self.selected is None and len(self._rows):
            self.selected = self._rows.client(0)

    def watch_sort(self) -> None:
        before = self.cursor_line
        self._rows.sort(self.sort)
        self._update(before)
        shift, room = self.shift, self.window.width
        shift.value = self._columns.shift_showing(self.sort.column, shift.value, room)
        self.scroll_to(y=0)  # the first lines are those that the user sorted for
        self.forget_lines()

    def _update(self, before: int | None) -> None:
        """Repaint what changed. `before` is the line in which the cursor was."""
        if len(self._rows) != self.line_count:
            self.set_line_count(len(self._rows))
        for line in self.window.lines:
            if self._painted.get(line) != self._rows.words(line):
                self.refresh_line(line)
        now = self.cursor_line
        if before is not None and now is not None and now != before:
            if self.window.clip(before, before + 1):
                self.show_line(now)  # it was on the screen, so it stays there
            self._cursor = now

    # -- the cursor -----------------------------------------------------------------------

    @property
    def cursor_line(self) -> int | None:
        """The line of the selected client; None if the client is closed."""
        return self._rows.line_of(self.selected)

    def select(self, client: int) -> bool:
        """Put the cursor on a client for the program. Return False if the client is closed."""
        self.selected = client
        line = self.cursor_line
        if line is not None:
            self._cursor = line
            self.show_line(line)
        return line is not None

    def move_to_line(self, line: int) -> None:
        """Put the cursor on a line for the user."""
        self.select(self._rows.client(line))
        assert self.selected is not None
        self.post_message(self.Picked(self.selected))

    def press(self, line: int, x: int, button: int) -> None:
        """Put the cursor on a client; with the right button, without `Picked`."""
        if button == MENU_BUTTON:
            self.select(self._rows.client(line))
        else:
            self.move_to_line(line)

    def action_move(self, motion: str) -> None:
        """Move the cursor; if its client is closed, from the line where that was."""
        if self.line_count:
            here = self.cursor_line
            self.move_to_line(
                target_of(motion, self._cursor if here is None else here, self.window)
            )

    def watch_selected(self, before: int | None, now: int | None) -> None:
        for client in (before, now):
            line = self._rows.line_of(client)
            if line is not None:
                self.refresh_line(line)

    def on_resize(self) -> None:
        """Keep the cursor on the screen, and leave no blank behind the last column."""
        self.action_shift(0)
        if (line := self.cursor_line) is not None:
            self.show_line(line)

    # -- sorting --------------------------------------------------------------------------

    def action_sort_next(self) -> None:
        """Sort by the next column."""
        self.sort = Sort.first_by(COLUMNS[(COLUMNS.index(self.sort.column) + 1) % len(COLUMNS)])

    def action_sort_reverse(self) -> None:
        """Reverse the order."""
        self.sort = self.sort.reversed

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Sort by the heading that is pressed; a second press reverses the order."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y >= self.HEADER_LINES:
            return
        column = self._columns.column_at(offset.x, self.shift.value, self.window.width)
        if column is self.sort.column:
            self.action_sort_reverse()
        elif column is not None:
            self.sort = Sort.first_by(column)

    # -- drawing --------------------------------------------------------------------------

    def widest_shift(self) -> int:
        """Return the shift that brings the last column onto the screen."""
        return self._columns.widest_shift(self.window.width)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Fit the columns to the visible rows, then draw."""
        self._painted = {line: self._rows.words(line) for line in self.window.lines}
        if self._columns.widen(self._painted.values()):
            self.forget_lines()
        return super().render_lines(crop)

    def line_key(self, line: int) -> Hashable:
        """Return the client, its words and signs. A change of the columns clears the cache."""
        client = self._rows.client(line)
        words = self._rows.words(line)
        return client, words, client == self.selected, self._rows.is_builtin(line)

    def build_line(self, line: int) -> Strip:
        """Draw one client."""
        width = self.window.width
        return client_strip(
            self._rows.words(line),
            self._columns.shown(self.shift.value, width),
            self.component,
            builtin=self._rows.is_builtin(line),
            cursor_width=width if self._rows.client(line) == self.selected else 0,
        )

    def build_header(self, line: int) -> Strip:
        """Draw the headings over their columns."""
        width, shift = self.window.width, self.shift.value
        more = shift < self.widest_shift()
        columns = self._columns.shown(shift, width)
        return heading_strip(columns, self.sort, width, self.component, more=more)
