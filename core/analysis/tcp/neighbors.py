"""The segments of runs as columns, and the segments before each of them, found by columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.tcp.exact import ACK, FIN, RST, SYN
from core.analysis.tcp.memory import StreamMemory
from core.analysis.tcp.state import OfDirection
from core.decode.header_positions import NOWHERE

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

MASK, _HALF = np.int64(0xFFFF_FFFF), np.int64(1 << 31)  # of sequence numbers
FAR = np.iinfo(np.int64).max


class Run(NamedTuple):
    """Columns (k,) of the segments of some runs, one run after the other; see `Segment`."""

    direction: Rows
    sequence: Rows
    acknowledgment: Rows
    flags: Rows
    window: Rows
    length: Rows
    time_ns: Rows
    packet: Rows
    scale: Rows
    sacked: Rows


def after(one: Rows, other: Rows) -> Rows:
    """Return how far each sequence number is after another; negative if it is before."""
    return ((one - other + _HALF) & MASK) - _HALF


class Neighbors:
    """Segments of runs (r,) of different streams, and the segments before each of them.

    `starts` (r,) are where the runs begin in the columns of `run`, and `slots` (r,) those of their
    streams, whose numbers `carried` (r, 2, n) has: see `OfDirection`. For each segment (k,), `ids`
    is its run, `first` the first segment of that, `same` the segment before it in its direction,
    and `other` the newest one before it in the other direction, if it `has_same` and `has_other`.
    `last` has for both directions the newest segment up to each one.
    """

    def __init__(self, run: Run, starts: Rows, slots: Rows, memory: StreamMemory) -> None:
        self.run, self.starts, self.slots = run, starts, slots
        count = len(run.packet)
        self.sizes = np.diff(starts, append=count)
        self.ids = np.repeat(np.arange(len(starts)), self.sizes)
        self.index = np.arange(count)
        self.first = starts[self.ids]
        self.is_ack = run.flags & ACK > 0
        self.is_syn = run.flags & SYN > 0
        self.is_counted = run.flags & (SYN | FIN) > 0
        self.is_open = run.flags & (SYN | FIN | RST) == 0
        self.data_end = (run.sequence + run.length) & MASK
        self.end = (self.data_end + self.is_counted) & MASK
        self.carried = memory.states.directions[slots]
        self._find()

    def _find(self) -> None:
        """Find the segment before each one in its direction, and in the other one."""
        index, direction = self.index, self.run.direction
        self.last = []
        before = []
        for way in (0, 1):
            last = np.maximum.accumulate(np.where(direction == way, index, NOWHERE))
            self.last.append(last)
            shifted = np.full(len(last), NOWHERE)
            shifted[1:] = last[:-1]
            before.append(shifted)
        is_first_way = direction == 0
        self.same = np.where(is_first_way, before[0], before[1])
        self.other = np.where(is_first_way, before[1], before[0])
        self.has_same = self.same >= self.first
        self.has_other = self.other >= self.first

    def of_same(self, column: Rows, carried: OfDirection) -> Rows:
        """Return a column's value in the segment before, else the carried one."""
        found = column[self.same]
        missing = np.flatnonzero(~self.has_same)
        ways = self.run.direction[missing]
        found[missing] = self.carried[self.ids[missing], ways, carried]
        return found

    def of_other(self, column: Rows, carried: OfDirection) -> Rows:
        """Return a column's value in the newest segment the other way, else the carried one."""
        found = column[self.other]
        missing = np.flatnonzero(~self.has_other)
        ways = 1 - self.run.direction[missing]
        found[missing] = self.carried[self.ids[missing], ways, carried]
        return found
