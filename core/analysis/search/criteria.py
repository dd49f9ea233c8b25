"""Criteria of a search: bytes, a display filter, a time, numbers. `text_criterion` has text.

A search asks its criterion about a few packets at a time, in the direction of the search, and the
criterion returns the first of them that meets it. It is evaluated over whole columns, so that
other packets cost almost nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from core.analysis.analyzer import SlowPackets, slow_packets_of
from core.analysis.filter.evaluation.byte_search import contains
from core.analysis.filter.types import Spans
from core.decode.chunk import Chunk
from core.store.budget import Budget
from core.store.filtered_view import Predicate
from core.store.snapshot import Snapshot
from core.wire.model.field import Span

MOST_ROWS = 1 << 16  # a whole chunk
Rows = NDArray[np.int64]


class Answer(NamedTuple):
    """The answer of a criterion: the first row that meets it, or None, and how many it checked."""

    row: int | None
    checked: int


class Criterion(Protocol):
    """Finds the packet of a search. `most_rows` is the number of packets to ask about at once."""

    most_rows: int

    def find(self, snapshot: Snapshot, chunk: Chunk, rows: Rows, budget: Budget) -> Answer:
        """Check the packets of `chunk` in `rows`, in this order.

        At least one of them is checked, and no more after the budget is spent. The chunk may be a
        part of one of `snapshot`.
        """
        ...

    def span_in(self, data: bytes) -> Span | None:
        """Return the bytes of a frame that meet the criterion; None if it is about other things."""
        ...


def first_of(mask: NDArray[np.bool_], rows: Rows) -> Answer:
    """Return the answer for rows of which `mask` (k,) says which ones meet the criterion."""
    found = int(mask.argmax()) if len(mask) else 0
    if not mask[found : found + 1].any():
        return Answer(None, len(mask))
    return Answer(int(rows[found]), found + 1)


class ByteCriterion:
    """The packets that contain some bytes anywhere in the captured frame.

    With `ignores_case`, ASCII letters match in both cases.
    """

    most_rows = MOST_ROWS

    def __init__(self, needle: bytes, *, ignores_case: bool = False) -> None:
        self._needle = needle
        self._ignores_case = ignores_case

    def mask(self, chunk: Chunk, rows: Rows) -> NDArray[np.bool_]:
        """Return a mask (k,) of the rows whose frames contain the bytes."""
        starts = chunk.offset[rows].astype(np.int64)
        spans = Spans(chunk.data, starts, starts + chunk.captured[rows])
        return contains(spans, self._needle, ignores_case=self._ignores_case)

    def find(self, snapshot: Snapshot, chunk: Chunk, rows: Rows, budget: Budget) -> Answer:
        """Search the bytes of all rows at once."""
        return first_of(self.mask(chunk, rows), rows)

    def span_in(self, data: bytes) -> Span | None:
        """Return the first place of the bytes."""
        if self._ignores_case:  # changes ASCII letters only
            start = data.lower().find(self._needle.lower())
        else:
            start = data.find(self._needle)
        return None if start < 0 else Span(start, start + len(self._needle))


class FilterCriterion:
    """The packets that a predicate selects, such as a `PacketFilter`.

    A predicate answers only for the first packets of a chunk if the time is spent; backward, the
    last packet is then asked about alone.
    """

    most_rows = MOST_ROWS

    def __init__(self, predicate: Predicate) -> None:
        self._predicate = predicate

    @property
    def slow_packets(self) -> int:
        """The number of packets that took too long; see `core.analysis.analyzer`."""
        return slow_packets_of(self._predicate)

    def forget_slow_packets(self) -> None:
        """Count these packets from zero."""
        if isinstance(self._predicate, SlowPackets):
            self._predicate.forget_slow_packets()

    def find(self, snapshot: Snapshot, chunk: Chunk, rows: Rows, budget: Budget) -> Answer:
        """Apply the predicate to the chunk, or to a part of it if that is slow."""
        if len(rows) > 1 and rows[0] > rows[-1]:
            return self._find_backward(snapshot, chunk, rows, budget)
        low = int(rows[0])
        mask = self._predicate(chunk.rows(low, len(chunk)), snapshot, budget)
        known = rows[: np.searchsorted(rows, low + len(mask))]
        return first_of(mask[known - low], known)

    def _find_backward(
        self, snapshot: Snapshot, chunk: Chunk, rows: Rows, budget: Budget
    ) -> Answer:
        checked, size = 0, len(rows)
        while checked < len(rows):
            piece = rows[checked : checked + size]
            low, high = int(piece[-1]), int(piece[0]) + 1
            mask = self._predicate(chunk.rows(low, high), snapshot, budget)
            if len(mask) < high - low:
                size = 1  # the time is spent
                continue
            answer = first_of(mask[piece - low], piece)
            checked += answer.checked
            if answer.row is not None or budget.is_spent:
                return Answer(answer.row, checked)
        return Answer(None, checked)

    def span_in(self, data: bytes) -> Span | None:
        """Return None: a filter is about fields."""
        return None


class TimeCriterion:
    """The packets captured at `timestamp_ns` or later."""

    most_rows = MOST_ROWS

    def __init__(self, timestamp_ns: int) -> None:
        self._timestamp_ns = timestamp_ns

    def find(self, snapshot: Snapshot, chunk: Chunk, rows: Rows, budget: Budget) -> Answer:
        """Compare the times of all rows."""
        return first_of(chunk.timestamp_ns[rows] >= self._timestamp_ns, rows)

    def span_in(self, data: bytes) -> Span | None:
        """Return None: the time is not in the frame."""
        return None


class NumberCriterion:
    """The packets with these numbers."""

    most_rows = MOST_ROWS

    def __init__(self, numbers: Collection[int]) -> None:
        self._numbers = np.array(sorted(numbers), dtype=np.int64)

    def find(self, snapshot: Snapshot, chunk: Chunk, rows: Rows, budget: Budget) -> Answer:
        """Look up the numbers of all rows."""
        return first_of(np.isin(rows + chunk.first, self._numbers), rows)

    def span_in(self, data: bytes) -> Span | None:
        """Return None: the number is not in the frame."""
        return None
