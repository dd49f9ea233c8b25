"""The detail tree of one packet: every layer, every field, every verdict.

Textual's own tree makes an object for every node. This one is a list of lines that are drawn when
they become visible, so showing another packet costs what is visible of it.

* `DetailTree` keeps the selected field from packet to packet; here it also stays on the same line
  of the screen.
* The screen watches `selected_span`. It is set for every packet, even if the bytes are the same.
* Each row states verdicts and flaws in words; a closed row carries the sign of the worst one that
  it hides.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from core.wire.model.field import Span
from core.wire.present.detail_row import Row
from widgets.detail.paint import COMPONENTS, arrow_cells, label_width, paint_tree_line
from widgets.detail.tree import DetailTree
from widgets.lines.cursor_view import MENU_BUTTON
from widgets.lines.shifted_view import ShiftedView

LABEL_LEAST = 20
LABEL_SHARE = 0.5  # of the width; longer labels are cut


class PacketDetail(ShiftedView):
    """One packet's headers as a tree. See the module's text."""

    COMPONENT_CLASSES = set(COMPONENTS)
    CUT_MARK = "…"

    DEFAULT_CSS = """
    PacketDetail {
        & > .packet-detail--layer { text-style: bold; }
        & > .packet-detail--label { color: $text-muted; }
        & > .packet-detail--meaning { color: $text-muted; }
        & > .packet-detail--arrow { color: $text-muted; }
        & > .packet-detail--note { color: $text-muted; }
        & > .packet-detail--warning { color: $text-warning; }
        & > .packet-detail--error { color: $text-error; text-style: bold; }
        & > .packet-detail--cursor {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
        }
        &:focus > .packet-detail--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
            text-style: bold;
        }
        &:nocolor > .packet-detail--warning { color: $foreground; }
        &:nocolor > .packet-detail--error { color: $foreground; text-style: bold; }
        &:ansi > .packet-detail--cursor { text-style: underline; }
        &:nocolor > .packet-detail--cursor { text-style: underline; }
        &:nocolor:focus > .packet-detail--cursor { text-style: bold reverse; }
    }
    """

    selected_span: reactive[Span | None] = reactive(None, repaint=False, always_update=True)
    """The bytes of the selected row."""

    class PacketChosen(Message):
        """The user opened a row that leads to another packet."""

        def __init__(self, detail: PacketDetail, number: int) -> None:
            super().__init__()
            self.detail = detail
            self.number = number

        @property
        def control(self) -> PacketDetail:
            """Return the tree, for ``@on(…, "#id")``."""
            return self.detail

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.model = DetailTree()
        self._above = 0  # lines of the screen between its top and the picked field
        self._widest = LABEL_LEAST  # cells of the widest label since the start

    # -- what it shows ----------------------------------------------------------------

    def show(self, rows: Sequence[Row]) -> None:
        """Show the rows of another packet; no rows for no packet."""
        model = self.model
        if model.selects_picked:
            self._above = model.cursor - self.window.top
        model.show(rows)
        self._show_lines()
        self.scroll_to(y=min(model.cursor - self._above, self.window.last_top))
        self.selected_span = model.span

    @property
    def selected_row(self) -> Row | None:
        """Return the row under the cursor."""
        return self.model.row

    def _show_lines(self) -> None:
        self.set_line_count(len(self.model.lines))
        self._note_labels()
        self.forget_lines()

    def _note_labels(self) -> None:
        """Widen the labels, never narrow them: values must not jump from packet to packet."""
        widths = (label_width(line) for line in self.model.lines if not line.row.is_layer)
        self._widest = max([self._widest, *widths])

    @property
    def _label_width(self) -> int:
        """The cells before the values, as far as the width of the window allows now."""
        return min(self._widest, max(LABEL_LEAST, int(self.window.width * LABEL_SHARE)))

    def on_resize(self) -> None:
        """Keep the selected row on the screen."""
        self.forget_lines()
        if self.model.lines:
            self.show_line(self.model.cursor)

    # -- keys and mouse -----------------------------------------------------------------

    @property
    def cursor_line(self) -> int | None:
        """Return the line of the selected row."""
        return self.model.cursor if self.model.lines else None

    def _change(self, change: Callable[[], bool]) -> None:
        """Change the tree, then show what changed."""
        model = self.model
        lines, before = model.lines, model.cursor
        if not change():
            return
        if model.lines is lines:
            self.refresh_line(before)
            self.refresh_line(model.cursor)
        else:
            self._show_lines()
        self.show_line(model.cursor)
        self.selected_span = model.span

    def move_to_line(self, line: int) -> None:
        """Select a row, also for the packets to come."""
        self._change(lambda: self.model.select(line))

    def select_byte(self, offset: int, *, in_datagram: bool = False) -> None:
        """Select the row that a byte belongs to; open the rows above it."""
        self._change(lambda: self.model.select_byte(offset, in_datagram=in_datagram))

    def action_toggle_row(self) -> None:
        """Open the selected row, or close it; from one that leads to a packet, go to that."""
        row = self.selected_row
        if row is not None and row.packet:
            self.post_message(self.PacketChosen(self, row.packet))
        else:
            self._change(self.model.toggle)

    def action_expand(self) -> None:
        """Open the selected row; if it is open, go to its first child."""
        self._change(self.model.expand)

    def action_collapse(self) -> None:
        """Close the selected row; if it is closed, go to its parent."""
        self._change(self.model.collapse)

    def press(self, line: int, x: int, button: int) -> None:
        """Select the row; with the left button on its arrow, open or close it."""
        self.move_to_line(line)
        if button != MENU_BUTTON and x + self.shift.value in arrow_cells(self.model.lines[line]):
            self.action_toggle_row()

    def on_click(self, event: events.Click) -> None:
        """Open or close the row on a double click, anywhere in it."""
        if event.chain == 2 and event.button == 1 and self.line_at(event) == self.model.cursor:
            self.action_toggle_row()

    # -- drawing --------------------------------------------------------------------------

    def line_key(self, line: int) -> Hashable:
        """Return the line, and whether the cursor is on it; other changes clear the cache."""
        return line, line == self.model.cursor

    def build_line(self, line: int) -> Strip:
        """Draw one row: arrow, label, value, meaning."""
        segments = self._paint(line)
        if line == self.model.cursor:
            style = self.component("packet-detail--cursor")
            segments = [Segment(segment.text, style) for segment in segments]
            segments.append(Segment(" " * self.size.width, style))
        return Strip(segments).crop(self.shift.value)

    def _paint(self, line: int) -> list[Segment]:
        return paint_tree_line(
            self.model.lines[line],
            self._label_width,
            self.window.width,
            self.component,
            is_open=self.model.is_open(line),
        )

    def widest_shift(self) -> int:
        """Return the shift that brings the end of the longest visible line onto the screen."""
        lines = (self._paint(line) for line in self.window.lines)
        widths = (sum(segment.cell_length for segment in segments) for segments in lines)
        return max(0, max(widths, default=0) - self.window.width)
