"""Relative TCP numbers: the initial sequence numbers of a connection's two directions.

Theory
------
Sequence numbers start anywhere, but users count from the handshake. A segment with SYN carries the
initial number of its direction (RFC 9293 §3.4), so the base of a segment is the number of the last
SYN at or before it in the same direction, and the base of its acknowledgment is that of the last
SYN in the other direction. Without a captured handshake there is no base, and the numbers stay as
they are.

The batch decoder marks SYN segments, so `SequenceIndex` finds them by one byte per packet. Each
direction is a 64-bit hash of addresses and ports (`core.analysis.segments`), keyed by a random
number so that nobody can choose collisions. The hashes are in *runs*, sorted by hash and then by
packet number; a lookup is a bisection in each run. New packets make a new run, and runs of similar
size are merged, so there are few runs (a logarithm of the number of SYNs) and each SYN is sorted
few times. A SYN flood cannot fill the memory: beyond `limit` the index forgets the oldest run.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.analysis.segments import Segments, tunneled_rows
from core.decode.chunk import Chunk
from core.store.budget import Budget
from core.store.snapshot import Snapshot
from core.wire.protocol import UNKNOWN_BASE, SequenceBase, SequenceBases

BLOCK = 64  # packets looked up at once: about a screen
ANSWERS = 4096  # packets whose base is remembered


@dataclass(frozen=True, slots=True, eq=False)
class _SynRun:
    """SYN segments sorted by direction, then number: three parallel arrays."""

    direction: NDArray[np.uint64]
    number: NDArray[np.int64]
    sequence: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.number)

    def last_before(
        self, directions: NDArray[np.uint64], numbers: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the sequence number of the last SYN of each direction up to ``numbers[index]``.

        The result is (k,), `UNKNOWN_BASE` for those without a SYN.
        """
        low = self.direction.searchsorted(directions, "left")
        high = self.direction.searchsorted(directions, "right")
        found = np.full(len(directions), UNKNOWN_BASE, dtype=np.int64)
        index = np.flatnonzero(low < high)
        first, low, high = low[index], low[index].copy(), high[index].copy()
        while (left := np.flatnonzero(low < high)).size:  # bisect all at once
            middle = (low[left] + high[left]) // 2
            is_before = self.number[middle] <= numbers[index[left]]
            low[left[is_before]] = middle[is_before] + 1
            high[left[~is_before]] = middle[~is_before]
        has_one = low > first
        found[index[has_one]] = self.sequence[low[has_one] - 1]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """The SYN segments of the packets up to `through`: immutable, for any thread.

    `seed` keys the hashes. Later runs hold later packets.
    """

    seed: int
    runs: tuple[_SynRun, ...]
    through: int

    def columns(self, chunk: Chunk) -> SequenceBases:
        """Return the bases of the packets of `chunk`, unknown for others than TCP segments."""
        bases = SequenceBases.unknown(len(chunk))
        if self.runs:
            segments = Segments.of(chunk, self.seed, tunneled_rows(chunk))
            numbers = segments.rows + chunk.first
            bases.sequence[segments.rows] = self._last_before(segments.forward, numbers)
            bases.acknowledgment[segments.rows] = self._last_before(segments.backward, numbers)
        return bases

    def bases(self, chunk: Chunk) -> dict[int, SequenceBase]:
        """Return the base of each TCP packet of `chunk` that has one, by packet number."""
        columns = self.columns(chunk)
        bases = ((chunk.first + row, columns.of(row)) for row in range(len(chunk)))
        return {number: base for number, base in bases if base is not None}

    def _last_before(
        self, directions: NDArray[np.uint64], numbers: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        found = np.full(len(directions), UNKNOWN_BASE, dtype=np.int64)
        for run in self.runs:  # the last run that has one decides
            last = run.last_before(directions, numbers)
            found = np.where(last == UNKNOWN_BASE, found, last)
        return found


NO_SEQUENCES = Sequences(0, (), 0)
"""The SYN segments of no packets."""


class SequenceReader:
    """Looks up the base of a packet in `Sequences`, and remembers `ANSWERS` of them.

    Looking up a block of packets costs as much as one. One thread uses a reader; all `Sequences`
    must be of the same store.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[int, SequenceBase | None] = OrderedDict()

    def base(self, sequences: Sequences, snapshot: Snapshot, number: int) -> SequenceBase | None:
        """Return what to subtract from a TCP packet's numbers; None if that is unknown.

        Raise `KeyError` if the packet was evicted or never captured. If `sequences` does not reach
        the packet, the base is that of an earlier handshake, and may change.
        """
        chunk, row = snapshot.find(number)
        if number in self._answers:
            return self._answers[number]
        start = row - row % BLOCK
        part = chunk.rows(start, start + BLOCK)
        bases = sequences.bases(part)
        for each in range(part.first, min(part.last, sequences.through) + 1):
            self._answers[each] = bases.get(each)
        while len(self._answers) > ANSWERS:
            self._answers.popitem(last=False)
        return bases.get(number)


class SequenceIndex:
    """Collects the SYN segments of a store. An `Analyzer`: one thread extends it.

    Any thread may read `published`. `limit` bounds the number of segments that are kept.
    """

    def __init__(self, limit: int = 1 << 20) -> None:
        self._limit = limit
        self._seed = int.from_bytes(os.urandom(8), "big")
        self._runs: list[_SynRun] = []  # of ascending packet numbers
        self.published = Sequences(self._seed, (), 0)

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Collect the SYN segments of packets not seen before.

        Return True if the budget was spent before the last of them.
        """
        through = self.published.through
        for part, tunneled in _parts(snapshot.chunks_after(through), through):
            self._add(part, tunneled)
            through = part.last
            if budget.is_spent:
                break
        else:
            through = max(through, snapshot.count)
        self._publish(through)
        return through < snapshot.count

    def forget(self, first: int) -> None:
        """Keep the segments of evicted packets: later packets still count from them."""

    def columns_of_next(self, chunk: Chunk) -> SequenceBases:
        """Collect the SYN segments of the next chunk, and return the bases of its TCP packets.

        For packets that no store keeps: the chunks must have ascending numbers.
        """
        self._add(chunk, tunneled_rows(chunk))
        self._publish(chunk.last)
        return self.published.columns(chunk)

    def _publish(self, through: int) -> None:
        while len(self._runs) > 1 and sum(map(len, self._runs)) > self._limit:
            del self._runs[0]
        if through != self.published.through:
            self.published = Sequences(self._seed, tuple(self._runs), through)

    def _add(self, chunk: Chunk, tunneled: NDArray[np.int64]) -> None:
        """Add the SYN segments of packets beyond those added before."""
        segments = Segments.of(chunk, self._seed, tunneled, only_syn=True)
        if not len(segments):
            return
        run = _sorted(_SynRun(segments.forward, segments.rows + chunk.first, segments.sequence))
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = _merged(self._runs.pop(), run)
        self._runs.append(run)


def _parts(chunks: Iterable[Chunk], through: int) -> Iterator[tuple[Chunk, NDArray[np.int64]]]:
    """Yield the packets after `through` in parts with few packets in tunnels, and their rows."""
    for chunk in chunks:
        part = chunk.rows(max(0, through + 1 - chunk.first), len(chunk))
        rows = tunneled_rows(part)
        bounds = [0, *rows[BLOCK::BLOCK].tolist(), len(part)]
        for index, (start, stop) in enumerate(pairwise(bounds)):
            yield part.rows(start, stop), rows[index * BLOCK : (index + 1) * BLOCK] - start


def _sorted(run: _SynRun) -> _SynRun:
    """Sort a run by direction; numbers that ascend stay ascending within one direction."""
    order = np.argsort(run.direction, kind="stable")
    return _SynRun(run.direction[order], run.number[order], run.sequence[order])


def _merged(older: _SynRun, newer: _SynRun) -> _SynRun:
    """Merge two runs; all numbers of the older one are below those of the newer."""
    return _sorted(
        _SynRun(
            np.concatenate([older.direction, newer.direction]),
            np.concatenate([older.number, newer.number]),
            np.concatenate([older.sequence, newer.sequence]),
        )
    )
