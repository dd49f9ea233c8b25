"""The last gate before the terminal: no control character passes it, wherever it came from.

Whatever is made of packets and files is escaped where it is made (`core.wire.text`). But
windows that are not ours show names from outside too (the file dialog any file's name), and
a terminal obeys an ESC whoever let it through. So every line that Textual is about to paint
goes through here. What takes no cell is left out and what takes some is replaced, so that a
line keeps its width.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from core.wire.text import safe

REPLACEMENT = "�"


class PrintableOnly(LineFilter):
    """Takes control, invisible and unencodable characters out of painted lines."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments where all is printable, as it nearly always is."""
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [Segment(_printable(text), style) for text, style, _ in segments]


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character if safe(character) == character else REPLACEMENT * cell_len(character)
        for character in text
    )
