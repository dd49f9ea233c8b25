"""The base of every list: lines drawn when they become visible.

Theory
------
A widget of Textual's *line API* renders one line of the screen at a time, so a list of five million
rows costs what the fifty visible ones cost. The rest of the speed comes from facts that were
measured:

* `ScrollView.virtual_size` lays out the whole screen when it is assigned (5–90 ms).
  `set_line_count` sets the reactive without that and lets the scroll bar follow (2–5 ms).
* A cursor move repaints two lines (`refresh_line`), not the widget.
* Textual lays out the whole screen, and paints all of it, when a scroll bar appears or disappears:
  in a detail tree of 20 lines at every second packet. Here room is kept for the bar, so only the
  bar is placed, as Textual does with widgets that are scrolled into view.
* The `LineRenderer` keeps finished lines by a key that names everything a line depends on.

Text is selected with the mouse as everywhere in Textual. A line therefore carries offsets
counted from the first line, and `get_selection` builds only the selected lines.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from typing import Any

from textual import events
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.selection import Selection
from textual.strip import Strip

from widgets.lines.component_styles import ComponentStyles
from widgets.lines.line_renderer import LineRenderer
from widgets.lines.line_window import LineWindow
from widgets.lines.scroll_bar import SteadyScrollBar
from widgets.lines.text_selection import selected_text

COPIED_LINES = 10_000  # nobody reads a larger selection


class LineView(ScrollView, can_focus=True, inherit_bindings=False):
    """A scrolled list of lines. A subclass sets how many there are and builds each.

    `line_count` is the number of lines, set by `set_line_count`; `component` returns the styles of
    `COMPONENT_CLASSES`.
    """

    DEFAULT_CSS = """
    LineView {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
    }
    """

    HEADER_LINES = 0  # rows at the top that do not scroll
    show_vertical_scrollbar: reactive[bool] = reactive(False, repaint=False, init=False)
    """True while the list has more lines than the screen."""

    CUT_MARK = ""  # the last cell of a line that is longer than the screen is wide

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.line_count = 0
        self.component = ComponentStyles(self)
        self._renderer = LineRenderer(self)

    # -- what a subclass draws ------------------------------------------------------

    @abstractmethod
    def build_line(self, line: int) -> Strip:
        """Return line `line` of the list, of any length; the renderer crops and fills it."""

    @abstractmethod
    def line_key(self, line: int) -> Hashable:
        """Return what `line` is drawn from.

        If something changes that all lines are drawn from, call `forget_lines`.
        """

    def build_header(self, line: int) -> Strip:
        """Return one of the `HEADER_LINES` rows above the list."""
        raise NotImplementedError

    # -- the lines on the screen ------------------------------------------------------

    @property
    def window(self) -> LineWindow:
        """Return which lines are on the screen, and how much room they have."""
        page = max(1, self.size.height - self.HEADER_LINES)
        width = self.scrollable_content_region.width
        return LineWindow(self.line_count, int(self.scroll_offset.y), page, width)

    def set_line_count(self, count: int) -> None:
        """Change the number of lines; repaint only lines that appeared or disappeared.

        The same number repaints nothing: a form sets it at each key.
        """
        before, self.line_count = self.line_count, count
        size = Size(self.size.width, count + self.HEADER_LINES)
        if size == self.virtual_size and count == before:
            return
        self.set_reactive(LineView.virtual_size, size)
        self._scroll_update(size)
        window = self.window
        changed = window.clip(*sorted((before, count)))
        if changed:
            top = self.HEADER_LINES + changed.start - window.top
            self.refresh(Region(0, top, self.size.width, len(changed)))

    def refresh_line(self, y: int) -> None:
        """Repaint line `y` of the list, if it is on the screen."""
        window = self.window
        if window.clip(y, y + 1):
            self.refresh(Region(0, self.HEADER_LINES + y - window.top, self.size.width, 1))

    def line_at(self, event: events.MouseEvent) -> int | None:
        """Return the line of the list under the pointer."""
        offset = event.get_content_offset(self)
        return None if offset is None else self.window.line_at(offset.y - self.HEADER_LINES)

    def show_line(self, line: int) -> None:
        """Scroll by the fewest lines that bring `line` onto the screen."""
        window = self.window
        top = window.top_showing(line)
        if top != window.top:
            self.scroll_to(y=top)

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:
        """Scroll at once, to the nearest valid position; never animate, not even for a click."""
        super().scroll_to(x, y, **{"force": True, **options, "animate": False})

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """Return the scroll bar, made on first access as in Textual."""
        if self._vertical_scrollbar is None:
            bar = SteadyScrollBar(self.scrollbar_size_vertical)
            self._vertical_scrollbar = bar
            self.app._start_widget(self, bar)
        return self._vertical_scrollbar

    # -- drawing --------------------------------------------------------------------------

    def forget_lines(self) -> None:
        """Draw every line again: something that all of them depend on changed."""
        self._renderer.forget_lines()
        self.refresh()

    def notify_style_update(self) -> None:
        """Forget all colors after a change of the theme or of the focus."""
        self._renderer.forget_lines()
        self._renderer.forget_frame()
        self.component.clear()
        super().notify_style_update()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the rows of `crop` for the screen."""
        return self._renderer.render(crop)

    def render_line(self, y: int) -> Strip:
        """Return one row of the content, with the offsets by which Textual finds text.

        Offsets cost as much as all the rest of a line, so `render_lines` goes without.
        """
        window = self.window
        strip = self._renderer.row(y, window, self.text_selection)
        line = window.line_at(y - self.HEADER_LINES)
        return strip if line is None else strip.apply_offsets(0, line)

    # -- selected text ------------------------------------------------------------------------

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text; an open end means the lines on the screen."""
        window = self.window
        first = window.top if selection.start is None else max(0, selection.start.y)
        last = window.top + window.page if selection.end is None else selection.end.y + 1
        last = min(last, window.count, first + COPIED_LINES)
        spans = [(line, selection.get_span(line)) for line in range(first, last)]
        texts = [selected_text(self.build_line(line), span) for line, span in spans if span]
        return ("\n".join(texts), "\n") if texts else None

    def on_click(self, event: events.Click) -> None:
        """Keep Textual from selecting all text on a double click: the list may be very long."""
        event.prevent_default()
