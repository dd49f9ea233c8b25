"""A table of the statistics: a row each, with a bar for its share of all.

Columns that do not fit are dropped from the right; the bar takes the rest of the line.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from rich.segment import Segment
from textual.strip import Strip

from widgets.lines.cells import cut, left, right, shorten_address, width_of
from widgets.lines.cursor_view import CursorView
from widgets.statistics.rows import HEADINGS, StatisticsRow, StatisticsTab

GAP = 2  # cells between columns
LEAST_BAR, MOST_BAR = 8, 40  # cells


class StatisticsTable(CursorView):
    """The rows of one tab. The cursor stays on its row's first cell when figures change."""

    COMPONENT_CLASSES = {
        "statistics-table--header",
        "statistics-table--bar",
        "statistics-table--quiet",
        "statistics-table--cursor",
    }
    HEADER_LINES = 1
    DEFAULT_CSS = """
    StatisticsTable {
        background: $background;
        & > .statistics-table--header { color: $text-muted; background: $panel; text-style: bold; }
        & > .statistics-table--bar { color: $primary; }
        & > .statistics-table--quiet { color: $text-muted; }
        & > .statistics-table--cursor {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
            text-style: bold;
        }
        &:focus > .statistics-table--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
        }
        &:ansi > .statistics-table--cursor { text-style: bold underline; }
        &:nocolor > .statistics-table--bar { color: $foreground; }
        &:nocolor > .statistics-table--cursor { text-style: bold underline; }
        &:nocolor:focus > .statistics-table--cursor { text-style: bold reverse; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: Sequence[StatisticsRow] = ()
        self._headings: tuple[str, ...] = ()
        self._widths: tuple[int, ...] = ()

    @property
    def selected(self) -> StatisticsRow | None:
        """The row under the cursor; None if the table is empty."""
        line = self.cursor_line
        return None if line is None else self.rows[line]

    def show(self, tab: StatisticsTab, rows: Sequence[StatisticsRow]) -> None:
        """Show the rows of a tab. The cursor stays with its row, unless the tab is another one."""
        is_same, before = HEADINGS[tab] == self._headings, self.selected
        if is_same and rows == self.rows:
            return
        self._headings, self.rows = HEADINGS[tab], rows
        self._cursor = min(self._cursor, max(0, len(rows) - 1)) if is_same else 0
        if is_same and before is not None:
            known = (line for line, row in enumerate(rows) if row.expression == before.expression)
            self._cursor = next(known, self._cursor)
        self._widths = tuple(map(self._widest, range(len(self._headings))))
        self.set_line_count(len(rows))
        if not is_same:
            self.scroll_to(y=0)
        self.forget_lines()

    def _widest(self, column: int) -> int:
        cells = (row.cells[column] for row in self.rows)
        return max(map(width_of, (self._headings[column], *cells)))

    def on_resize(self) -> None:
        """Fit the columns, and keep the cursor on the screen."""
        self.forget_lines()
        if (line := self.cursor_line) is not None:
            self.show_line(line)

    # -- drawing --------------------------------------------------------------------------

    def _shown(self) -> tuple[tuple[int, ...], int]:
        """Return the widths of the columns that fit, and the width of the bar, 0 for none."""
        room = max(1, self.window.width - 1)
        first, *others = self._widths or (0,)
        widths = [min(first, room)]
        for width in others:
            if sum(widths) + GAP * len(widths) + width > room:
                break
            widths.append(width)
        left_over = room - sum(widths) - GAP * len(widths)
        bar = min(MOST_BAR, left_over) if left_over >= LEAST_BAR else 0
        return tuple(widths), bar

    def build_header(self, line: int) -> Strip:
        """Return the headings."""
        widths, _ = self._shown()
        text = self._text(self._headings, widths)
        style = self.component("statistics-table--header")
        return Strip([Segment(text, style)]).extend_cell_length(self.window.width, style)

    def build_line(self, line: int) -> Strip:
        """Return one row."""
        row, (widths, bar) = self.rows[line], self._shown()
        text = self._text(row.cells, widths)
        drawn = " " * GAP + bar_of(row.share, bar) if bar else ""
        if line == self._cursor:
            cursor = self.component("statistics-table--cursor")
            strip = Strip([Segment(text + drawn, cursor)])
            return strip.extend_cell_length(self.window.width, cursor)
        plain = None if row.share else self.component("statistics-table--quiet")
        return Strip(
            [Segment(text, plain), Segment(drawn, self.component("statistics-table--bar"))]
        )

    def _text(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        first = cells[0] if cells else ""
        is_address = ":" in first
        shown = shorten_address(first, widths[0]) if is_address else cut(first, widths[0])
        parts = [left(shown, widths[0])]
        parts += [right(text, width) for text, width in zip(cells[1:], widths[1:], strict=False)]
        return " " + (" " * GAP).join(parts)

    def line_key(self, line: int) -> Hashable:
        """Return what a line is drawn from."""
        return line, line == self._cursor, self.rows[line]


def bar_of(share: float, width: int) -> str:
    """Return a bar of at most `width` cells: at least half a cell for a share above 0."""
    halves = max(round(share * width * 2), int(share > 0))
    whole, part = divmod(min(halves, width * 2), 2)
    return "█" * whole + "▌" * part
