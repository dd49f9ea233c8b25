"""The times of packets since the first and the previous one of their stream."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.analysis.tcp.streams import Groups

Rows = NDArray[np.int64]


def elapsed(groups: Groups, time_ns: Rows, first_ns: Rows, last_ns: Rows) -> tuple[Rows, Rows]:
    """Return the nanoseconds since the first and since the previous packet of the stream, (k,).

    `time_ns` and `first_ns` (k,) are by packet, in the order of the groups; `last_ns` (g,) are the
    times of the groups' last packets before.
    """
    before = np.empty(len(time_ns), np.int64)
    before[1:] = time_ns[:-1]
    before[groups.starts] = last_ns
    return time_ns - first_ns, time_ns - before


class StreamTimes:
    """The times of the first and the last packet of each stream, by slot."""

    def __init__(self) -> None:
        self._first = np.zeros(0, np.int64)
        self._last = np.zeros(0, np.int64)

    def add(self, groups: Groups, time_ns: Rows) -> tuple[Rows, Rows]:
        """Add packets in the order of the groups. Return what `elapsed` does."""
        needed = int(groups.slots.max()) + 1
        if needed > len(self._first):
            more = np.zeros(max(needed, 2 * len(self._first)) - len(self._first), np.int64)
            self._first = np.concatenate([self._first, more])
            self._last = np.concatenate([self._last, more])
        new = groups.slots[groups.is_new]
        self._first[new] = self._last[new] = time_ns[groups.starts[groups.is_new]]
        slots = np.repeat(groups.slots, groups.sizes)
        found = elapsed(groups, time_ns, self._first[slots], self._last[groups.slots])
        self._last[groups.slots] = time_ns[groups.starts + groups.sizes - 1]
        return found
