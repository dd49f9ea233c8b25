"""The analyzer that collects names: from DNS responses of the capture, and from its file.

It reads only datagrams from the ports of DNS, mDNS, and LLMNR, which columns tell; nothing is ever
asked over the network. The first name of an address stays.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.analysis.names import vendors
from core.analysis.names.dns_names import names_in
from core.analysis.names.file_names import blocks_of_names, names_of_blocks
from core.analysis.names.name_table import MOST_HOSTS, NameTable
from core.analysis.names.services import read_services
from core.decode.batch import FileBlock
from core.decode.chunk import Chunk
from core.store.budget import Budget
from core.store.snapshot import Snapshot
from core.wire.application.dns import PORTS
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import HeaderState
from core.wire.model.dissection import Cause
from core.wire.transport.udp import UDP

MOST_MESSAGES = 256
"""Messages that are read in a step, in about 5 ms."""


class NameIndex:
    """Collects the names of one store. Any thread may read `published`."""

    def __init__(self) -> None:
        self.published = NameTable()
        self._hosts: dict[str, str] = {}
        self._through = 0
        self._blocks = 0  # of the file that were read
        self._version = 0
        self._services: Mapping[tuple[str, int], str] = {}
        self._vendors: vendors.Vendors | None = None

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Read packets of `snapshot` that were not read before.

        Return True if the budget was spent before the last of them.
        """
        if len(snapshot.blocks) > self._blocks:
            new = snapshot.blocks[self._blocks :]
            self._blocks = len(snapshot.blocks)
            for address, name in names_of_blocks(new):
                self._add(address, name)
        while self._through < snapshot.count:
            self._read_part(snapshot)
            if budget.is_spent:
                break
        is_behind = self._through < snapshot.count
        if not is_behind and self._vendors is None and snapshot.count:  # last: this takes longest
            self._services, self._vendors = read_services(), vendors.load()
            self._version += 1
        if self.published.version != self._version:
            self.published = NameTable(self._version, self._hosts, self._services, self._vendors)
        return is_behind

    def forget(self, first: int) -> None:
        """Keep the names: the packets that gave them may be evicted."""

    def _read_part(self, snapshot: Snapshot) -> None:
        chunk = next(iter(snapshot.chunks_after(self._through)), None)
        if chunk is None:
            self._through = snapshot.count
            return
        start = max(0, self._through + 1 - chunk.first)
        part = chunk.rows(start, len(chunk))
        rows, starts, stops = response_places(part)
        if len(rows) > MOST_MESSAGES:
            part = part.rows(0, int(rows[MOST_MESSAGES]))
        self._through = part.last
        for place, stop in zip(
            starts[:MOST_MESSAGES].tolist(), stops[:MOST_MESSAGES].tolist(), strict=True
        ):
            for address, name in names_in(chunk.data[place:stop].tobytes()):
                self._add(address, name)

    def _add(self, address: str, name: str) -> None:
        if address not in self._hosts and len(self._hosts) < MOST_HOSTS:
            self._hosts[address] = name
            self._version += 1


def response_places(
    chunk: Chunk,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows (k,) of datagrams from ports of DNS, and where their payloads are (k,)."""
    mask = (chunk.transport == IpProtocol.UDP) & (chunk.state & HeaderState.TRANSPORT > 0)
    mask &= chunk.state & HeaderState.CAUSE_MASK == Cause.NONE
    rows = np.flatnonzero(mask)
    starts = chunk.offset[rows].astype(np.int64) + chunk.transport_offset[rows]
    kept = np.isin(UDP["srcport"].column(chunk.data, starts), list(PORTS))
    rows, starts = rows[kept], starts[kept] + UDP.size
    ends = np.minimum(chunk.captured[rows], chunk.stop[rows]).astype(np.int64)
    return rows, starts, chunk.offset[rows].astype(np.int64) + ends


def names_of(snapshot: Snapshot) -> NameIndex:
    """Return the index of the store of a snapshot."""
    return snapshot.annotations.of(NameIndex)


def learned_blocks(snapshot: Snapshot) -> list[FileBlock]:
    """Return blocks with the names that the packets of the store told, for a file of them."""
    return list(blocks_of_names(dict(names_of(snapshot).published.hosts), snapshot.blocks))
