"""Remove control and invisible characters from painted lines before they reach the terminal.

`core.wire.model.text` escapes text from packets and files when it is created. But Textual's own
widgets also show text from outside (the file dialog shows any file's name, an input shows typed or
pasted text), so this filter processes every line that Textual is about to paint, by the same rules:
control and ignorable characters, and combining marks that pile up. A character without a width is
removed and one with a width is replaced, so that a line keeps its width.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from core.wire.model.text import STACK, is_plain, rewrite

REPLACEMENT = "�"


class PrintableOnly(LineFilter):
    """A filter that replaces control, invisible, unencodable and piled-up characters.

    It wraps another filter and applies it, too: Textual builds a new line for every filter, which
    costs more than both filters do.
    """

    def __init__(self, inner: LineFilter) -> None:
        super().__init__()
        self._inner = inner

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments, made printable and processed by the other filter."""
        for text, _, _ in segments:
            if not (text.isascii() and text.isprintable()) and not is_plain(text):
                segments = _printable(segments)
                break
        return self._inner.apply(segments, background)


class Unchanged(LineFilter):
    """A filter that changes nothing."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments unchanged."""
        return segments


UNCHANGED = Unchanged()

_wrapped = lru_cache(maxsize=8)(PrintableOnly)  # Textual caches painted lines by their filters


def with_printable_filter(filters: Sequence[LineFilter]) -> list[LineFilter]:
    """Return these filters, the first one wrapped by `PrintableOnly`."""
    first, *others = filters or (UNCHANGED,)
    return [_wrapped(first), *others]


def _printable(segments: list[Segment]) -> list[Segment]:
    """Rewrite the segments of one line; each keeps its width."""
    painted = []
    room = 0  # for combining marks at the start of a segment, cut from their letter by a cursor
    for text, style, _ in segments:
        if is_plain(text):
            shown, room = text, STACK if text else room
        else:
            shown, room = rewrite(text, _replace, room)
            width = cell_len(text)
            if cell_len(shown) != width:  # a sequence of emoji without its joiners or selectors
                shown = set_cell_size(shown, width)
        painted.append(Segment(shown, style))
    return painted


def _replace(character: str) -> str:
    return REPLACEMENT * cell_len(character)
