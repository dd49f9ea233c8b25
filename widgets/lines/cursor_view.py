"""A list with a cursor: the moves that the table, the tree, the hex view, and the forms share.

The widgets offer actions and bind no keys: keys, help, and palette are one registry, which the
application owns.
"""

from __future__ import annotations

from textual import events

from widgets.lines.line_view import LineView
from widgets.lines.line_window import target_of


class CursorView(LineView):
    """Lines, one of which the cursor is on.

    The cursor is a line. A subclass whose cursor means something else (a packet, a byte) overrides
    `cursor_line` and `move_to_line`.
    """

    _cursor = 0

    @property
    def cursor_line(self) -> int | None:
        """Return the line under the cursor; None if the list is empty."""
        return self._cursor if self.line_count else None

    def move_to_line(self, line: int) -> None:
        """Put the cursor on an existing line, at the user's request."""
        before, self._cursor = self._cursor, line
        self.refresh_line(before)
        self.refresh_line(line)
        self.show_line(line)

    def action_move(self, motion: str) -> None:
        """Move the cursor by a motion of `line_window.target_of`."""
        if self.line_count:
            self.move_to_line(target_of(motion, self.cursor_line or 0, self.window))

    def press(self, line: int, x: int) -> None:
        """React to the mouse button on `line`, in cell `x` of the widget's content."""
        self.move_to_line(line)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Press on the line under the pointer. By the button's release the list may have moved."""
        line = self.line_at(event)
        if line is not None and event.button == 1:
            self.press(line, event.get_content_offset_capture(self).x)
