"""A scroll bar that is drawn again only when it looks different.

Textual draws the whole bar whenever the position changes, and that was a quarter of what it
cost to scroll by one line (measured, 200×50: 1.6 of 6.7 ms). Among many rows one line does not
move the thumb by an eighth of a cell: then the lines are the same, and stay the same strips.
"""

from __future__ import annotations

from collections.abc import Hashable
from math import ceil

from textual.geometry import Region
from textual.scrollbar import ScrollBar
from textual.strip import Strip

EIGHTHS = 8  # the thumb is drawn to an eighth of a cell


class SteadyScrollBar(ScrollBar):
    """Textual's vertical scroll bar, with its last picture kept."""

    def __init__(self, thickness: int) -> None:
        super().__init__(vertical=True, name="vertical", thickness=thickness)
        self._picture: tuple[Hashable, list[Strip]] | None = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """The bar's lines: the last ones, if nothing that shows has changed."""
        look = (crop, self.size, self._thumb(), self.mouse_over, self.grabbed is not None)
        if self._picture is None or self._picture[0] != look:
            self._picture = look, super().render_lines(crop)
        return self._picture[1]

    def _thumb(self) -> tuple[int, int]:
        """Where the thumb begins and how long it is, in eighths of a cell."""
        height, window, virtual = self.size.height, self.window_size, self.window_virtual_size
        if not height or not window or virtual <= window:
            return 0, 0
        length = max(1.0, window * height / virtual)
        start = (height - length) * self.position / (virtual - window)
        return int(start * EIGHTHS), ceil(length * EIGHTHS)

    def notify_style_update(self) -> None:
        """A theme change: the kept picture has old colors."""
        self._picture = None
        super().notify_style_update()
