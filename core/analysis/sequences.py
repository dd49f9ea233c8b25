"""Relative TCP numbers: the initial sequence numbers of a connection's two directions.

Theory
------
Sequence numbers start anywhere; people count from the handshake. A segment with SYN carries the
initial number of its direction (RFC 9293 §3.4), so the base of a segment is that of
the last SYN seen at or before it in the same direction, and the base of its acknowledgment
that of the last SYN in the other. A connection whose handshake was not captured has none,
and its numbers stay as they are.

The layout decode marks SYN segments, so finding them is a look at one byte a packet. Each
direction is a 64-bit hash of addresses and ports, keyed by a random number so that nobody can
aim at it. Hashes are kept in *runs*, sorted by hash and then by packet number; a lookup
is a bisection in each. New packets make a new run, and runs of similar size are
merged, so there are few (a logarithm of the number of SYNs) and each SYN is sorted few
times. A SYN flood cannot fill the memory: beyond `limit` the oldest run is forgotten.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import Chunk
from core.store.snapshot import Snapshot
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import HeaderState, Network
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.protocol import SequenceBase
from core.wire.transport.tcp import TCP

BLOCK = 64  # packets answered for at once: about a screen
ANSWERS = 4096  # packets whose base is remembered
_TABLES = {Network.IPV4: IPV4, Network.IPV6: IPV6}
_PORTS = ("srcport", "dstport")
_ENDS = ("src", "dst")
_MULTIPLIER = 0x9E3779B97F4A7C15  # 2**64 / golden ratio, odd


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """SYN segments sorted by direction, then number: three parallel arrays."""

    direction: NDArray[np.uint64]
    number: NDArray[np.int64]
    sequence: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.number)

    def last_before(
        self, directions: NDArray[np.uint64], numbers: NDArray[np.int64]
    ) -> dict[int, int]:
        """By index, for those of n directions that have a SYN up to packet ``numbers[index]``:
        the sequence number of the last one.
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


class SequenceIndex:
    """Finds the base of any packet of a store. For any thread; `limit` bounds the SYNs kept."""

    def __init__(self, limit: int = 1 << 20) -> None:
        self._limit = limit
        self._seed = secrets.randbits(64)
        self._runs: list[_Run] = []  # of ascending packet numbers
        self._through = 0  # the last packet looked at
        self._answers: OrderedDict[int, SequenceBase | None] = OrderedDict()
        self._lock = threading.Lock()

    def base(self, snapshot: Snapshot, number: int) -> SequenceBase | None:
        """What to subtract from a TCP packet's numbers; None if it is none or nothing is known.

        `KeyError` if the packet is evicted or was never captured.
        """
        with self._lock:
            chunk, row = snapshot.find(number)
            if number in self._answers:
                return self._answers[number]
            self._extend(snapshot)
            start = row - row % BLOCK
            self._look_up(chunk.rows(start, start + BLOCK))
            while len(self._answers) > ANSWERS:
                self._answers.popitem(last=False)
            return self._answers[number]

    def _look_up(self, chunk: Chunk) -> None:
        """Answer for every packet of a part of a chunk: one costs as much as all."""
        rows = _tcp_rows(chunk, HeaderState.TRANSPORT)
        numbers = rows + chunk.first
        there, back = self._directions(chunk, rows)
        sequences = self._last_before(there, numbers)
        acknowledgments = self._last_before(back, numbers)
        answers: dict[int, SequenceBase] = {}
        for index in sequences.keys() | acknowledgments.keys():
            base = SequenceBase(sequences.get(index), acknowledgments.get(index))
            answers[int(numbers[index])] = base
        for number in range(chunk.first, chunk.last + 1):
            self._answers[number] = answers.get(number)

    def _last_before(
        self, directions: NDArray[np.uint64], numbers: NDArray[np.int64]
    ) -> dict[int, int]:
        found: dict[int, int] = {}
        for run in self._runs:  # later runs hold later packets, so the last word counts
            found |= run.last_before(directions, numbers)
        return found

    def _extend(self, snapshot: Snapshot) -> None:
        """Take in the SYNs of packets not looked at yet."""
        if snapshot.count <= self._through:
            return
        for chunk in snapshot.chunks:
            if chunk.last > self._through:
                self._add(chunk.rows(max(0, self._through + 1 - chunk.first), len(chunk)))
        self._through = snapshot.count
        while len(self._runs) > 1 and sum(map(len, self._runs)) > self._limit:
            del self._runs[0]

    def _add(self, chunk: Chunk) -> None:
        rows = _tcp_rows(chunk, HeaderState.TRANSPORT | HeaderState.SYN)
        if not len(rows):
            return
        direction, _ = self._directions(chunk, rows)
        sequence = TCP["seq_raw"].column(chunk.data, _starts(chunk, rows))
        run = _sorted(_Run(direction, rows + chunk.first, sequence))
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = _merged(self._runs.pop(), run)
        self._runs.append(run)

    def _directions(
        self, chunk: Chunk, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Hashes of source to destination, and of destination to source, (n,) each."""
        starts = _starts(chunk, rows)
        ports = [TCP[key].column(chunk.data, starts).astype(np.uint64) for key in _PORTS]
        there = np.full(len(rows), self._seed, dtype=np.uint64)
        back = there.copy()
        for kind, table in _TABLES.items():
            of_kind = np.flatnonzero(chunk.network[rows] == kind)
            at = chunk.offset[rows[of_kind]].astype(np.int64)
            at += chunk.network_offset[rows[of_kind]]
            source, destination = (_words(table[key].column(chunk.data, at)) for key in _ENDS)
            there[of_kind] = _hash(there[of_kind], *source, *destination)
            back[of_kind] = _hash(back[of_kind], *destination, *source)
        return _hash(there, *ports), _hash(back, *reversed(ports))


def _tcp_rows(chunk: Chunk, bits: int) -> NDArray[np.int64]:
    """Rows with a whole TCP header and these state bits."""
    rows = np.flatnonzero((chunk.state & bits == bits) & (chunk.transport == IpProtocol.TCP))
    limit = np.minimum(chunk.captured[rows], chunk.stop[rows])
    return rows[chunk.transport_offset[rows] + np.int64(TCP.size) <= limit]


def _starts(chunk: Chunk, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return chunk.offset[rows].astype(np.int64) + chunk.transport_offset[rows]


def _words(addresses: NDArray[Any]) -> list[NDArray[np.uint64]]:
    """An address column as columns of 64 bits: one for IPv4, two for IPv6."""
    columns = addresses.T if addresses.ndim == 2 else addresses[np.newaxis]
    return [column.astype(np.uint64) for column in columns]


def _hash(state: NDArray[np.uint64], *words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`state` with each word mixed in."""
    for word in words:
        state = (state ^ word) * np.uint64(_MULTIPLIER)
        state = state ^ (state >> np.uint64(32))
    return state


def _sorted(run: _Run) -> _Run:
    """A run of ascending numbers, sorted by direction; numbers stay ascending within one."""
    order = np.argsort(run.direction, kind="stable")
    return _Run(run.direction[order], run.number[order], run.sequence[order])


def _merged(older: _Run, newer: _Run) -> _Run:
    """Two runs as one; all numbers of the older one are below those of the newer."""
    return _sorted(
        _Run(
            np.concatenate([older.direction, newer.direction]),
            np.concatenate([older.number, newer.number]),
            np.concatenate([older.sequence, newer.sequence]),
        )
    )
