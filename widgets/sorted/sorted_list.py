"""A list of things with figures, a row each, any number, sorted by any column.

The cursor is a thing, not a row: it stays with its thing when the order changes. When the thing is
gone, the cursor stays where it was. The list repaints only visible lines whose words changed.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any, Protocol

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from widgets.lines.column_shift import ColumnShift
from widgets.lines.cursor_view import MENU_BUTTON
from widgets.lines.line_window import target_of
from widgets.lines.shifted_view import ShiftedView
from widgets.sorted.column import ListColumn, Sort
from widgets.sorted.column_layout import SIGN_WIDTH, ColumnLayout
from widgets.sorted.paint import heading_strip


class SortedRows(Protocol):
    """The rows of a sorted list in their order. `id_of` raises IndexError without the line."""

    def __len__(self) -> int: ...

    def id_of(self, line: int) -> int:
        """Return the identifier of the thing in a line."""
        ...

    def line_of(self, id: int | None) -> int | None:
        """Return the line of a thing; None if it is gone."""
        ...

    def words(self, line: int) -> Sequence[str]:
        """Return the text of every column of a line."""
        ...


class SortedList(ShiftedView):
    """Rows below the headings of their columns. See the module's text."""

    COMPONENT_CLASSES = {"sorted-list--header", "sorted-list--sorted", "sorted-list--cursor"}
    HEADER_LINES = 1

    DEFAULT_CSS = """
    SortedList {
        & > .sorted-list--header { color: $text-muted; background: $panel; text-style: bold; }
        & > .sorted-list--sorted { color: $text-primary; background: $panel; text-style: bold; }
        & > .sorted-list--cursor {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
            text-style: bold;
        }
        &:focus > .sorted-list--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
        }
        &:ansi > .sorted-list--cursor { text-style: bold underline; }
        &:nocolor > .sorted-list--cursor { text-style: bold underline; }
        &:nocolor:focus > .sorted-list--cursor { text-style: bold reverse; }
    }
    """

    selected: reactive[int | None] = reactive(None, repaint=False)
    """The identifier of the thing under the cursor, which may be gone."""

    class Picked(Message):
        """The user put the cursor on a thing."""

        def __init__(self, id: int) -> None:
            super().__init__()
            self.id = id

    def __init__(
        self,
        rows: SortedRows,
        layout: ColumnLayout[Any],
        sort: Sort[Any],
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.shift = ColumnShift(step=1)
        self.columns = layout
        self._rows, self._sort = rows, sort
        self._painted: dict[int, Sequence[str]] = {}  # by line, as on the screen
        # `_cursor` is the line where the selected thing was last seen

    @abstractmethod
    def sort_rows(self) -> None:
        """Bring the rows into the order of `sort`, now or soon."""

    # -- content --------------------------------------------------------------------------

    def update_rows(self, before: int | None) -> None:
        """Repaint what changed in the rows. `before` is the line in which the cursor was."""
        rows = self._rows
        if len(rows) != self.line_count:
            self.set_line_count(len(rows))
        for line in self.window.lines:
            if self._painted.get(line) != rows.words(line):
                self.refresh_line(line)
        now = self.cursor_line
        if before is not None and now is not None and now != before:
            if self.window.clip(before, before + 1):
                self.show_line(now)  # it was on the screen, so it stays there
            self._cursor = now
        if self.selected is None and len(rows):
            self.selected = rows.id_of(0)

    @property
    def sort(self) -> Sort[Any]:
        """The column that the rows are sorted by, and the direction."""
        return self._sort

    @sort.setter
    def sort(self, sort: Sort[Any]) -> None:
        if sort == self._sort:
            return
        before, self._sort = self.cursor_line, sort
        self.sort_rows()
        self.update_rows(before)
        shift, room = self.shift, self.window.width
        shift.value = self.columns.shift_showing(sort.column, shift.value, room)
        self.scroll_to(y=0)  # the first lines are those that the user sorted for
        self.forget_lines()

    # -- the cursor -----------------------------------------------------------------------

    @property
    def cursor_line(self) -> int | None:
        """The line of the selected thing; None if it is gone."""
        return self._rows.line_of(self.selected)

    def select(self, id: int) -> bool:
        """Put the cursor on a thing for the program. Return False if it is gone."""
        self.selected = id
        line = self.cursor_line
        if line is not None:
            self._cursor = line
            self.show_line(line)
        return line is not None

    def move_to_line(self, line: int) -> None:
        """Put the cursor on a line for the user."""
        self.select(self._rows.id_of(line))
        assert self.selected is not None
        self.post_message(self.Picked(self.selected))

    def press(self, line: int, x: int, button: int) -> None:
        """Put the cursor on a thing; with the right button, without `Picked`."""
        if button == MENU_BUTTON:
            self.select(self._rows.id_of(line))
        else:
            self.move_to_line(line)

    def action_move(self, motion: str) -> None:
        """Move the cursor; if its thing is gone, from the line where that was."""
        if self.line_count:
            here = self.cursor_line
            self.move_to_line(
                target_of(motion, self._cursor if here is None else here, self.window)
            )

    def watch_selected(self, before: int | None, now: int | None) -> None:
        for id in (before, now):
            line = self._rows.line_of(id)
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
        columns = self.columns.columns
        self.sort = Sort.first_by(columns[(columns.index(self.sort.column) + 1) % len(columns)])

    def action_sort_reverse(self) -> None:
        """Reverse the order."""
        self.sort = self.sort.reversed

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Sort by the heading that is pressed; a second press reverses the order.

        A press of ``‹`` or ``›`` scrolls the columns.
        """
        offset = event.get_content_offset(self)
        if offset is None or offset.y >= self.HEADER_LINES:
            return
        less, more = _hidden(self)
        if (less and offset.x < SIGN_WIDTH) or (more and offset.x >= self.window.width - 1):
            self.action_shift(-1 if offset.x < SIGN_WIDTH else 1)
            return
        column = self.columns.column_at(offset.x, self.shift.value, self.window.width)
        if column is self.sort.column:
            self.action_sort_reverse()
        elif column is not None:
            self.sort = Sort.first_by(column)

    # -- drawing --------------------------------------------------------------------------

    @property
    def shown_columns(self) -> Sequence[tuple[ListColumn, int]]:
        """The columns on the screen, with their widths."""
        return self.columns.shown(self.shift.value, self.window.width)

    def widest_shift(self) -> int:
        """Return the shift that brings the last column onto the screen."""
        return self.columns.widest_shift(self.window.width)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Fit the columns to the visible rows, then draw."""
        self._painted = {line: self._rows.words(line) for line in self.window.lines}
        if self.columns.widen(self._painted.values()):
            self.forget_lines()
        return super().render_lines(crop)

    def line_key(self, line: int) -> Hashable:
        """Return the thing, its words, and whether the cursor is on it.

        A change of the columns clears the cache.
        """
        id = self._rows.id_of(line)
        return id, self._rows.words(line), id == self.selected

    def build_header(self, line: int) -> Strip:
        """Draw the headings over their columns."""
        width = self.window.width
        less, more = _hidden(self)
        shown = self.shown_columns
        return heading_strip(shown, self.sort, width, self.component, less=less, more=more)


def _hidden(view: SortedList) -> tuple[bool, bool]:
    """Return whether columns are scrolled away to the left, and to the right."""
    return view.shift.value > 0, view.shift.value < view.widest_shift()
