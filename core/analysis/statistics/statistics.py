"""All statistics of some packets at once: a counter, and its immutable result.

A counter holds at most `MOST_BYTES`: 65,536 addresses of each of three kinds at 56 bytes, 8,192
bins at 16 bytes, and 1,024 paths. While it adds addresses, it holds a table of them twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.analysis.statistics.hierarchy import Hierarchy, HierarchyCounter
from core.analysis.statistics.lengths import LengthCounter, LengthRange
from core.analysis.statistics.rate import NO_BINS, RateBins, RateCounter
from core.analysis.statistics.talkers import Talker, TalkerCounter
from core.decode.chunk import Chunk
from core.wire.model.dissection import PacketFlag

MOST_BYTES = 12_000_000
"""The memory that a counter holds."""

TOP = 1000
"""The most addresses in a result."""


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """The statistics of `packets` packets of `bytes` bytes; immutable.

    `through` is the number of the last packet that was inspected. `talkers` are the addresses with
    most bytes, of `addresses` in all; `untimed` packets without a time are in no bin.
    `first_ns` and `last_ns` are the earliest and the latest time; None if no packet has a
    time.
    """

    through: int = 0
    packets: int = 0
    bytes: int = 0
    untimed: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    hierarchy: Hierarchy = field(default_factory=lambda: Hierarchy({}))
    lengths: tuple[LengthRange, ...] = LengthCounter().result()
    talkers: tuple[Talker, ...] = ()
    addresses: int = 0
    rate: RateBins = NO_BINS

    @property
    def duration_s(self) -> float:
        """The seconds from the earliest to the latest packet."""
        if self.first_ns is None or self.last_ns is None:
            return 0.0
        return (self.last_ns - self.first_ns) / 1e9


class StatisticsCounter:
    """Counts packets for all statistics. `rate` counts them by time."""

    def __init__(self, rate: RateCounter | None = None) -> None:
        self._rate = rate or RateCounter()
        self._hierarchy, self._lengths = HierarchyCounter(), LengthCounter()
        self._talkers = TalkerCounter()
        self._packets = self._bytes = self._untimed = 0
        self._first_ns: int | None = None
        self._last_ns: int | None = None

    def add(self, chunk: Chunk) -> None:
        """Count the packets of a chunk. Raise `TooManyBinsError` as `RateCounter.add` does."""
        if not len(chunk):
            return
        invalid = (chunk.flags & PacketFlag.TIME_INVALID > 0) & (chunk.timestamp_ns == 0)
        times, sizes = chunk.timestamp_ns, chunk.original
        if invalid.any():
            times, sizes = times[~invalid], sizes[~invalid]
        self._rate.add(times, sizes)
        self._hierarchy.add(chunk)
        self._lengths.add(chunk.original)
        self._talkers.add(chunk)
        self._packets += len(chunk)
        self._untimed += len(chunk) - len(times)
        self._bytes += int(chunk.original.sum(dtype="int64"))
        if len(times):
            first, last = int(times.min()), int(times.max())
            self._first_ns = first if self._first_ns is None else min(first, self._first_ns)
            self._last_ns = last if self._last_ns is None else max(last, self._last_ns)

    def result(self, through: int = 0, most_talkers: int = TOP) -> Statistics:
        """Return the statistics up to now."""
        talkers, addresses = self._talkers.top(most_talkers)
        return Statistics(
            through,
            self._packets,
            self._bytes,
            self._untimed,
            self._first_ns,
            self._last_ns,
            self._hierarchy.result(),
            self._lengths.result(),
            talkers,
            addresses,
            self._rate.result(),
        )
