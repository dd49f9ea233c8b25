"""The sockets of this host at some moments, to be found by the ends of a flow.

A socket fits an end of a flow if it is connected to the other end; else if it is bound to the end's
address and port; else if it is bound to the port on all addresses. IPv4 packets reach AF_INET6
sockets, too, unless these are for IPv6 only. Of equally good sockets the kernel chooses one, by a
hash or by membership in a group (SO_REUSEPORT, SO_REUSEADDR), so all of them fit.

A socket that is closed has no process anymore. The tables of the last moments tell its inode.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from core.analysis.programs.ends import End
from core.net.sock_diag import ENDS_BYTES, TCP_LISTEN, DiagnosedSockets
from core.wire.model.address_texts import MAPPED
from core.wire.model.assigned_numbers import IpProtocol

MEMORY_S = 3.0
MOST_TABLES = 16
MOST_REMEMBERED = 1 << 17
"""Sockets in all tables together, about 200 bytes each; the newest table is kept whole."""

_ANY_IPV4 = MAPPED + bytes(4)
_ANY_IPV6 = bytes(16)
_NO_PORT = bytes(2)
RAW = 1 << 8
"""Marks a protocol as that of raw sockets."""


_MAY_BE_ACCEPTED = (1, 3, 8, 12)  # ESTABLISHED, SYN_RECV, CLOSE_WAIT, NEW_SYN_RECV


class HeldSocket(NamedTuple):
    """A socket: its inode, 0 without a descriptor, its user, and its state (TCP_*)."""

    inode: int
    uid: int
    state: int


@dataclass(frozen=True, slots=True)
class Match:
    """The sockets that fit an end of a flow, equally well; `is_past` if they are closed since.

    A socket that `is_raw` can send packets of the flow, and tells no more of it.
    `listeners` listen at its port, unless another socket takes its packets now. `may_follow` if a
    socket with a descriptor may follow: the connection exists, and waits for `accept`.
    """

    sockets: tuple[HeldSocket, ...] = ()
    is_past: bool = False
    listeners: tuple[HeldSocket, ...] = ()
    may_follow: bool = False
    is_raw: bool = False


class SocketTable:
    """The sockets of some protocols at one moment. `inodes` are those with a descriptor."""

    def __init__(self, columns: Mapping[int, DiagnosedSockets], at_s: float) -> None:
        self.at_s = at_s
        self.inodes: set[int] = set()
        self._by_ends: dict[int, dict[bytes, list[int]]] = {}
        self._sockets: dict[int, list[HeldSocket]] = {}
        self._ipv6_only: dict[int, set[int]] = {}
        for protocol, found in columns.items():
            raw = found.ends.tobytes()
            bounds = range(0, len(raw) + 1, ENDS_BYTES)
            by_ends: dict[bytes, list[int]] = {}
            for index, (start, stop) in enumerate(pairwise(bounds)):
                by_ends.setdefault(raw[start:stop], []).append(index)
            self._by_ends[protocol] = by_ends
            values = (found.inode.tolist(), found.uid.tolist(), found.state.tolist())
            self._sockets[protocol] = list(map(HeldSocket._make, zip(*values, strict=True)))
            self._ipv6_only[protocol] = set(found.ipv6_only.nonzero()[0].tolist())
            self.inodes.update(found.inode.tolist())
        self.inodes.discard(0)

    def __len__(self) -> int:
        return sum(map(len, self._sockets.values()))

    def connected(self, protocol: int, local: End, remote: End) -> list[HeldSocket]:
        """Return the sockets of a connection."""
        ends = _ports(local.port, remote.port) + local.address + remote.address
        return self._at(protocol, ends)

    def bound(self, protocol: int, local: End) -> list[HeldSocket]:
        """Return the unconnected sockets that take packets for an end; of TCP, the listeners."""
        for ends, is_other_family in _unconnected(local):
            found = self._by_ends.get(protocol, {}).get(ends, ())
            sockets = [
                self._sockets[protocol][index]
                for index in found
                if not (is_other_family and index in self._ipv6_only[protocol])
            ]
            if protocol == IpProtocol.TCP:
                sockets = [each for each in sockets if each.state == TCP_LISTEN]
            if sockets:
                return sockets
        return []

    def unbound(self, protocol: int, address: bytes) -> tuple[HeldSocket, ...]:
        """Return the sockets whose local address is this or none, whatever else they have."""
        found = [
            self._sockets[protocol][index]
            for ends, indices in self._by_ends.get(protocol, {}).items()
            if ends[4:20] in (address, _ANY_IPV4, _ANY_IPV6)
            for index in indices
        ]
        return tuple({each.inode: each for each in _held(found)}.values())

    def _at(self, protocol: int, ends: bytes) -> list[HeldSocket]:
        found = self._by_ends.get(protocol, {}).get(ends, ())
        return [self._sockets[protocol][index] for index in found]


class RecentSockets:
    """The newest table, and those of the last `MEMORY_S`, if there are not too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tables: deque[SocketTable] = deque()  # the newest first

    @property
    def inodes(self) -> set[int]:
        """The inodes of all sockets in the tables."""
        return set().union(*(table.inodes for table in self._tables))

    def add(self, columns: Mapping[int, DiagnosedSockets]) -> set[int]:
        """Add the sockets of this moment. Return the inodes that no table before has.

        For the first table, return none: its sockets may be old.
        """
        table = SocketTable(columns, self._clock())
        before = self.inodes or table.inodes
        self._tables.appendleft(table)
        while len(self._tables) > 1 and self._is_too_much(table.at_s):
            self._tables.pop()
        return table.inodes - before

    def find(self, protocol: int, local: End, remote: End, *, is_local: bool) -> Match:
        """Return the sockets that fit an end; `is_local` if its address is one of this host."""
        newest = self._tables[0]
        connected = newest.connected(protocol, local, remote)
        bound = _held(newest.bound(protocol, local)) if is_local else ()
        is_tcp = protocol == IpProtocol.TCP
        listeners = bound if is_tcp else ()
        if held := _held(connected) or (() if is_tcp else bound):
            return Match(held, False, listeners)
        may_follow = any(each.state in _MAY_BE_ACCEPTED for each in connected)
        for table in self._tables:
            held = _held(table.connected(protocol, local, remote))
            if not held and is_local and not is_tcp:
                held = _held(table.bound(protocol, local))
            if held:
                return Match(held, True, listeners, may_follow)
        return Match((), False, listeners, may_follow)

    def find_raw(self, protocol: int, local: End) -> Match | None:
        """Return the raw socket that can send from an address, if it is the only one by now.

        Its protocol in the columns is ``RAW | protocol``.
        """
        held = self._tables[0].unbound(RAW | protocol, local.address)
        return Match(held, is_raw=True) if len(held) == 1 else None

    def _is_too_much(self, now_s: float) -> bool:
        tables = self._tables
        is_old = now_s - tables[-1].at_s > MEMORY_S
        return is_old or len(tables) > MOST_TABLES or sum(map(len, tables)) > MOST_REMEMBERED


def _held(sockets: Sequence[HeldSocket]) -> tuple[HeldSocket, ...]:
    return tuple(each for each in sockets if each.inode)


def _ports(local: int, remote: int) -> bytes:
    return local.to_bytes(2, "big") + remote.to_bytes(2, "big")


def _unconnected(local: End) -> Iterator[tuple[bytes, bool]]:
    """Yield the ends of sockets that take packets for an end, the best first.

    The second value is true for AF_INET6 sockets, of an end with an IPv4 address.
    """
    ports = local.port.to_bytes(2, "big") + _NO_PORT
    is_ipv4 = local.address.startswith(MAPPED)
    for address in (local.address, _ANY_IPV4 if is_ipv4 else _ANY_IPV6):
        for nobody in (_ANY_IPV4, _ANY_IPV6):
            yield ports + address + nobody, is_ipv4 and nobody == _ANY_IPV6
    if is_ipv4:
        yield ports + _ANY_IPV6 + _ANY_IPV6, True
