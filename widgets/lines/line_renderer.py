"""The strips of a list's lines, kept so that an unchanged line stays the same `Strip`.

Textual makes new strips of a widget's lines whenever it scrolls. A strip remembers how it was
filtered, cropped, and written; so if the same line stays the same `Strip`, scrolling by one costs
one line and not the screen.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from widgets.lines.line_strip import LineStrip
from widgets.lines.line_window import LineWindow
from widgets.lines.recent_values import RecentValues
from widgets.lines.text_selection import with_selection

if TYPE_CHECKING:
    from widgets.lines.line_view import LineView

CACHED_LINES = 128  # about two screens; at most twice as many


class LineRenderer:
    """Renders the lines of one view, from bounded caches."""

    def __init__(self, view: LineView) -> None:
        self._view = view
        self._strips: RecentValues[Hashable, Strip] = RecentValues(CACHED_LINES)
        self._finished: RecentValues[int, tuple[Strip, Strip]] = RecentValues(CACHED_LINES)
        self._filters: tuple[Sequence[LineFilter], Color] = (), Color(0, 0, 0)  # of `_finished`
        self._frame: tuple[Strip, Strip] | None = None  # border and padding, left and right

    def forget_lines(self) -> None:
        """Build every line again when it is next drawn."""
        self._strips.clear()
        self._finished.clear()

    def forget_frame(self) -> None:
        """Render border and padding again when they are next drawn."""
        self._frame = None
        self._finished.clear()

    def render(self, crop: Region) -> list[Strip]:
        """Return the rows of `crop`, a part of the widget, with border and padding, filtered.

        What Textual would compute at each access is read once here.
        """
        view = self._view
        gutter, width = view.styles.gutter, view.region.width
        content = range(gutter.top, view.region.height - gutter.bottom)
        filters = view.get_line_filters(), view.background_colors[1]
        if filters != self._filters:
            self._filters = filters
            self._finished.clear()
        selection, window = view.text_selection, view.window
        strips: list[Strip] = []
        for y in crop.line_range:
            if y not in content:
                edge = ScrollView.render_lines(view, Region(0, y, width, 1))
                strips += map(LineStrip.of, edge)
                continue
            strips.append(self._finish(self.row(y - gutter.top, window, selection), y))
        first, last = crop.column_span
        return strips if crop.width == width else [strip.crop(first, last) for strip in strips]

    def row(self, y: int, window: LineWindow, selection: Selection | None) -> Strip:
        """Return row `y` of the widget's content: of the header, of a line, or blank."""
        view = self._view
        if y < view.HEADER_LINES:
            return self._fit(view.build_header(y), window.width)
        line = window.top + y - view.HEADER_LINES
        if line >= window.count:
            return Strip.blank(view.size.width, view.component.base)
        key = (view.line_key(line), view.size.width)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._fit(view.build_line(line), window.width)
            self._strips.put(key, strip)
        if selection is not None:
            style = view.screen.get_component_rich_style("screen--selection")
            strip = with_selection(strip, selection.get_span(line), style)
        return strip

    def _fit(self, strip: Strip, width: int) -> Strip:
        """Cut `strip` at the scroll bar. Where the bar is hidden, extend the line's color."""
        base, mark = self._view.component.base, self._view.CUT_MARK
        if mark and strip.cell_length > width and strip.crop(width).text.strip():
            last = next(iter(strip.crop(width - 1, width)), None)
            style = last.style if last else None
            strip = Strip([*strip.crop(0, width - 1), Segment(mark, style)])
        shown = strip if strip.cell_length == width else strip.crop_extend(0, width, base)
        last = next(reversed(shown), None)
        return shown.extend_cell_length(self._view.size.width, base if last is None else last.style)

    def _finish(self, strip: Strip, y: int) -> Strip:
        """Return `strip` between the border and padding of row `y`, filtered."""
        known = self._finished.get(id(strip))
        if known is not None and known[0] is strip:
            return known[1]
        finished = self._in_frame(strip, y) if self._view.styles.gutter.width else strip
        filters, background = self._filters
        for line_filter in filters:
            finished = finished.apply_filter(line_filter, background)
        line = LineStrip.of(finished)
        self._finished.put(id(strip), (strip, line))
        return line

    def _in_frame(self, strip: Strip, y: int) -> Strip:
        """Return `strip` between the border and padding of row `y`, which all rows share."""
        if self._frame is None:
            region = self._view.region
            whole = ScrollView.render_lines(self._view, Region(0, y, region.width, 1))[0]
            gutter = self._view.styles.gutter
            left, right = gutter.left, whole.cell_length - gutter.right
            self._frame = whole.crop(0, left), whole.crop(right)
        return Strip.join((self._frame[0], strip, self._frame[1]))
