"""The columns of the packet table, fitted to the rows that were on the screen.

Before rows are drawn they are read, because the widths of the columns depend on what is visible.
Reading a row costs about 0.1 ms, and happens once; drawing happens again at each change of the
cursor, a mark, the width, or the theme.
"""

from __future__ import annotations

from core.store.snapshot import Snapshot
from widgets.packets.column_choice import DEFAULT_CHOICE, ColumnChoice
from widgets.packets.columns import TableLayout, WidestSeen, choose_layout
from widgets.packets.packet_rows import PacketRows
from widgets.packets.time_format import TimeFormat

FITTED_PACKETS = 512  # several screens


class FittedColumns:
    """The layout that suits every row that was fitted; columns never get narrower."""

    def __init__(self) -> None:
        self.choice = DEFAULT_CHOICE
        self._seen = WidestSeen()
        self._fitted: set[int] = set()  # numbers of packets
        self.layout: TableLayout = choose_layout(self._seen, 0, TimeFormat.RELATIVE)

    def clear(self) -> None:
        """Let all columns start narrow again, for another capture."""
        self._seen = WidestSeen()
        self._fitted.clear()

    def fit_totals(self, snapshot: Snapshot) -> None:
        """Make room for the largest packet number and for the names of interfaces."""
        self._seen.take_count(snapshot.count)
        self._seen.take_interfaces(interface.name for interface in snapshot.interfaces)

    def forget_times(self) -> None:
        """Let the Time column start narrow again: times have another format now."""
        self._seen.whole_seconds = 1
        self._fitted.clear()

    def fit_again(self) -> None:
        """Fit the rows on the screen again: the analysis may have given them other texts."""
        self._fitted.clear()

    def choose(self, choice: ColumnChoice) -> None:
        """Show other columns; those of fields that were not shown before start narrow."""
        self.choice = choice
        for name in set(self._seen.fields) - set(choice.fields):
            del self._seen.fields[name]
        self._fitted.clear()

    def fit(self, rows: PacketRows, lines: range, width: int, time_format: TimeFormat) -> bool:
        """Make room for the packets in `lines`. Return True if the layout changed."""
        if len(self._fitted) > FITTED_PACKETS:
            self._fitted.clear()
        new = [
            line
            for line in lines
            if rows[line] not in self._fitted and not rows.is_evicted(rows[line])
        ]
        self._fitted.update(rows[line] for line in new)
        self._seen.take(rows.read(line) for line in new)
        durations_ns = (rows.duration_ns(line, time_format) for line in new)
        self._seen.take_durations(each for each in durations_ns if each is not None)
        with_date = time_format is TimeFormat.ABSOLUTE and rows.spans_days()
        before = self.layout
        self.layout = choose_layout(
            self._seen, width, time_format, self.choice, with_date=with_date
        )
        return self.layout != before
