"""Draw one row of a hex dump: offset, hex, text."""

from __future__ import annotations

from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from core.wire.model.text import ascii_text
from widgets.hex.hex_dump import HexDump
from widgets.hex.layout import GROUP
from widgets.lines.component_styles import StyleOf

COMPONENTS = frozenset(
    f"hex-view--{name}" for name in ("offset", "byte", "highlight", "cursor", "note")
)


def paint_hex_line(
    dump: HexDump, line: int, cursor: int | None, style_of: StyleOf, plain: Style
) -> Strip:
    """Draw one row of bytes, or the note about missing ones. Without focus, pass no `cursor`."""
    row, layout = dump.row(line), dump.layout
    if not row:
        noun = "byte was" if dump.missing == 1 else "bytes were"
        text = f"… {dump.missing:,} {noun} not captured"
        return Strip([Segment(text, style_of("hex-view--note"))])
    runs = [
        (first, stop, style_of(f"hex-view--{look}"))
        for first, stop, look in dump.runs(line, cursor)
    ]
    offset = f"{line * layout.per_row:0{layout.digits}x}".ljust(layout.hex_start)
    segments = [Segment(offset, style_of("hex-view--offset"))]
    cell = layout.hex_start
    for first, stop, style in runs:
        segments.append(Segment(" " * (layout.hex_cell(first) - cell), plain))
        segments.append(Segment(_hex(row, first, stop), style))
        cell = layout.hex_cell(stop - 1) + 2
    segments.append(Segment(" " * (layout.text_start - cell), plain))
    segments += [Segment(ascii_text(row[first:stop]), style) for first, stop, style in runs]
    return Strip(segments)


def _hex(row: bytes, first: int, stop: int) -> str:
    """Return the hex digits of a part of a row, with the wider gaps between its groups."""
    edges = [first, *range((first // GROUP + 1) * GROUP, stop, GROUP), stop]
    return "  ".join(row[start:end].hex(" ") for start, end in pairwise(edges))
