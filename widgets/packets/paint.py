"""Draw one row of the packet table: from its text and a layout, make a strip."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from core.wire.protocol import Tone
from widgets.lines.cells import left, right, shorten_address, width_of, without
from widgets.lines.component_styles import StyleOf
from widgets.packets.columns import SIGN_WIDTH, ColumnName, TableColumn, TableLayout
from widgets.packets.row import PacketRow, Sign

MARK = "◆"
EVICTED = "evicted: removed from memory to make room"
ALARMS = frozenset({Tone.BAD_CHECKSUM, Tone.MALFORMED, Tone.FAULT, Tone.RESET, Tone.ICMP_ERROR})
LOUD_SIGNS = frozenset({Sign.BAD, Sign.FAULT, Sign.MALFORMED})
QUIET = frozenset({ColumnName.NUMBER, ColumnName.TIME, ColumnName.INTERFACE, ColumnName.LENGTH})
TONED = frozenset({ColumnName.PROTOCOL, ColumnName.INFO})


def tone_class(tone: Tone) -> str:
    """Return the component class that colors a tone, such as ``packet-table--icmp-error``."""
    return "packet-table--" + tone.name.lower().replace("_", "-")


COMPONENTS = frozenset(
    {
        "packet-table--header",
        "packet-table--cursor",
        "packet-table--quiet",
        "packet-table--plain",
        "packet-table--mark",
        *map(tone_class, Tone),
    }
)


def paint_header(layout: TableLayout, time_heading: str, style: Style) -> Strip:
    """Draw the headings, above their columns."""
    text = " " * layout.columns[0].start
    for column in layout.columns:
        title = time_heading if column.name is ColumnName.TIME else column.name.value
        text += (right if column.at_right else left)(title, column.width) + " "
    return Strip([Segment(text, style)])


def info_text(row: PacketRow, layout: TableLayout) -> str:
    """Return the whole text of the last column."""
    if layout.addresses_in_info and row.source:
        return f"{row.source} → {row.destination}  {row.info}"
    return row.info


def paint_row(
    row: PacketRow,
    layout: TableLayout,
    time_text: str,
    style_of: StyleOf,
    *,
    marked: bool,
    selected: bool,
    shift: int,
) -> Strip:
    """Draw one row. In the selected row, addresses are whole and push the rest to the right.

    A sign that is an alarm keeps its color under the cursor.
    """
    tone = style_of(tone_class(row.tone))
    quiet = style_of("packet-table--quiet")
    plain = style_of("packet-table--plain")
    cursor = style_of("packet-table--cursor") if selected else None
    whole_row = cursor or (tone if row.tone in ALARMS else None)
    segments = [
        Segment(MARK if marked else " ", cursor or style_of("packet-table--mark")),
        Segment(row.sign.value, tone if row.sign in LOUD_SIGNS else cursor or quiet),
        Segment(" ", cursor or plain),
    ]
    pieces = []
    room = layout.info.start + layout.info.width - SIGN_WIDTH
    for column in layout.columns:
        name = column.name
        if name is ColumnName.INFO:
            text = left(without(info_text(row, layout), shift), room)
        else:
            text = _cell(row, column, time_text, whole=selected) + " "
            room -= width_of(text)
        own = tone if name in TONED else quiet if name in QUIET else plain
        pieces.append((text, whole_row or own))
    for style, run in groupby(pieces, key=itemgetter(1)):
        segments.append(Segment("".join(text for text, _ in run), style))
    return Strip(segments)


def paint_evicted(number: int, layout: TableLayout, style_of: StyleOf, *, selected: bool) -> Strip:
    """Draw the row of a packet that is not in memory anymore: its number, and a note."""
    cells = {ColumnName.NUMBER: str(number), ColumnName.INFO: EVICTED}
    text = " " * SIGN_WIDTH
    for column in layout.columns:
        fit = right if column.name is ColumnName.NUMBER else left
        text += fit(cells.get(column.name, ""), column.width) + " "
    name = "packet-table--cursor" if selected else "packet-table--quiet"
    return Strip([Segment(text, style_of(name))])


def _cell(row: PacketRow, column: TableColumn, time_text: str, *, whole: bool) -> str:
    width = column.width
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
    if whole:
        width = max(width, width_of(address))
    return left(shorten_address(address, width), width)
