"""The next or previous place in a stream that has some bytes, around its end.

A match lies in bytes of one side that follow each other: a *run*. A step takes the runs of one
window of the stream by columns, and searches its bytes from run to run. All matches that begin in
the same run as a match that leaves it leave it, too, so every try takes at least one run, and a
step takes at most `WINDOW` bytes and `TRIES` runs, whatever the stream contains.

A search back is a search of the mirrored window for the mirrored bytes. `bytes.find` takes time in
proportion to the window for any bytes; `bytes.rfind` does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.follow.contents import Rows, StreamContents
from core.analysis.follow.pieces import PieceKind
from core.analysis.search.query import QueryError, SearchKind, SearchQuery, hex_bytes
from core.store.budget import Budget
from core.store.snapshot import Snapshot

WINDOW = 1 << 18
TRIES = 1 << 11


@dataclass(frozen=True, slots=True)
class Needle:
    """Bytes to search for. If it `ignores_case`, letters of ASCII match in both cases."""

    data: bytes
    ignores_case: bool = False

    @classmethod
    def of(cls, query: SearchQuery) -> Needle:
        """Return the bytes of a query for text or hex bytes. Raise `QueryError`."""
        if not query.text.strip():
            raise QueryError("type what to search for", is_incomplete=True)
        if query.kind is not SearchKind.TEXT:
            return cls(hex_bytes(query.text))
        data = query.text.encode()
        return cls(data.lower(), True) if query.ignores_case else cls(data)

    def __len__(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class MatchState:
    """The state of a search; immutable. `found` are the offsets in the stream's data."""

    found: tuple[int, int] | None = None
    is_wrapped: bool = False
    is_done: bool = False
    progress: float = 0.0


@dataclass(frozen=True, slots=True)
class StreamScope:
    """The bytes that belong together: with a `side`, only its own; if `joins`, over pieces."""

    side: int | None
    joins: bool

    def runs_of(self, contents: StreamContents, low: int, high: int) -> tuple[Rows, Rows]:
        """Return where the runs in the bytes ``low:high`` begin and end, ascending."""
        first, last = contents.piece_at(low), contents.piece_at(high - 1) + 1
        index = np.arange(first, last)
        index = index[contents.kind[first:last] == PieceKind.DATA]
        index = index[contents.length[index] > 0]
        side = contents.side[index]
        is_new: NDArray[np.bool_] = np.ones(len(index), np.bool_)
        if self.joins:
            is_new[1:] = (index[1:] != index[:-1] + 1) | (side[1:] != side[:-1])
        ends = np.append(is_new[1:], np.ones(min(1, len(index)), np.bool_))
        starts = np.maximum(contents.start[index[is_new]], low)
        last_pieces = index[ends]
        stops = np.minimum(contents.start[last_pieces] + contents.length[last_pieces], high)
        if self.side is None:
            return starts, stops
        is_own = side[is_new] == self.side
        return starts[is_own], stops[is_own]


class _Window:
    """The search in one window: for the first match, or for the last one if it is mirrored."""

    def __init__(
        self,
        contents: StreamContents,
        needle: Needle,
        scope: StreamScope,
        span: tuple[int, int],
        *,
        is_mirrored: bool,
    ) -> None:
        low, high = span
        starts, stops = scope.runs_of(contents, low, high)
        is_long = stops - starts >= len(needle)
        starts, stops = starts[is_long], stops[is_long]
        data, self._needle = contents.data[low:high], needle.data
        if is_mirrored:
            starts, stops = high - stops[::-1], high - starts[::-1]
            data, self._needle = data[::-1], needle.data[::-1]
        else:
            starts, stops = starts - low, stops - low
        text = data.tobytes() if len(starts) else b""
        self._text = text.lower() if needle.ignores_case else text
        self._starts, self._lasts = starts, stops - len(needle)  # where matches may begin
        self._span, self._is_mirrored = span, is_mirrored
        self._at = 0

    def search(self, tries: int) -> tuple[tuple[int, int] | None, int]:
        """Return the match that comes next, and how many tries are left: 0 if there is more."""
        for left in range(tries, 0, -1):
            run = int(np.searchsorted(self._lasts, self._at))
            if run == len(self._lasts):
                return None, left
            self._at = self._text.find(self._needle, max(self._at, int(self._starts[run])))
            if self._at < 0:
                return None, left
            if self._at <= self._lasts[run]:
                return self._offsets(), left
        return None, 0

    def _offsets(self) -> tuple[int, int]:
        low, high = self._span
        size = len(self._needle)
        start = high - self._at - size if self._is_mirrored else low + self._at
        return start, start + size


class StreamSearch:
    """Searches the bytes of one side, or of both, from an offset on. An `Analyzer`.

    Bytes of which the other side sent something in between do not belong together. A search with a
    `step` of 1 begins at `start`, one with -1 before it.
    """

    def __init__(
        self,
        contents: StreamContents,
        needle: Needle,
        side: int | None,
        start: int,
        step: int,
        *,
        joins: bool,
    ) -> None:
        self.state = MatchState()
        self._contents, self._needle, self._step = contents, needle, step
        self._scope = StreamScope(side, joins)
        size = len(contents.data)
        start = max(0, min(start, size))
        legs = [(start, size), (0, start)]
        self._legs = legs if step > 0 else legs[::-1]  # places where a match may begin
        self._size = max(1, size)
        self._window: _Window | None = None  # the one that is being searched

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Continue the search. Return True if the budget was spent before its end."""
        while self.state.found is None and self._search_part():
            if budget.is_spent:
                return True
        state = self.state
        self.state = MatchState(state.found, state.is_wrapped, True, 1.0)
        return False

    def forget(self, first: int) -> None:
        """Do nothing: the stream has copies of its bytes."""

    def _search_part(self) -> bool:
        """Search the next part of a window. Return False after the last one."""
        if self._window is None:
            self._window = self._next_window()
        if self._window is None:
            return False
        is_wrapped = len(self._legs) < 2
        found, left = self._window.search(TRIES)
        if left:
            self._window = None
        rest = sum(high - low for low, high in self._legs)
        self.state = MatchState(found, is_wrapped, False, 1 - rest / self._size)
        return True

    def _next_window(self) -> _Window | None:
        while self._legs and self._legs[0][0] >= self._legs[0][1]:
            del self._legs[0]
        if not self._legs:
            return None
        low, high = self._legs[0]
        if self._step > 0:
            first, last = low, min(high, low + WINDOW)
            self._legs[0] = (last, high)
        else:
            first, last = max(low, high - WINDOW), high
            self._legs[0] = (low, first)
        stop = min(last + len(self._needle) - 1, len(self._contents.data))
        return _Window(
            self._contents, self._needle, self._scope, (first, stop), is_mirrored=self._step < 0
        )
