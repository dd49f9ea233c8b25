"""The widths of the packet table's columns. Numbers only: no drawing, no Textual.

Rules
-----
* A column is as wide as the widest text that was shown in it, and never gets narrower: columns that
  jump while traffic scrolls by cannot be read.
* An address is not cut in the middle. The address columns widen for IPv6 while Info stays readable;
  beyond that, an address loses whole groups (`cells.shorten_address`).
* Info takes the rest of the width. If the rest is too narrow, the table drops columns in steps
  (`SHAPES`), the least useful ones first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from widgets.lines.cells import width_of
from widgets.packets.row import PacketRow
from widgets.packets.time_format import NS, TimeFormat

SIGN_WIDTH = 3  # a mark, a sign, a blank
INFO_LEAST = 16  # with less for Info, the table drops a column
INFO_WITH_ADDRESSES = 36  # two IPv4 addresses, and some text
INFO_WISHED = 32  # with less for Info, the address columns stop widening
ADDRESS_LEAST = 15  # 255.255.255.255
ADDRESS_BOUND = 17  # a MAC address is shown whole at any width
ADDRESS_MOST = 39  # the longest IPv6 address
INTERFACE_MOST = 15  # IFNAMSIZ without its NUL, linux/if.h


class ColumnName(Enum):
    """The columns. The value is the heading."""

    NUMBER = "No."
    TIME = "Time"
    INTERFACE = "Interface"
    SOURCE = "Source"
    DESTINATION = "Destination"
    PROTOCOL = "Proto"
    LENGTH = "Len"
    INFO = "Info"


RIGHT_ALIGNED = frozenset({ColumnName.NUMBER, ColumnName.TIME, ColumnName.LENGTH})


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: its first cell, counted from the left edge, and its width in cells."""

    name: ColumnName
    start: int
    width: int

    @property
    def at_right(self) -> bool:
        """Return True for numbers, which are aligned at their last digit."""
        return self.name in RIGHT_ALIGNED


@dataclass(frozen=True, slots=True)
class TableLayout:
    """Columns from left to right, Info last. `time_decimals` is 6 or 3."""

    columns: tuple[TableColumn, ...]
    time_decimals: int
    with_date: bool

    @property
    def info(self) -> TableColumn:
        """Return the last column."""
        return self.columns[-1]

    @property
    def addresses_in_info(self) -> bool:
        """Return True if the addresses have no columns and precede the Info text."""
        return all(column.name is not ColumnName.SOURCE for column in self.columns)

    def column_at(self, x: int) -> ColumnName | None:
        """Return the column of cell `x`; the blank behind a column belongs to it."""
        for column in self.columns:
            if column.start <= x <= column.start + column.width:
                return column.name
        return None


@dataclass(slots=True)
class WidestSeen:
    """The widest text that was shown in each column, in cells."""

    number: int = 3
    whole_seconds: int = 1  # digits before the point, with the sign
    interface: int = 0  # 0 for a single interface, which has no column
    source: int = ADDRESS_LEAST
    destination: int = ADDRESS_LEAST
    protocol: int = len(ColumnName.PROTOCOL.value)
    length: int = len(ColumnName.LENGTH.value)

    def take(self, rows: Iterable[PacketRow]) -> None:
        """Widen the columns for these rows."""
        for row in rows:
            self.source = max(self.source, width_of(row.source))
            self.destination = max(self.destination, width_of(row.destination))
            self.protocol = max(self.protocol, width_of(row.protocol))
            self.length = max(self.length, len(str(row.length)))

    def take_durations(self, durations_ns: Iterable[int]) -> None:
        """Widen the Time column for these durations."""
        for duration in durations_ns:
            digits = len(str(abs(duration) // NS)) + (duration < 0)
            self.whole_seconds = max(self.whole_seconds, digits)

    def take_count(self, count: int) -> None:
        """Widen the No. column for packet numbers up to `count`."""
        self.number = max(self.number, len(str(count)))

    def take_interfaces(self, names: Iterable[str]) -> None:
        """Show the Interface column if packets come from more than one."""
        widths = [width_of(name) for name in set(names)]  # a restarted capture names it again
        if len(widths) > 1:
            self.interface = max(len(ColumnName.INTERFACE.value), min(max(widths), INTERFACE_MOST))


@dataclass(frozen=True, slots=True)
class Shape:
    """One step of dropping columns; it is chosen if Info has at least `info_least` cells."""

    time_decimals: int = 6
    without: frozenset[ColumnName] = field(default_factory=frozenset)
    info_least: int = INFO_LEAST


_IFACE, _LEN, _TIME = ColumnName.INTERFACE, ColumnName.LENGTH, ColumnName.TIME
_ADDRESSES = frozenset({ColumnName.SOURCE, ColumnName.DESTINATION})
SHAPES = (
    Shape(),
    Shape(3),
    Shape(3, frozenset({_IFACE})),
    Shape(3, frozenset({_IFACE, _LEN})),
    Shape(3, frozenset({_IFACE, _LEN, _TIME})),
    Shape(3, frozenset({_IFACE, _LEN}) | _ADDRESSES, INFO_WITH_ADDRESSES),
    Shape(3, frozenset({_IFACE, _LEN, _TIME}) | _ADDRESSES),
)


def choose_layout(
    seen: WidestSeen, width: int, time_format: TimeFormat, *, with_date: bool = False
) -> TableLayout:
    """Return the layout with the most columns that leaves Info readable in `width` cells."""
    for shape in SHAPES:
        layout = _place(seen, width, shape, time_format, with_date)
        if layout.info.width >= shape.info_least:
            return layout
    return layout


def _time_width(seen: WidestSeen, decimals: int, time_format: TimeFormat, with_date: bool) -> int:
    if time_format is TimeFormat.ABSOLUTE:
        return len("12:03:44.") + decimals + (len("2026-11-22 ") if with_date else 0)
    return max(len("Time"), seen.whole_seconds + 1 + decimals)


def _place(
    seen: WidestSeen, width: int, shape: Shape, time_format: TimeFormat, with_date: bool
) -> TableLayout:
    wanted = {
        ColumnName.NUMBER: seen.number,
        ColumnName.TIME: _time_width(seen, shape.time_decimals, time_format, with_date),
        ColumnName.INTERFACE: seen.interface,
        ColumnName.SOURCE: seen.source,
        ColumnName.DESTINATION: seen.destination,
        ColumnName.PROTOCOL: seen.protocol,
        ColumnName.LENGTH: seen.length,
    }
    kept = {name: cells for name, cells in wanted.items() if cells and name not in shape.without}
    if ColumnName.SOURCE in kept:
        others = sum(cells + 1 for name, cells in kept.items() if name not in _ADDRESSES)
        room = (width - SIGN_WIDTH - others - INFO_WISHED) // 2 - 1
        bound = max(ADDRESS_BOUND, min(room, ADDRESS_MOST))
        for name in _ADDRESSES:
            kept[name] = min(kept[name], bound)
    columns = []
    start = SIGN_WIDTH
    for name, cells in kept.items():
        columns.append(TableColumn(name, start, cells))
        start += cells + 1
    columns.append(TableColumn(ColumnName.INFO, start, max(0, width - start)))
    return TableLayout(tuple(columns), shape.time_decimals, with_date)
