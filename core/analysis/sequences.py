"""Relative TCP numbers: the initial sequence numbers of a connection's two directions.

Theory
------
Sequence numbers start anywhere, but users count from the handshake. A segment with SYN carries the
initial number of its direction (RFC 9293 §3.4), so the base of a segment is the number of the last
SYN at or before it in the same direction, and the base of its acknowledgment is that of the last
SYN in the other direction. Without a captured handshake there is no base, and the numbers stay as
they are.

The batch decoder marks SYN segments, so `SequenceIndex` finds them by one byte per packet. Each
direction is a 64-bit hash of addresses and ports, keyed by a random number so that nobody can
choose collisions. The hashes are in *runs*, sorted by hash and then by packet number; a lookup is
a bisection in each run. New packets make a new run, and runs of similar size are merged, so there
are few runs (a logarithm of the number of SYNs) and each SYN is sorted few times. A SYN flood
cannot fill the memory: beyond `limit` the index forgets the oldest run.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import Chunk
from core.store.budget import Budget
from core.store.snapshot import Snapshot
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import HeaderState, Network
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.protocol import SequenceBase
from core.wire.transport.tcp import TCP

BLOCK = 64  # packets looked up at once: about a screen
ANSWERS = 4096  # packets whose base is remembered
_TABLES = {Network.IPV4: IPV4, Network.IPV6: IPV6}
_PORTS = ("srcport", "dstport")
_ENDS = ("src", "dst")
_MULTIPLIER = 0x9E3779B97F4A7C15  # 2**64 / golden ratio, odd


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
    ) -> dict[int, int]:
        """Return the sequence number of the last SYN of each direction up to ``numbers[index]``.

        The keys are indices into `directions`; those without a SYN are missing.
        """
        starts = self.direction.searchsorted(directions, "left")
        stops = self.direction.searchsorted(directions, "right")
        found = {}
        for index in np.flatnonzero(starts < stops).tolist():
            start, stop = int(starts[index]), int(stops[index])
            last = start + int(self.number[start:stop].searchsorted(numbers[index], "right")) - 1
            if last >= start:
                found[index] = int(self.sequence[last])
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """The SYN segments of the packets up to `through`: immutable, for any thread.

    `seed` keys the hashes. Later runs hold later packets.
    """

    seed: int
    runs: tuple[_SynRun, ...]
    through: int

    def bases(self, chunk: Chunk) -> dict[int, SequenceBase]:
        """Return the base of each TCP packet of `chunk` that has one, by packet number."""
        rows = _tcp_rows(chunk, HeaderState.TRANSPORT)
        numbers = rows + chunk.first
        forward, backward = _directions(self.seed, chunk, rows)
        sequences = self._last_before(forward, numbers)
        acknowledgments = self._last_before(backward, numbers)
        return {
            int(numbers[index]): SequenceBase(sequences.get(index), acknowledgments.get(index))
            for index in sequences.keys() | acknowledgments.keys()
        }

    def _last_before(
        self, directions: NDArray[np.uint64], numbers: NDArray[np.int64]
    ) -> dict[int, int]:
        found: dict[int, int] = {}
        for run in self.runs:  # the last run that has one decides
            found |= run.last_before(directions, numbers)
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
        self._seed = secrets.randbits(64)
        self._runs: list[_SynRun] = []  # of ascending packet numbers
        self.published = Sequences(self._seed, (), 0)

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Collect the SYN segments of packets not seen before.

        Return True if the budget was spent before the last of them.
        """
        through = self.published.through
        for chunk in snapshot.chunks_after(through):
            self._add(chunk.rows(max(0, through + 1 - chunk.first), len(chunk)))
            through = chunk.last
            if budget.is_spent:
                break
        else:
            through = max(through, snapshot.count)
        while len(self._runs) > 1 and sum(map(len, self._runs)) > self._limit:
            del self._runs[0]
        if through != self.published.through:
            self.published = Sequences(self._seed, tuple(self._runs), through)
        return through < snapshot.count

    def forget(self, first: int) -> None:
        """Keep the segments of evicted packets: later packets still count from them."""

    def _add(self, chunk: Chunk) -> None:
        rows = _tcp_rows(chunk, HeaderState.TRANSPORT | HeaderState.SYN)
        if not len(rows):
            return
        direction, _ = _directions(self._seed, chunk, rows)
        sequence = TCP["seq_raw"].column(chunk.data, _starts(chunk, rows))
        run = _sorted(_SynRun(direction, rows + chunk.first, sequence))
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = _merged(self._runs.pop(), run)
        self._runs.append(run)


def _directions(
    seed: int, chunk: Chunk, rows: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the hashes of source to destination, and of destination to source, (n,) each."""
    starts = _starts(chunk, rows)
    ports = [TCP[key].column(chunk.data, starts).astype(np.uint64) for key in _PORTS]
    forward = np.full(len(rows), seed, dtype=np.uint64)
    backward = forward.copy()
    for kind, table in _TABLES.items():
        of_kind = np.flatnonzero(chunk.network[rows] == kind)
        at = chunk.offset[rows[of_kind]].astype(np.int64)
        at += chunk.network_offset[rows[of_kind]]
        source, destination = (_words(table[key].column(chunk.data, at)) for key in _ENDS)
        forward[of_kind] = _hash(forward[of_kind], *source, *destination)
        backward[of_kind] = _hash(backward[of_kind], *destination, *source)
    return _hash(forward, *ports), _hash(backward, *reversed(ports))


def _tcp_rows(chunk: Chunk, bits: int) -> NDArray[np.int64]:
    """Return the rows with a whole TCP header and these state bits."""
    rows = np.flatnonzero((chunk.state & bits == bits) & (chunk.transport == IpProtocol.TCP))
    limit = np.minimum(chunk.captured[rows], chunk.stop[rows])
    return rows[chunk.transport_offset[rows] + np.int64(TCP.size) <= limit]


def _starts(chunk: Chunk, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return chunk.offset[rows].astype(np.int64) + chunk.transport_offset[rows]


def _words(addresses: NDArray[Any]) -> list[NDArray[np.uint64]]:
    """Return an address column as columns of 64 bits: one for IPv4, two for IPv6."""
    columns = addresses.T if addresses.ndim == 2 else addresses[np.newaxis]
    return [column.astype(np.uint64) for column in columns]


def _hash(state: NDArray[np.uint64], *words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return `state` with each word mixed in."""
    for word in words:
        state = (state ^ word) * np.uint64(_MULTIPLIER)
        state = state ^ (state >> np.uint64(32))
    return state


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
