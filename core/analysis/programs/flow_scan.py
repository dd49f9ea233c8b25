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

from core.analysis.tcp.segments import Headers, transport_headers
from core.decode.chunk import Chunk
from core.net.sock_diag import MAPPED
from core.store.snapshot import Snapshot
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import Network
from core.wire.transport.tcp import TCP

RECHECK_S = 5.0
MOST_KNOWN = 1 << 16
"""Flows that are remembered, about 200 bytes each; of more, it returns the oldest again."""
MOST_PACKETS = 1 << 13
"""Packets in a step. Of more, the newest: a flow that continues is found at its next packet."""

_SYN, _ACK = 0x02, 0x10
_NO_TUNNELS = np.zeros(0, np.int64)
_ADDRESSES = {Network.IPV4: (12, 4), Network.IPV6: (8, 16)}  # where both begin, and their size


class End(NamedTuple):
    """An address of 16 bytes (IPv4: ::ffff:a.b.c.d) and a port."""

    address: bytes
    port: int


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


class FlowScan:
    """Finds the flows of one store, or of chunks whose numbers ascend."""

    def __init__(self) -> None:
        self.through = 0  # the last packet that was scanned
        self._seed = int.from_bytes(os.urandom(8), "big")
        self._known: dict[int, _Known] = {}

    def new_flows(self, snapshot: Snapshot, now_s: float) -> list[Flow]:
        """Return the flows in packets after those scanned before, by packet."""
        after = max(self.through, snapshot.count - MOST_PACKETS)
        found: list[Flow] = []
        for chunk in snapshot.chunks_after(after):
            start = max(0, after + 1 - chunk.first)
            found += self.of_chunk(chunk.rows(start, len(chunk)), now_s)
        self.through = max(self.through, snapshot.count)
        return found

    def of_chunk(self, chunk: Chunk, now_s: float) -> list[Flow]:
        """Return the flows in the packets of a chunk, by packet."""
        tcp, udp = transport_headers(chunk, self._seed, _NO_TUNNELS)
        found: list[Flow] = []
        if len(tcp):
            found += self._of_tcp(chunk, tcp, now_s)
        if len(udp):
            found += self._of_udp(chunk, udp, now_s)
        self.through = max(self.through, chunk.last)
        self._bound()
        return sorted(found, key=_packet)

    def _of_tcp(self, chunk: Chunk, headers: Headers, now_s: float) -> list[Flow]:
        keys, firsts = _first_of_each(headers)
        flags = TCP["flags"].column(chunk.data, headers.starts)
        syns = np.flatnonzero(flags & (_SYN | _ACK) == _SYN)
        wanted = {
            index: key for key, index in zip(keys, firsts, strict=True) if key not in self._known
        }
        sequences = TCP["seq_raw"].column(chunk.data, headers.starts[syns]).tolist()
        by_index = dict(zip(syns.tolist(), sequences, strict=True))
        for index in by_index:
            wanted[index] = int(min(headers.forward[index], headers.backward[index]))
        found: list[Flow] = []
        for index in sorted(wanted):
            key, syn = wanted[index], by_index.get(index, -1)
            known = self._known.get(key)
            if known is None or known.syn != syn:
                found.append(_flow(chunk, headers, index, IpProtocol.TCP, key))
                self._remember(key, _Known(syn, now_s, chunk.last))
        return found

    def _of_udp(self, chunk: Chunk, headers: Headers, now_s: float) -> list[Flow]:
        found: list[Flow] = []
        for key, index in zip(*_first_of_each(headers), strict=True):
            known = self._known.get(key)
            if known is not None and now_s - known.asked_s < RECHECK_S:
                continue
            since = known.through if known is not None else 0
            found.append(_flow(chunk, headers, index, IpProtocol.UDP, key, since))
            self._remember(key, _Known(-1, now_s, chunk.last))
        return found

    def _remember(self, key: int, known: _Known) -> None:
        self._known.pop(key, None)  # so that the oldest are first
        self._known[key] = known

    def _bound(self) -> None:
        if len(self._known) > MOST_KNOWN:
            for key in list(self._known)[: MOST_KNOWN // 2]:
                del self._known[key]


def _first_of_each(headers: Headers) -> tuple[list[int], list[int]]:
    """Return the keys of the flows, and the index of the first header of each."""
    keys: NDArray[np.uint64]
    keys, firsts = np.unique(np.minimum(headers.forward, headers.backward), return_index=True)
    return keys.tolist(), firsts.tolist()


def _flow(
    chunk: Chunk, headers: Headers, index: int, protocol: int, key: int, since: int = 0
) -> Flow:
    row, start = int(headers.rows[index]), int(headers.starts[index])
    offset, size = _ADDRESSES[Network(int(chunk.network[row]))]
    at = int(chunk.offset[row]) + int(chunk.network_offset[row]) + offset
    data = chunk.data
    source, destination = (data[at + n * size : at + (n + 1) * size].tobytes() for n in (0, 1))
    ports = [int.from_bytes(data[start + n : start + n + 2].tobytes(), "big") for n in (0, 2)]
    return Flow(
        int(protocol),
        chunk.first + row,
        End(_mapped(source), ports[0]),
        End(_mapped(destination), ports[1]),
        key,
        since,
    )


def _mapped(address: bytes) -> bytes:
    return address if len(address) == 16 else MAPPED + address


def _packet(flow: Flow) -> int:
    return flow.packet
