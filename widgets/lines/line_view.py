"""The ground of the table, the detail tree and the hex view: lines drawn when looked at.

Theory
------
A widget of Textual's *line API* is asked for one line of the screen at a time, so a list of
five million rows costs what the fifty visible ones cost. What makes that quick was measured:

* `ScrollView.virtual_size` lays the whole screen out again when it is assigned (5–90 ms).
  `set_line_count` sets the reactive without that and lets the scroll bar follow (2–5 ms).
* A cursor move repaints two lines (`refresh_line`), not the widget.
* Finished lines are kept in a bounded cache, by a key that names all that a line depends on.
  Textual makes new strips of a widget's lines whenever it scrolls; here the same line stays
  the same `Strip`, which remembers how it was filtered, cut and written, so that scrolling by
  one costs one line and not the screen (`render_lines`).

Text is selected with the mouse as everywhere in Textual. A line therefore carries offsets
counted from the first line, and `get_selection` makes only the lines that were selected.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from typing import Any

from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.selection import Selection
from textual.strip import Strip

from widgets.lines.scroll_bar import SteadyScrollBar
from widgets.lines.text_selection import selected_text, with_selection

CACHED_LINES = 512  # several screens
COPIED_LINES = 10_000  # a selection larger than this is not a selection anybody reads


class LineView(ScrollView, can_focus=True, inherit_bindings=False):
    """A scrolled list of lines; a subclass says how many there are and how one looks."""

    DEFAULT_CSS = """
    LineView {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
    }
    """

    HEADER_LINES = 0  # lines at the top that do not scroll

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._strips: LRUCache[Hashable, Strip] = LRUCache(CACHED_LINES)
        self._edged: LRUCache[int, tuple[Strip, Strip]] = LRUCache(CACHED_LINES)
        self._edges: tuple[Strip, Strip] | None = None  # what stands left and right of a line
        self._components: dict[str, Style] = {}
        self._line_count = 0
        self._base_style: Style | None = None

    # -- what a subclass draws ------------------------------------------------------

    @abstractmethod
    def build_line(self, line: int) -> Strip:
        """Line `line` of the list, any length; the view crops and fills it."""

    @abstractmethod
    def line_key(self, line: int) -> Hashable:
        """What the look of `line` depends on; what all lines depend on calls `forget_lines`."""

    def build_header(self, line: int) -> Strip:
        """A line above the list; only where `HEADER_LINES` says that there are some."""
        raise NotImplementedError

    # -- the number of lines ----------------------------------------------------------

    @property
    def line_count(self) -> int:
        """How many lines the list has."""
        return self._line_count

    @property
    def page_size(self) -> int:
        """Whole lines of the list that fit on the screen; at least 1."""
        return max(1, self.size.height - self.HEADER_LINES)

    @property
    def line_width(self) -> int:
        """Cells of a line that can be seen: the scroll bar has the rest."""
        return self.scrollable_content_region.width

    @property
    def top_line(self) -> int:
        """The first line of the list on the screen."""
        return int(self.scroll_offset.y)

    def set_line_count(self, count: int) -> None:
        """The list has `count` lines now; repaints only lines that came or went."""
        before, self._line_count = self._line_count, count
        size = Size(self.size.width, count + self.HEADER_LINES)
        self.set_reactive(LineView.virtual_size, size)
        self._scroll_update(size)
        first, last = sorted((before, count))
        first = max(first, self.top_line)
        last = min(last, self.top_line + self.page_size)
        if first < last:
            self.refresh_lines(first, last - first)

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """The scroll bar, made when it is first asked for, as Textual does it."""
        if self._vertical_scrollbar is None:
            bar = SteadyScrollBar(self.scrollbar_size_vertical)
            bar.display = False
            self._vertical_scrollbar = bar
            self.app._start_widget(self, bar)
        return self._vertical_scrollbar

    # -- moving -------------------------------------------------------------------------

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:
        """Scroll at once: nothing here is animated, whoever asks (a click on the scroll bar)."""
        super().scroll_to(x, y, **{**options, "animate": False})

    def scroll_to_line(self, top: int) -> None:
        """Put line `top` first on the screen, at once."""
        self.scroll_to(y=max(0, top), force=True)

    def scroll_to_end(self) -> None:
        """Show the last lines, at once."""
        self.scroll_to_line(self._line_count - self.page_size)

    def show_line(self, line: int) -> None:
        """Scroll as little as shows `line`."""
        top = self.top_line
        if line < top:
            self.scroll_to_line(line)
        elif line >= top + self.page_size:
            self.scroll_to_line(line - self.page_size + 1)

    def line_at(self, event: events.MouseEvent) -> int | None:
        """The line of the list under the pointer."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self.HEADER_LINES:
            return None
        line = self.top_line + offset.y - self.HEADER_LINES
        return line if line < self._line_count else None

    def on_click(self, event: events.Click) -> None:
        """Textual selects all text on a double click, which a list this long forbids."""
        event.prevent_default()

    # -- drawing --------------------------------------------------------------------------

    def component(self, name: str) -> Style:
        """The style that the theme gives to one of `COMPONENT_CLASSES`.

        Kept until the theme or the focus changes: Textual forgets it at every repaint.
        """
        style = self._components.get(name)
        if style is None:
            style = self._components[name] = self.get_component_rich_style(name)
        return style

    @property
    def base_style(self) -> Style:
        """The widget's own colors. Textual works them out anew each time it is asked."""
        if self._base_style is None:
            self._base_style = self.rich_style
        return self._base_style

    def forget_lines(self) -> None:
        """Draw everything anew: what lines depend on changed as a whole."""
        self._strips.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        """A theme change: every cached line has old colors."""
        self._strips.clear()
        self._edges = None
        self._components.clear()
        self._base_style = None
        super().notify_style_update()

    def refresh_line(self, y: int) -> None:
        """Repaint line `y` of the list, if it is on the screen."""
        self.refresh_lines(y, 1)

    def refresh_lines(self, y_start: int, line_count: int = 1) -> None:
        """Repaint lines of the list that are on the screen."""
        first = max(0, y_start - self.top_line)
        last = min(self.page_size, y_start - self.top_line + line_count)
        if first < last:
            top = self.HEADER_LINES + first
            self.refresh(Region(0, top, self.size.width, last - first))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines of the screen, for the screen: border and padding included, filtered.

        What Textual works out anew each time it is asked is asked for once here.
        """
        gutter, width = self.styles.gutter, self.region.width
        content = range(gutter.top, self.region.height - gutter.bottom)
        filters, background = self.get_line_filters(), self.background_colors[1]
        selection = self.text_selection
        strips = []
        for y in crop.line_range:
            if y not in content:
                strips += super().render_lines(Region(0, y, width, 1))
                continue
            strip = self._content(y - gutter.top, selection)
            if gutter.width:
                strip = self._with_edges(strip, y)
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, background)
            strips.append(strip)
        first, last = crop.column_span
        return strips if crop.width == width else [strip.crop(first, last) for strip in strips]

    def _with_edges(self, strip: Strip, y: int) -> Strip:
        """`strip` between what Textual draws at its left and right, the same on every line."""
        known = self._edged.get(id(strip))
        if self._edges is not None and known is not None and known[0] is strip:
            return known[1]
        if self._edges is None:
            self._edged.clear()
            whole = super().render_lines(Region(0, y, self.region.width, 1))[0]
            gutter = self.styles.gutter
            left, right = gutter.left, whole.cell_length - gutter.right
            self._edges = whole.crop(0, left), whole.crop(right)
        edged = Strip.join((self._edges[0], strip, self._edges[1]))
        self._edged[id(strip)] = strip, edged
        return edged

    def render_line(self, y: int) -> Strip:
        """One line of the widget's content, with offsets: Textual's way to find text by place.

        Offsets cost as much as all the rest of a line, so painting goes without.
        """
        line = self.top_line + y - self.HEADER_LINES
        strip = self._content(y, self.text_selection)
        return strip.apply_offsets(0, line) if 0 <= line < self._line_count else strip

    def _content(self, y: int, selection: Selection | None) -> Strip:
        width = self.size.width
        if y < self.HEADER_LINES:
            return self._filled(self.build_header(y))
        line = self.top_line + y - self.HEADER_LINES
        if line >= self._line_count:
            return Strip.blank(width, self.base_style)
        key = (self.line_key(line), width)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._filled(self.build_line(line))
        if selection is not None:
            style = self.screen.get_component_rich_style("screen--selection")
            strip = with_selection(strip, selection.get_span(line), style)
        return strip

    def _filled(self, strip: Strip) -> Strip:
        """`strip` cut where the scroll bar begins; a colored line goes on beside a missing one."""
        shown = strip.crop_extend(0, self.line_width, self.base_style)
        last = next(reversed(shown), None)
        style = self.base_style if last is None else last.style
        return shown.extend_cell_length(self.size.width, style)

    # -- selected text ------------------------------------------------------------------------

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text; an open end means the lines on the screen."""
        first = self.top_line if selection.start is None else max(0, selection.start.y)
        last = self.top_line + self.page_size if selection.end is None else selection.end.y + 1
        last = min(last, self._line_count, first + COPIED_LINES)
        spans = [(line, selection.get_span(line)) for line in range(first, last)]
        texts = [selected_text(self.build_line(line), span) for line, span in spans if span]
        return ("\n".join(texts), "\n") if texts else None
