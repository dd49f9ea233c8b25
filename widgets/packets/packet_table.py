"""The packet table: any number of rows, of which only the visible ones are read and drawn.

Theory
------
`PacketRows` has the packets and their text, `FittedColumns` the widths of the columns; `paint`
draws a row, and `LineRenderer` keeps it. This widget connects them and reacts to the user.

* *Follow*: the cursor stays on the newest packet until the user moves, clicks, or scrolls up; `End`
  and `G` follow again. Without it, neither new packets nor eviction move what is on the screen. If
  the cursor's own packet is evicted, the cursor goes to the oldest one in memory, and the table
  posts `SelectionEvicted`.
* The cursor is a packet number, not a row: it means the same packet after a resize or an eviction.
* The screen watches `selected` by a direct call, which paints the panels beside the table in the
  same frame (7 ms; a message took 34).

`RowColors` finds the color rule of each row that is about to be drawn. Color is never the only
signal: the first cells hold a mark (◆), a `Sign`, and the sign of a comment (¶), and the Info text
names flags, errors, and meanings in words.
"""

from __future__ import annotations

from collections.abc import Hashable

from textual import events, on
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from core.analysis.color_rules.row_colors import RowColors
from core.analysis.color_rules.rule import ColorRule
from core.analysis.packet_analysis import NOT_ANALYZED, AnalyzedPackets
from core.store.snapshot import Snapshot
from core.wire.present.faults import Faults
from widgets.lines.cells import width_of
from widgets.lines.shifted_view import ShiftedView
from widgets.packets.clicked_cell import ClickedCell
from widgets.packets.filter_change import FilterChange
from widgets.packets.fitted_columns import FittedColumns
from widgets.packets.headings import Headings
from widgets.packets.packet_rows import PacketRows, SnapshotChange
from widgets.packets.paint import COMPONENTS, info_text, paint_evicted, paint_row
from widgets.packets.row import as_sent
from widgets.packets.time_format import TimeFormat


class PacketTable(ShiftedView):
    """Packets as rows with a heading. See the module's text.

    `follow` is True while the cursor stays on the newest packet. `marks` are the numbers of the
    packets that the user marked. Without `row_colors`, all rows are plain.
    """

    COMPONENT_CLASSES = set(COMPONENTS)
    HEADER_LINES = 1

    DEFAULT_CSS = """
    PacketTable {
        & > .packet-table--header { color: $text-muted; background: $panel; text-style: bold; }
        & > .packet-table--cursor {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
            text-style: bold;
        }
        &:focus > .packet-table--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
        }
        &:nocolor {
            & > .packet-table--primary, & > .packet-table--secondary { color: $foreground; }
            & > .packet-table--error, & > .packet-table--warning {
                color: $foreground;
                text-style: bold;
            }
        }
        &:ansi > .packet-table--cursor { text-style: bold underline; }
        &:nocolor > .packet-table--cursor { text-style: bold underline; }
        &:nocolor:focus > .packet-table--cursor { text-style: bold reverse; }
        & > .packet-table--quiet { color: $text-muted; }
        & > .packet-table--mark { color: $accent; text-style: bold; }
        & > .packet-table--error { color: $text-error; }
        & > .packet-table--warning { color: $text-warning; }
        & > .packet-table--success { color: $text-success; }
        & > .packet-table--primary { color: $text-primary; }
        & > .packet-table--secondary { color: $text-secondary; }
        & > .packet-table--accent { color: $text-accent; }
        & > .packet-table--muted { color: $text-muted; }
    }
    """

    selected: reactive[int | None] = reactive(None, repaint=False)
    """The number of the packet under the cursor."""

    sent_numbers: reactive[frozenset[int]] = reactive(frozenset())
    """The packets that this program sent, as far as they were found in the capture."""

    class SelectionEvicted(Message):
        """The selected packet was removed from memory; `now` is selected instead."""

        def __init__(self, table: PacketTable, number: int, now: int | None) -> None:
            super().__init__()
            self.table = table
            self.number = number
            self.now = now

        @property
        def control(self) -> PacketTable:
            """Return the table, for ``@on(…, "#id")``."""
            return self.table

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.rows = PacketRows(Faults())
        self.follow = True
        self.marks: frozenset[int] = frozenset()
        self.row_colors: RowColors | None = None
        self.time_format = TimeFormat.RELATIVE
        self._columns = FittedColumns()
        self.headings = Headings(self, self._columns)
        self._filter_change = FilterChange()
        self.clicked = ClickedCell()

    # -- which packets it shows -----------------------------------------------------------

    def show(self, snapshot: Snapshot, analyzed: AnalyzedPackets = NOT_ANALYZED) -> None:
        """Show a newer snapshot, or more of what is known of it. Costs what is visible."""
        rows = self.rows
        change = rows.compare(snapshot, analyzed)
        if change is SnapshotChange.REPLACED:
            self.clear()
        if rows.take_analyses(analyzed, self.window.lines):
            self._columns.fit_again()
            self.refresh()
        if change is SnapshotChange.NONE:
            return
        if self._filter_change.covers(change, analyzed, self.selected):
            self._show_filtered(snapshot, analyzed)
            return
        top = rows[self.window.top] if self.window.top < len(rows) else None
        rows.take(snapshot, analyzed)
        self._columns.fit_totals(snapshot)
        self.set_line_count(len(rows))
        if change is SnapshotChange.EVICTED:
            self._keep_in_place(snapshot, top)
        if self.follow:
            self.follow_tail()
        elif self.selected is None and len(rows):
            self.selected = rows[0]

    def _keep_in_place(self, snapshot: Snapshot, top: int | None) -> None:
        """Keep packet `top` at the top of the screen after an eviction, which moved rows up."""
        self.marks = frozenset(number for number in self.marks if number >= snapshot.first)
        if top is not None and not self.follow:
            self.scroll_to(y=self.rows.nearest_row(top) or 0)
        self.refresh()
        number = self.selected
        if number is not None and number < snapshot.first and not self.follow:
            self.selected = self.rows[0] if len(self.rows) else None
            self.post_message(self.SelectionEvicted(self, number, self.selected))

    def hold(self, snapshot: Snapshot, analyzed: AnalyzedPackets = NOT_ANALYZED) -> None:
        """Keep the rows of the last `show`; `snapshot` may lack some of their packets.

        Nothing moves: the row of an evicted packet stays in its place and reports it.
        """
        rows = self.rows
        if rows.take_analyses(analyzed, self.window.lines):
            self._columns.fit_again()
            self.refresh()
        change = rows.compare(snapshot, analyzed)
        if self._filter_change.covers(change, analyzed, self.selected):
            self._show_filtered(snapshot, analyzed)
            return
        has_evicted = rows.hold(snapshot, analyzed)
        if len(rows) != self.line_count:
            self.set_line_count(len(rows))
        if has_evicted:
            self.marks = frozenset(number for number in self.marks if number >= snapshot.first)
            self.refresh()

    def clear(self) -> None:
        """Forget all packets, marks, and widths, for another capture."""
        self.rows.clear()
        if self.row_colors is not None:
            self.row_colors.forget()
        self._columns.clear()
        self.selected = None
        self._filter_change.forget()
        self.marks = frozenset()
        self.set_line_count(0)
        self.forget_lines()

    def _show_filtered(self, snapshot: Snapshot, analyzed: AnalyzedPackets) -> None:
        """Show other packets of the store.

        The cursor stays on its packet, and on its line of the screen. If that packet has no row,
        the cursor goes to the nearest one that has, and returns when the packet has one again.
        """
        rows, line = self.rows, self.cursor_line
        above = 0 if line is None else line - self.window.top
        rows.take(snapshot, analyzed)
        self.set_line_count(len(rows))
        self.forget_lines()
        chosen = self._filter_change.chosen
        row = None if chosen is None else rows.nearest_row(chosen)
        if self.follow and len(rows):
            self.follow_tail()
        elif row is None:
            self.selected = rows[0] if len(rows) else None
        else:
            self.selected = rows[row]
            self.scroll_to(y=min(row - above, self.window.last_top))

    # -- the cursor ---------------------------------------------------------------------

    @property
    def cursor_line(self) -> int | None:
        """Return the row of the selected packet."""
        return self.rows.row_of(self.selected)

    def select(self, number: int) -> bool:
        """Put the cursor on a packet and stop following. Return False if it is not shown."""
        row = None if self.rows.is_evicted(number) else self.rows.row_of(number)
        if row is not None:
            self.move_to_line(row)
        return row is not None

    def move_to_line(self, line: int) -> None:
        """Put the cursor on a row and stop following."""
        self.follow = False
        self._filter_change.forget()
        self.selected = self.rows[line]
        self.show_line(line)

    def press(self, line: int, x: int, button: int) -> None:
        """Put the cursor on the packet under the pointer, and remember the cell."""
        self.clicked.click(self.rows, line, x, self._columns.layout, self.selected)
        self.move_to_line(line)

    def action_move(self, motion: str) -> None:
        """Move the cursor. ``last`` follows; while following, moving down changes nothing."""
        if motion == "last":
            self.follow_tail()
        elif not (self.follow and motion in ("down", "page_down")):
            super().action_move(motion)

    def follow_tail(self) -> None:
        """Put the cursor on the newest packet, now and whenever packets arrive."""
        self.follow = True
        self._filter_change.forget()
        if len(self.rows):
            self.scroll_to(y=self.window.last_top)
            self.selected = self.rows[-1]

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(new_value) < round(self.max_scroll_y):
            self.follow = False

    def watch_selected(self, before: int | None, now: int | None) -> None:
        for number in (before, now):
            if (line := self.rows.row_of(number)) is not None:
                self.refresh_line(line)

    def on_resize(self) -> None:
        """Keep the selected packet on the screen."""
        if self.follow:
            self.follow_tail()
        elif (line := self.cursor_line) is not None:
            self.show_line(line)

    # -- marks and times -----------------------------------------------------------------

    def toggle_mark(self) -> None:
        """Mark the selected packet, or remove its mark."""
        if self.selected is not None:
            self.marks = self.marks ^ {self.selected}
            if (line := self.cursor_line) is not None:
                self.refresh_line(line)

    def change_time_format(self, time_format: TimeFormat | None = None) -> None:
        """Show times in a format; without one, in the next."""
        self.time_format = time_format or self.time_format.next
        self._columns.forget_times()
        self.forget_lines()

    def toggle_time_reference(self) -> None:
        """Make the selected packet time zero, or the first packet again; show relative times."""
        if self.selected is not None and self.rows.toggle_reference(self.selected):
            self.change_time_format(TimeFormat.RELATIVE)

    @on(events.MouseDown)
    @on(events.MouseMove)
    @on(events.MouseUp)
    @on(events.Click)
    def use_headings(self, event: events.MouseEvent) -> None:
        """Let the mouse change the columns by their headings."""
        self.headings.handle(event)

    # -- drawing ------------------------------------------------------------------------

    def render_lines(self, crop: Region) -> list[Strip]:
        """Fit the columns to the rows that are to be drawn, then draw."""
        window = self.window
        first = window.top + max(0, crop.y - self.HEADER_LINES)
        last = min(window.count, window.top + crop.bottom - self.HEADER_LINES)
        if self._columns.fit(self.rows, range(first, last), window.width, self.time_format):
            self.forget_lines()
        snapshot = self.rows.snapshot
        if self.row_colors is not None and snapshot is not None:
            numbers = (self.rows[line] for line in range(first, last))
            self.row_colors.request(snapshot, (each for each in numbers if each >= snapshot.first))
        return super().render_lines(crop)

    def _rule_of(self, number: int) -> ColorRule | None:
        return None if self.row_colors is None else self.row_colors.rule_of(number)

    def line_key(self, line: int) -> Hashable:
        """Return the packet, its color, and whether it is evicted, analyzed, selected, …"""
        number, rows = self.rows[line], self.rows
        return (
            number,
            rows.is_evicted(number),
            rows.is_analyzed(number),
            rows.completed_in(number),
            number == self.selected,
            number in self.marks,
            self.rows.is_commented(number),
            number in self.sent_numbers,
            rows.names.version if rows.has_names else None,
            rows.programs_version,
            self._rule_of(number),
        )

    def build_line(self, line: int) -> Strip:
        """Draw one packet."""
        number, layout = self.rows[line], self._columns.layout
        selected = number == self.selected
        if self.rows.is_evicted(number):
            return paint_evicted(number, layout, self.component, selected=selected)
        row = self.rows.read(line)
        return paint_row(
            as_sent(row) if number in self.sent_numbers else row,
            layout,
            self.rows.time_text(
                line, self.time_format, layout.time_decimals, with_date=layout.with_date
            ),
            self.component,
            rule=self._rule_of(number),
            marked=number in self.marks,
            commented=self.rows.is_commented(number),
            selected=selected,
            shift=self.shift.value,
        )

    def build_header(self, line: int) -> Strip:
        """Draw the headings."""
        return self.headings.paint(self.component("packet-table--header"))

    def widest_shift(self) -> int:
        """Return the shift that brings the end of the longest visible Info onto the screen."""
        rows, layout = self.rows, self._columns.layout
        if layout.info is None:
            return 0
        held = (line for line in self.window.lines if not rows.is_evicted(rows[line]))
        longest = (width_of(info_text(rows.read(line), layout)) for line in held)
        return max(0, max(longest, default=0) - layout.info.width)
