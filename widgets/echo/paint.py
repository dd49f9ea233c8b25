"""Paint a line of the client list: text in columns, and colors for clients that need attention.

Color is never the only signal: the second column names the condition of the client in a word.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from widgets.echo.client_rows import Words
from widgets.echo.columns import COLUMNS, NOW, PENDING, UNREAD, UNSENT, Condition
from widgets.lines.component_styles import ComponentStyles
from widgets.sorted.column import ListColumn
from widgets.sorted.column_layout import SIGN_WIDTH
from widgets.sorted.paint import cell_text, with_cursor

BUILTIN = "↗"  # before a built-in client
ALARMS = {
    Condition.STALLED.word: "stalled",
    Condition.BACKED_UP.word: "backed-up",
    Condition.PAUSED.word: "paused",
    Condition.ENDED.word: "ended",
}
COMPONENTS = frozenset(
    f"echo-clients--{name}" for name in ("quiet", "filled", "builtin", *ALARMS.values())
)
_FILLED = (UNREAD, PENDING, UNSENT)  # highlighted if they are not 0

ShownColumns = Sequence[tuple[ListColumn, int]]  # with their widths


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
        cells.append(Segment(cell_text(column, text, width), _style(column, text, alarm, styles)))
    return with_cursor(cells, cursor_width, styles) if cursor_width else Strip(cells)


def _style(column: ListColumn, text: str, alarm: str | None, styles: ComponentStyles) -> Style:
    if column is NOW and alarm is not None:
        return styles(f"echo-clients--{alarm}")
    if column in _FILLED and text != "0":
        return styles("echo-clients--filled")
    if text in ("0", Condition.OPEN.word):
        return styles("echo-clients--quiet")
    return styles.base
