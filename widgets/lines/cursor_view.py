"""A list with a cursor: the moves that the table, the tree, the hex view, and the forms share.

The widgets offer actions and bind no keys: keys, help, and palette are one registry, which the
application owns.
"""

from __future__ import annotations

from textual import events, on
from textual.geometry import Offset
from textual.message import Message

from widgets.lines.line_view import LineView
from widgets.lines.line_window import target_of

MENU_BUTTON = 3  # the right one


class CursorView(LineView):
    """Lines, one of which the cursor is on.

    The cursor is a line. A subclass whose cursor means something else (a packet, a byte) overrides
    `cursor_line` and `move_to_line`. The right button puts the cursor on a line and posts
    `MenuRequested`.
    """

    _cursor = 0

    class MenuRequested(Message):
        """The user clicked a line with the right button; the cursor is on it now.

        `at` is the place of the pointer on the screen.
        """

        def __init__(self, view: CursorView, at: Offset) -> None:
            super().__init__()
            self.view = view
            self.at = at

        @property
        def control(self) -> CursorView:
            """Return the list, for ``@on(…, "#id")``."""
            return self.view

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

    def press(self, line: int, x: int, button: int) -> None:
        """React to a button on `line`, in cell `x` of the widget's content.

        The right button, `MENU_BUTTON`, only puts the cursor on what is under the pointer.
        """
        self.move_to_line(line)

    @on(events.MouseDown)
    @on(events.Click)
    def use_mouse(self, event: events.MouseEvent) -> None:
        """Press on the line under the pointer; ask for the menu when the right button is released.

        By the release the list may have moved, so the press chooses the line.
        """
        line = self.line_at(event)
        if line is None or event.button not in (1, MENU_BUTTON):
            return
        if isinstance(event, events.MouseDown):
            self.press(line, event.get_content_offset_capture(self).x, event.button)
        elif event.button == MENU_BUTTON and line == self.cursor_line:
            self.post_message(self.MenuRequested(self, event.screen_offset))
