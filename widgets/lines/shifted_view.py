"""Lines longer than the screen: their long part is scrolled sideways, the rest stays in place.

A horizontal scroll bar would appear and disappear with every packet and move everything by a line.
Keys, the sideways wheel, and the wheel with shift or ctrl do the same without one.
"""

from __future__ import annotations

from abc import abstractmethod

from textual import events, on

from widgets.lines.column_shift import ColumnShift
from widgets.lines.cursor_view import CursorView


class ShiftedView(CursorView):
    """A list with a cursor, whose lines may be longer than the screen is wide."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.shift = ColumnShift()

    @abstractmethod
    def widest_shift(self) -> int:
        """Return the shift that brings the end of the longest visible line onto the screen."""

    def action_shift(self, steps: int) -> None:
        """Scroll long lines by steps: to the right if positive, to the left if negative."""
        if self.shift.move(steps, self.widest_shift()):
            self.forget_lines()

    @on(events.MouseScrollLeft)
    @on(events.MouseScrollRight)
    @on(events.MouseScrollUp)
    @on(events.MouseScrollDown)
    def shift_by_wheel(self, event: events.MouseEvent) -> None:
        """Scroll sideways. The vertical wheel does so with shift or ctrl."""
        sideways = isinstance(event, events.MouseScrollLeft | events.MouseScrollRight)
        if sideways or event.shift or event.ctrl:
            event.stop()
            back = isinstance(event, events.MouseScrollLeft | events.MouseScrollUp)
            self.action_shift(-1 if back else 1)
