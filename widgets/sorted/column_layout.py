"""Which columns of a sorted list fit on the screen, and how wide each is. No drawing.

Columns are shown whole or not at all, since a number without its last digits would be another
number. The first `fixed` columns stay; the `shift` of `ColumnLayout.shown` counts the others that
are scrolled away to the left. A column gets wider when a longer text comes and never narrower, so
that nothing jumps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, takewhile
from typing import Generic

from widgets.lines.cells import width_of
from widgets.sorted.column import C

SIGN_WIDTH = 2  # cells before the first column
GAP = 1  # cells behind each column


class ColumnLayout(Generic[C]):
    """The widths of all columns, in cells. The first `fixed` ones do not scroll sideways."""

    def __init__(self, columns: Sequence[C], fixed: int) -> None:
        self.columns, self.fixed = columns, fixed
        self.widths = [width_of(column.heading) + 1 for column in columns]  # 1: the sort arrow

    def widen(self, rows: Iterable[Sequence[str]]) -> bool:
        """Make room for the texts of `rows`. Return True if a column got wider."""
        before = list(self.widths)
        for texts in rows:
            for index, text in enumerate(texts):
                self.widths[index] = max(self.widths[index], width_of(text))
        return self.widths != before

    def shown(self, shift: int, room: int) -> Sequence[tuple[C, int]]:
        """Return the columns that fit into `room` cells, at least one, with their widths."""
        columns = list(zip(self.columns, self.widths, strict=True))
        columns = columns[: self.fixed] + columns[self.fixed + shift :]
        return columns[: max(1, _fitting((width for _, width in columns), room - SIGN_WIDTH))]

    def widest_shift(self, room: int) -> int:
        """Return the shift that brings the last column onto a screen of `room` cells."""
        room -= SIGN_WIDTH + sum(width + GAP for width in self.widths[: self.fixed])
        widths = reversed(self.widths[self.fixed :])
        return len(self.columns) - self.fixed - max(1, _fitting(widths, room))

    def shift_showing(self, column: C, shift: int, room: int) -> int:
        """Return the shift nearest to `shift` that brings a column onto the screen."""
        shift = min(shift, max(0, self.columns.index(column) - self.fixed))
        most = self.widest_shift(room)
        while column not in dict(self.shown(shift, room)) and shift < most:
            shift += 1
        return shift

    def column_at(self, cell: int, shift: int, room: int) -> C | None:
        """Return the column whose heading covers a cell of the line."""
        end = SIGN_WIDTH
        for column, width in self.shown(shift, room):
            end += width + GAP
            if SIGN_WIDTH <= cell < end:
                return column
        return None


def _fitting(widths: Iterable[int], room: int) -> int:
    """Return how many of the first columns fit."""
    ends = accumulate(width + GAP for width in widths)
    return sum(1 for _ in takewhile(lambda end: end <= room, ends))
