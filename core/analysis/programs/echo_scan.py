"""Find the ICMP echo requests and replies in new packets, and the flows that they make.

A flow is an address that asks, one that answers, and an identifier. Its source is the end that
asks: only there is a program, for the kernel answers. ICMP has no streams, so `EchoScan` numbers
its flows, and its `packets` tell the flow of each packet.

Only whole outermost headers count, as in `flow_scan`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.programs.echo_packets import NO_ECHOES
from core.analysis.programs.ends import ADDRESSES, End, address_at
from core.analysis.programs.flow_scan import MOST_PACKETS, Flow
from core.decode.chunk import Chunk
from core.store.snapshot import Snapshot
from core.wire.model.address_texts import MAPPED
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Cause
from core.wire.model.words import mixed, word_columns
from core.wire.network import icmp, icmpv6

ECHO_RECHECK_S = 1.0
MOST_KNOWN = 1 << 12
"""Flows that are remembered, about 200 bytes each; the oldest are dropped."""

_STATES = HeaderState.TRANSPORT | HeaderState.FRAGMENT
_HEADER_BYTES = 8  # RFC 792, echo; RFC 4443 §4
_KINDS: Mapping[int, tuple[int, int, int]] = {  # network, request, and reply
    int(IpProtocol.ICMP): (Network.IPV4, icmp.ECHO_REQUEST, icmp.ECHO_REPLY),
    int(IpProtocol.ICMPV6): (Network.IPV6, icmpv6.ECHO_REQUEST, icmpv6.ECHO_REPLY),
}

Numbers = NDArray[np.int64]


class EchoEnd(End):
    """An address of 16 bytes and an identifier."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """``10.0.0.1 id 77``."""
        if self.address.startswith(MAPPED):
            return f"{socket.inet_ntoa(self.address[12:])} id {self.port}"
        return f"{socket.inet_ntop(socket.AF_INET6, self.address)} id {self.port}"


class _Known(NamedTuple):
    """A flow: its number, and the time and the last packet of the question."""

    number: int
    asked_s: float
    through: int


class EchoScan:
    """Finds the echo flows of one store, or of chunks whose numbers ascend."""

    def __init__(self) -> None:
        self.packets = NO_ECHOES
        self._through = 0
        self._seed = int.from_bytes(os.urandom(8), "big")
        self._known: dict[int, _Known] = {}
        self._count = 0

    def new_flows(self, snapshot: Snapshot, now_s: float) -> list[Flow]:
        """Return the flows in packets after those scanned before."""
        found: list[Flow] = []
        after = max(self._through, snapshot.count - MOST_PACKETS)
        for chunk in snapshot.chunks_after(after):
            start = max(0, after + 1 - chunk.first)
            transport = chunk.transport[start:]
            if any((transport == protocol).any() for protocol in _KINDS):  # rarely
                found += self.of_chunk(chunk.rows(start, len(chunk)), now_s)
        self._through = max(self._through, snapshot.count)
        return found

    def of_chunk(self, chunk: Chunk, now_s: float) -> list[Flow]:
        """Return the flows in the packets of a chunk: new ones, and those to ask about again."""
        found: list[Flow] = []
        packets: list[tuple[Numbers, Numbers]] = []
        for protocol in _KINDS:
            rows = _echoes(chunk, protocol)
            if not len(rows):
                continue
            is_reply, keys = self._keys(chunk, rows, protocol)
            each, firsts, inverse = np.unique(keys, return_index=True, return_inverse=True)
            numbers = np.zeros(len(each), np.int64)
            for index in np.argsort(firsts).tolist():
                key, first = int(each[index]), int(firsts[index])
                known = self._known.get(key)
                if known is None or now_s - known.asked_s >= ECHO_RECHECK_S:
                    since = 0 if known is None else known.through
                    row = int(rows[first])
                    found.append(_flow(chunk, row, protocol, bool(is_reply[first]), key, since))
                    self._known.pop(key, None)
                    number = self._count if known is None else known.number
                    self._count += known is None
                    known = self._known[key] = _Known(number, now_s, chunk.last)
                numbers[index] = known.number
            packets.append((chunk.first + rows, numbers[inverse.reshape(-1)]))
        if packets:
            columns = [np.concatenate(column) for column in zip(*packets, strict=True)]
            order = np.argsort(columns[0], kind="stable")
            self.packets = self.packets.with_packets(columns[0][order], columns[1][order])
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
        return found

    def _keys(
        self, chunk: Chunk, rows: Numbers, protocol: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
        """Return which packets (k,) are replies, and hashes (k,) that both directions share."""
        network, _, reply = _KINDS[protocol]
        starts = _starts(chunk, rows)
        is_reply = icmp.ICMP["type"].column(chunk.data, starts) == reply
        at = chunk.offset[rows].astype(np.int64) + chunk.network_offset[rows]
        source, destination = (
            word_columns(address.column(chunk.data, at)).T for address in ADDRESSES[network]
        )
        words = [np.where(is_reply, *pair) for pair in zip(destination, source, strict=True)]
        words += [np.where(is_reply, *pair) for pair in zip(source, destination, strict=True)]
        ident = icmp.IDENT["ident"].column(chunk.data, starts)
        return is_reply, mixed(np.full(len(rows), self._seed, np.uint64), *words, ident)


def _starts(chunk: Chunk, rows: Numbers) -> Numbers:
    starts: Numbers = chunk.offset[rows].astype(np.int64) + chunk.transport_offset[rows]
    return starts


def _echoes(chunk: Chunk, protocol: int) -> Numbers:
    """Return the rows (k,) of echo requests and replies whose header is whole."""
    network, *types = _KINDS[protocol]
    rows = np.flatnonzero(chunk.transport == protocol)  # few, in most chunks
    state = chunk.state[rows]
    mask = chunk.network[rows] == network
    mask &= state & _STATES == HeaderState.TRANSPORT
    mask &= state & HeaderState.CAUSE_MASK != Cause.MALFORMED
    limit = np.minimum(chunk.captured[rows], chunk.stop[rows])
    rows = rows[mask & (chunk.transport_offset[rows] + np.int64(_HEADER_BYTES) <= limit)]
    kinds = icmp.ICMP["type"].column(chunk.data, _starts(chunk, rows))
    found: Numbers = rows[np.isin(kinds, types)]
    return found


def _flow(chunk: Chunk, row: int, protocol: int, is_reply: bool, key: int, since: int) -> Flow:
    """Return the flow of a packet; its source is the end that asks."""
    source, destination = (
        address_at(chunk, row, field) for field in ADDRESSES[int(chunk.network[row])]
    )
    if is_reply:
        source, destination = destination, source
    start = _starts(chunk, np.array([row]))
    ident = int(icmp.IDENT["ident"].column(chunk.data, start)[0])
    number = chunk.first + row
    return Flow(protocol, number, EchoEnd(source, ident), EchoEnd(destination, 0), key, since)
