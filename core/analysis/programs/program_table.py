"""The programs of a store's packets, as far as they are known: immutable, for any thread.

Owners are kept by stream, from a packet on: a stream of UDP may change its owner. A packet finds
its own by the number of its stream, which an analysis of flows gives (`FlowTable`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.analysis.programs.owners import FlowOwners
from core.analysis.tcp.flow_table import FlowTable
from core.store.snapshot import Snapshot

_PACKET_BITS = 40

Keys = NDArray[np.int64]


def key_of(stream: int, packet: int) -> int:
    """Return what the owners of a stream from a packet on are sorted by."""
    return stream << _PACKET_BITS | packet


@dataclass(frozen=True, slots=True, eq=False)
class Ownership:
    """The owners of the streams of one protocol: parallel columns (k,), by ascending key.

    ``keys`` are `key_of` a stream and a packet, ``owners`` indices into those of the table.
    """

    keys: Keys = field(default_factory=lambda: np.zeros(0, np.int64))
    owners: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def of(self, streams: NDArray[np.int64], packets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the index of the owners of each packet of some streams (n,); -1 without any.

        Before its first known packet, a stream has its first owners.
        """
        if not len(self.keys):
            return np.full(len(streams), -1, np.int64)
        last = len(self.keys) - 1
        after = np.searchsorted(self.keys, streams << _PACKET_BITS | packets, "right")
        found = np.maximum(after - 1, 0)
        is_other = self.keys[found] >> _PACKET_BITS != streams
        found[is_other] = np.minimum(after, last)[is_other]
        is_there = self.keys[found] >> _PACKET_BITS == streams
        indices: NDArray[np.int64] = np.where(is_there, self.owners[found], np.int64(-1))
        return indices

    def with_entries(self, entries: Mapping[int, int], most: int) -> Ownership:
        """Return the owners with some added or replaced, by key; with the last `most` of them."""
        new = np.array(sorted(entries.items()), np.int64).reshape(-1, 2)
        kept = ~np.isin(self.keys, new[:, 0])
        keys = np.concatenate([self.keys[kept], new[:, 0]])
        owners = np.concatenate([self.owners[kept], new[:, 1]])
        if len(keys) > len(new) and keys[-len(new) - 1] > new[0, 0]:
            order = np.argsort(keys, kind="stable")
            keys, owners = keys[order], owners[order]
        return Ownership(keys[-most:], owners[-most:])

    def at(self, key: int) -> int | None:
        """Return the owners that begin at a key; None if none do."""
        index = int(np.searchsorted(self.keys, key))
        is_there = index < len(self.keys) and self.keys[index] == key
        return int(self.owners[index]) if is_there else None


@dataclass(frozen=True, slots=True, eq=False)
class ProgramTable:
    """The owners of flows. Packets up to `settled` have the owners that they will have.

    `settled` is None if nobody searches programs, as for the packets of a file. `owners` may get
    more entries later; `version` grows when the owners of packets change.
    """

    owners: Sequence[FlowOwners] = ()
    by_protocol: Mapping[str, Ownership] = field(default_factory=dict)
    settled: int | None = None
    version: int = 0

    def indices(self, flows: FlowTable, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the index in `owners` for each of some ascending packet numbers; -1 without."""
        found = np.full(len(numbers), -1, np.int64)
        for protocol, ownership in self.by_protocol.items():
            columns = flows.tcp(numbers) if protocol == "tcp" else flows.udp(numbers)
            rows = columns["row"]
            if len(rows) and len(ownership.keys):
                streams = columns["stream"].astype(np.int64)
                found[rows] = ownership.of(streams, numbers[rows])
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
