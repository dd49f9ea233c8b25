"""The packet table: any number of rows, of which only the visible ones are looked at.

Theory
------
A row is a packet number (`core.store.view.View`). What it says is made when it comes on the
screen (`packet_row`), the widths of its columns are decided over the visible rows
(`packet_columns`), it is drawn by `packet_paint` and `packet_lines`, kept by `line_view`.
Here is what the user does with it.

* *Follow*: the cursor stays on the newest packet until the user moves, clicks or scrolls up;
  `End` and `G` follow again. Without it, neither new packets nor eviction move what is
  on the screen, but that a cursor whose packet is evicted goes to the oldest one held
  and says so (`SelectionEvicted`).
* The cursor is a packet number, not a row: it means the same packet after a resize or an
  eviction.
* `selected` is for the screen to watch, by a direct call: that paints the panes beside the
  table in the same frame (7 ms; through a message it was 34).

Color is never the only signal: the first two cells hold a mark (◆) and a `Sign`, and the
Info text names flags, errors and meanings in words.
"""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.reactive import reactive

from core.store.snapshot import Snapshot
from core.store.view import Predicate, View
from widgets.packets.columns import ColumnName
from widgets.packets.lines import PacketLines


class PacketTable(PacketLines):
    """Packets as rows. See the module's text."""

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
            & > .packet-table--udp, & > .packet-table--dns { color: $foreground; }
            & > .packet-table--control { color: $foreground; }
            & > .packet-table--arp, & > .packet-table--neighbor { color: $foreground; }
            & > .packet-table--reset, & > .packet-table--icmp-error {
                color: $foreground;
                text-style: bold;
            }
            & > .packet-table--malformed, & > .packet-table--bad-checksum { color: $foreground; }
            & > .packet-table--fault { color: $foreground; }
        }
        &:ansi > .packet-table--cursor { text-style: bold underline; }
        &:nocolor > .packet-table--cursor { text-style: bold underline; }
        &:nocolor:focus > .packet-table--cursor { text-style: bold reverse; }
        & > .packet-table--quiet { color: $text-muted; }
        & > .packet-table--mark { color: $accent; text-style: bold; }
        & > .packet-table--syn { color: $text-success; text-style: bold; }
        & > .packet-table--http, & > .packet-table--tls { color: $text-success; }
        & > .packet-table--udp, & > .packet-table--dns { color: $text-primary; }
        & > .packet-table--control { color: $text-secondary; }
        & > .packet-table--arp, & > .packet-table--neighbor { color: $text-secondary; }
        & > .packet-table--icmp-error { color: $text-warning; }
        & > .packet-table--reset { color: $text-error; }
        & > .packet-table--malformed, & > .packet-table--bad-checksum, & > .packet-table--fault {
            color: $text-error;
            text-style: bold;
        }
        & > .packet-table--truncated { color: $text-muted; }
    }
    """

    follow: reactive[bool] = reactive(True, repaint=False)

    class SelectionEvicted(Message):
        """The selected packet was dropped from memory; `now` is selected instead."""

        def __init__(self, table: PacketTable, number: int, now: int | None) -> None:
            super().__init__()
            self.table = table
            self.number = number
            self.now = now

        @property
        def control(self) -> PacketTable:
            """The table, for ``@on(…, "#id")``."""
            return self.table

    # -- what it shows ----------------------------------------------------------------

    def show(self, snapshot: Snapshot) -> None:
        """Take in a newer snapshot; called many times a second, costs what is visible."""
        last = self._snapshot
        if last is not None and (snapshot.version, snapshot.count) == (last.version, last.count):
            return
        if last is not None and snapshot.count < last.count:
            self.clear()  # another store: the numbers mean other packets
            last = None
        evicted = last is not None and snapshot.first > self._view.first
        top = self._view[self.window.top] if self.window.top < self.line_count else None
        self._take(snapshot)
        if evicted:
            self._after_eviction(snapshot, top)
        if self.follow:
            self._to_tail()
        elif self.selected is None and self.line_count:
            self.selected = self._view[0]

    def hold(self, snapshot: Snapshot) -> None:
        """Show the rows of the last `show`, of whose packets `snapshot` may hold fewer.

        Nothing moves: the row of an evicted packet stays where it is and says so.
        """
        last, self._snapshot = self._snapshot, snapshot
        if last is not None and snapshot.first > last.first:
            self._drop_marks(snapshot)
            self.refresh()

    def _drop_marks(self, snapshot: Snapshot) -> None:
        self.marks = frozenset(number for number in self.marks if number >= snapshot.first)

    def _after_eviction(self, snapshot: Snapshot, top: int | None) -> None:
        """Rows have lower places now: keep packets where they were on the screen."""
        self._drop_marks(snapshot)
        if top is not None and not self.follow:
            self.scroll_to(y=self._view.nearest_row(top) or 0)
        self.refresh()
        number = self.selected
        if number is not None and number < snapshot.first and not self.follow:
            self.selected = self._view[0] if self.line_count else None
            self.post_message(self.SelectionEvicted(self, number, self.selected))

    def clear(self) -> None:
        """Forget all packets, marks and widths: what comes next is another capture."""
        self._reset()
        self.selected = None
        self.marks = frozenset()
        self.set_line_count(0)
        self.forget_lines()

    def keep_only(self, predicate: Predicate | None) -> None:
        """Show the packets that pass, or all again with None.

        The cursor stays on its packet, and on its line of the screen; if that packet does not
        pass, it goes to the nearest one that does.
        """
        line = self.cursor_line
        above = 0 if line is None else line - self.window.top
        self._predicate = predicate
        self._view = View(predicate)
        if self._snapshot is None:
            return
        self._take(self._snapshot)
        self.forget_lines()
        row = None if self.selected is None else self._view.nearest_row(self.selected)
        if self.follow and self.line_count:
            self._to_tail()
        elif row is None:
            self.selected = self._view[0] if self.line_count else None
        else:
            self.selected = self._view[row]
            self.scroll_to(y=min(row - above, self.line_count - self.window.page))

    # -- the cursor ---------------------------------------------------------------------

    @property
    def cursor_line(self) -> int | None:
        """The row of the selected packet."""
        return None if self.selected is None else self._view.row_of(self.selected)

    def select(self, number: int) -> bool:
        """Put the cursor on a packet and stop following; False if it is not held."""
        row = None if self.is_evicted(number) else self._view.row_of(number)
        if row is not None:
            self.move_to_line(row)
        return row is not None

    def move_to_line(self, line: int) -> None:
        """Put the cursor on a row and stop following."""
        self.follow = False
        self.selected = self._view[line]
        self.show_line(line)

    def action_move(self, motion: str) -> None:
        """Move the cursor; the end follows, and at the end, moving down goes on following."""
        if motion == "last":
            self.follow = True
        elif not (self.follow and motion in ("down", "page_down")):
            super().action_move(motion)

    def _to_tail(self) -> None:
        if self.line_count:
            self.scroll_to(y=self.window.last_top)
            self.selected = self._view[-1]

    def watch_follow(self) -> None:
        if self.follow:
            self._to_tail()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(new_value) < round(self.max_scroll_y):
            self.follow = False

    def on_resize(self) -> None:
        """The selection stays on the screen."""
        if self.follow:
            self._to_tail()
        elif (line := self.cursor_line) is not None:
            self.show_line(line)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A press on the heading of the times changes how they are shown."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y >= self.HEADER_LINES:
            return
        if self._layout.column_at(offset.x) is ColumnName.TIME:
            self.cycle_time_format()

    # -- marks and times -----------------------------------------------------------------

    def toggle_mark(self) -> None:
        """Mark the selected packet, or take its mark away."""
        if self.selected is not None:
            self.marks = self.marks ^ {self.selected}

    def next_mark(self) -> bool:
        """Select the next marked packet, after the last one the first; False without any."""
        here = self.selected or 0
        marks = sorted(self.marks, key=lambda mark: (mark <= here, mark))
        return any(self.select(mark) for mark in marks)

    def previous_mark(self) -> bool:
        """Select the marked packet before, before the first one the last; False without any."""
        here = self.selected or 0
        marks = sorted(self.marks, key=lambda mark: (mark >= here, -mark))
        return any(self.select(mark) for mark in marks)

    def cycle_time_format(self) -> None:
        """The next way to show times."""
        self.time_format = self.time_format.next
