"""A filter before the terminal that removes control and invisible characters.

Text from packets and files is escaped where it is made (`core.wire.model.text`). But Textual's own
widgets show text from outside too (the file picker shows any file's name, an input what is typed
or pasted), so every line that Textual is about to paint goes through here, by the same rules:
control and ignorable characters, and combining marks that pile up. A character that takes no cell
is left out and one that takes some is replaced, so that a line keeps its width.
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
    """Takes control, invisible, unencodable and piled-up characters out of painted lines.

    It wraps another filter and applies it, too: Textual builds a new line for every filter, which
    costs more than both filters do.
    """

    def __init__(self, inner: LineFilter) -> None:
        super().__init__()
        self._inner = inner

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return what the other filter makes of the segments, printable."""
        for text, _, _ in segments:
            if not (text.isascii() and text.isprintable()) and not is_plain(text):
                segments = _printable(segments)
                break
        return self._inner.apply(segments, background)


class AsIs(LineFilter):
    """A filter that changes nothing."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the same segments."""
        return segments


AS_IS = AsIs()

_around = lru_cache(maxsize=8)(PrintableOnly)  # painted lines are cached by their filters


def with_gate(filters: Sequence[LineFilter]) -> list[LineFilter]:
    """Return these filters, the first one wrapped by `PrintableOnly`."""
    first, *others = filters or (AS_IS,)
    return [_around(first), *others]


def _printable(segments: list[Segment]) -> list[Segment]:
    """Rewrite the segments of one line; each keeps its width."""
    painted = []
    room = 0  # for combining marks that begin a segment: a cursor parts them from their letter
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
