"""Text that the user selected with the mouse, in one line: its look, and what is copied."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

TO_THE_END = -1  # Textual's value for an open end


def with_selection(strip: Strip, span: tuple[int, int] | None, style: Style) -> Strip:
    """Return `strip` with the characters of `span` in the colors of a selection."""
    if span is None:
        return strip
    start, stop = span
    end = strip.cell_length if stop == TO_THE_END else min(stop, strip.cell_length)
    start = min(start, end)
    inside = strip.crop(start, end)
    marked = [Segment(text, (own or Style()) + style) for text, own, _ in inside]
    return Strip.join([strip.crop(0, start), Strip(marked, inside.cell_length), strip.crop(end)])


def selected_text(strip: Strip, span: tuple[int, int]) -> str:
    """Return the characters of `span`, without blanks at the end."""
    start, stop = span
    return strip.text[start : None if stop == TO_THE_END else stop].rstrip()
