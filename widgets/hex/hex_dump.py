"""The bytes of one frame as rows of a hex dump. No drawing, no Textual.

A highlight is a span of bytes that belong together: those of the selected field. It never reaches
beyond the captured bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from core.wire.model.field import Span
from widgets.hex.layout import HexLayout, choose_hex_layout


class HexDump:
    """The captured bytes of a frame, and how many were not captured (`missing`).

    `layout` decides how many bytes are in a row. `highlighted` is inside of `data`, or None.
    """

    def __init__(self) -> None:
        self.data = b""
        self.missing = 0
        self.highlighted: Span | None = None
        self.layout: HexLayout = choose_hex_layout(0, 0)

    def set_frame(self, data: bytes, original_length: int | None) -> bool:
        """Hold another frame without a highlight. Return False if it is the same one."""
        missing = 0 if original_length is None else max(0, original_length - len(data))
        if data == self.data and missing == self.missing:
            return False
        self.data, self.missing, self.highlighted = data, missing, None
        return True

    def fit(self, width: int) -> bool:
        """Choose the layout for `width` cells. Return True if it changed."""
        before, self.layout = self.layout, choose_hex_layout(len(self.data), width)
        return self.layout != before

    def highlight(self, span: Span | None) -> bool:
        """Highlight the captured bytes of `span`. Return True if the highlight changed."""
        if span is not None:
            stop = min(span.stop, len(self.data))
            span = Span(span.start, stop) if span.start < stop else None
        before, self.highlighted = self.highlighted, span
        return span != before

    @property
    def line_count(self) -> int:
        """Return the number of rows; the one that reports missing bytes is the last."""
        return -(-len(self.data) // self.layout.per_row) + (self.missing > 0)

    def line_of(self, offset: int) -> int:
        """Return the row of a byte."""
        return offset // self.layout.per_row

    def row(self, line: int) -> bytes:
        """Return the bytes of a row; empty for the one that reports missing bytes."""
        start = line * self.layout.per_row
        return self.data[start : start + self.layout.per_row]

    def highlighted_in(self, line: int) -> Span | None:
        """Return the part of the highlight that is in a row."""
        start = line * self.layout.per_row
        stop, span = start + self.layout.per_row, self.highlighted
        if span is None or span.start >= stop or start >= span.stop:
            return None
        return Span(max(span.start, start), min(span.stop, stop))

    def runs(self, line: int, cursor: int | None) -> Iterator[tuple[int, int, str]]:
        """Yield the bytes of a row that look alike, as ``(start, stop, look)``.

        `start` and `stop` count in the row; `look` is ``byte``, ``highlight`` or ``cursor``.
        `cursor` is the offset of a byte of the frame.
        """
        start, length = line * self.layout.per_row, len(self.row(line))
        span = self.highlighted or Span(0, 0)
        edges = {0, length, span.start - start, span.stop - start}
        if cursor is not None:
            edges |= {cursor - start, cursor - start + 1}
        for first, stop in pairwise(sorted(edge for edge in edges if 0 <= edge <= length)):
            if start + first == cursor:
                yield first, stop, "cursor"
            else:
                yield first, stop, "highlight" if start + first in span else "byte"
