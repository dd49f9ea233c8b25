"""The next or previous packet of a table that meets a criterion, around its end.

Theory
------
A search begins beside one packet and ends with it, so a packet that is the only one to meet the
criterion is found again. It has two *legs*: from its start to the end of the table, and from the
other end back to its start. It asks its criterion about a few packets at first, and about more each
time, so that a match close by is found at once and distant ones are found fast; about fewer again
when the time of a step was too short.

The packets are those that a table shows: all, or those that passed its filter up to now. Packets
that are captured during a search are not part of it, and evicted ones are passed over. Nothing but
numbers is kept between two steps, so a search keeps no evicted packet in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.analysis.analyzer import slow_packets_of
from core.analysis.search.criteria import Criterion
from core.store.budget import Budget
from core.store.filtered_view import PacketNumbers
from core.store.snapshot import Snapshot

FIRST_ROWS = 512  # asked about at first
GROWTH = 4
MOST_BYTES = 1 << 23  # captured bytes that are searched in one step


@dataclass(frozen=True, slots=True)
class SearchState:
    """The state of a search; immutable.

    `found` is the packet's number. `is_wrapped` is True if the search passed the end of the table.
    `progress` is the part of the packets that were checked, 0 to 1. `slow_packets` took too long;
    see `core.analysis.analyzer.SlowPackets`.
    """

    found: int | None = None
    is_wrapped: bool = False
    is_done: bool = False
    progress: float = 0.0
    slow_packets: int = 0


class Search:
    """Searches `numbers` forward (`step` 1) or backward (-1) from packet `start`.

    An `Analyzer`: one thread extends it, and any thread reads `state`. A `start` of 0 begins with
    the first packet, or backward with the last one.
    """

    def __init__(
        self, criterion: Criterion, numbers: PacketNumbers, start: int, step: int = 1
    ) -> None:
        self.criterion = criterion
        self.state = SearchState()
        self._numbers = numbers
        self._step = step
        first, last = numbers.first, numbers.through
        if not start:
            legs = [range(first, last + 1)]
        elif step > 0:
            legs = [range(start + 1, last + 1), range(first, start + 1)]
        else:
            legs = [range(first, start), range(start, last + 1)]
        self._legs = legs
        self._leg_count = len(legs)
        self._total = max(1, sum(map(len, legs)))
        self._rows = FIRST_ROWS

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Continue the search. Return True if the budget was spent before its end."""
        while self._legs and self.state.found is None:
            leg = self._legs[0]
            leg = range(max(leg.start, snapshot.first), min(leg.stop, snapshot.count + 1))
            if not leg:
                del self._legs[0]
                continue
            found, checked = self._find(snapshot, leg, budget)
            if self._step > 0:
                self._legs[0] = range(checked + 1, leg.stop)
            else:
                self._legs[0] = range(leg.start, checked)
            self._publish(found)
            if budget.is_spent and self.state.found is None:
                self._rows = max(1, self._rows // GROWTH**2)
                return True
        self.state = replace(self.state, is_done=True)
        return False

    def forget(self, first: int) -> None:
        """Do nothing: `extend` passes over evicted packets."""

    def _find(self, snapshot: Snapshot, leg: range, budget: Budget) -> tuple[int | None, int]:
        """Check some packets of a leg; return the one found, and the last one checked."""
        size = min(self._rows, self.criterion.most_rows)
        self._rows = min(self._rows * GROWTH, self.criterion.most_rows)
        chunk, row = snapshot.find(leg.start if self._step > 0 else leg.stop - 1)
        if self._step > 0:
            stop = min(row + size, len(chunk), row + len(leg))
            low, high = row, row + _affordable(chunk.captured[row:stop])
        else:
            start = max(row + 1 - size, 0, row + 1 - len(leg))
            low, high = row + 1 - _affordable(chunk.captured[start : row + 1][::-1]), row + 1
        numbers = self._numbers.between(chunk.first + low, chunk.first + high - 1)
        last = chunk.first + (high - 1 if self._step > 0 else low)
        if not len(numbers):
            return None, last
        part = chunk.rows(low, high)
        rows = (numbers - part.first)[:: self._step]
        row_found, checked = self.criterion.find(snapshot, part, rows, budget)
        if row_found is not None:
            return part.first + row_found, part.first + row_found
        return None, last if checked == len(rows) else part.first + int(rows[checked - 1])

    def _publish(self, found: int | None) -> None:
        left = sum(map(len, self._legs))
        is_wrapped = len(self._legs) < self._leg_count
        slow = slow_packets_of(self.criterion)
        self.state = SearchState(found, is_wrapped, False, 1 - left / self._total, slow)


def _affordable(captured: NDArray[np.uint32]) -> int:
    """Return how many of these packets, at least one, have at most `MOST_BYTES` together."""
    return max(1, int(np.searchsorted(np.cumsum(captured, dtype=np.int64), MOST_BYTES, "right")))
