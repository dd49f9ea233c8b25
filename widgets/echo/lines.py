"""The drawing half of the list of echo clients: which columns fit, and what stands in a line.

Columns are shown whole or not at all, since a number without its last digits would be another
number: `shift` counts the columns that have gone to the left, the first `FIXED` ones stay. Widths
only grow, so that nothing jumps.

Ten times a second new figures come; only lines on the screen whose words have changed are painted.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import accumulate, takewhile

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip

from core.echo.client_columns import ClientTable
from widgets.echo.columns import (
    COLUMNS,
    FIXED,
    NOW,
    PENDING,
    UNREAD,
    UNSENT,
    ClientColumn,
    Condition,
)
from widgets.echo.order import OLDEST_FIRST, ClientOrder, Sort
from widgets.lines.cells import left, right, width_of
from widgets.lines.column_shift import ColumnShift
from widgets.lines.shifted_view import ShiftedView

OURS = "↗"  # the built-in client
SIGN_WIDTH = 2
ARROWS = {True: "▼", False: "▲"}  # behind the heading that is sorted by
MORE = "›"  # at the end of the headings, where there are more
ALARMS = {
    Condition.STALLED.word: "stalled",
    Condition.BACKED_UP.word: "backed-up",
    Condition.PAUSED.word: "paused",
    Condition.ENDED.word: "ended",
}
_FILLED = (UNREAD, PENDING, UNSENT)  # worth a look where they are not 0

Words = tuple[str, ...]


class EchoLines(ShiftedView):
    """Clients as lines with a heading. `EchoClients` adds what the user does with them."""

    COMPONENT_CLASSES = {
        f"echo-clients--{name}"
        for name in ("header", "sorted", "cursor", "quiet", "filled", "ours", *ALARMS.values())
    }
    HEADER_LINES = 1

    DEFAULT_CSS = """
    EchoLines {
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
    sort: reactive[Sort] = reactive(OLDEST_FIRST, repaint=False, init=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._table: ClientTable | None = None
        self._order = ClientOrder()
        self._ours: set[int] = set()  # built-in clients, by identifier
        self._widths = [len(column.heading) + 1 for column in COLUMNS]
        self._words: dict[int, Words] = {}  # by line, of the table as it is
        self._painted: dict[int, Words] = {}  # by line, as on the screen
        self.shift = ColumnShift(step=1)

    def _arrange(self, table: ClientTable) -> None:
        """Another table, or another order of it."""
        self._table = table
        self._order.arrange(table, self.sort)
        self._words.clear()
        if len(table) != self.line_count:
            self.set_line_count(len(table))
        for line in self._visible():
            if self._painted.get(line) != self._words_of(line):
                self.refresh_line(line)

    def _visible(self) -> range:
        return self.window.lines

    def _client(self, line: int) -> int:
        assert self._table is not None  # there are no lines without one
        return int(self._table.identifier[self._order.rows[line]])

    # -- columns --------------------------------------------------------------------------

    def _shown(self) -> Sequence[tuple[ClientColumn, int]]:
        """The columns that fit, with their widths."""
        columns = list(zip(COLUMNS, self._widths, strict=True))
        shown = columns[:FIXED] + columns[FIXED + self.shift.value :]
        room = self.window.width - SIGN_WIDTH  # a cell for `MORE` included
        fitting = takewhile(lambda end: end <= room, accumulate(width + 1 for _, width in shown))
        return shown[: max(1, sum(1 for _ in fitting))]

    def widest_shift(self) -> int:
        """As far as brings the last column into sight."""
        room = self.window.width - SIGN_WIDTH - sum(width + 1 for width in self._widths[:FIXED])
        ends = accumulate(width + 1 for width in reversed(self._widths[FIXED:]))
        fitting = sum(1 for _ in takewhile(lambda end: end <= room, ends))
        return len(COLUMNS) - FIXED - max(1, fitting)

    def show_column(self, index: int) -> None:
        """Shift so that a column is in sight."""
        if index - FIXED < self.shift.value:
            self.shift.value = max(0, index - FIXED)
        while COLUMNS[index] not in dict(self._shown()) and self.shift.value < self.widest_shift():
            self.shift.value += 1

    def column_at(self, x: int) -> ClientColumn | None:
        end = SIGN_WIDTH
        for column, width in self._shown():
            end += width + 1
            if SIGN_WIDTH <= x < end:
                return column
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
        return client, self._words_of(line), client == self.selected, client in self._ours

    def build_line(self, line: int) -> Strip:
        """One client."""
        words = self._words_of(line)
        alarm = ALARMS.get(words[COLUMNS.index(NOW)])
        sign = OURS if self._client(line) in self._ours else " "
        cells = [Segment(f"{sign} ", self.component("echo-clients--ours"))]
        for column, width in self._shown():
            text = words[COLUMNS.index(column)]
            cell = (right if column.at_right else left)(text, width) + " "
            cells.append(Segment(cell, self._style_of(column, text, alarm)))
        if self._client(line) == self.selected:
            cursor = self.component("echo-clients--cursor")
            cells = [Segment(segment.text, cursor) for segment in cells]
            return Strip(cells).extend_cell_length(self.window.width, cursor)
        return Strip(cells)

    def _style_of(self, column: ClientColumn, text: str, alarm: str | None) -> Style:
        if column is NOW and alarm is not None:
            return self.component(f"echo-clients--{alarm}")
        if column in _FILLED and text != "0":
            return self.component("echo-clients--filled")
        if text in ("0", Condition.OPEN.word):
            return self.component("echo-clients--quiet")
        return self.component.base

    def build_header(self, line: int) -> Strip:
        """The headings, over their columns."""
        plain = self.component("echo-clients--header")
        cells = [Segment(" " * SIGN_WIDTH, plain)]
        for column, width in self._shown():
            title, style = column.heading, plain
            if column is self.sort.column:
                title += ARROWS[self.sort.descending]
                style = self.component("echo-clients--sorted")
            cells.append(Segment((right if column.at_right else left)(title, width) + " ", style))
        strip = Strip(cells).extend_cell_length(self.window.width, plain)
        if self.shift.value < self.widest_shift():
            strip = Strip.join(
                [strip.crop(0, self.window.width - 1), Strip([Segment(MORE, plain)])]
            )
        return strip
