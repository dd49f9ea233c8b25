"""The last gate before the terminal: no control character passes it, wherever it came from.

Whatever is made of packets and files is escaped where it is made (`core.wire.text`). But
windows that are not ours show names from outside too (the file dialog any file's name), and
a terminal obeys an ESC whoever let it through. So every line that Textual is about to paint
goes through here. What takes no cell is left out and what takes some is replaced, so that a
line keeps its width.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from core.wire.text import is_hidden

REPLACEMENT = "�"


class PrintableOnly(LineFilter):
    """Takes control, invisible and unencodable characters out of painted lines.

    It stands around another filter and does its work too: Textual makes a new line for every
    filter, and a line costs more than both filters do.
    """

    def __init__(self, inner: LineFilter) -> None:
        super().__init__()
        self._inner = inner

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """What the other filter makes of the segments, printable."""
        if not all(segment.text.isprintable() for segment in segments):
            segments = [Segment(_printable(text), style) for text, style, _ in segments]
        return self._inner.apply(segments, background)


class AsIs(LineFilter):
    """Changes nothing."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments."""
        return segments


AS_IS = AsIs()

_around = lru_cache(maxsize=8)(PrintableOnly)  # painted lines are cached by their filters


def with_gate(filters: Sequence[LineFilter]) -> list[LineFilter]:
    """These filters, with the gate around the first."""
    first, *others = filters or (AS_IS,)
    return [_around(first), *others]


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        REPLACEMENT * cell_len(character) if is_hidden(character) else character
        for character in text
    )
