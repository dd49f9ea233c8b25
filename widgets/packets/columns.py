"""How wide the columns of the packet table are. No drawing, no Textual: numbers in and out.

Rules
-----
* A column is as wide as what has been seen in it, and never gets narrower again: columns
  that jump while traffic scrolls by cannot be read.
* An address is not cut in the middle. The address columns grow with IPv6 as far as Info keeps
  a readable rest; beyond that an address loses whole groups (`cells.shorten_address`).
* Info takes the rest. Where the rest would be too little, columns are given up one step
  after another (`SHAPES`): what a narrow terminal loses first is what is missed least.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from widgets.lines.cells import width_of
from widgets.packets.row import PacketRow
from widgets.packets.time_format import NS, TimeFormat

SIGN_WIDTH = 3  # a mark, a sign, a blank
INFO_LEAST = 16  # with less for Info, a column is given up
INFO_WITH_ADDRESSES = 36  # two IPv4 addresses, and a little
INFO_WISHED = 32  # with less for Info, the address columns stop growing
ADDRESS_LEAST = 15  # 255.255.255.255
ADDRESS_BOUND = 17  # a MAC address is shown whole at any width
ADDRESS_MOST = 39  # an IPv6 address with nothing left out
INTERFACE_MOST = 15  # IFNAMSIZ without its NUL, linux/if.h


class ColumnName(Enum):
    """The columns; the value is the heading."""

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
    """A column in its place: its first cell, counted from the left edge, and its cells."""

    name: ColumnName
    start: int
    width: int

    @property
    def at_right(self) -> bool:
        """True for numbers, which line up at their last digit."""
        return self.name in RIGHT_ALIGNED


@dataclass(frozen=True, slots=True)
class TableLayout:
    """Columns from left to right, Info last. `time_decimals` is 6 or 3."""

    columns: tuple[TableColumn, ...]
    time_decimals: int
    with_date: bool

    @property
    def info(self) -> TableColumn:
        """The last column."""
        return self.columns[-1]

    @property
    def addresses_in_info(self) -> bool:
        """True where there was no room for the addresses: they stand before the Info text."""
        return all(column.name is not ColumnName.SOURCE for column in self.columns)

    def column_at(self, x: int) -> ColumnName | None:
        """The column that cell `x` belongs to, the blank behind it included."""
        for column in self.columns:
            if column.start <= x <= column.start + column.width:
                return column.name
        return None


@dataclass(slots=True)
class WidestSeen:
    """The widest text met so far in each column, in cells."""

    number: int = 3
    whole_seconds: int = 1  # digits before the point, with the sign
    interface: int = 0  # 0 = there is only one interface, and no such column
    source: int = ADDRESS_LEAST
    destination: int = ADDRESS_LEAST
    protocol: int = len(ColumnName.PROTOCOL.value)
    length: int = len(ColumnName.LENGTH.value)

    def take(self, rows: Iterable[PacketRow]) -> None:
        """Widen to what these rows need."""
        for row in rows:
            self.source = max(self.source, width_of(row.source))
            self.destination = max(self.destination, width_of(row.destination))
            self.protocol = max(self.protocol, width_of(row.protocol))
            self.length = max(self.length, len(str(row.length)))

    def take_durations(self, durations_ns: Iterable[int]) -> None:
        """Widen to these durations in the Time column."""
        for duration in durations_ns:
            digits = len(str(abs(duration) // NS)) + (duration < 0)
            self.whole_seconds = max(self.whole_seconds, digits)

    def take_count(self, count: int) -> None:
        """Widen to the packet numbers up to `count`."""
        self.number = max(self.number, len(str(count)))

    def take_interfaces(self, names: Iterable[str]) -> None:
        """Show the Interface column where packets come from more than one."""
        widths = [width_of(name) for name in set(names)]  # a capture begun again names it again
        if len(widths) > 1:
            self.interface = max(len(ColumnName.INTERFACE.value), min(max(widths), INTERFACE_MOST))


@dataclass(frozen=True, slots=True)
class Shape:
    """One step of giving up columns, taken while Info keeps `info_least` cells."""

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
    """The richest layout that leaves Info readable in `width` cells."""
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
