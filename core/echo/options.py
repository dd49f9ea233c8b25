"""The options of the echo server: triggers, limits, and the teaching switches.

The switches change only *how much a wake-up reads*: how many bytes a read asks for, and when the
wake-up stops (`Drain`). With a small budget, level triggering shows as a client that wakes the loop
again and again; edge triggering as one that falls silent with bytes unread, because no wake-up read
until EAGAIN and no new bytes make a new edge (epoll(7), "Level-triggered and edge-triggered").

On a stream socket, a read of fewer bytes than it asked for means the same as EAGAIN, one system
call earlier (epoll(7), "Questions and answers", 9). It does not after EPOLLPRI, where a read stops
at the urgent mark (tcp(7)), nor after EPOLLRDHUP, EPOLLHUP, or EPOLLERR, where the end or the error
is still to be read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from core.echo.connection import HIGH_WATER

READ_SIZE = 64 * 1024  # bytes that one read takes at most
READS_PER_TURN = 16  # of one client; then the others get a turn
BUDGETS = (1, 16, 1024, READ_SIZE)  # bytes a read, as the keys step through them


class Trigger(Enum):
    """The condition under which epoll reports a ready descriptor."""

    LEVEL = "level"  # as long as it is ready
    EDGE = "edge"  # when it becomes ready, or more arrives


class Drain(Enum):
    """The condition that ends the reads of a wake-up. The value completes "a wake-up reads …"."""

    EAGAIN = "until EAGAIN"
    SHORT = "until a short read"  # of fewer bytes than it asked for
    ONCE = "once"


_DRAINS = (None, *Drain)  # in the order in which the key steps through them


@dataclass(frozen=True, slots=True)
class Switches:
    """The teaching switches.

    One read asks for `read_budget` bytes; raise ValueError unless it is 1 to `READ_SIZE`. `drain`
    is when a wake-up stops reading, after `READS_PER_TURN` reads at the latest, so that others get
    a turn. None does what each trigger needs: level reads once and is woken again, edge reads until
    a short read, or, if the client has a log, until EAGAIN, as textbooks show it.
    """

    read_budget: int = READ_SIZE
    drain: Drain | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.read_budget <= READ_SIZE:
            raise ValueError(f"a read takes 1 to {READ_SIZE} bytes, not {self.read_budget}")

    def drain_of(self, trigger: Trigger, logged: bool) -> Drain:
        """Return when a wake-up stops reading a client, by its trigger and whether it is logged."""
        if self.drain is not None:
            return self.drain
        if trigger is Trigger.LEVEL:
            return Drain.ONCE
        return Drain.EAGAIN if logged else Drain.SHORT

    def stepped(self, steps: int) -> Switches:
        """Return switches with a larger one of `BUDGETS`; negative steps go to smaller ones."""
        at = min(range(len(BUDGETS)), key=lambda i: abs(BUDGETS[i] - self.read_budget))
        return replace(self, read_budget=BUDGETS[max(0, min(at + steps, len(BUDGETS) - 1))])

    def next_drain(self) -> Switches:
        """Return switches with the next rule: as needed, until EAGAIN, until a short read, once."""
        return replace(self, drain=_DRAINS[(_DRAINS.index(self.drain) + 1) % len(_DRAINS)])

    def effect(self, trigger: Trigger) -> str:
        """Return one sentence on what the user will see."""
        size = budget_text(self.read_budget)
        drain = self.drain_of(trigger, logged=False)
        if drain is Drain.ONCE:
            return f"each wake-up reads at most {size} once; {_LEFT_AFTER_ONE[trigger]}"
        if self.drain is None:
            until = "until a read is short (with a log: until EAGAIN)"
        elif drain is Drain.SHORT:
            until = "until a read is short, which saves the read that gets EAGAIN"
        else:
            until = "until EAGAIN"
        return f"a wake-up reads {size} at a time {until}; {_LEFT_AFTER_A_TURN[trigger]}"


_LEFT_AFTER_ONE = {
    Trigger.LEVEL: "epoll reports the same client again and again until its buffer is empty",
    Trigger.EDGE: "the rest stays unread in the kernel, and the client stalls until new bytes "
    "arrive",
}
_LEFT_AFTER_A_TURN = {
    Trigger.LEVEL: f"after {READS_PER_TURN} reads it stops, and epoll reports the same client "
    "again while bytes are left",
    Trigger.EDGE: f"after each {READS_PER_TURN} reads the others get a turn, then it continues "
    "without an event",
}


def budget_text(budget: int) -> str:
    """Return ``16 bytes`` or ``64 KiB``."""
    if budget == READ_SIZE:
        return f"{budget // 1024} KiB"
    return f"{budget:,} byte{'' if budget == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class EchoOptions:
    """Limits and socket options. Times are in seconds, sizes in bytes; 0 turns an option off.

    After `idle_timeout_s` in which no byte moved, a client is closed.

    The TCP options are set on the listening socket, from which the kernel copies them to each
    accepted one: `keepalive_idle_s` of silence before the first probe, `keepalive_probes` probes,
    `keepalive_interval_s` apart (tcp(7)). `send_buffer` and `receive_buffer` are SO_SNDBUF and
    SO_RCVBUF (socket(7): the kernel doubles them, and has a minimum).
    """

    high_water: int = HIGH_WATER
    idle_timeout_s: float = 600.0
    keepalive_idle_s: int = 60
    keepalive_interval_s: int = 10
    keepalive_probes: int = 3
    send_buffer: int = 0
    receive_buffer: int = 0
    backlog: int = 4096
