"""A list of lines with a cursor: the moves that the table, the tree and the hex view share.

The widgets offer actions and bind no keys: keys, help and palette are one registry, which
the app owns.
"""

from __future__ import annotations

from abc import abstractmethod

from textual import events

from widgets.lines.line_view import LineView


class CursorView(LineView):
    """Lines, one of which the cursor is on. A subclass decides what the cursor means."""

    @property
    @abstractmethod
    def cursor_line(self) -> int | None:
        """The line the cursor is on; None where there is no line."""

    @abstractmethod
    def move_to_line(self, line: int) -> None:
        """The user put the cursor on `line`, which exists."""

    def move_by(self, lines: int) -> None:
        """The user moved the cursor; it stops at the ends."""
        if self.line_count:
            line = (self.cursor_line or 0) + lines
            self.move_to_line(max(0, min(line, self.line_count - 1)))

    def action_up(self) -> None:
        """One line up."""
        self.move_by(-1)

    def action_down(self) -> None:
        """One line down."""
        self.move_by(1)

    def action_page_up(self) -> None:
        """One screen up."""
        self.move_by(-self.page_size)

    def action_page_down(self) -> None:
        """One screen down."""
        self.move_by(self.page_size)

    def action_first(self) -> None:
        """To the first line."""
        self.move_by(-self.line_count)

    def action_last(self) -> None:
        """To the last line."""
        self.move_by(self.line_count)

    def press(self, line: int, x: int) -> None:
        """The mouse button went down on `line`, in cell `x` of the widget's content."""
        self.move_to_line(line)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Where the button goes down counts: the list may have moved when it comes up."""
        line = self.line_at(event)
        if line is not None and event.button == 1:
            self.press(line, event.get_content_offset_capture(self).x)
