"""The memory of streams: their numbers, unacknowledged segments, and holes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.tcp.state import OfDirection, StreamStates

_MOST_UNACKED = 1 << 18  # of all streams together
_MOST_WITH_HOLES = 1 << 14  # directions
_MODULUS, _HALF = 1 << 32, 1 << 31

Rows = NDArray[np.int64]


class Unacked(NamedTuple):
    """A segment that the other side has not acknowledged."""

    start: int
    end: int
    packet: int
    time_ns: int


class Hole(NamedTuple):
    """Bytes that were not seen while later ones were, since `time_ns`."""

    start: int
    end: int
    time_ns: int


class Waiting(NamedTuple):
    """Unacknowledged segments of some runs: columns (k,), by ascending run, the oldest first."""

    runs: Rows
    start: Rows
    end: Rows
    packet: Rows
    time_ns: Rows


class StreamMemory:
    """The memory of earlier parts, by the slot of a stream and the direction."""

    def __init__(self) -> None:
        self.states = StreamStates()
        self._unacked: dict[tuple[int, int], list[Unacked]] = {}
        self._holes: dict[tuple[int, int], list[Hole]] = {}

    def take(self, slot: int, way: int) -> tuple[list[Unacked], list[Hole]]:
        """Remove and return the segments and holes of a direction."""
        return self._unacked.pop((slot, way), []), self._holes.pop((slot, way), [])

    def keep(self, slot: int, way: int, unacked: list[Unacked], holes: list[Hole]) -> None:
        """Keep the segments and holes of a direction."""
        if unacked:
            self._unacked[slot, way] = unacked
        if holes:
            self._holes[slot, way] = holes

    def counts_of(self, slots: Rows) -> Rows:
        """Return how many segments of the fuller direction of each stream wait, (r,)."""
        counts: Rows = self.states.directions[slots, :, OfDirection.UNACKED].max(axis=1)
        return counts

    def waiting(self, slots: Rows, way: int, mask: NDArray[np.bool_]) -> Waiting:
        """Return the unacknowledged segments of a direction of the streams (r,) of a mask."""
        counts = self.states.directions[slots, way, OfDirection.UNACKED]
        runs = np.flatnonzero(mask & (counts > 0))
        found = [
            (run, *each)
            for run, slot in zip(runs.tolist(), slots[runs].tolist(), strict=True)
            for each in self._unacked.get((slot, way), ())
        ]
        return Waiting(*np.array(found, np.int64).reshape(-1, len(Waiting._fields)).T)

    def acknowledge(self, slots: Rows, way: int, acks: Rows) -> None:
        """Remove what an acknowledgment of each stream (k,) covers."""
        index = np.flatnonzero(self.states.directions[slots, way, OfDirection.UNACKED])
        for slot, ack in zip(slots[index].tolist(), acks[index].tolist(), strict=True):
            left = [
                each._replace(start=ack) if _after(ack, each.start) > 0 else each
                for each in self._unacked.pop((slot, way), ())
                if _after(each.end, ack) > 0
            ]
            self.keep(slot, way, left, [])
            self.states.directions[slot, way, OfDirection.UNACKED] = len(left)

    def add(self, slots: Rows, way: int, columns: tuple[Rows, ...]) -> None:
        """Add unacknowledged segments, whose columns are those of `Unacked`."""
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for slot, unacked in zip(slots.tolist(), map(Unacked._make, rows), strict=True):
            self._unacked.setdefault((slot, way), []).append(unacked)
        np.add.at(self.states.directions[:, way, OfDirection.UNACKED], slots, 1)

    def drop(self, slots: list[int]) -> None:
        """Forget the segments and holes of streams that ended."""
        for slot in slots:
            for way in (0, 1):
                self._unacked.pop((slot, way), None)
                self._holes.pop((slot, way), None)

    def bound(self) -> None:
        """Forget segments and holes if there are too many, those of the quietest streams first."""
        total = sum(map(len, self._unacked.values()))
        while total > _MOST_UNACKED:
            slot, way = next(iter(self._unacked))
            total -= len(self._unacked.pop((slot, way)))
            self.states.directions[slot, way, OfDirection.UNACKED] = 0
        while len(self._holes) > _MOST_WITH_HOLES:
            del self._holes[next(iter(self._holes))]


def _after(one: int, other: int) -> int:
    return (one - other + _HALF) % _MODULUS - _HALF
