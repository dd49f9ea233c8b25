"""Paint the headings and the cells of a sorted list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.segment import Segment
from textual.strip import Strip

from widgets.lines.cells import left, right
from widgets.lines.component_styles import StyleOf
from widgets.sorted.column import ListColumn, Sort
from widgets.sorted.column_layout import SIGN_WIDTH

ARROWS = {True: "▼", False: "▲"}  # behind the heading that is sorted by, by `descending`
LESS, MORE = "‹", "›"  # at the ends of the headings if columns are scrolled away there


def heading_strip(
    columns: Sequence[tuple[ListColumn, int]],
    sort: Sort[Any],
    width: int,
    styles: StyleOf,
    *,
    less: bool,
    more: bool,
) -> Strip:
    """Draw the headings in `width` cells; `less` and `more`: columns are to the left, or right."""
    plain = styles("sorted-list--header")
    cells = [Segment((LESS if less else "").ljust(SIGN_WIDTH), plain)]
    for column, column_width in columns:
        title, style = column.heading, plain
        if column is sort.column:
            title += ARROWS[sort.descending]
            style = styles("sorted-list--sorted")
        cells.append(Segment(cell_text(column, title, column_width), style))
    strip = Strip(cells).extend_cell_length(width, plain)
    if more:
        return Strip.join([strip.crop(0, width - 1), Strip([Segment(MORE, plain)])])
    return strip


def cell_text(column: ListColumn, text: str, width: int) -> str:
    """Return the text of a cell in `width` cells, and the gap behind it."""
    return (right if column.at_right else left)(text, width) + " "


def with_cursor(cells: Sequence[Segment], width: int, styles: StyleOf) -> Strip:
    """Draw a line of `width` cells that the cursor is on."""
    cursor = styles("sorted-list--cursor")
    strip = Strip([Segment(segment.text, cursor) for segment in cells])
    return strip.extend_cell_length(width, cursor)
