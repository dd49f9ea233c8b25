"""The rows of a followed stream, of any number.

The rows are counted elsewhere (`core.analysis.follow.line_index`); the view reads those that are on
the screen. When the layout changes, the cursor stays on the byte that it was on.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from rich.segment import Segment
from textual.strip import Strip

from core.analysis.follow.line_index import NO_LINES, LineIndex, StreamLines
from widgets.follow.paint import (
    COMPONENTS,
    SIGN_CELLS,
    TIME_CELLS,
    Match,
    TurnTime,
    paint_row,
    turn_text,
)
from widgets.lines.cursor_view import MENU_BUTTON, CursorView


class StreamView(CursorView):
    """Rows with a cursor.

    It calls `on_layout` when its width changed, and `on_pick` with a packet that the user clicked.
    """

    COMPONENT_CLASSES = set(COMPONENTS)

    DEFAULT_CSS = """
    StreamView {
        & > .stream-view--client { color: $text-primary; }
        & > .stream-view--server { color: $text-accent; }
        & > .stream-view--offset { color: $text-muted; }
        & > .stream-view--mark { color: $text-warning; text-style: italic; }
        & > .stream-view--match { text-style: reverse; }
        & > .stream-view--cursor { background: $block-cursor-blurred-background; }
        &:focus > .stream-view--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
        }
        &:nocolor > .stream-view--cursor { text-style: bold reverse; }
    }
    """

    def __init__(
        self,
        on_layout: Callable[[], None],
        on_pick: Callable[[int], None],
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._on_layout, self._on_pick = on_layout, on_pick
        self._lines = StreamLines()
        self._match: Match | None = None
        self._time = TurnTime.NONE
        self._awaited: int | None = None  # put the cursor on the row of this byte
        self._follows = False  # keep the cursor on the last row

    @property
    def row_width(self) -> int:
        """The cells of a row, behind the sign of its side, and behind the times."""
        before = SIGN_CELLS + (0 if self._time is TurnTime.NONE else TIME_CELLS)
        return max(1, self.window.width - before)

    @property
    def index(self) -> LineIndex:
        """The rows that are shown."""
        return self._lines.index

    def show(self, index: LineIndex) -> None:
        """Show a newer index; of another stream, from its first row on."""
        before = self._lines.index
        if index is before:
            return
        is_same = index.contents.token is before.contents.token
        if not is_same:
            self._cursor, self._awaited, self._match, self._follows = 0, None, None, False
        elif index.layout != before.layout and self._awaited is None and before.line_count:
            self._awaited = self._lines.row(self._cursor)[1]
        self._lines.show(index)
        is_growing = is_same and index.layout == before.layout
        self.set_line_count(index.line_count)
        if is_growing:
            last = before.line_count - 1
            if 0 <= last < index.line_count:
                self.refresh_line(last)  # it may have become longer
        else:
            self.forget_lines()
        self._cursor = max(0, min(self._cursor, index.line_count - 1))
        if self._awaited is not None:
            self._show_awaited()
        elif self._follows and index.line_count:
            self._put_cursor(index.line_count - 1)
        elif not is_same:
            self.scroll_to(y=0)

    def show_time(self, time: TurnTime) -> None:
        """Show another time before turns, or none; `row_width` follows."""
        if time is not self._time:
            self._time = time
            self.forget_lines()

    def show_match(self, match: Match | None) -> None:
        """Highlight bytes of the stream, and put the cursor on them."""
        self._match = match
        if match is not None:
            self._awaited, self._follows = match[0], False
            self._show_awaited()
        self.forget_lines()

    def _show_awaited(self) -> None:
        """Put the cursor on the row of a byte, once that row is counted."""
        index, offset = self._lines.index, self._awaited
        if offset is None or not index.line_count:
            return
        if index.contents.piece_at(offset) < index.pieces[-1] or index.is_complete:
            self._awaited = None
            self._put_cursor(self._lines.line_of(offset))

    def _put_cursor(self, line: int) -> None:
        super().move_to_line(line)

    def move_to_line(self, line: int) -> None:
        """Put the cursor on a row. On the last one, it follows new rows."""
        self._awaited, self._follows = None, line == self.line_count - 1
        self._put_cursor(line)

    @property
    def place(self) -> int:
        """The offset of the first byte of the row under the cursor, or 0."""
        return self._lines.row(self._cursor)[1] if self.line_count else 0

    @property
    def packet(self) -> int | None:
        """The packet in which the row under the cursor begins, or None."""
        if not self.line_count:
            return None
        return int(self.index.contents.packet[self._lines.row(self._cursor)[0]])

    @property
    def text(self) -> str:
        """The row under the cursor as text, without its sign and its time."""
        if not self.line_count:
            return ""
        return "".join(segment.text for segment in self._paint(self._cursor)[1:]).rstrip()

    def press(self, line: int, x: int, button: int) -> None:
        """Put the cursor on the row; with the left button, pick its packet."""
        self.move_to_line(line)
        packet = self.packet
        if button != MENU_BUTTON and packet is not None:
            self._on_pick(packet)

    def on_resize(self) -> None:
        """Ask for rows of another width."""
        if self.row_width != self.index.layout.width:
            self._on_layout()

    def clear(self) -> None:
        """Show no stream."""
        self.show(NO_LINES)

    # -- drawing ------------------------------------------------------------------------

    def line_key(self, line: int) -> Hashable:
        """Return the row, its part of the match, and whether the cursor is on it."""
        row = self._lines.row(line)
        is_marked = self._match is not None and self._match[0] < row[2] and self._match[1] > row[1]
        return line, row, self._match if is_marked else None, line == self._cursor

    def build_line(self, line: int) -> Strip:
        """Draw one row; the colors of the cursor cover its own."""
        segments = self._paint(line)
        time = turn_text(self.index.contents, self._lines.row(line), self._time)
        if time:
            segments = [Segment(time, self.component("stream-view--offset")), *segments]
        if line == self._cursor:
            match = self.component("stream-view--match")
            cursor = self.component("stream-view--cursor")
            segments = [
                Segment(text, cursor + match if style == match else cursor)
                for text, style, _ in segments
            ]
            segments.append(Segment(" " * self.size.width, cursor))
        return Strip(segments)

    def _paint(self, line: int) -> list[Segment]:
        index = self._lines.index
        row = self._lines.row(line)
        return paint_row(index.contents, index.layout, row, self._match, self.component)
