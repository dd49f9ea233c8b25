"""Find the flows in new packets whose programs are not known yet.

`FlowScan` returns a flow at its first packet, and again at each SYN with another sequence number,
since that begins another connection of the same ports. Of UDP, nothing tells when another socket
takes over a port; so it returns a flow of UDP again after `RECHECK_S`, if there still are packets.

Only outermost packets count: those in tunnels are not this host's, or pass its interface once more.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.programs.ends import ADDRESSES, PORTS, End, ends_of, with_ends
from core.decode.chunk import Chunk
from core.store.snapshot import Snapshot
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.words import mixed, word_columns
from core.wire.transport.tcp import FLAG_BITS, TCP
from core.wire.transport.udp import UDP

RECHECK_S = 5.0
MOST_KNOWN = 1 << 16
"""Flows that are remembered, about 200 bytes each; of more, it returns the oldest again."""
MOST_PACKETS = 1 << 13
"""Packets in a step. Of more, the newest: a flow that continues is found at its next packet."""

LATE_S = 0.25
"""A connection whose beginning was not captured can wait so long."""

_SYN, _ACK = FLAG_BITS["syn"], FLAG_BITS["ack"]


class Flow(NamedTuple):
    """A flow whose programs are to be found, by the packet that shows it.

    `since` is the last packet at the time of the answer before, 0 at first.
    """

    protocol: int
    packet: int
    source: End
    destination: End
    key: int
    since: int = 0


@dataclass(slots=True)
class _Known:
    """A flow: the sequence number of its SYN, and the time and the last packet of the question."""

    syn: int
    asked_s: float
    through: int
    is_udp: bool

    def is_due(self, now_s: float) -> bool:
        """Return True if the socket may be another one by now."""
        return self.is_udp and now_s - self.asked_s >= RECHECK_S


class _Ends(NamedTuple):
    """The ends of flows: parallel arrays (k,), by row in the chunk; a key is the same both ways."""

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]  # of the transport header in the chunk's data
    keys: NDArray[np.uint64]
    is_udp: NDArray[np.bool_]


class FlowScan:
    """Finds the flows of one store, or of chunks whose numbers ascend."""

    def __init__(self) -> None:
        self.through = 0  # the last packet that was scanned
        self._seed = int.from_bytes(os.urandom(8), "big")
        self._known: dict[int, _Known] = {}
        self._all_s = float("-inf")  # the time of the last scan of all packets
        self.all_through = 0  # and its last packet

    def new_flows(self, snapshot: Snapshot, now_s: float) -> list[Flow]:
        """Return the flows in packets after those scanned before.

        The TCP segments that begin no connection wait until `LATE_S` has passed.
        """
        if now_s - self._all_s >= LATE_S:
            self._all_s = now_s
            after, self.all_through = self.all_through, snapshot.count
            found = self._after(after, snapshot, now_s, beginnings=False)
        else:
            found = self._after(self.through, snapshot, now_s, beginnings=True)
        self.through = max(self.through, snapshot.count)
        return found

    def _after(
        self, after: int, snapshot: Snapshot, now_s: float, *, beginnings: bool
    ) -> list[Flow]:
        after = max(after, snapshot.count - MOST_PACKETS)
        found: list[Flow] = []
        for chunk in snapshot.chunks_after(after):
            part = chunk.rows(max(0, after + 1 - chunk.first), len(chunk))
            found += self.of_chunk(part, now_s, beginnings=beginnings)
        return found

    def of_chunk(self, chunk: Chunk, now_s: float, *, beginnings: bool = False) -> list[Flow]:
        """Return the flows in the packets of a chunk, by packet.

        With `beginnings`, ignore the TCP segments that begin no connection.
        """
        self.through = max(self.through, chunk.last)
        if not beginnings:
            self.all_through = max(self.all_through, chunk.last)
        ends = _ends_of(chunk, self._seed, beginnings=beginnings)
        if not len(ends.rows):
            return []
        keys, firsts = np.unique(ends.keys, return_index=True)
        wanted = {
            index: key
            for key, index in zip(keys.tolist(), firsts.tolist(), strict=True)
            if (known := self._known.get(key)) is None or known.is_due(now_s)
        }
        syns = _syns(chunk, ends)
        wanted |= {index: int(ends.keys[index]) for index in syns}
        found: list[Flow] = []
        for index in sorted(wanted):
            key, syn = wanted[index], syns.get(index, -1)
            known = self._known.get(key)
            if known is not None and not known.is_due(now_s) and known.syn == syn:
                continue
            is_udp = bool(ends.is_udp[index])
            since = known.through if known is not None and is_udp else 0
            found.append(_flow(chunk, ends, index, key, since))
            self._known.pop(key, None)  # so that the oldest are first
            self._known[key] = _Known(syn, now_s, chunk.last, is_udp)
        self._bound()
        return found

    def _bound(self) -> None:
        if len(self._known) > MOST_KNOWN:
            for key in list(self._known)[: MOST_KNOWN // 2]:
                del self._known[key]


def _ends_of(chunk: Chunk, seed: int, *, beginnings: bool) -> _Ends:
    """Return the ends of the outermost TCP and UDP headers that are whole and in no fragment.

    This is less work than `core.analysis.tcp.segments` does, since it is done 20 times a second.
    """
    is_udp = chunk.transport == IpProtocol.UDP
    whole = np.flatnonzero(with_ends(chunk))
    if beginnings:
        whole = whole[is_udp[whole] | _begins(chunk, whole)]
    parts = []
    for network, addresses in ADDRESSES.items():
        rows = whole[chunk.network[whole] == network]
        if len(rows):
            keys = np.zeros(len(rows), np.uint64)
            starts, networks = _starts(chunk, rows), chunk.offset[rows].astype(np.int64)
            networks += chunk.network_offset[rows]
            for address, port in zip(addresses, PORTS, strict=True):
                words = word_columns(address.column(chunk.data, networks)).T
                ports = UDP[port].column(chunk.data, starts)  # in TCP at the same place
                keys += mixed(np.full(len(rows), seed, np.uint64), *words, ports)
            parts.append(_Ends(rows, starts, keys + is_udp[rows], is_udp[rows]))
    if len(parts) == 1:
        return parts[0]
    none = np.zeros(0, np.int64)
    if not parts:
        return _Ends(none, none, none.astype(np.uint64), none.astype(np.bool_))
    joined = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    order = np.argsort(joined[0], kind="stable")
    return _Ends(*(column[order] for column in joined))


def _begins(chunk: Chunk, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a mask (k,) of packets with a SYN and no ACK; False for UDP."""
    mask = np.zeros(len(rows), np.bool_)
    tcp = np.flatnonzero(chunk.transport[rows] == IpProtocol.TCP)
    flags = TCP["flags"].column(chunk.data, _starts(chunk, rows[tcp]))
    mask[tcp] = flags & (_SYN | _ACK) == _SYN
    return mask


def _starts(chunk: Chunk, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where the transport headers of packets begin in the data."""
    starts: NDArray[np.int64] = chunk.offset[rows].astype(np.int64) + chunk.transport_offset[rows]
    return starts


def _syns(chunk: Chunk, ends: _Ends) -> dict[int, int]:
    """Return the sequence numbers of segments that begin a connection, by index."""
    index = np.flatnonzero(_begins(chunk, ends.rows))
    if not len(index):
        return {}
    sequences = TCP["seq_raw"].column(chunk.data, ends.starts[index])
    return dict(zip(index.tolist(), sequences.tolist(), strict=True))


def _flow(chunk: Chunk, ends: _Ends, index: int, key: int, since: int) -> Flow:
    row = int(ends.rows[index])
    source, destination = ends_of(chunk, row)
    return Flow(int(chunk.transport[row]), chunk.first + row, source, destination, key, since)
