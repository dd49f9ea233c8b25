"""The widths of the packet table's columns. Numbers only: no drawing, no Textual.

Rules
-----
* A column is as wide as the widest text that was shown in it, and never gets narrower: columns that
  jump while traffic scrolls by cannot be read.
* An address is not cut in the middle. The address columns widen for IPv6 while Info stays readable;
  beyond that, an address loses whole groups (`cells.shorten_address`).
* Info takes the rest of the width. If the rest is too narrow, the table drops columns in steps
  (`shapes`), the least useful ones first; columns that show a field go by width, the widest first,
  after those whose field is empty in all packets up to now.
* The field that the user added last stays (`ColumnChoice.protected`) if it has a text: it gets
  narrower, and the others make room for it. `TableLayout.left_out` counts the columns that did.
* A width that the user set holds. The order of the columns is the user's, too (`ColumnChoice`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from widgets.lines.cells import is_numeric_address, width_of
from widgets.packets.column_choice import (
    DEFAULT_CHOICE,
    Column,
    ColumnChoice,
    ColumnName,
    short_heading,
)
from widgets.packets.row import PacketRow
from widgets.packets.shapes import (
    ADDRESSES,
    HEADING_MOST,
    INFO_READABLE,
    Shape,
    table_shapes,
)
from widgets.packets.time_format import NS, TimeFormat

SIGN_WIDTH = 3  # a mark, a sign, and whether there is a comment
INFO_WISHED = 32  # with less for Info, the address columns stop widening
ADDRESS_LEAST = 15  # 255.255.255.255
ADDRESS_BOUND = 17  # a MAC address is shown whole at any width
ADDRESS_SHORT = 13  # 2001:…:7334: the beginning and the end of an IPv6 address
ADDRESS_MOST = 39  # the longest IPv6 address
INTERFACE_MOST = 15  # IFNAMSIZ without its NUL, linux/if.h
FIELD_MOST = 32  # of a column that shows a field, unless the user widens it


RIGHT_ALIGNED = frozenset({ColumnName.NUMBER, ColumnName.TIME, ColumnName.LENGTH})


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: its first cell, counted from the left edge, and its width in cells.

    Numbers are `at_right`: aligned at their last digit.
    """

    name: Column
    start: int
    width: int
    at_right: bool = False

    @property
    def stop(self) -> int:
        """The blank cell behind the column."""
        return self.start + self.width


@dataclass(frozen=True, slots=True)
class TableLayout:
    """Columns from left to right in `width` cells. `time_decimals` is 6 or 3.

    Where the addresses have no room for columns, they precede the Info text.
    """

    columns: tuple[TableColumn, ...]
    time_decimals: int
    with_date: bool
    width: int
    addresses_in_info: bool = False
    left_out: int = 0  # columns that the user chose and that have no room

    @property
    def info(self) -> TableColumn | None:
        """The Info column, unless the user hid it."""
        return next((one for one in self.columns if one.name is ColumnName.INFO), None)

    def column_at(self, x: int) -> Column | None:
        """Return the column of cell `x`; the blank behind a column belongs to it."""
        for column in self.columns:
            if column.start <= x <= column.stop:
                return column.name
        return None

    def border_at(self, x: int) -> TableColumn | None:
        """Return the column whose width a drag of cell `x` changes; Info takes the rest."""
        for column in self.columns:
            if x == column.stop and column.name is not ColumnName.INFO:
                return column
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
    fields: dict[str, int] = field(default_factory=dict)  # by the field's name
    fixed_source: int = 0  # of the addresses that cannot be shortened
    fixed_destination: int = 0

    def fixed(self, column: Column) -> int:
        """Return the width of the widest address in a column that cannot be shortened."""
        return self.fixed_source if column is ColumnName.SOURCE else self.fixed_destination

    def address(self, column: Column) -> int:
        """Return the width of the widest text in an address column."""
        return self.source if column is ColumnName.SOURCE else self.destination

    def take(self, rows: Iterable[PacketRow]) -> None:
        """Widen the columns for these rows."""
        for row in rows:
            self.source = max(self.source, width_of(row.source))
            self.destination = max(self.destination, width_of(row.destination))
            self.fixed_source = max(self.fixed_source, _fixed_width(row.source))
            self.fixed_destination = max(self.fixed_destination, _fixed_width(row.destination))
            self.protocol = max(self.protocol, width_of(row.protocol))
            self.length = max(self.length, len(str(row.length)))
            for name, text in row.values.items():
                self.fields[name] = max(self.fields.get(name, 0), width_of(text))

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


def _fixed_width(text: str) -> int:
    """Return the width of an IPv4 or a MAC address; 0 for a text that may be shortened."""
    width = width_of(text)
    is_mac = width == ADDRESS_BOUND and all(text[at] == ":" for at in range(2, width, 3))
    return width if is_numeric_address(text) and (is_mac or ":" not in text) else 0


def choose_layout(
    seen: WidestSeen,
    width: int,
    time_format: TimeFormat,
    choice: ColumnChoice = DEFAULT_CHOICE,
    *,
    with_date: bool = False,
) -> TableLayout:
    """Return the layout with the most of the chosen columns that leaves Info readable.

    It has `width` cells. Without Info, the columns must fit.
    """
    if choice.fields:
        whole = Shape(info_least=INFO_WISHED, heading_most=FIELD_MOST)
        layout = _place(seen, width, whole, time_format, choice, with_date)
        if _fits(layout, whole):
            return layout
    for shape in _shapes(seen, choice):
        layout = _place(seen, width, shape, time_format, choice, with_date)
        if _fits(layout, shape):
            return layout
    return layout


def _fits(layout: TableLayout, shape: Shape) -> bool:
    if layout.info is None:
        return layout.columns[-1].stop <= layout.width
    return layout.info.width >= shape.info_least


def _shapes(seen: WidestSeen, choice: ColumnChoice) -> Iterator[Shape]:
    """Yield the steps of dropping columns, for what was seen; wide fields go first."""
    widest_first = sorted(choice.fields, key=lambda name: -_field_width(seen, name, choice))
    empty = [name for name in widest_first if not seen.fields.get(name)]
    empty.sort(key=lambda name: name == choice.newest)
    with_texts = tuple(name for name in choice.shown if name not in empty)
    protected = replace(choice, shown=with_texts).protected
    fields = [name for name in widest_first if name not in empty and name != protected]
    flexible = [name for name in ADDRESSES if name in choice.shown and name not in choice.widths]
    has_long = any(seen.address(name) > ADDRESS_BOUND for name in flexible)
    return table_shapes(fields, empty, protected, has_long_addresses=has_long)


def _field_width(
    seen: WidestSeen, name: str, choice: ColumnChoice, heading_most: int = HEADING_MOST
) -> int:
    natural = max(
        seen.fields.get(name, 0), min(len(short_heading(name, heading_most)), heading_most)
    )
    return choice.widths.get(name, min(natural, FIELD_MOST))


def _time_width(seen: WidestSeen, decimals: int, time_format: TimeFormat, with_date: bool) -> int:
    if time_format is TimeFormat.ABSOLUTE:
        return len("12:03:44.") + decimals + (len("2026-11-22 ") if with_date else 0)
    return max(len("Time"), seen.whole_seconds + 1 + decimals)


def _place(
    seen: WidestSeen,
    width: int,
    shape: Shape,
    time_format: TimeFormat,
    choice: ColumnChoice,
    with_date: bool,
) -> TableLayout:
    natural = {
        ColumnName.NUMBER: seen.number,
        ColumnName.TIME: _time_width(seen, shape.time_decimals, time_format, with_date),
        ColumnName.INTERFACE: seen.interface,
        ColumnName.SOURCE: seen.source,
        ColumnName.DESTINATION: seen.destination,
        ColumnName.PROTOCOL: seen.protocol,
        ColumnName.LENGTH: seen.length,
        ColumnName.INFO: 0,
    }
    kept: dict[Column, int] = {}
    protected = choice.protected
    for name in choice.shown:
        if isinstance(name, str):
            cells = _field_width(seen, name, choice, shape.heading_most)
            if name == protected:
                cells = min(cells, shape.protected_most)
        else:
            cells = choice.widths.get(name, natural[name]) if natural[name] else 0
        if name not in shape.without and (cells or name is ColumnName.INFO):
            kept[name] = cells
    _bound_addresses(seen, kept, width, choice)
    if ColumnName.INFO in kept:
        kept[ColumnName.INFO] = max(0, width - SIGN_WIDTH - sum(kept.values()) - len(kept) + 1)
    return TableLayout(
        _in_line(kept or {ColumnName.NUMBER: seen.number}),
        shape.time_decimals,
        with_date,
        width,
        addresses_in_info=bool(ADDRESSES & set(choice.shown) & shape.without),
        left_out=_left_out(natural, shape, choice),
    )


def _left_out(natural: Mapping[ColumnName, int], shape: Shape, choice: ColumnChoice) -> int:
    """Return how many columns with content have no room; addresses in Info are not among them."""
    has_info = ColumnName.INFO in choice.shown
    gone = shape.without & set(choice.shown) - (ADDRESSES if has_info else frozenset())
    return sum(isinstance(name, str) or natural[name] > 0 for name in gone)


def _bound_addresses(
    seen: WidestSeen, kept: dict[Column, int], width: int, choice: ColumnChoice
) -> None:
    """Leave room for Info beside the address columns whose width the user did not set.

    They stop widening when Info would have less than `INFO_WISHED`. Those with long addresses
    get narrower than `ADDRESS_BOUND` while it has less than `INFO_READABLE`, but cut no IPv4 or MAC
    address.
    """
    flexible = [name for name in ADDRESSES if name in kept and name not in choice.widths]
    others = sum(cells + 1 for name, cells in kept.items() if name not in flexible)
    info = ColumnName.INFO in kept
    for name in flexible:
        wished, readable = (
            (width - SIGN_WIDTH - others - (info and least - 1)) // len(flexible) - 1
            for least in (INFO_WISHED, INFO_READABLE)
        )
        least = ADDRESS_BOUND
        if kept[name] > ADDRESS_BOUND and info:
            least = min(least, max(readable, ADDRESS_SHORT, seen.fixed(name)))
        kept[name] = min(kept[name], max(least, min(wished, ADDRESS_MOST)))


def _in_line(widths: dict[Column, int]) -> tuple[TableColumn, ...]:
    """Return columns of these widths side by side, with a blank between them."""
    columns = []
    start = SIGN_WIDTH
    for name, cells in widths.items():
        columns.append(TableColumn(name, start, cells, _is_at_right(name)))
        start += cells + 1
    return tuple(columns)


def _is_at_right(name: Column) -> bool:
    if isinstance(name, ColumnName):
        return name in RIGHT_ALIGNED
    from core.analysis.field_texts import is_number  # only with such a column

    return is_number(name)
