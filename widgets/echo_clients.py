"""The clients of the echo server: a row each, any number, sorted by any column.

The cursor is a client, not a row: it stays with it when the order changes, and when the client is
closed it stays where it was, so that the last steps of its log can still be read. Ten times a
second new figures come; only the lines on the screen whose words have changed are painted.

Colour is never the only signal: the second column says in a word how the client is.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from core.echo.accounting import ClientTable
from core.echo.snapshot import EchoSnapshot
from widgets.cells import left, right, width_of
from widgets.echo_columns import (
    CLIENT,
    COLUMNS,
    FIXED,
    NOW,
    PENDING,
    UNREAD,
    UNSENT,
    Column,
    Condition,
    endpoint_text,
)
from widgets.echo_order import OLDEST_FIRST, ClientOrder, Sort
from widgets.shifted_view import ShiftedView

OURS = "↗"  # the built-in client
SIGN_WIDTH = 2
ARROWS = {True: "▼", False: "▲"}  # behind the heading that is sorted by
ALARMS = {
    Condition.STALLED.word: "stalled",
    Condition.BACKED_UP.word: "backed-up",
    Condition.PAUSED.word: "paused",
    Condition.ENDED.word: "ended",
}
_FILLED = (UNREAD, PENDING, UNSENT)  # worth a look where they are not 0

Words = tuple[str, ...]


class EchoClients(ShiftedView):
    """Clients as rows. See the module's text."""

    COMPONENT_CLASSES = {
        f"echo-clients--{name}"
        for name in ("header", "sorted", "cursor", "quiet", "filled", "ours", *ALARMS.values())
    }
    HEADER_LINES = 1

    DEFAULT_CSS = """
    EchoClients {
        & > .echo-clients--header { color: $text-muted; background: $panel; text-style: bold; }
        & > .echo-clients--sorted { color: $text-primary; background: $panel; text-style: bold; }
        & > .echo-clients--quiet { color: $text-muted; }
        & > .echo-clients--filled { color: $text-warning; }
        & > .echo-clients--ours { color: $accent; text-style: bold; }
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

    selected: reactive[int | None] = reactive(None, repaint=False)  # a client's identifier
    sort: reactive[Sort] = reactive(OLDEST_FIRST, repaint=False)

    class Picked(Message):
        """The user put the cursor on a client."""

        def __init__(self, client: int) -> None:
            super().__init__()
            self.client = client

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._table: ClientTable | None = None
        self._order = ClientOrder()
        self._ours: set[str] = set()  # built-in clients, as their rows name them
        self._widths = [len(column.heading) + 1 for column in COLUMNS]
        self._words: dict[int, Words] = {}  # by line, of the table as it is
        self._painted: dict[int, Words] = {}  # by line, as on the screen
        self._line = 0  # of the cursor, also when its client is gone

    # -- what it shows ----------------------------------------------------------------

    def show(self, snapshot: EchoSnapshot) -> None:
        """Take in a newer snapshot; costs a sort, and what is visible."""
        self._ours = {endpoint_text(each.address, each.port) for each in snapshot.talkers}
        self._take(snapshot.clients)
        if self.selected is None and len(snapshot.clients):
            self.selected = self._client(0)

    def _take(self, table: ClientTable) -> None:
        before, line = self.line_count, self.cursor_line
        top = self.top_line
        self._table = table
        self._order.arrange(table, self.sort)
        self._words.clear()
        if len(table) != before:
            self.set_line_count(len(table))
        now = self.cursor_line
        if line is not None and now is not None and now != line:
            if top <= line < top + self.page_size:
                self.show_line(now)  # it was in sight, so it stays in sight
            self._line = now
        self._refresh_changed()

    def _refresh_changed(self) -> None:
        for line in self._visible():
            if self._painted.get(line) != self._words_of(line):
                self.refresh_line(line)

    def _visible(self) -> range:
        return range(self.top_line, min(self.line_count, self.top_line + self.page_size))

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

    def move_by(self, lines: int) -> None:
        """From where the cursor was, if its client is gone."""
        if self.cursor_line is None and self.line_count:
            self.move_to_line(max(0, min(self._line + lines, self.line_count - 1)))
        else:
            super().move_by(lines)

    def watch_selected(self, before: int | None, now: int | None) -> None:
        if self._table is not None:
            for client in (before, now):
                line = self._order.line_of(self._table, client)
                if line is not None:
                    self.refresh_line(line)

    def on_resize(self) -> None:
        """The selection stays on the screen."""
        if (line := self.cursor_line) is not None:
            self.show_line(line)

    def _client(self, line: int) -> int:
        assert self._table is not None  # there are no lines without one
        return int(self._table.identifier[self._order.rows[line]])

    # -- sorting --------------------------------------------------------------------------

    def sort_by(self, column: Column) -> None:
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
        self._show_column(COLUMNS.index(self.sort.column))
        self.forget_lines()

    def _show_column(self, index: int) -> None:
        """Shift so that a column is in sight."""
        if index < FIXED:
            return
        start = sum(width + 1 for width in self._widths[FIXED:index])
        room = self.line_width - self._fixed_width()
        if start < self.shift:
            self.shift = start
        elif start + self._widths[index] > self.shift + room:
            self.shift = start + self._widths[index] - room

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A press on a heading sorts by it."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < self.HEADER_LINES:
            column = self._column_at(offset.x)
            if column is not None:
                self.sort_by(column)

    def _column_at(self, x: int) -> Column | None:
        start = SIGN_WIDTH
        for index, (column, width) in enumerate(zip(COLUMNS, self._widths, strict=True)):
            if index == FIXED:
                if x < start:
                    return None
                start -= self.shift
            if start <= x <= start + width:
                return column
            start += width + 1
        return None

    # -- drawing --------------------------------------------------------------------------

    def render_lines(self, crop: Region) -> list[Strip]:
        """Fit the columns to the rows in sight, then draw."""
        self._painted = {line: self._words_of(line) for line in self._visible()}
        if self._widen(self._painted.values()):
            self.forget_lines()
        return super().render_lines(crop)

    def _widen(self, rows: Iterable[Words]) -> bool:
        """Columns never get narrower again; True if one got wider."""
        before = list(self._widths)
        for words in rows:
            for index, text in enumerate(words):
                self._widths[index] = max(self._widths[index], width_of(text))
        return self._widths != before

    def _words_of(self, line: int) -> Words:
        words = self._words.get(line)
        if words is None:
            assert self._table is not None
            row = int(self._order.rows[line])
            words = tuple(column.text(self._table, row) for column in COLUMNS)
            self._words[line] = words
        return words

    def line_key(self, line: int) -> Hashable:
        """All its words; what the columns are like clears the cache."""
        client = self._client(line)
        return client, self._words_of(line), client == self.selected

    def build_line(self, line: int) -> Strip:
        """One client."""
        words = self._words_of(line)
        alarm = ALARMS.get(words[COLUMNS.index(NOW)])
        sign = OURS if words[COLUMNS.index(CLIENT)] in self._ours else " "
        cells = [Segment(f"{sign} ", self.component("echo-clients--ours"))]
        for column, width, text in zip(COLUMNS, self._widths, words, strict=True):
            cell = (right if column.at_right else left)(text, width) + " "
            cells.append(Segment(cell, self._style_of(column, text, alarm)))
        if self._client(line) == self.selected:
            cursor = self.component("echo-clients--cursor")
            cells = [Segment(segment.text, cursor) for segment in cells]
        return self._shifted(cells)

    def _style_of(self, column: Column, text: str, alarm: str | None) -> Style:
        if column is NOW and alarm is not None:
            return self.component(f"echo-clients--{alarm}")
        if column in _FILLED and text != "0":
            return self.component("echo-clients--filled")
        if text in ("0", Condition.OPEN.word):
            return self.component("echo-clients--quiet")
        return self.base_style

    def build_header(self, line: int) -> Strip:
        """The headings, over their columns."""
        plain = self.component("echo-clients--header")
        cells = [Segment(" " * SIGN_WIDTH, plain)]
        for column, width in zip(COLUMNS, self._widths, strict=True):
            title, style = column.heading, plain
            if column is self.sort.column:
                title += ARROWS[self.sort.descending]
                style = self.component("echo-clients--sorted")
            cells.append(Segment((right if column.at_right else left)(title, width) + " ", style))
        return self._shifted(cells)

    def _shifted(self, cells: list[Segment]) -> Strip:
        """The sign and the fixed columns, then what the others have from `shift` on."""
        fixed, rest = Strip(cells[: FIXED + 1]), Strip(cells[FIXED + 1 :])
        return Strip.join([fixed, rest.crop(self.shift)])

    def _fixed_width(self) -> int:
        return SIGN_WIDTH + sum(width + 1 for width in self._widths[:FIXED])

    def widest_shift(self) -> int:
        """As far as brings the end of the last column into sight."""
        whole = SIGN_WIDTH + sum(width + 1 for width in self._widths) - 1
        return max(0, whole - self.line_width)
