"""A view: a growing, random-access sequence of packet numbers, ascending.

Theory
------
A view without a predicate is every packet held, and costs nothing: row r is packet
``first + r``. A view with a predicate keeps, for each chunk, the rows that passed, as 16-bit
numbers; finding a row is a bisection over chunks, finding a packet one more inside a chunk.
`extend` asks the predicate about packets it was not asked about before, so a growing view
costs what is new, and forgets chunks that the store has dropped.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import Chunk, first_number
from core.store.snapshot import Snapshot

Predicate = Callable[[Chunk], NDArray[np.bool_]]


class View:
    """Packet numbers that pass `predicate`, all without one. See the module's text.

    `predicate` takes a chunk of n packets and returns (n,) bool. One thread uses a view.
    """

    def __init__(self, predicate: Predicate | None = None) -> None:
        self._predicate = predicate
        self._first = 1  # lowest number held
        self._count = 0  # highest number seen
        self._chunk_first: list[int] = []  # number of row 0 of each chunk with a segment
        self._rows: list[NDArray[np.uint16]] = []  # rows that passed, by chunk
        self._start: list[int] = []  # where each chunk's rows begin in the view

    def extend(self, snapshot: Snapshot) -> None:
        """Take in what `snapshot` has more than the last one, and drop what was evicted."""
        self._first = snapshot.first
        if self._predicate is not None:
            self._drop_evicted()
            new = bisect_right(snapshot.chunks, self._count + 1, key=first_number)
            for chunk in snapshot.chunks[max(0, new - 1) :]:
                self._add(chunk, self._predicate)
        self._count = snapshot.count

    @property
    def first(self) -> int:
        """The lowest packet number that was held at the last `extend`."""
        return self._first

    def _drop_evicted(self) -> None:
        gone = bisect_right(self._chunk_first, self._first - 1)
        if gone:
            del self._chunk_first[:gone], self._rows[:gone]
            self._restart()

    def _restart(self) -> None:
        total = 0
        self._start = []
        for rows in self._rows:
            self._start.append(total)
            total += len(rows)

    def _add(self, chunk: Chunk, predicate: Predicate) -> None:
        known = max(0, self._count + 1 - chunk.first)
        if known >= len(chunk):
            return
        passed = np.flatnonzero(predicate(chunk.rows(known, len(chunk)))) + known
        rows = passed.astype(np.uint16)
        if self._chunk_first and self._chunk_first[-1] == chunk.first:
            self._rows[-1] = np.concatenate([self._rows[-1], rows])
            return
        self._start.append(len(self))
        self._chunk_first.append(chunk.first)
        self._rows.append(rows)

    def __len__(self) -> int:
        if self._predicate is None:
            return self._count + 1 - self._first
        return self._start[-1] + len(self._rows[-1]) if self._rows else 0

    def __getitem__(self, row: int) -> int:
        """The packet number in a row; negative rows count from the end. `IndexError` outside."""
        length = len(self)
        if row < 0:
            row += length
        if not 0 <= row < length:
            raise IndexError(row)
        if self._predicate is None:
            return self._first + row
        index = bisect_right(self._start, row) - 1
        return self._chunk_first[index] + int(self._rows[index][row - self._start[index]])

    def row_of(self, number: int) -> int | None:
        """The row a packet is in, or None if it is not in the view."""
        row = self.nearest_row(number)
        return row if row is not None and self[row] == number else None

    def nearest_row(self, number: int) -> int | None:
        """The row of the first packet from `number` on, else the last row; None when empty."""
        length = len(self)
        if not length:
            return None
        if self._predicate is None:
            return min(max(number - self._first, 0), length - 1)
        index = bisect_right(self._chunk_first, number) - 1
        if index < 0:
            return 0
        inside = int(np.searchsorted(self._rows[index], max(0, number - self._chunk_first[index])))
        return min(self._start[index] + inside, length - 1)
