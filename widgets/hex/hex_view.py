"""The bytes of one frame: offset, hex, text. Linked both ways with the detail tree.

* The screen says which bytes belong to the selected field: `highlight`. They are shown on
  both sides and scrolled into sight.
* A click or a key selects a byte: `cursor` changes and `ByteSelected` says so, so that the
  tree can select the field.

Only printable ASCII is shown as itself, all else as a dot: no byte reaches the terminal raw.
What the capture did not keep is said in the last line, not left to be guessed.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from core.wire.model.field import Span
from core.wire.model.text import ascii_text
from widgets.hex.layout import GROUP, HexLayout, choose_hex_layout
from widgets.lines.cursor_view import CursorView


class HexView(CursorView):
    """A hex dump of up to any number of bytes. See the module's text."""

    COMPONENT_CLASSES = {
        "hex-view--offset",
        "hex-view--byte",
        "hex-view--highlight",
        "hex-view--cursor",
        "hex-view--note",
    }

    DEFAULT_CSS = """
    HexView {
        & > .hex-view--offset { color: $text-muted; }
        & > .hex-view--highlight {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
            text-style: bold;
        }
        &:nocolor > .hex-view--highlight { text-style: bold reverse; }
        & > .hex-view--cursor { text-style: bold reverse underline; }
        & > .hex-view--note { color: $text-warning; text-style: italic; }
    }
    """

    cursor: reactive[int | None] = reactive(None, repaint=False)

    class ByteSelected(Message):
        """The user put the cursor on the byte at `offset` of the frame."""

        def __init__(self, hex_view: HexView, offset: int) -> None:
            super().__init__()
            self.hex_view = hex_view
            self.offset = offset

        @property
        def control(self) -> HexView:
            """The view, for ``@on(…, "#id")``."""
            return self.hex_view

    class Rewrapped(Message):
        """A new width put more or fewer bytes on a line, so the number of lines changed."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._data = b""
        self._missing = 0
        self._span: Span | None = None
        self._layout: HexLayout = choose_hex_layout(0, 0)

    # -- what it shows ----------------------------------------------------------------

    def show(self, data: bytes, original_length: int | None = None) -> None:
        """Another frame: the bytes kept of it, and how many it had."""
        missing = 0 if original_length is None else max(0, original_length - len(data))
        if data == self._data and missing == self._missing:
            return
        self._data = data
        self._missing = missing
        self._span = None
        self.set_reactive(HexView.cursor, None)
        self._lay_out()
        self.scroll_to(y=0)

    def highlight(self, span: Span | None) -> None:
        """Show which bytes belong together, and bring them into sight."""
        if span is not None:
            stop = min(span.stop, len(self._data))
            span = Span(span.start, stop) if span.start < stop else None
        if span == self._span:
            return
        self._span = span
        self.refresh()
        if span is not None and (self.cursor is None or self.cursor not in span):
            self.cursor = span.start
            self.show_line((span.stop - 1) // self._layout.per_row)
        if span is not None and (line := self.cursor_line) is not None:
            self.show_line(line)

    @property
    def highlighted(self) -> Span | None:
        """The bytes that are highlighted, as far as they were captured."""
        return self._span

    def _lay_out(self) -> None:
        self._layout = choose_hex_layout(len(self._data), self.window.width)
        rows = -(-len(self._data) // self._layout.per_row)
        self.set_line_count(rows + (self._missing > 0))
        self.forget_lines()

    def on_resize(self) -> None:
        """Fit the bytes of a row to the width; keep the cursor on the screen."""
        if choose_hex_layout(len(self._data), self.window.width) != self._layout:
            lines = self.line_count
            self._lay_out()
            if self.line_count != lines:
                self.post_message(self.Rewrapped())
        if (line := self.cursor_line) is not None:
            self.show_line(line)

    # -- the cursor ---------------------------------------------------------------------

    @property
    def cursor_line(self) -> int | None:
        """The row of the byte under the cursor."""
        return None if self.cursor is None else self.cursor // self._layout.per_row

    def move_to_line(self, line: int) -> None:
        """The byte above or below, in the same column."""
        self._select(line * self._layout.per_row + (self.cursor or 0) % self._layout.per_row)

    def press(self, line: int, x: int) -> None:
        """The byte under the pointer, on either side."""
        self._select(line * self._layout.per_row + self._layout.index_at(x))

    def action_step(self, count: int) -> None:
        """Move the cursor by `count` bytes; the first step puts it on the first byte."""
        self._select(0 if self.cursor is None else self.cursor + count)

    def _select(self, offset: int) -> None:
        if not self._data:
            return
        self.cursor = max(0, min(offset, len(self._data) - 1))
        self.show_line(self.cursor // self._layout.per_row)
        self.post_message(self.ByteSelected(self, self.cursor))

    def watch_cursor(self, before: int | None, now: int | None) -> None:
        for offset in {before, now} - {None}:
            assert offset is not None
            self.refresh_line(offset // self._layout.per_row)

    # -- drawing ------------------------------------------------------------------------

    def line_key(self, line: int) -> Hashable:
        """A row, with what is highlighted in it."""
        start = line * self._layout.per_row
        stop = start + self._layout.per_row
        span = self._span
        marked = None
        if span is not None and span.start < stop and start < span.stop:
            marked = max(span.start, start), min(span.stop, stop)
        cursor = self.cursor if self.has_focus and self.cursor_line == line else None
        return line, marked, cursor

    def build_line(self, line: int) -> Strip:
        """One row of bytes, or the note about those that are missing."""
        layout = self._layout
        start = line * layout.per_row
        row = self._data[start : start + layout.per_row]
        if not row:
            return self._note()
        runs = self._runs(start, len(row))
        plain = self.component.base
        offset = f"{start:0{layout.digits}x}".ljust(layout.hex_start)
        segments = [Segment(offset, self.component("hex-view--offset"))]
        cell = layout.hex_start
        for first, stop, style in runs:
            segments.append(Segment(" " * (layout.hex_cell(first) - cell), plain))
            segments.append(Segment(_hex(row, first, stop), style))
            cell = layout.hex_cell(stop - 1) + 2
        segments.append(Segment(" " * (layout.text_start - cell), plain))
        for first, stop, style in runs:
            segments.append(Segment(ascii_text(row[first:stop]), style))
        return Strip(segments)

    def _note(self) -> Strip:
        noun = "byte was" if self._missing == 1 else "bytes were"
        text = f"… {self._missing:,} {noun} not captured"
        return Strip([Segment(text, self.component("hex-view--note"))])

    def _runs(self, start: int, length: int) -> list[tuple[int, int, Style]]:
        """Bytes of a row that look alike: first, one past the last, counted in the row."""
        span = self._span or Span(0, 0)
        cursor = self.cursor if self.has_focus else None
        edges = {0, length, span.start - start, span.stop - start}
        if cursor is not None:
            edges |= {cursor - start, cursor - start + 1}
        inside = sorted(edge for edge in edges if 0 <= edge <= length)
        runs = []
        for first, stop in pairwise(inside):
            name = "byte"
            if start + first == cursor:
                name = "cursor"
            elif start + first in span:
                name = "highlight"
            runs.append((first, stop, self.component(f"hex-view--{name}")))
        return runs


def _hex(row: bytes, first: int, stop: int) -> str:
    """Hex digits of a part of a row, with the wider gaps between its groups."""
    edges = [first, *range((first // GROUP + 1) * GROUP, stop, GROUP), stop]
    return "  ".join(row[start:end].hex(" ") for start, end in pairwise(edges))
