"""The counters of ten thousand clients, as columns.

Every message is counted; the counters are read ten times a second. So each counter is one column
with a *slot* per client: counting is one indexed addition, and a snapshot copies each column with
numpy, without a Python object per client. A column is an `array`, except for the two that every
message adds to: an addition in a `list` takes a third of the time, a copy of it 0.3 ms for ten
thousand clients. A slot is used again after its client is closed; the client's *identifier* never
is.

Derived figures are not counted. A wake-up of one read and one write, as nearly all are, is one
*echo*, which snapshots add to wake-ups and reads. Bytes out are bytes in less those pending (the
invariant of `EchoConnection`). The time when bytes last moved comes from a comparison with the tick
before (`ClientColumns.note_activity`), so that no message reads the clock.

A `ClientTable` is such a copy, in the order of the identifiers. Text (addresses, state names) is
made only for the rows that are shown.
"""

from __future__ import annotations

import socket
from array import array
from dataclasses import dataclass, fields
from ipaddress import IPv6Address
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.echo.options import Trigger
from core.echo.tcp_info import state_name

_GROWTH = 256
_V4_MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:a.b.c.d, RFC 4291 §2.5.5.2
_ADDRESS_SIZE = 16
_WITH_ECHOES = ("wake_ups", "reads")


@dataclass(frozen=True, slots=True)
class ClientTable:
    """Every open client at one moment: arrays of the same length n, one row per client.

    Counters are totals since the client was accepted. Times are seconds of the monotonic clock.
    """

    taken_s: float
    identifier: NDArray[np.int64]  # ascending, never used twice
    descriptor: NDArray[np.int64]
    listener: NDArray[np.int64]  # the listener's identifier
    edge: NDArray[np.uint8]  # 1 edge triggered, 0 level
    paused: NDArray[np.uint8]  # 1 reading paused by the user
    held: NDArray[np.uint8]  # 1 reading stopped by the high-water mark
    ended: NDArray[np.uint8]  # 1 the peer has sent its FIN
    tcp_state: NDArray[np.uint8]  # core.echo.tcp_info.STATE_NAMES
    rtt_us: NDArray[np.int64]
    bytes_in: NDArray[np.int64]
    unread: NDArray[np.int64]  # in the kernel, SIOCINQ, at `sampled_s`
    unsent: NDArray[np.int64]  # in the kernel, SIOCOUTQ, at `sampled_s`: not acknowledged
    pending: NDArray[np.int64]  # in the program
    wake_ups: NDArray[np.int64]
    reads: NDArray[np.int64]  # read calls, including EAGAIN and reads of discarded bytes
    eagains: NDArray[np.int64]  # reads and writes that got EAGAIN
    urgent: NDArray[np.int64]  # reads that began at an urgent mark: tcp(7), SIOCATMARK
    opened_s: NDArray[np.float64]
    active_s: NDArray[np.float64]  # when bytes last moved
    sampled_s: NDArray[np.float64]  # when the kernel was last queried; 0 if never
    unread_s: NDArray[np.float64]  # first of the latest samples that all found unread bytes, or 0
    peer_address: NDArray[np.uint8]  # (n, 16): IPv6, or IPv4 mapped into it
    peer_port: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.identifier)

    @property
    def bytes_out(self) -> NDArray[np.int64]:
        """Bytes that the kernel took back."""
        return self.bytes_in - self.pending

    @property
    def age_s(self) -> NDArray[np.float64]:
        """Seconds since each client was accepted."""
        return self.taken_s - self.opened_s

    @property
    def idle_s(self) -> NDArray[np.float64]:
        """Seconds since bytes last moved."""
        return self.taken_s - self.active_s

    def row(self, identifier: int) -> int | None:
        """Return the row of a client; None if it is closed."""
        at = int(np.searchsorted(self.identifier, identifier))
        return at if at < len(self) and self.identifier[at] == identifier else None

    def rows_of_peer(self, address: str, port: int) -> NDArray[np.intp]:
        """Return the rows of the clients with this peer, the oldest first.

        There may be several: one port can be connected to two listeners at once (RFC 9293 §3.1: a
        connection is identified by both its ends).
        """
        wanted = np.frombuffer(pack_address(address), dtype=np.uint8)
        same = (self.peer_port == port) & (self.peer_address == wanted).all(axis=1)
        return np.flatnonzero(same)

    def row_of_peer(self, address: str, port: int, listener: int | None = None) -> int | None:
        """Return the row of the newest client with this peer, of `listener` if given, or None."""
        rows = self.rows_of_peer(address, port)
        if listener is not None:
            rows = rows[self.listener[rows] == listener]
        return int(rows[-1]) if len(rows) else None

    def peer(self, row: int) -> tuple[str, int]:
        """Return the address and port of a row's peer."""
        return unpack_address(self.peer_address[row].tobytes()), int(self.peer_port[row])

    def trigger(self, row: int) -> Trigger:
        """Return how epoll reports a row's client."""
        return Trigger.EDGE if self.edge[row] else Trigger.LEVEL

    def state(self, row: int) -> str:
        """Return the TCP state of a row as text; empty before the first sample."""
        return state_name(int(self.tcp_state[row]))


def pack_address(address: str) -> bytes:
    """Return 16 bytes: an IPv6 address without its zone, or an IPv4 address mapped into one."""
    if ":" in address:
        return socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    return _V4_MAPPED + socket.inet_pton(socket.AF_INET, address)


def unpack_address(packed: bytes) -> str:
    """Return the text of 16 bytes made by `pack_address`."""
    if packed.startswith(_V4_MAPPED):
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return str(IPv6Address(packed))


Column: TypeAlias = "array[int]"  # not subscriptable at run time before Python 3.12


class ClientColumns:
    """The columns that the loop's thread writes; handlers add to them directly."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self._capacity = 0
        self._next_identifier = 1
        self.identifier: Column = array("q")  # 0: the slot is free
        self.descriptor: Column = array("q")
        self.listener: Column = array("q")
        self.edge: Column = array("B")
        self.paused: Column = array("B")
        self.held: Column = array("B")
        self.ended: Column = array("B")
        self.tcp_state: Column = array("B")
        self.rtt_us: Column = array("q")
        self.bytes_in: list[int] = []
        self.unread: Column = array("q")
        self.unsent: Column = array("q")
        self.pending: Column = array("q")
        self.echoes: list[int] = []  # to be added to both wake-ups and reads
        self.wake_ups: Column = array("q")
        self.reads: Column = array("q")
        self.eagains: Column = array("q")
        self.urgent: Column = array("q")
        self.opened_s: array[float] = array("d")
        self.active_s: array[float] = array("d")
        self.sampled_s: array[float] = array("d")
        self.unread_s: array[float] = array("d")
        self.moved: Column = array("q")  # bytes in and out at `active_s`
        self.peer_port: Column = array("q")
        self.peer_address = bytearray()
        self._columns: list[array[Any]] = [
            value for value in vars(self).values() if isinstance(value, array)
        ]
        self._counters = (self.bytes_in, self.echoes)
        self._all = (*self._columns, *self._counters)

    def __len__(self) -> int:
        return self._capacity - len(self._free)

    def open(
        self,
        descriptor: int,
        listener: int,
        trigger: Trigger,
        peer: tuple[str, int],
        now_s: float,
    ) -> int:
        """Return a slot for a new client, with all counters at zero."""
        if not self._free:
            self._grow()
        slot = self._free.pop()
        for column in self._all:
            column[slot] = 0
        self.identifier[slot] = self._next_identifier
        self._next_identifier += 1
        self.descriptor[slot] = descriptor
        self.listener[slot] = listener
        self.edge[slot] = trigger is Trigger.EDGE
        self.opened_s[slot] = self.active_s[slot] = now_s
        self.peer_port[slot] = peer[1]
        at = slot * _ADDRESS_SIZE
        self.peer_address[at : at + _ADDRESS_SIZE] = pack_address(peer[0])
        return slot

    def close(self, slot: int) -> None:
        """Free a slot."""
        self.identifier[slot] = 0
        self._free.append(slot)

    def note_activity(self, now_s: float) -> None:
        """Set `active_s` to `now_s` for every client whose bytes have moved since the last call."""
        moved = 2 * np.array(self.bytes_in, dtype=np.int64)
        moved -= np.frombuffer(self.pending, dtype=np.int64)
        known = np.frombuffer(self.moved, dtype=np.int64)
        np.copyto(np.frombuffer(self.active_s, dtype=np.float64), now_s, where=moved != known)
        np.copyto(known, moved)

    def idle_slots(self, now_s: float, timeout_s: float) -> list[int]:
        """Return the open slots where no bytes moved for `timeout_s`."""
        opened = np.frombuffer(self.identifier, dtype=np.int64) != 0
        silent = np.frombuffer(self.active_s, dtype=np.float64) <= now_s - timeout_s
        found: list[int] = np.flatnonzero(opened & silent).tolist()
        return found

    def figure(self, name: str, slot: int) -> int:
        """Return the value of a column for one client."""
        column: Column | list[int] = getattr(self, name)
        return column[slot] + (self.echoes[slot] if name in _WITH_ECHOES else 0)

    def sum(self, name: str) -> int:
        """Return the sum of a column over the open clients."""
        opened = np.frombuffer(self.identifier, dtype=np.int64) != 0
        return int(self._whole(name)[opened].sum())

    def table(self, now_s: float) -> ClientTable:
        """Return a copy of the open clients' columns."""
        identifiers = np.frombuffer(self.identifier, dtype=np.int64)
        opened = np.flatnonzero(identifiers)
        slots = opened[np.argsort(identifiers[opened])]
        copies: dict[str, NDArray[Any]] = {}
        for field in fields(ClientTable):
            if field.name == "taken_s":
                continue
            copies[field.name] = self._whole(field.name)[slots]
        return ClientTable(now_s, **copies)

    def _whole(self, name: str) -> NDArray[Any]:
        """Return a column over all slots, borrowed: a copy must be taken at once."""
        column = getattr(self, name)
        if name == "peer_address":
            return np.frombuffer(column, dtype=np.uint8).reshape(-1, _ADDRESS_SIZE)
        if isinstance(column, list):
            return np.array(column, dtype=np.int64)
        whole: NDArray[Any] = np.frombuffer(column, dtype=np.dtype(column.typecode))
        if name in _WITH_ECHOES:
            return whole + np.array(self.echoes, dtype=np.int64)
        return whole

    def _grow(self) -> None:
        more = max(_GROWTH, self._capacity)
        for column in self._columns:
            column.frombytes(bytes(more * column.itemsize))
        for counter in self._counters:
            counter.extend([0] * more)
        self.peer_address.extend(bytes(more * _ADDRESS_SIZE))
        self._free.extend(range(self._capacity + more - 1, self._capacity - 1, -1))
        self._capacity += more
