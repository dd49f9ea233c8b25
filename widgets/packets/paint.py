"""Draw one row of the packet table: from its text, its color rule, and a layout, make a strip."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from core.analysis.color_rules.rule import Color, ColorRule
from widgets.lines.cells import (
    is_numeric_address,
    left,
    right,
    shorten_address,
    width_of,
    without,
)
from widgets.lines.component_styles import StyleOf
from widgets.packets.column_choice import Column, ColumnName, short_heading
from widgets.packets.columns import SIGN_WIDTH, TableColumn, TableLayout
from widgets.packets.row import PacketRow, Sign

MARK = "◆"
COMMENTED = "¶"
_REVERSED = Style(reverse=True)
EVICTED = "evicted: removed from memory to make room"
LOUD_SIGNS = frozenset({Sign.BAD, Sign.FAULT, Sign.MALFORMED})
QUIET: frozenset[Column] = frozenset(
    {ColumnName.NUMBER, ColumnName.TIME, ColumnName.INTERFACE, ColumnName.LENGTH}
)
COLORED: frozenset[Column] = frozenset({ColumnName.PROTOCOL, ColumnName.INFO})
FAULT = ColorRule("Fault of rawscope", "", Color.ERROR, bold=True, whole_row=True)
"""The style of a packet that rawscope could not describe, which no filter can find."""
_NO_RULE = ColorRule("", "", Color.PLAIN)
_BOLD = Style(bold=True)


def color_class(color: Color) -> str:
    """Return the component class that has a color, such as ``packet-table--error``."""
    return f"packet-table--{color.value}"


def rule_style(rule: ColorRule, style_of: StyleOf) -> Style:
    """Return the style that a rule gives a row."""
    style = style_of(color_class(rule.color))
    return style + _BOLD if rule.bold else style


COMPONENTS = frozenset(
    {
        "packet-table--header",
        "packet-table--cursor",
        "packet-table--quiet",
        "packet-table--mark",
        *map(color_class, Color),
    }
)


def paint_header(
    layout: TableLayout, time_heading: str, style: Style, dragged: Column | None = None
) -> Strip:
    """Draw the headings, above their columns; the one that the user drags is reversed."""
    segments = [Segment(" " * layout.columns[0].start, style)]
    for column in layout.columns:
        title = short_heading(column.name, column.width)
        if column.name is ColumnName.TIME:
            title = time_heading
        text = (right if column.at_right else left)(title, column.width)
        is_dragged = dragged is not None and column.name == dragged
        segments.append(Segment(text, style + _REVERSED if is_dragged else style))
        segments.append(Segment(" ", style))
    return Strip(segments)


def info_text(row: PacketRow, layout: TableLayout) -> str:
    """Return the whole text of the Info column."""
    if layout.addresses_in_info and row.source:
        return f"{row.source} → {row.destination}  {row.info}"
    return row.info


def paint_row(
    row: PacketRow,
    layout: TableLayout,
    time_text: str,
    style_of: StyleOf,
    *,
    rule: ColorRule | None,
    marked: bool,
    commented: bool,
    selected: bool,
    shift: int,
) -> Strip:
    """Draw one row. In the selected row, addresses are whole and push the rest to the right.

    Names of addresses are not: they may be as long as the row.
    `rule` gives it its color. A sign that is an alarm has its own, also under the cursor.
    """
    rule = FAULT if row.failed else rule or _NO_RULE
    color = rule_style(rule, style_of)
    quiet = style_of("packet-table--quiet")
    plain = style_of("packet-table--plain")
    cursor = style_of("packet-table--cursor") if selected else None
    whole_row = cursor or (color if rule.whole_row else None)
    segments = [
        Segment(MARK if marked else " ", cursor or style_of("packet-table--mark")),
        Segment(
            row.sign.value,
            rule_style(FAULT, style_of) if row.sign in LOUD_SIGNS else cursor or quiet,
        ),
        Segment(COMMENTED if commented else " ", cursor or style_of("packet-table--mark")),
    ]
    pieces = []
    room = layout.width - SIGN_WIDTH
    for column in layout.columns:
        name = column.name
        if name is ColumnName.INFO:
            cells = room if column is layout.columns[-1] else column.width
            text = left(without(info_text(row, layout), shift), cells)
        else:
            text = _cell(row, column, time_text, whole=selected)
        if column is not layout.columns[-1]:
            text += " "
        room -= width_of(text)
        own = color if name in COLORED else quiet if name in QUIET else plain
        pieces.append((text, whole_row or own))
    for style, run in groupby(pieces, key=itemgetter(1)):
        segments.append(Segment("".join(text for text, _ in run), style))
    return Strip(segments)


def paint_evicted(number: int, layout: TableLayout, style_of: StyleOf, *, selected: bool) -> Strip:
    """Draw the row of a packet that is not in memory anymore: its number, and a note."""
    cells: dict[Column, str] = {ColumnName.NUMBER: str(number), ColumnName.INFO: EVICTED}
    text = " " * SIGN_WIDTH
    for column in layout.columns:
        fit = right if column.name is ColumnName.NUMBER else left
        text += fit(cells.get(column.name, ""), column.width) + " "
    name = "packet-table--cursor" if selected else "packet-table--quiet"
    return Strip([Segment(text, style_of(name))])


def _cell(row: PacketRow, column: TableColumn, time_text: str, *, whole: bool) -> str:
    width = column.width
    if isinstance(column.name, str):
        return (right if column.at_right else left)(row.values.get(column.name, ""), width)
    match column.name:
        case ColumnName.NUMBER:
            return right(str(row.number), width)
        case ColumnName.TIME:
            return right(time_text, width)
        case ColumnName.INTERFACE:
            return left(row.interface, width)
        case ColumnName.SOURCE:
            return _address(row.source, width, whole=whole)
        case ColumnName.DESTINATION:
            return _address(row.destination, width, whole=whole)
        case ColumnName.PROTOCOL:
            return left(row.protocol, width)
        case ColumnName.LENGTH:
            return right(str(row.length), width)
        case ColumnName.INFO:
            raise ValueError("Info is not a cell of fixed width")


def _address(address: str, width: int, *, whole: bool) -> str:
    if whole and is_numeric_address(address):
        width = max(width, width_of(address))
    return left(shorten_address(address, width), width)
