"""The next or previous place in a stream that has some bytes, around its end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.analysis.follow.contents import StreamContents
from core.analysis.follow.pieces import PieceKind
from core.analysis.search.query import QueryError, SearchKind, SearchQuery, hex_bytes
from core.store.budget import Budget
from core.store.snapshot import Snapshot

BLOCK = 1 << 19  # bytes in a step


@dataclass(frozen=True, slots=True)
class Needle:
    """Bytes to search for; `pattern` matches `length` of them."""

    pattern: re.Pattern[bytes]
    length: int

    @classmethod
    def of(cls, query: SearchQuery) -> Needle:
        """Return the bytes of a query for text or hex bytes. Raise `QueryError`."""
        if not query.text.strip():
            raise QueryError("type what to search for", is_incomplete=True)
        is_text = query.kind is SearchKind.TEXT
        found = query.text.encode() if is_text else hex_bytes(query.text)
        ignores_case = is_text and query.ignores_case
        flags = re.IGNORECASE | re.DOTALL if ignores_case else re.DOTALL
        return cls(re.compile(re.escape(found), flags), len(found))


@dataclass(frozen=True, slots=True)
class MatchState:
    """The state of a search; immutable. `found` are the offsets in the stream's data."""

    found: tuple[int, int] | None = None
    is_wrapped: bool = False
    is_done: bool = False
    progress: float = 0.0


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
        self._contents, self._needle, self._side = contents, needle, side
        self._step, self._joins = step, joins
        size = len(contents.data)
        start = max(0, min(start, size))
        legs = [(start, size), (0, start)]
        self._legs = legs if step > 0 else legs[::-1]  # places where a match may begin
        self._size = max(1, size)

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Continue the search. Return True if the budget was spent before its end."""
        while self._legs and self.state.found is None:
            low, high = self._legs[0]
            if low >= high:
                del self._legs[0]
                continue
            if self._step > 0:
                first, last = low, min(high, low + BLOCK)
                self._legs[0] = (last, high)
            else:
                first, last = max(low, high - BLOCK), high
                self._legs[0] = (low, first)
            found = self._find(first, last)
            left = sum(high - low for low, high in self._legs)
            is_wrapped = len(self._legs) < 2
            self.state = MatchState(found, is_wrapped, False, 1 - left / self._size)
            if budget.is_spent and found is None and left:
                return True
        state = self.state
        self.state = MatchState(state.found, state.is_wrapped, True, 1.0)
        return False

    def forget(self, first: int) -> None:
        """Do nothing: the stream has copies of its bytes."""

    def _find(self, first: int, last: int) -> tuple[int, int] | None:
        """Return the first match that begins in a range, or the last one when searching back."""
        data, needle = self._contents.data.data, self._needle
        found, at = None, first
        while True:
            match = needle.pattern.search(data, at, last + needle.length - 1)
            if match is None:
                return found
            if self._is_one(*match.span()):
                found = match.span()
                if self._step > 0:
                    return found
            at = match.start() + 1

    def _is_one(self, start: int, stop: int) -> bool:
        """Return True if these bytes are those of one side that follow each other."""
        contents = self._contents
        first, last = contents.piece_at(start), contents.piece_at(stop - 1)
        if not self._joins and first != last:
            return False
        sides, kinds = contents.side[first : last + 1], contents.kind[first : last + 1]
        if self._side is not None and sides[0] != self._side:
            return False
        return bool((sides == sides[0]).all() and (kinds == PieceKind.DATA).all())
