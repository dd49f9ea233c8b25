"""The bytes of one frame: offset, hex, text. Linked both ways with the detail tree.

* The screen highlights the bytes of the selected field (`highlight`). They are shown on both sides
  and scrolled onto the screen.
* A click or a key selects a byte: the view sets `cursor` and posts `ByteSelected`, so that the tree
  can select the field.

Printable ASCII is shown as itself, every other byte as a dot: no byte reaches the terminal raw.
The last line reports how many bytes the capture did not keep.
"""

from __future__ import annotations

from collections.abc import Hashable

from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from core.wire.model.field import Span
from widgets.hex.hex_dump import HexDump
from widgets.hex.paint import COMPONENTS, paint_hex_line
from widgets.lines.cursor_view import CursorView


class HexView(CursorView):
    """A hex dump of any number of bytes. See the module's text."""

    COMPONENT_CLASSES = set(COMPONENTS)

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
    """The offset of the byte under the cursor."""

    class ByteSelected(Message):
        """The user put the cursor on the byte at `offset` of the frame."""

        def __init__(self, hex_view: HexView, offset: int) -> None:
            super().__init__()
            self.hex_view = hex_view
            self.offset = offset

        @property
        def control(self) -> HexView:
            """Return the view, for ``@on(…, "#id")``."""
            return self.hex_view

    class Rewrapped(Message):
        """A new width put more or fewer bytes on a line, so the number of lines changed."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.dump = HexDump()

    # -- what it shows ----------------------------------------------------------------

    def show(self, data: bytes, original_length: int | None = None) -> None:
        """Show another frame: the captured bytes, and how many it had on the wire."""
        if self.dump.set_frame(data, original_length):
            self.set_reactive(HexView.cursor, None)
            self.dump.fit(self.window.width)
            self._show_lines()
            self.scroll_to(y=0)

    def _show_lines(self) -> None:
        self.set_line_count(self.dump.line_count)
        self.forget_lines()

    def highlight(self, span: Span | None) -> None:
        """Show which bytes belong together, and scroll to them; None for none."""
        dump = self.dump
        if not dump.highlight(span):
            return
        self.refresh()
        span = dump.highlighted
        if span is not None and (self.cursor is None or self.cursor not in span):
            self.cursor = span.start
            self.show_line(dump.line_of(span.stop - 1))
        if span is not None and (line := self.cursor_line) is not None:
            self.show_line(line)

    @property
    def highlighted(self) -> Span | None:
        """Return the highlighted bytes, as far as they were captured."""
        return self.dump.highlighted

    def on_resize(self) -> None:
        """Fit the bytes of a row to the width; keep the cursor on the screen."""
        if self.dump.fit(self.window.width):
            lines = self.line_count
            self._show_lines()
            if self.line_count != lines:
                self.post_message(self.Rewrapped())
        if (line := self.cursor_line) is not None:
            self.show_line(line)

    # -- the cursor ---------------------------------------------------------------------

    @property
    def cursor_line(self) -> int | None:
        """Return the row of the byte under the cursor."""
        return None if self.cursor is None else self.dump.line_of(self.cursor)

    def move_to_line(self, line: int) -> None:
        """Select the byte in the same column of another row."""
        per_row = self.dump.layout.per_row
        self._select(line * per_row + (self.cursor or 0) % per_row)

    def press(self, line: int, x: int, button: int) -> None:
        """Select the byte under the pointer, on either side."""
        layout = self.dump.layout
        self._select(line * layout.per_row + layout.index_at(x))

    def action_step(self, count: int) -> None:
        """Move the cursor by `count` bytes; the first step puts it on the first byte."""
        self._select(0 if self.cursor is None else self.cursor + count)

    def _select(self, offset: int) -> None:
        if not self.dump.data:
            return
        self.cursor = max(0, min(offset, len(self.dump.data) - 1))
        self.show_line(self.dump.line_of(self.cursor))
        self.post_message(self.ByteSelected(self, self.cursor))

    def watch_cursor(self, before: int | None, now: int | None) -> None:
        for offset in (before, now):
            if offset is not None:
                self.refresh_line(self.dump.line_of(offset))

    # -- drawing ------------------------------------------------------------------------

    def line_key(self, line: int) -> Hashable:
        """Return the row, its part of the highlight, and the cursor if it is there."""
        cursor = self.cursor if self.has_focus and self.cursor_line == line else None
        return line, self.dump.highlighted_in(line), cursor

    def build_line(self, line: int) -> Strip:
        """Draw one row of bytes, or the note about those that are missing."""
        cursor = self.cursor if self.has_focus else None
        return paint_hex_line(self.dump, line, cursor, self.component, self.component.base)
