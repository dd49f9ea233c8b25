"""The detail tree of one packet: every layer, every field, every verdict.

Textual's own tree makes an object for every node; this one is a list of lines drawn when
looked at, so that showing another packet costs what is visible of it.

* The same field stays selected from packet to packet, by its key, and stays on the same
  line of the screen. A packet that lacks it selects the layer above it; the field is
  selected again in the next packet that has it, until the user picks another.
* `selected_span` is for the screen to watch; it is set for every packet, also when the
  bytes are the same ones.
* Verdicts and flaws are said in words by the row itself; a closed row carries the sign of
  the worst one it hides.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from rich.segment import Segment
from textual import events
from textual.reactive import reactive
from textual.strip import Strip

from core.wire.model.field import Span
from core.wire.present.detail import Row
from widgets.detail.paint import COMPONENTS, arrow_cells, label_width, paint_tree_line
from widgets.detail.tree import Expansion, TreeLine, path_to_byte, path_to_key
from widgets.lines.shifted_view import ShiftedView

LABEL_LEAST = 20
LABEL_SHARE = 0.5  # of the width: labels get no more, and are cut


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

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: tuple[Row, ...] = ()
        self._expansion = Expansion()
        self._lines: list[TreeLine] = []
        self._wanted = ""  # key of the field the user picked last
        self._above = 0  # lines of the screen between its top and that field
        self._label_width = LABEL_LEAST

    # -- what it shows ----------------------------------------------------------------

    def show(self, rows: Sequence[Row]) -> None:
        """Show the rows of another packet; no rows for no packet."""
        if not self._wanted or self._selects_wanted():
            self._above = self._cursor - self.window.top
        self._rows = tuple(rows)
        self._lines = self._expansion.lines(self._rows)
        self.set_line_count(len(self._lines))
        self._cursor = self._line_of_wanted()
        self._fit_labels()
        self.forget_lines()
        self.scroll_to(y=min(self._cursor - self._above, len(self._lines) - self.window.page))
        self.selected_span = self._span()

    @property
    def selected_row(self) -> Row | None:
        """The row under the cursor."""
        return self._lines[self._cursor].row if self._lines else None

    def _selects_wanted(self) -> bool:
        row = self.selected_row
        return row is not None and row.key == self._wanted

    def _span(self) -> Span | None:
        row = self.selected_row
        return None if row is None else row.span

    def _line_of_wanted(self) -> int:
        """The line of the field that the user picked, or of what is visible above it."""
        path = path_to_key(self._rows, self._wanted)
        if not path and self._wanted:
            layer = self._wanted.partition(".")[0]
            path = path_to_key(self._rows, layer)
        keys = [row.key for row in path]
        found = 0
        for index, line in enumerate(self._lines):
            if line.row.key in keys:
                found = index
        return found

    def _fit_labels(self) -> None:
        """Labels are never narrower than before: values do not jump from packet to packet."""
        widths = (label_width(line) for line in self._lines if not line.row.is_layer)
        most = max(LABEL_LEAST, int(self.window.width * LABEL_SHARE))
        self._label_width = min(max(self._label_width, max(widths, default=0)), most)

    def on_resize(self) -> None:
        """The selected row stays on the screen."""
        self._fit_labels()
        self.forget_lines()
        if self._lines:
            self.show_line(self._cursor)

    # -- the cursor ---------------------------------------------------------------------

    def move_to_line(self, line: int) -> None:
        """Select a row, and remember its key for the packets to come."""
        super().move_to_line(line)
        self._wanted = self._lines[line].row.key
        self.selected_span = self._span()

    def select_byte(self, offset: int) -> None:
        """Select the row that the byte belongs to, and open the ones above it."""
        path = path_to_byte(self._rows, offset)
        if not path:
            return
        for row in path[:-1]:
            self._expansion.set(row, True)
        self._rebuild()
        self.move_to_line(next(i for i, line in enumerate(self._lines) if line.row is path[-1]))

    # -- opening and closing --------------------------------------------------------------

    def action_toggle_row(self) -> None:
        """Open the selected row, or close it."""
        self._set_open(self._cursor, None)

    def action_expand(self) -> None:
        """Open the selected row; on an open one go to its first child."""
        row = self.selected_row
        if row is None or not row.children:
            return
        if self._expansion.is_open(row):
            self.move_to_line(self._cursor + 1)
        else:
            self._set_open(self._cursor, True)

    def action_collapse(self) -> None:
        """Close the selected row; on one that is closed go to its parent."""
        row = self.selected_row
        if row is None:
            return
        if self._expansion.is_open(row):
            self._set_open(self._cursor, False)
        elif (parent := self._lines[self._cursor].parent) is not None:
            self.move_to_line(parent)

    def _set_open(self, line: int, is_open: bool | None) -> None:
        """Open or close the row in `line`; None for whichever it is not."""
        row = self._lines[line].row if self._lines else None
        if row is not None and row.children:
            opened = not self._expansion.is_open(row) if is_open is None else is_open
            self._expansion.set(row, opened)
            self._rebuild()
            self.move_to_line(line)

    def _rebuild(self) -> None:
        self._lines = self._expansion.lines(self._rows)
        self._cursor = min(self._cursor, len(self._lines) - 1)
        self.set_line_count(len(self._lines))
        self._fit_labels()
        self.forget_lines()

    def press(self, line: int, x: int) -> None:
        """Select the row; on its arrow, open or close it."""
        self.move_to_line(line)
        if x + self.shift.value in arrow_cells(self._lines[line]):
            self.action_toggle_row()

    def on_click(self, event: events.Click) -> None:
        """A double click opens or closes, wherever in the row it is."""
        if event.chain == 2 and self.line_at(event) == self._cursor:
            self.action_toggle_row()

    # -- drawing --------------------------------------------------------------------------

    def line_key(self, line: int) -> Hashable:
        """A line, and whether the cursor is on it; everything else clears the cache."""
        return line, line == self._cursor

    def build_line(self, line: int) -> Strip:
        """One row: arrow, label, value, meaning."""
        segments = self._paint(line)
        if line == self._cursor:
            style = self.component("packet-detail--cursor")
            segments = [Segment(segment.text, style) for segment in segments]
            segments.append(Segment(" " * self.size.width, style))
        return Strip(segments).crop(self.shift.value)

    def _paint(self, line: int) -> list[Segment]:
        entry = self._lines[line]
        is_open = self._expansion.is_open(entry.row)
        room = self.window.width
        return paint_tree_line(entry, self._label_width, room, self.component, is_open=is_open)

    def widest_shift(self) -> int:
        """As far as brings the end of the longest visible line into sight."""
        lines = (self._paint(line) for line in self.window.lines)
        widths = (sum(segment.cell_length for segment in segments) for segments in lines)
        return max(0, max(widths, default=0) - self.window.width)
