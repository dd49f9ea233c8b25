"""The programs of a store's packets, as far as they are known: immutable, for any thread.

Owners are kept by stream, from a packet on: a stream of UDP may change its owner. A packet finds
its own by the number of its stream, which an analysis of flows gives (`FlowTable`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from core.analysis.programs.echo_packets import NO_ECHOES, EchoPackets
from core.analysis.programs.owners import FlowOwners
from core.analysis.tcp.flow_table import FlowTable
from core.store.snapshot import Snapshot

ECHO = "icmp"
"""The protocol of echo flows, which `EchoPackets` numbers, in `ProgramTable.by_protocol`."""
_PACKET_BITS = 44

Numbers = NDArray[np.int64]


class Beginning(NamedTuple):
    """The packet of a stream from which on it has some owners."""

    stream: int
    packet: int


def _no_numbers() -> Numbers:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Ownership:
    """The owners of the streams of one protocol: parallel columns (k,), by ascending `Beginning`.

    ``streams`` and ``packets`` are the beginnings, ``owners`` indices into those of the table.
    There are at most 2**19 of them. Streams have any number, packets one below 2**44.
    """

    streams: Numbers = field(default_factory=_no_numbers)
    packets: Numbers = field(default_factory=_no_numbers)
    owners: Numbers = field(default_factory=_no_numbers)
    _keys: Numbers = field(init=False)  # see `_key`

    def __post_init__(self) -> None:
        rows = np.arange(len(self.streams))
        is_first = np.ones(len(rows), np.bool_)
        is_first[1:] = self.streams[1:] != self.streams[:-1]
        first = np.maximum.accumulate(np.where(is_first, rows, 0))
        object.__setattr__(self, "_keys", _key(first, self.packets))

    def of(self, streams: Numbers, packets: Numbers) -> Numbers:
        """Return the index of the owners of each packet of some streams (n,); -1 without any.

        Before its first known packet, a stream has its first owners.
        """
        if not len(self.streams):
            return np.full(len(streams), -1, np.int64)
        rows = self.rows(streams, packets)
        indices: Numbers = np.where(rows >= 0, self.owners[rows], np.int64(-1))
        return indices

    def rows(self, streams: Numbers, packets: Numbers) -> Numbers:
        """Return the row of the owners of each packet of some streams (n,); -1 without any."""
        if not len(self.streams):
            return np.full(len(streams), -1, np.int64)
        first = np.searchsorted(self.streams, streams)
        at = np.searchsorted(self._keys, _key(first, packets), "right") - 1
        at = np.minimum(np.maximum(at, first), len(self.streams) - 1)
        rows: Numbers = np.where(self.streams[at] == streams, at, np.int64(-1))
        return rows

    def with_entries(self, entries: Mapping[Beginning, int], most: int) -> Ownership:
        """Return the owners with some added or replaced; with the last `most` of them."""
        rows = [(*beginning, owner) for beginning, owner in sorted(entries.items())]
        new = np.array(rows, np.int64).reshape(-1, 3)
        kept = np.ones(len(self.streams), np.bool_)
        for row in map(self._row, entries):
            if row is not None:
                kept[row] = False
        streams, packets, owners = (
            np.concatenate([column[kept], more])
            for column, more in zip((self.streams, self.packets, self.owners), new.T, strict=True)
        )
        index: NDArray[np.int64] | slice = slice(None)
        if 0 < (old := int(kept.sum())) < len(streams):
            before, after = ((streams[row], packets[row]) for row in (old - 1, old))
            if before > after:
                index = np.lexsort((packets, streams))
        return Ownership(*(each[index][-most:] for each in (streams, packets, owners)))

    def at(self, beginning: Beginning) -> int | None:
        """Return the owners that begin somewhere; None if none do."""
        row = self._row(beginning)
        return None if row is None else int(self.owners[row])

    def _row(self, beginning: Beginning) -> int | None:
        stream, packet = beginning
        first = int(np.searchsorted(self.streams, stream))
        row = int(np.searchsorted(self._keys, _key(first, packet)))
        is_there = row < len(self.streams) and (self.streams[row], self.packets[row]) == beginning
        return row if is_there else None


@overload
def _key(first: Numbers, packets: Numbers) -> Numbers: ...
@overload
def _key(first: int, packets: int) -> int: ...
def _key(first: Numbers | int, packets: Numbers | int) -> Numbers | int:
    """Return what orders packets: the row of the first entry of their stream, and their numbers.

    That row is small; the number of a stream would leave too few bits for that of a packet.
    """
    return first << _PACKET_BITS | packets


@dataclass(frozen=True, slots=True, eq=False)
class ProgramTable:
    """The owners of flows. Packets up to `settled` have the owners that they will have.

    `echoes` are the packets of ICMP that belong to a flow.
    `settled` is None if nobody searches programs, as for the packets of a file. `owners` may get
    more entries later; `version` grows when the owners of packets change.
    """

    owners: Sequence[FlowOwners] = ()
    by_protocol: Mapping[str, Ownership] = field(default_factory=dict)
    settled: int | None = None
    version: int = 0
    echoes: EchoPackets = NO_ECHOES

    def indices(self, flows: FlowTable, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the index in `owners` for each of some ascending packet numbers; -1 without."""
        found = np.full(len(numbers), -1, np.int64)
        for protocol, (rows, entries) in self.entries(flows, numbers).items():
            found[rows] = self.by_protocol[protocol].owners[entries]
        return found

    def entries(self, flows: FlowTable, numbers: Numbers) -> dict[str, tuple[Numbers, Numbers]]:
        """Return which of some ascending packet numbers have owners, by protocol.

        These are their indices (k,), and their rows (k,) in `by_protocol`.
        """
        found: dict[str, tuple[Numbers, Numbers]] = {}
        for protocol, ownership in self.by_protocol.items():
            if protocol == ECHO:
                rows, streams = self.echoes.among(numbers)
            else:
                columns = flows.tcp(numbers) if protocol == "tcp" else flows.udp(numbers)
                rows, streams = (columns[name].astype(np.int64) for name in ("row", "stream"))
            entries = ownership.rows(streams, numbers[rows])
            is_known = entries >= 0
            found[protocol] = rows[is_known], entries[is_known]
        return found

    def of_packet(self, flows: FlowTable, number: int) -> FlowOwners:
        """Return the owners of one packet's flow, as far as they are known."""
        if not self.owners:
            return ()
        (index,) = self.indices(flows, np.array([number])).tolist()
        return self.owners[index] if index >= 0 else ()


NO_PROGRAMS = ProgramTable()
"""The programs of packets whose programs nobody seeks."""


class ProgramIndex:
    """The programs of one store. One thread publishes; any thread may read `published`."""

    def __init__(self) -> None:
        self.published = NO_PROGRAMS


def programs_of(snapshot: Snapshot) -> ProgramIndex:
    """Return the programs of the store of a snapshot."""
    return snapshot.annotations.of(ProgramIndex)
