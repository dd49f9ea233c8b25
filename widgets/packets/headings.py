"""The headings of the packet table: they name the columns, and the mouse changes these.

The right end of the line has words to click on (`LINKS`): they open the filter bar and the menu.
Before them, ``+2`` says that two columns have no room, and opens the list of columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Region
from textual.message import Message
from textual.strip import Strip

from widgets.packets.column_choice import Column, ColumnChoice, ColumnName, short_heading
from widgets.packets.fitted_columns import FittedColumns
from widgets.packets.heading_mouse import HeadingMouse
from widgets.packets.paint import paint_header
from widgets.packets.time_format import TimeFormat

if TYPE_CHECKING:
    from widgets.packets.packet_table import PacketTable

RIGHT_BUTTON = 3
LINKS = ("filter", "menu")
_GAP = 2
_LINK = Style(underline=True)


def links_in(width: int, used: int = 0, left_out: int = 0) -> list[tuple[int, str]]:
    """Return the first cell and the word of each link in a line of this width.

    Only the last words may cover headings, which end at cell `used`: the menu, and the first word,
    which says how many columns are `left_out`, if some are. The link of the filter gives way.
    """
    if not left_out:
        return _placed(LINKS, width, used)
    count = f"+{left_out}"
    for words in ((count, *LINKS), (count, LINKS[-1]), (count,)):
        found = _placed(words, width, used)
        if len(found) == len(words):
            return found
    return _placed((count, LINKS[-1]), width, 0) or _placed((count,), width, 0)


def _placed(words: Sequence[str], width: int, used: int) -> list[tuple[int, str]]:
    """Return the words that fit at the right end; the last one may cover headings."""
    found: list[tuple[int, str]] = []
    stop = width - 1
    for word in reversed(words):
        start = stop - len(word)
        if start >= 0 and (not found or start > used):
            found.append((start, word))
        stop = start - _GAP
    return found[::-1]


class Headings:
    """The columns of `table`, as the user chooses them; `columns` fits them to the rows."""

    class Changed(Message):
        """The user moved or resized a column with the mouse; `headings.choice` is new."""

        def __init__(self, headings: Headings) -> None:
            super().__init__()
            self.headings = headings

    class LinkClicked(Message):
        """The user clicked the link `word`; `at` is the place of the pointer on the screen."""

        def __init__(self, word: str, at: Offset) -> None:
            super().__init__()
            self.word = word
            self.at = at

    class ListRequested(Message):
        """The user asked for the list of columns, with the mouse."""

    def __init__(self, table: PacketTable, columns: FittedColumns) -> None:
        self._table, self._columns = table, columns
        self._mouse = HeadingMouse()

    @property
    def choice(self) -> ColumnChoice:
        """Return the columns that the user chose, and the widths that the user set."""
        return self._columns.choice

    def choose(self, choice: ColumnChoice) -> None:
        """Show other columns."""
        if choice != self.choice:
            self._columns.choose(choice)
            self._table.rows.show_fields(choice.fields)
            self._table.forget_lines()

    def width_of(self, column: Column) -> int | None:
        """Return the width of a column in cells; None if the table does not show it now."""
        shown = self._columns.layout.columns
        return next((one.width for one in shown if one.name == column), None)

    def paint(self, style: Style) -> Strip:
        """Draw the headings; that of times names their date or reference."""
        layout, rows, heading = self._columns.layout, self._table.rows, "Time"
        if rows.first_date:
            if self._table.time_format is TimeFormat.ABSOLUTE and not layout.with_date:
                heading = rows.first_date
            elif self._table.time_format is TimeFormat.DELTA:
                heading = "Delta"
            elif self._table.time_format is TimeFormat.RELATIVE and rows.reference:
                heading = "Ref time" if layout.time_decimals == 6 else "Ref"
        strip = paint_header(layout, heading, style, self._mouse.column)
        links = self._links
        if not links:
            return strip
        segments = list(strip.crop_extend(0, max(0, links[0][0] - 1), style))
        for start, word in links:
            segments.append(Segment(" " * (start - Segment.get_line_length(segments)), style))
            segments.append(Segment(word, style + _LINK))
        return Strip([*segments, Segment(" ", style)])

    @property
    def _links(self) -> list[tuple[int, str]]:
        layout = self._columns.layout
        last = layout.columns[-1]
        heading = min(last.width, len(short_heading(last.name, last.width)))
        used = last.stop if last.at_right else last.start + heading
        return links_in(layout.width, used, layout.left_out)

    def _link_at(self, x: int) -> str:
        """Return the link in cell `x`; empty without one."""
        return next((word for at, word in self._links if at <= x < at + len(word)), "")

    # -- the mouse --------------------------------------------------------------------------

    def handle(self, event: events.MouseEvent) -> None:
        """React to the mouse: a drag moves or resizes a column, a click on Time changes it."""
        x = event.get_content_offset_capture(self._table).x
        if isinstance(event, events.MouseDown | events.Click):
            offset = event.get_content_offset(self._table)
            if offset is not None and offset.y < self._table.HEADER_LINES:
                self._press(event, x)
        elif self._mouse.is_held:
            if isinstance(event, events.MouseUp):
                self._release(x)
            else:
                self.choose(self._mouse.drag(x, self.choice))
            table = self._table
            table.refresh(Region(0, 0, table.size.width, table.HEADER_LINES))

    def _press(self, event: events.MouseDown | events.Click, x: int) -> None:
        """React to a button. A link works when the button is released: it may open a menu there."""
        word = self._link_at(x)
        if isinstance(event, events.Click):
            if word in LINKS:
                self._table.post_message(self.LinkClicked(word, event.screen_offset))
            elif word:
                self._table.post_message(self.ListRequested())
        elif word:
            self._table.screen.clear_selection()
        elif event.button == RIGHT_BUTTON:
            self._table.post_message(self.ListRequested())
        elif self._mouse.press(x, self._columns.layout):
            self._table.screen.clear_selection()  # a drag here selects no text
            self._table.capture_mouse()

    def _release(self, x: int) -> None:
        self._table.release_mouse()
        choice, clicked = self._mouse.release(x, self._columns.layout, self.choice)
        self.choose(choice)
        if clicked is ColumnName.TIME:
            self._table.change_time_format()
        elif clicked is None:
            self._table.post_message(self.Changed(self))
