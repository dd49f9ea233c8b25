"""Paint a line of the client list: text in columns, and colors for clients that need attention.

Color is never the only signal: the second column names the condition of the client in a word.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from widgets.echo.client_rows import Words
from widgets.echo.column_layout import SIGN_WIDTH
from widgets.echo.columns import COLUMNS, NOW, PENDING, UNREAD, UNSENT, ClientColumn, Condition
from widgets.echo.order import Sort
from widgets.lines.cells import left, right
from widgets.lines.component_styles import ComponentStyles

BUILTIN = "↗"  # before a built-in client
ARROWS = {True: "▼", False: "▲"}  # behind the heading that is sorted by, by `descending`
MORE = "›"  # at the end of the headings if columns are scrolled away to the right
ALARMS = {
    Condition.STALLED.word: "stalled",
    Condition.BACKED_UP.word: "backed-up",
    Condition.PAUSED.word: "paused",
    Condition.ENDED.word: "ended",
}
COMPONENTS = frozenset(
    f"echo-clients--{name}"
    for name in ("header", "sorted", "cursor", "quiet", "filled", "builtin", *ALARMS.values())
)
_FILLED = (UNREAD, PENDING, UNSENT)  # highlighted if they are not 0

ShownColumns = Sequence[tuple[ClientColumn, int]]  # with their widths


def client_strip(
    words: Words,
    columns: ShownColumns,
    styles: ComponentStyles,
    *,
    builtin: bool,
    cursor_width: int = 0,
) -> Strip:
    """Draw one client. `cursor_width` is the width of the line if the cursor is on it, else 0."""
    alarm = ALARMS.get(words[COLUMNS.index(NOW)])
    sign = BUILTIN if builtin else " "
    cells = [Segment(sign.ljust(SIGN_WIDTH), styles("echo-clients--builtin"))]
    for column, width in columns:
        text = words[COLUMNS.index(column)]
        cells.append(Segment(_cell(column, text, width), _style(column, text, alarm, styles)))
    if cursor_width:
        cursor = styles("echo-clients--cursor")
        strip = Strip([Segment(segment.text, cursor) for segment in cells])
        return strip.extend_cell_length(cursor_width, cursor)
    return Strip(cells)


def heading_strip(
    columns: ShownColumns, sort: Sort, width: int, styles: ComponentStyles, *, more: bool
) -> Strip:
    """Draw the headings in `width` cells. `more` says that columns follow to the right."""
    plain = styles("echo-clients--header")
    cells = [Segment(" " * SIGN_WIDTH, plain)]
    for column, column_width in columns:
        title, style = column.heading, plain
        if column is sort.column:
            title += ARROWS[sort.descending]
            style = styles("echo-clients--sorted")
        cells.append(Segment(_cell(column, title, column_width), style))
    strip = Strip(cells).extend_cell_length(width, plain)
    if more:
        return Strip.join([strip.crop(0, width - 1), Strip([Segment(MORE, plain)])])
    return strip


def _cell(column: ClientColumn, text: str, width: int) -> str:
    return (right if column.at_right else left)(text, width) + " "


def _style(column: ClientColumn, text: str, alarm: str | None, styles: ComponentStyles) -> Style:
    if column is NOW and alarm is not None:
        return styles(f"echo-clients--{alarm}")
    if column in _FILLED and text != "0":
        return styles("echo-clients--filled")
    if text in ("0", Condition.OPEN.word):
        return styles("echo-clients--quiet")
    return styles.base
