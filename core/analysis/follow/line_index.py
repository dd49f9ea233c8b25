"""Counts the rows of a stream, block by block, on the analysis thread."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from core.analysis.follow.contents import NO_CONTENTS, StreamContents
from core.analysis.follow.rows import LineForm, StreamLayout, StreamRows, block_end, rows_of
from core.store.budget import Budget
from core.store.snapshot import Snapshot

_KEPT_BLOCKS = 4  # whose rows are remembered


@dataclass(frozen=True, slots=True, eq=False)
class LineIndex:
    """The number of rows of each block of a stream: immutable.

    Block b has the pieces ``pieces[b]`` to before ``pieces[b + 1]``, and begins with row
    ``lines[b]``.
    """

    contents: StreamContents
    layout: StreamLayout
    pieces: tuple[int, ...] = (0,)
    lines: tuple[int, ...] = (0,)

    @property
    def line_count(self) -> int:
        """The number of rows counted up to now."""
        return self.lines[-1]

    @property
    def is_complete(self) -> bool:
        """True if all pieces are counted."""
        return self.pieces[-1] == len(self.contents)


NO_LINES = LineIndex(NO_CONTENTS, StreamLayout(LineForm.TEXT, 1))
"""The index of a stream without a packet."""


class LineCounter:
    """Counts the rows of what `source` returns, in one layout. An `Analyzer`.

    Any thread reads `index`. Only the last block is counted again while the stream grows.
    """

    def __init__(self, source: Callable[[], StreamContents], layout: StreamLayout) -> None:
        self.layout = layout
        self.index = LineIndex(NO_CONTENTS, layout)
        self._source = source
        self._pieces, self._lines = [0], [0]

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Count more rows. Return True if the budget was spent before the last one."""
        contents = self._source()
        while self._pieces[-1] < len(contents) or self._is_open(contents):
            if self._is_open(contents):
                del self._pieces[-1], self._lines[-1]
            first = self._pieces[-1]
            last = block_end(contents, first)
            count = len(rows_of(contents, first, last, self.layout))
            self._pieces.append(last)
            self._lines.append(self._lines[-1] + count)
            self._publish(contents)
            if budget.is_spent:
                break
        return not self.index.is_complete

    def forget(self, first: int) -> None:
        """Do nothing: the stream has copies of its bytes."""

    def _is_open(self, contents: StreamContents) -> bool:
        """Return True if the last block has new pieces to take."""
        return len(self._pieces) > 1 and (block_end(contents, self._pieces[-2]) > self._pieces[-1])

    def _publish(self, contents: StreamContents) -> None:
        self.index = LineIndex(contents, self.layout, tuple(self._pieces), tuple(self._lines))


class StreamLines:
    """Finds rows by their numbers. For one thread; it remembers the rows of a few blocks."""

    def __init__(self) -> None:
        self.index = NO_LINES
        self._blocks: OrderedDict[tuple[int, int], StreamRows] = OrderedDict()

    def show(self, index: LineIndex) -> None:
        """Take a newer index, perhaps of another stream or layout."""
        is_same = (
            index.layout == self.index.layout and index.contents.token is self.index.contents.token
        )
        if not is_same:
            self._blocks.clear()
        self.index = index

    def row(self, line: int) -> tuple[int, int, int]:
        """Return piece, start, and stop of an existing row."""
        block = bisect_right(self.index.lines, line) - 1
        rows, at = self._rows(block), line - self.index.lines[block]
        return int(rows.piece[at]), int(rows.start[at]), int(rows.stop[at])

    def line_of(self, offset: int) -> int:
        """Return the row with the byte at an offset, or the nearest one that is shown before it."""
        index = self.index
        piece = index.contents.piece_at(offset) if len(index.contents) else 0
        block = min(bisect_right(index.pieces, piece) - 1, len(index.pieces) - 2)
        if block < 0:
            return 0
        rows = self._rows(block)
        line = index.lines[block] + (rows.row_of(offset) if len(rows) else 0)
        return max(0, min(line, index.line_count - 1))

    def _rows(self, block: int) -> StreamRows:
        first, last = self.index.pieces[block], self.index.pieces[block + 1]
        rows = self._blocks.get((first, last))
        if rows is None:
            rows = rows_of(self.index.contents, first, last, self.index.layout)
            self._blocks[first, last] = rows
            if len(self._blocks) > _KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        return rows
