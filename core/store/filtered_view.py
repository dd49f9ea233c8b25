"""The packets of a store that pass a predicate, in the order of their numbers.

Theory
------
A `View` asks its predicate about each packet once, a piece of a chunk at a time, and keeps, for
each chunk, the rows that passed, as 16-bit numbers. So a growing view costs what is new, and it
forgets chunks that the store has evicted. What it has found is published as `FilteredPackets`:
immutable, for any thread. Finding a row there is a bisection over chunks, and finding a packet one
more inside a chunk.

All packets of a store need no view: row r of `AllPackets` is packet ``first + r``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import CHUNK_PACKETS, Chunk
from core.store.budget import Budget
from core.store.snapshot import Snapshot

Predicate = Callable[[Chunk, Snapshot, Budget], NDArray[np.bool_]]
"""Takes a chunk of n packets, or a part of one, and its snapshot; returns (m,) bool.

It answers for all n packets, or for fewer, at least one, if the budget is spent before.
"""

LEAST = 256
"""Packets in the first piece of a chunk that a view asks its predicate about.

The next pieces are larger while there is time, or smaller if the predicate is slow. So a view ends
soon after its budget is spent or canceled.
"""
_GROWTH, _SHRINK = 8, 4


class NumberRange(Protocol):
    """Ascending packet numbers."""

    def between(self, first: int, last: int) -> NDArray[np.int64]:
        """Return the numbers (k,) from packet `first` to `last`."""
        ...


class PacketNumbers(ABC):
    """An immutable, ascending sequence of packet numbers; a table shows one in each row.

    `predicate` selected the packets; None selects all. `first` is the lowest packet number that was
    in the store, `through` the last one that was checked.
    """

    __slots__ = ()

    predicate: Predicate | None
    first: int
    through: int

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, row: int) -> int:
        """Return the packet number of a row; a negative row counts from the end.

        Raise `IndexError` outside.
        """

    @abstractmethod
    def nearest_row(self, number: int) -> int | None:
        """Return the row of the first packet from `number` on, else the last row; None if empty."""

    @abstractmethod
    def between(self, first: int, last: int) -> NDArray[np.int64]:
        """Return the numbers (k,) from packet `first` to `last`."""

    def __iter__(self) -> Iterator[int]:
        return (self[row] for row in range(len(self)))

    def row_of(self, number: int) -> int | None:
        """Return the row of a packet, or None if it has none."""
        row = self.nearest_row(number)
        return row if row is not None and self[row] == number else None


def _checked(row: int, length: int) -> int:
    """Return `row`, counted from the start. Raise `IndexError` outside."""
    if row < 0:
        row += length
    if not 0 <= row < length:
        raise IndexError(row)
    return row


@dataclass(frozen=True, slots=True)
class AllPackets(PacketNumbers):
    """The packets `first` … `through`."""

    first: int = 1
    through: int = 0
    predicate: None = None

    def __len__(self) -> int:
        return self.through + 1 - self.first

    def __getitem__(self, row: int) -> int:
        return self.first + _checked(row, len(self))

    def nearest_row(self, number: int) -> int | None:
        length = len(self)
        return min(max(number - self.first, 0), length - 1) if length else None

    def between(self, first: int, last: int) -> NDArray[np.int64]:
        return np.arange(max(first, self.first), min(last, self.through) + 1)


@dataclass(frozen=True, slots=True, eq=False)
class FilteredPackets(PacketNumbers):
    """The packets up to `through` that pass `predicate`.

    ``chunk_first``  the number of row 0 of each chunk with a segment
    ``segments``     uint16, the rows of each of these chunks that passed
    ``start``        where each segment begins
    """

    predicate: Predicate
    first: int
    through: int
    chunk_first: tuple[int, ...]
    segments: tuple[NDArray[np.uint16], ...]
    start: tuple[int, ...]

    def __len__(self) -> int:
        return self.start[-1] + len(self.segments[-1]) if self.segments else 0

    def __getitem__(self, row: int) -> int:
        row = _checked(row, len(self))
        index = bisect_right(self.start, row) - 1
        return self.chunk_first[index] + int(self.segments[index][row - self.start[index]])

    def nearest_row(self, number: int) -> int | None:
        length = len(self)
        if not length:
            return None
        index = bisect_right(self.chunk_first, number) - 1
        if index < 0:
            return 0
        row = max(0, number - self.chunk_first[index])
        return min(self.start[index] + int(self.segments[index].searchsorted(row)), length - 1)

    def between(self, first: int, last: int) -> NDArray[np.int64]:
        low = max(0, bisect_right(self.chunk_first, first) - 1)
        high = bisect_right(self.chunk_first, last)
        parts = zip(self.chunk_first[low:high], self.segments[low:high], strict=True)
        numbers = [np.zeros(0, np.int64), *(rows + np.int64(start) for start, rows in parts)]
        found = np.concatenate(numbers)
        return found[np.searchsorted(found, first) : np.searchsorted(found, last, "right")]

    def without_evicted(self, first: int) -> FilteredPackets:
        """Return the packets whose chunk begins at packet `first`, or after it."""
        if first <= self.first:
            return self
        gone = bisect_right(self.chunk_first, first - 1)
        segments = self.segments[gone:]
        chunk_first = self.chunk_first[gone:]
        return FilteredPackets(
            self.predicate, first, self.through, chunk_first, segments, _starts(segments)
        )


def _starts(segments: Iterable[NDArray[np.uint16]]) -> tuple[int, ...]:
    starts, total = [], 0
    for rows in segments:
        starts.append(total)
        total += len(rows)
    return tuple(starts)


class View:
    """Selects the packets that pass `predicate`. An `Analyzer`: one thread extends it.

    Any thread may read `packets`, which is replaced at the end of each `extend`.
    """

    def __init__(self, predicate: Predicate) -> None:
        self.packets = FilteredPackets(predicate, 1, 0, (), (), ())
        self._predicate = predicate
        self._first = 1
        self._through = 0
        self._most = LEAST  # packets in the next piece
        self._chunk_first: list[int] = []
        self._segments: list[NDArray[np.uint16]] = []

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Ask about packets of `snapshot` that were not asked about before.

        Return True if the budget was spent before the last of them.
        """
        for asked, chunk in enumerate(self._unasked(snapshot)):
            has_all, answered = self._add(chunk, snapshot, budget)
            if budget.is_spent:
                if not has_all:
                    self._most = answered
                elif not asked:
                    self._most = min(self._most, max(LEAST, self._most // _SHRINK))
                break
            self._most = min(CHUNK_PACKETS, self._most * _GROWTH)
        else:
            self._through = max(self._through, snapshot.count)
        self._publish()
        return self._through < snapshot.count

    def _unasked(self, snapshot: Snapshot) -> Iterator[Chunk]:
        """Yield each chunk until the predicate has seen all of its packets."""
        for chunk in snapshot.chunks_after(self._through):
            while self._through < chunk.last:
                yield chunk

    def forget(self, first: int) -> None:
        """Drop the packets below `first`: the store has evicted their chunks."""
        self._first = max(self._first, first)
        gone = bisect_right(self._chunk_first, first - 1)
        if gone:
            del self._chunk_first[:gone], self._segments[:gone]

    def _add(self, chunk: Chunk, snapshot: Snapshot, budget: Budget) -> tuple[bool, int]:
        """Ask about the next piece of a chunk.

        Return True if the predicate answered for the whole piece, and the number of its answers.
        """
        known = max(0, self._through + 1 - chunk.first)
        stop = min(len(chunk), known + self._most)
        passed = self._predicate(chunk.rows(known, stop), snapshot, budget)
        rows = (np.flatnonzero(passed) + known).astype(np.uint16)
        self._through = chunk.first + known + len(passed) - 1
        if self._chunk_first and self._chunk_first[-1] == chunk.first:  # it has grown
            self._segments[-1] = np.concatenate([self._segments[-1], rows])
        else:
            self._chunk_first.append(chunk.first)
            self._segments.append(rows)
        return len(passed) == stop - known, len(passed)

    def _publish(self) -> None:
        segments = tuple(self._segments)
        self.packets = FilteredPackets(
            self._predicate,
            self._first,
            self._through,
            tuple(self._chunk_first),
            segments,
            _starts(segments),
        )
