"""The drawing half of the packet table: which words stand in which line, and when to repaint.

Before lines are drawn they are read (`PacketLines.render_lines`), since the widths of the
columns are decided over what is visible. Reading is what costs, about 0.1 ms a packet; it is
done once for each row, drawing again at each change of cursor, mark, width or theme.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip

from core.store.frame_detail import seconds_text
from core.store.snapshot import Snapshot
from core.store.view import Predicate, View
from core.wire.present.faults import Faults
from widgets.lines.cells import width_of
from widgets.lines.line_renderer import CACHED_LINES
from widgets.lines.shifted_view import ShiftedView
from widgets.packets.columns import TableLayout, WidestSeen, choose_layout
from widgets.packets.paint import COMPONENTS, info_text, paint_evicted, paint_header, paint_row
from widgets.packets.row import PacketRow, RowReader, as_ours
from widgets.packets.time_format import TimeFormat, clock_text, date_text

UNKNOWN = "–"  # time since a packet that is not held any more


class PacketLines(ShiftedView):
    """Packets as lines with a heading. `PacketTable` adds what the user does with them."""

    COMPONENT_CLASSES = set(COMPONENTS)
    HEADER_LINES = 1

    selected: reactive[int | None] = reactive(None, repaint=False)
    marks: reactive[frozenset[int]] = reactive(frozenset(), repaint=False)
    ours: reactive[frozenset[int]] = reactive(frozenset(), repaint=False)
    """Packets that this program sent, as far as they were found again."""
    time_format: reactive[TimeFormat] = reactive(TimeFormat.RELATIVE, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.faults = Faults()
        self._predicate: Predicate | None = None
        self._reset()

    def _reset(self) -> None:
        self._snapshot: Snapshot | None = None
        self._view = View(self._predicate)
        self._reader = RowReader(self.faults)
        self._seen = WidestSeen()
        self._fitted: set[int] = set()  # packets whose widths were taken
        self._layout: TableLayout = choose_layout(self._seen, 0, TimeFormat.RELATIVE)

    def note_faults_in(self, faults: Faults) -> None:
        """Count the packets that cannot be described there, from now on."""
        self.faults = faults
        self._reader = RowReader(faults)

    def _take(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._view.extend(snapshot)
        self._seen.take_count(snapshot.count)
        self._seen.take_interfaces(interface.name for interface in snapshot.interfaces)
        self.set_line_count(len(self._view))

    def is_evicted(self, number: int) -> bool:
        """Return True for a packet that has a row and is not in memory anymore."""
        return self._snapshot is not None and number < self._snapshot.first

    @property
    def held_count(self) -> int:
        """How many of the rows show packets that are in memory."""
        if self._snapshot is None or not self.line_count:
            return 0
        row = self._view.nearest_row(self._snapshot.first)
        return 0 if row is None or self.is_evicted(self._view[row]) else self.line_count - row

    def watch_selected(self, before: int | None, now: int | None) -> None:
        self._refresh_packets({before, now})

    def watch_marks(self, before: frozenset[int], now: frozenset[int]) -> None:
        self._refresh_packets(before ^ now)

    def watch_ours(self, before: frozenset[int], now: frozenset[int]) -> None:
        self._refresh_packets(before ^ now)

    def watch_time_format(self) -> None:
        self._seen.whole_seconds = 1
        self._fitted.clear()
        self.forget_lines()

    def _refresh_packets(self, numbers: Iterable[int | None]) -> None:
        for number in numbers:
            line = None if number is None else self._view.row_of(number)
            if line is not None:
                self.refresh_line(line)

    # -- reading ----------------------------------------------------------------------

    def render_lines(self, crop: Region) -> list[Strip]:
        """Read the rows that are to be drawn, fit the columns to them, draw."""
        if self._snapshot is not None:
            first = self.window.top + max(0, crop.y - self.HEADER_LINES)
            last = min(self.line_count, self.window.top + crop.bottom - self.HEADER_LINES)
            self._fit(self._snapshot, range(first, last))
        return super().render_lines(crop)

    def _fit(self, snapshot: Snapshot, lines: range) -> None:
        if len(self._fitted) > CACHED_LINES:
            self._fitted.clear()
        new = [
            line
            for line in lines
            if self._view[line] not in self._fitted and not self.is_evicted(self._view[line])
        ]
        self._fitted.update(self._view[line] for line in new)
        rows = [(line, self._row(snapshot, line)) for line in new]
        self._seen.take(row for _, row in rows)
        durations = (self._duration_ns(snapshot, line, row) for line, row in rows)
        self._seen.take_durations(each for each in durations if each is not None)
        layout = choose_layout(
            self._seen,
            self.window.width,
            self.time_format,
            with_date=self.time_format is TimeFormat.ABSOLUTE and _spans_days(snapshot),
        )
        if layout != self._layout:
            self._layout = layout
            self.forget_lines()

    def _row(self, snapshot: Snapshot, line: int) -> PacketRow:
        return self._reader.row(snapshot, self._view[line])

    def _duration_ns(self, snapshot: Snapshot, line: int, row: PacketRow) -> int | None:
        """What the Time column counts; None for a time of day and for what is not known."""
        if self.time_format is TimeFormat.RELATIVE:
            first = snapshot.first_timestamp_ns
            return None if first is None else row.timestamp_ns - first
        if self.time_format is TimeFormat.DELTA:
            if line > 0 and not self.is_evicted(self._view[line - 1]):
                return row.timestamp_ns - snapshot.timestamp_ns(self._view[line - 1])
            return 0 if row.number == 1 else None
        return None

    def _time_text(self, snapshot: Snapshot, line: int, row: PacketRow) -> str:
        decimals = self._layout.time_decimals
        if not row.timed:
            return UNKNOWN
        if self.time_format is TimeFormat.ABSOLUTE:
            return clock_text(row.timestamp_ns, decimals, with_date=self._layout.with_date)
        duration = self._duration_ns(snapshot, line, row)
        return UNKNOWN if duration is None else seconds_text(duration, decimals)

    # -- drawing ------------------------------------------------------------------------

    def line_key(self, line: int) -> Hashable:
        """A packet, whether it is evicted, and whether the cursor or a mark is on it; the rest
        clears the cache."""
        number = self._view[line]
        gone, selected = self.is_evicted(number), number == self.selected
        return number, gone, selected, number in self.marks, number in self.ours

    def build_line(self, line: int) -> Strip:
        """One packet."""
        assert self._snapshot is not None  # there are no lines without one
        number = self._view[line]
        if self.is_evicted(number):
            selected = number == self.selected
            return paint_evicted(number, self._layout, self.component, selected=selected)
        row = self._row(self._snapshot, line)
        if row.number in self.ours:
            row = as_ours(row)
        return paint_row(
            row,
            self._layout,
            self._time_text(self._snapshot, line, row),
            self.component,
            marked=row.number in self.marks,
            selected=row.number == self.selected,
            shift=self.shift.value,
        )

    def build_header(self, line: int) -> Strip:
        """The headings. The date of a time of day stands here where all packets share it."""
        heading = "Time"
        snapshot = self._snapshot
        if snapshot is not None and snapshot.first_timestamp_ns is not None:
            if self.time_format is TimeFormat.ABSOLUTE and not self._layout.with_date:
                heading = date_text(snapshot.first_timestamp_ns)
            elif self.time_format is TimeFormat.DELTA:
                heading = "Delta"
        return paint_header(self._layout, heading, self.component("packet-table--header"))

    def widest_shift(self) -> int:
        """As far as brings the end of the longest visible Info into sight."""
        if self._snapshot is None:
            return 0
        held = (line for line in self.window.lines if not self.is_evicted(self._view[line]))
        rows = (self._row(self._snapshot, line) for line in held)
        longest = max((width_of(info_text(row, self._layout)) for row in rows), default=0)
        return max(0, longest - self._layout.info.width)


def _spans_days(snapshot: Snapshot) -> bool:
    """Return True if the first and the newest packet came on different local dates."""
    if snapshot.first_timestamp_ns is None or snapshot.count < snapshot.first:
        return False
    newest = snapshot.timestamp_ns(snapshot.count)
    return date_text(snapshot.first_timestamp_ns) != date_text(newest)
