"""The published state of the echo server: immutable values, safe to read in any thread."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from enum import Enum

from core.echo.client_columns import ClientTable
from core.echo.log import Entry
from core.echo.options import Switches, Trigger
from core.net.loop_counters import LoopCounters


class CloseReason(Enum):
    """The reason why a client was closed."""

    FINISHED = "finished"  # the peer ended, and every byte went back
    RESET = "reset"  # ECONNRESET, EPIPE, or EPOLLHUP
    VANISHED = "vanished"  # no answer to the keepalive probes: ETIMEDOUT
    IDLE = "idle"  # no byte moved during the idle timeout
    CLOSED = "closed"  # by the user
    DRAINED = "drained"  # an orderly shutdown: every byte that arrived before it went back
    FORCED = "forced"  # the server ended at once, or the grace time was over
    FAILED = "failed"  # any other error

    @property
    def words(self) -> str:
        """The text for the log."""
        return "by you" if self is CloseReason.CLOSED else self.value

    @classmethod
    def after(cls, error: OSError) -> CloseReason:
        """Return the reason for an error of the client's socket."""
        if error.errno in (errno.ECONNRESET, errno.EPIPE):
            return cls.RESET
        if error.errno in (errno.ETIMEDOUT, errno.EHOSTUNREACH):
            return cls.VANISHED
        return cls.FAILED


@dataclass(frozen=True, slots=True)
class ListenerInfo:
    """A listening socket. `accepted` counts its clients, open or closed."""

    identifier: int
    address: str
    port: int
    trigger: Trigger
    accepted: int = 0

    @property
    def name(self) -> str:
        """``127.0.0.1:7007``, ``[::1]:7007``."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class BuiltinClientInfo:
    """A built-in client and its own address. `intact` is True if the echo equals what it sent."""

    listener: int
    address: str
    port: int
    sent: int
    received: int
    intact: bool


@dataclass(slots=True)
class EchoTotals:
    """All clients since the start, including closed ones.

    Of the bytes that came in, some are `pending` in the program, some were `unsent` when their
    client was lost, and all others went back.

    `urgent` counts the urgent marks at which reads began. The kernel keeps one mark: an urgent
    byte that arrives before the last one was read replaces it, and the two count as one.

    `turned_away` connections were closed at once for lack of a descriptor or of room in epoll;
    `aborted` ones were gone before they were accepted. `discarded` bytes arrived after a shutdown
    began, behind all that the kernel had acknowledged by then.
    """

    accepted: int = 0
    turned_away: int = 0
    aborted: int = 0
    bytes_in: int = 0
    pending: int = 0
    unsent: int = 0
    wake_ups: int = 0
    reads: int = 0
    eagains: int = 0
    urgent: int = 0
    discarded: int = 0
    closed: dict[CloseReason, int] = field(default_factory=lambda: dict.fromkeys(CloseReason, 0))

    @property
    def bytes_out(self) -> int:
        """Bytes that the kernel took back."""
        return self.bytes_in - self.pending - self.unsent


@dataclass(frozen=True, slots=True, eq=False)
class EchoSnapshot:
    """The server at one moment. `log` belongs to the client `selected`, open or closed.

    A snapshot equals only itself; the tables of two are not compared.
    """

    taken_s: float
    listeners: tuple[ListenerInfo, ...]
    clients: ClientTable
    builtin_clients: tuple[BuiltinClientInfo, ...]
    totals: EchoTotals
    loop: LoopCounters
    switches: Switches
    selected: int | None
    log: tuple[Entry, ...]
    message: str  # one line for the user, or empty
