"""A scroll bar that is drawn again only when it looks different.

Textual draws the whole bar whenever the position changes, which took a quarter of the time of a
scroll by one line (measured, 200×50: 1.6 of 6.7 ms). Among many rows, one line does not move the
thumb by an eighth of a cell; then the bar returns the strips that it drew before.
"""

from __future__ import annotations

from collections.abc import Hashable
from math import ceil

from textual.geometry import Region
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widget import Widget

from widgets.lines.line_strip import LineStrip

EIGHTHS = 8  # the thumb is drawn to an eighth of a cell


class SteadyScrollBar(ScrollBar):
    """Textual's vertical scroll bar, which keeps the strips that it drew last."""

    def __init__(self, thickness: int) -> None:
        super().__init__(vertical=True, name="vertical", thickness=thickness)
        self._is_shown: bool | str = False
        self._drawn: tuple[Hashable, list[Strip]] | None = None

    @property
    def display(self) -> bool:
        """True: the list places the bar while it needs one (`LineView.show_vertical_scrollbar`)."""
        return True

    @display.setter
    def display(self, is_shown: bool | str) -> None:
        """Have the screen place the bar, or take it away; the style would lay out all of it."""
        if is_shown != self._is_shown and isinstance(self.parent, Widget):
            self._is_shown = is_shown
            self.parent._refresh_scroll()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the bar's lines: the same strips as last time, unless its look changed."""
        look = (crop, self.size, self._thumb(), self.mouse_over, self.grabbed is not None)
        if self._drawn is None or self._drawn[0] != look:
            self._drawn = look, [LineStrip.of(strip) for strip in super().render_lines(crop)]
        return self._drawn[1]

    def _thumb(self) -> tuple[int, int]:
        """Return where the thumb begins and how long it is, in eighths of a cell."""
        height, window, virtual = self.size.height, self.window_size, self.window_virtual_size
        if not height or not window or virtual <= window:
            return 0, 0
        length = max(1.0, window * height / virtual)
        start = (height - length) * self.position / (virtual - window)
        return int(start * EIGHTHS), ceil(length * EIGHTHS)

    def notify_style_update(self) -> None:
        """Draw the bar again: after a change of the theme, its strips have old colors."""
        self._drawn = None
        super().notify_style_update()
