"""Lines longer than the screen: their long part is shifted, the rest stays in place.

A horizontal scroll bar would come and go with every packet and move everything by a line.
Here keys and the sideways wheel (or the wheel with shift or ctrl) do the same.
"""

from __future__ import annotations

from abc import abstractmethod

from textual import events
from textual.reactive import reactive

from widgets.lines.cursor_view import CursorView

SHIFT_STEP = 8  # cells that one key or wheel step moves


class ShiftedView(CursorView):
    """A list with a cursor, whose lines may be longer than the screen is wide."""

    shift: reactive[int] = reactive(0, repaint=False)

    @abstractmethod
    def widest_shift(self) -> int:
        """As far as brings the end of the longest visible line into sight."""

    def validate_shift(self, shift: int) -> int:
        return max(0, min(shift, self.widest_shift()))

    def watch_shift(self) -> None:
        self.forget_lines()

    def action_shift_left(self) -> None:
        """Show what is further left in long lines."""
        self.shift -= SHIFT_STEP

    def action_shift_right(self) -> None:
        """Show what is further right in long lines."""
        self.shift += SHIFT_STEP

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        event.stop()
        self.action_shift_left()

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        event.stop()
        self.action_shift_right()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        if event.shift or event.ctrl:
            event.stop()
            self.action_shift_left()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        if event.shift or event.ctrl:
            event.stop()
            self.action_shift_right()
