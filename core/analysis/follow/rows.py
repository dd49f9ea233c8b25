"""The pieces of a stream as rows of a screen: where each begins and ends, by columns.

Rows belong to *blocks* of pieces, and those of a block need only its own pieces: so a stream of any
size shows its first rows at once, and the rows of one block are computed when they are shown.

A row of text is a line that ends with a line feed, or a part of one that is too long. It has at
most as many bytes as there are cells, since no byte takes more than one (`texts`). A long line is
divided between two characters of UTF-8, so up to three bytes before the place that is due. Bytes of
one side that follow each other make lines across pieces; only the end of a block divides them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from core.analysis.follow.contents import Rows, StreamContents

BLOCK_BYTES = 1 << 18
BLOCK_PIECES = 1 << 13

_LINE_FEED, _RETURN = 10, 13
_HEX_ROWS = ((16, 76), (8, 44), (4, 28))  # bytes of a row, and its cells


class LineForm(Enum):
    """The form in which bytes are shown. The value names it on the screen."""

    TEXT = "text"
    HEX = "hex"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class StreamLayout:
    """Everything that decides about rows.

    `width` are the cells of a row. With a `side`, only its pieces are shown. `joins` is True if
    lines of text continue in the next piece: not those of datagrams.
    """

    form: LineForm
    width: int
    side: int | None = None
    joins: bool = True

    @property
    def row_bytes(self) -> int:
        """The most bytes of a row; one of text may begin three bytes earlier (see the module)."""
        if self.form is LineForm.HEX:
            return next((count for count, cells in _HEX_ROWS if cells <= self.width), 1)
        return max(1, self.width // 2) if self.form is LineForm.RAW else max(4, self.width - 3)


@dataclass(frozen=True, slots=True, eq=False)
class StreamRows:
    """Rows (m,): the ``piece`` in which each begins, and its bytes, ``start`` to ``stop``.

    Those of a mark, and of a datagram without payload, have none.
    """

    piece: Rows
    start: Rows
    stop: Rows

    def __len__(self) -> int:
        return len(self.piece)

    def row_of(self, offset: int) -> int:
        """Return the row with the byte at an offset, or the last one before it."""
        return max(0, int(np.searchsorted(self.start, offset, "right")) - 1)


def block_end(contents: StreamContents, first: int) -> int:
    """Return the piece after the block that begins with piece `first`."""
    most = int(contents.start[first]) + BLOCK_BYTES
    end = int(np.searchsorted(contents.start, most, "left"))
    return min(max(end, first + 1), first + BLOCK_PIECES, len(contents))


def rows_of(contents: StreamContents, first: int, last: int, layout: StreamLayout) -> StreamRows:
    """Return the rows of the pieces `first` to before `last`."""
    index = np.arange(first, last)
    if layout.side is not None:
        index = index[contents.side[first:last] == layout.side]
    has_bytes = contents.length[index] > 0
    data, others = index[has_bytes], index[~has_bytes]
    if not len(data):
        begin = contents.start[others]
        return StreamRows(others, begin, begin)
    if layout.form is LineForm.TEXT:
        piece, start, stop = _text_rows(contents, data, layout)
    else:
        begin, length = contents.start[data], contents.length[data]
        counts = -(-length // layout.row_bytes)
        start = np.repeat(begin, counts) + layout.row_bytes * _places(counts)
        stop = np.minimum(start + layout.row_bytes, np.repeat(begin + length, counts))
        piece = np.repeat(data, counts)
    if len(others):
        begin = contents.start[others]
        piece, start, stop = (
            np.concatenate(pair) for pair in ((piece, others), (start, begin), (stop, begin))
        )
        order = np.lexsort((start, piece))
        piece, start, stop = piece[order], start[order], stop[order]
    return StreamRows(piece, start, stop)


def _places(counts: Rows) -> Rows:
    """Return 0 … n - 1 for each count n, one after the other."""
    ends = np.cumsum(counts)
    places: Rows = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
    return places


def _text_rows(
    contents: StreamContents, index: Rows, layout: StreamLayout
) -> tuple[Rows, Rows, Rows]:
    """Return the columns of `StreamRows` for pieces with bytes."""
    data, begin = contents.data, contents.start[index]
    end = begin + contents.length[index]
    is_new = np.ones(len(index), np.bool_)  # the piece does not continue the one before it
    if layout.joins:
        side = contents.side[index]
        is_new[1:] = (index[1:] != index[:-1] + 1) | (side[1:] != side[:-1])
    runs = begin[is_new]
    run_ends = end[np.append(np.flatnonzero(is_new)[1:] - 1, len(index) - 1)]

    low, high = int(begin[0]), int(end[-1])
    breaks = np.flatnonzero(data[low:high] == _LINE_FEED) + low + 1
    breaks = breaks[breaks < run_ends[np.searchsorted(runs, breaks - 1, "right") - 1]]
    lines = np.sort(np.concatenate([runs, breaks]))
    line_ends = np.minimum(
        np.append(lines[1:], high), run_ends[np.searchsorted(runs, lines, "right") - 1]
    )
    has_feed = data[line_ends - 1] == _LINE_FEED
    has_return = has_feed & (line_ends - lines > 1)
    has_return[has_return] = data[line_ends[has_return] - 2] == _RETURN
    visible = line_ends - lines - has_feed - has_return

    most = layout.row_bytes
    counts = np.where(visible <= layout.width, 1, -(-visible // most))
    places = _places(counts)
    start = np.repeat(lines, counts) + most * places
    start = _between_characters(contents, start, places > 0)
    stop = np.append(start[1:], high)
    stop = np.minimum(stop, np.repeat(line_ends, counts))
    return index[np.searchsorted(begin, start, "right") - 1], start, stop


def _between_characters(contents: StreamContents, start: Rows, may_move: NDArray[np.bool_]) -> Rows:
    """Move the starts of rows to the first byte of a character, by at most three bytes."""
    moved, index = start.copy(), np.flatnonzero(may_move)
    for _ in range(3):
        index = index[contents.data[moved[index]] & 0xC0 == 0x80]
        moved[index] -= 1
    still = index[contents.data[moved[index]] & 0xC0 == 0x80]  # not UTF-8
    moved[still] = start[still]
    return moved
