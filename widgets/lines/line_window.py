"""The part of a list that is on the screen. Numbers only: no drawing, no Textual."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineWindow:
    """The visible part of a list.

    `count` is the number of lines of the list, `top` the first one on the screen. `page` is the
    number of whole lines that fit, at least 1; `width` the visible cells of a line, without the
    scroll bar.
    """

    count: int
    top: int
    page: int
    width: int

    @property
    def lines(self) -> range:
        """Return the lines on the screen."""
        return self.clip(0, self.count)

    @property
    def last_top(self) -> int:
        """Return the `top` that shows the end of the list."""
        return max(0, self.count - self.page)

    def clip(self, start: int, stop: int) -> range:
        """Return the lines from `start` to before `stop` that have a place on the screen.

        Lines beyond the end of the list count: their place shows that they are gone.
        """
        return range(max(start, self.top), min(stop, self.top + self.page))

    def line_at(self, row: int) -> int | None:
        """Return the line in row `row` of the screen, counted from `top`; None beyond the list."""
        line = self.top + row
        return line if row >= 0 and line < self.count else None

    def top_showing(self, line: int) -> int:
        """Return the nearest `top` that brings `line` onto the screen."""
        return min(line, max(self.top, line - self.page + 1))


MOTIONS = {"up": -1, "down": 1, "page_up": -1, "page_down": 1}


def target_of(motion: str, line: int, window: LineWindow) -> int:
    """Return the line that a cursor on `line` reaches by a motion. It stops at the ends.

    Motions are ``up``, ``down``, ``page_up``, ``page_down``, ``first`` and ``last``; raise
    `KeyError` for any other. The list must not be empty.
    """
    if motion in ("first", "last"):
        return 0 if motion == "first" else window.count - 1
    step = MOTIONS[motion] * (window.page if motion.startswith("page") else 1)
    return max(0, min(line + step, window.count - 1))
