"""The mouse on the headings of the packet table: a drag resizes or moves a column.

A press on the blank behind a heading takes the border of that column; a press on a heading takes
the column, which goes where the user releases it. No drawing, no Textual.
"""

from __future__ import annotations

from dataclasses import dataclass

from widgets.packets.column_choice import Column, ColumnChoice
from widgets.packets.columns import TableLayout


@dataclass(frozen=True, slots=True)
class _Grip:
    """The grip of the mouse on a column, or on its border if `width` is set."""

    column: Column
    x: int
    width: int | None


class HeadingMouse:
    """One drag at a time; `column` is the heading that follows the pointer."""

    def __init__(self) -> None:
        self._grip: _Grip | None = None
        self._has_moved = False

    @property
    def is_held(self) -> bool:
        """True from a press on a heading until its release."""
        return self._grip is not None

    @property
    def column(self) -> Column | None:
        """The column that the user moves; None without a drag, and for a border."""
        grip = self._grip
        return grip.column if grip and self._has_moved and grip.width is None else None

    def press(self, x: int, layout: TableLayout) -> bool:
        """Take what is in cell `x` of the headings. Return False if nothing is."""
        self._has_moved = False
        border, column = layout.border_at(x), layout.column_at(x)
        if border is not None:
            self._grip = _Grip(border.name, x, border.width)
        else:
            self._grip = None if column is None else _Grip(column, x, None)
        return self.is_held

    def drag(self, x: int, choice: ColumnChoice) -> ColumnChoice:
        """Return the choice while the pointer is in cell `x`: a border follows it."""
        grip = self._grip
        if grip is None:
            return choice
        self._has_moved = self._has_moved or x != grip.x
        if grip.width is None or not self._has_moved:
            return choice
        return choice.resized(grip.column, grip.width + x - grip.x)

    def release(
        self, x: int, layout: TableLayout, choice: ColumnChoice
    ) -> tuple[ColumnChoice, Column | None]:
        """Let go. Return the choice, and the column whose heading was clicked and not dragged."""
        grip, self._grip = self._grip, None
        if grip is None or grip.width is not None:
            return choice, None
        if not self._has_moved:
            return choice, grip.column
        last = layout.columns[-1].name
        target = last if x >= layout.width else layout.column_at(max(x, layout.columns[0].start))
        if target is None or target == grip.column:
            return choice, None
        return choice.moved(grip.column, choice.shown.index(target)), None
