"""The columns of the client list: texts, and values to sort by. No drawing.

One table, `COLUMNS`, is read by the headings, the rows, the sorting, and the tests. A column sorts
as a numpy array over all clients; text is made only for the rows on the screen. Where there is
little room the last columns are dropped first, so the most instructive ones are first.

A client's *condition* is what the user should know before any number. The count of unread bytes
comes from samples that may be seconds apart. So a client is called stalled only if two samples, at
least `STALLED_S` apart, found unread bytes and no byte moved since the first: bytes that lay there
just when a sample was taken are not a stall.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.echo.client_columns import ClientTable
from widgets.status.line import count_text

STALLED_S = 1.0  # for so long samples found unread bytes, and no byte moved
AFTER_FIN = "CLOSE_WAIT"  # the kernel has the peer's FIN, the server has not ended yet


class Condition(IntEnum):
    """The condition of a client, ordered from the best to the worst."""

    OPEN = 0
    ENDED = 1
    PAUSED = 2
    BACKED_UP = 3
    STALLED = 4

    @property
    def word(self) -> str:
        """The text of the column."""
        return _WORDS[self]


_WORDS = {
    Condition.OPEN: "open",
    Condition.ENDED: "half-closed",
    Condition.PAUSED: "paused",
    Condition.BACKED_UP: "backed up",
    Condition.STALLED: "stalled",
}


def conditions(table: ClientTable) -> NDArray[np.uint8]:
    """Return (n,) `Condition` of every client; of several, the one that explains the others."""
    found = np.full(len(table), Condition.OPEN, dtype=np.uint8)
    found[table.ended != 0] = Condition.ENDED
    since_s = np.maximum(table.unread_s, table.active_s)
    found[(table.unread > 0) & (table.sampled_s >= since_s + STALLED_S)] = Condition.STALLED
    found[(table.pending > 0) | (table.held != 0)] = Condition.BACKED_UP
    found[table.paused != 0] = Condition.PAUSED
    return found


def condition_of(table: ClientTable, row: int) -> Condition:
    """Return the condition of one client."""
    return Condition(int(conditions(only(table, row))[0]))


def explanation(table: ClientTable, row: int) -> str:
    """Return one sentence on the cause of a client's condition."""
    unread = count_text(int(table.unread[row]))
    pending = count_text(int(table.pending[row]))
    match condition_of(table, row):
        case Condition.STALLED if table.edge[row] and table.state(row) == AFTER_FIN:
            return f"{unread} bytes unread in the kernel; after the peer's FIN no event will come"
        case Condition.STALLED if table.edge[row]:
            return f"{unread} bytes unread in the kernel; no event until more come"
        case Condition.STALLED:
            return f"{unread} bytes unread in the kernel; the server has not read them yet"
        case Condition.BACKED_UP if table.held[row] and table.idle_s[row] < STALLED_S:
            return f"reads slowly: {pending} bytes pending, so the server stopped reading"
        case Condition.BACKED_UP if table.held[row]:
            return f"does not read: {pending} bytes pending, so the server stopped reading"
        case Condition.BACKED_UP:
            return f"reads slowly: {pending} bytes pending until the kernel has room"
        case Condition.PAUSED:
            return f"reading paused by you: {unread} bytes unread in the kernel"
        case Condition.ENDED:
            return "sent its FIN; earlier bytes still go back"
        case _ if table.unread[row] and table.sampled_s[row] >= table.active_s[row]:
            return f"{unread} bytes were unread in the kernel at the last sample"
        case _:
            return "every byte read was sent back"


def only(table: ClientTable, row: int) -> ClientTable:
    """Return a table of one row, borrowed, not copied."""
    return ClientTable(
        table.taken_s,
        **{name: getattr(table, name)[row : row + 1] for name in _ARRAYS},
    )


_ARRAYS = [name for name in ClientTable.__slots__ if name != "taken_s"]


def endpoint_text(address: str, port: int) -> str:
    """Return ``127.0.0.1:7007`` or ``[::1]:7007``."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def span_text(seconds: float) -> str:
    """Return a time span as a whole number of its largest unit: ``7 s``, ``12 min``, ``3 h``."""
    whole = max(0, int(seconds))
    for unit, size in (("h", 3600), ("min", 60)):
        if whole >= 2 * size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def round_trip_text(microseconds: int) -> str:
    """Return ``34 µs`` or ``1.2 ms``; empty before the first sample."""
    if not microseconds:
        return ""
    return f"{microseconds} µs" if microseconds < 1000 else f"{microseconds / 1000:.1f} ms"


@dataclass(frozen=True, slots=True)
class ClientColumn:
    """A column of the list. `values` returns (n,) to sort by, `text` the cell of one row.

    The first press of the heading sorts in descending order if `largest_first`.
    """

    heading: str
    values: Callable[[ClientTable], NDArray[Any]]
    text: Callable[[ClientTable, int], str]
    at_right: bool = True
    largest_first: bool = True


def _peer_rank(table: ClientTable) -> NDArray[Any]:
    """Return the rank of each client by the bytes of its address, then by its port."""
    halves = table.peer_address.reshape(-1).view(">u8").reshape(-1, 2)
    order = np.lexsort((table.peer_port, halves[:, 1], halves[:, 0]))
    rank = np.empty(len(table), dtype=np.int64)
    rank[order] = np.arange(len(table))
    return rank


def _count(heading: str, name: str) -> ClientColumn:
    def values(table: ClientTable) -> NDArray[Any]:
        column: NDArray[Any] = getattr(table, name)
        return column

    def text(table: ClientTable, row: int) -> str:
        return count_text(int(values(table)[row]))

    return ClientColumn(heading, values, text)


CLIENT = ClientColumn(
    "Client",
    _peer_rank,
    lambda table, row: endpoint_text(*table.peer(row)),
    at_right=False,
    largest_first=False,
)
NOW = ClientColumn(
    "Now", conditions, lambda table, row: condition_of(table, row).word, at_right=False
)
TRIGGER = ClientColumn(
    "Trig",
    lambda table: table.edge,
    lambda table, row: table.trigger(row).value,
    at_right=False,
    largest_first=False,
)
IN = _count("In", "bytes_in")
OUT = ClientColumn(
    "Out",
    lambda table: table.bytes_out,
    lambda table, row: count_text(int(table.bytes_in[row] - table.pending[row])),
)
UNREAD = _count("Unread", "unread")
WAKE_UPS = _count("Wakes", "wake_ups")
READS = _count("Reads", "reads")
EAGAINS = _count("EAGAIN", "eagains")
PENDING = _count("Pending", "pending")
UNSENT = _count("Unsent", "unsent")  # or sent and not acknowledged: core.echo.tcp_info
STATE = ClientColumn(
    "TCP state",
    lambda table: table.tcp_state,
    lambda table, row: table.state(row),
    at_right=False,
    largest_first=False,
)
ROUND_TRIP = ClientColumn(
    "RTT",
    lambda table: table.rtt_us,
    lambda table, row: round_trip_text(int(table.rtt_us[row])),
)
DESCRIPTOR = ClientColumn(
    "fd",
    lambda table: table.descriptor,
    lambda table, row: str(int(table.descriptor[row])),
    largest_first=False,
)
AGE = ClientColumn(
    "Age",
    lambda table: table.age_s,
    lambda table, row: span_text(table.taken_s - float(table.opened_s[row])),
)
IDLE = ClientColumn(
    "Idle",
    lambda table: table.idle_s,
    lambda table, row: span_text(table.taken_s - float(table.active_s[row])),
)
URGENT = _count("Urgent", "urgent")

COLUMNS = (
    CLIENT, NOW, TRIGGER, IN, OUT, UNREAD, WAKE_UPS, READS, EAGAINS, PENDING, UNSENT, STATE,
    ROUND_TRIP, DESCRIPTOR, AGE, IDLE, URGENT,
)  # fmt: skip
FIXED = 2  # columns at the left that do not scroll sideways
