"""What can be chosen of the echo server: triggers, limits, and the teaching switches.

The switches change only *how much is read at a wake-up*. Level triggering then shows as one client
that wakes again and again; edge triggering as one that falls silent with bytes unread, because
nobody read until EAGAIN and no new bytes make a new edge (epoll(7), "Level-triggered and
edge-triggered").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from core.echo.connection import HIGH_WATER

READ_SIZE = 64 * 1024  # one read takes no more
READS_PER_TURN = 16  # of a client that is drained; then the others get their turn
BUDGETS = (1, 16, 1024, READ_SIZE)  # bytes a read, as the keys step through them
_DRAINS = (None, True, False)  # in the order in which the key goes round


class Trigger(Enum):
    """When epoll reports a ready descriptor."""

    LEVEL = "level"  # as long as it is ready
    EDGE = "edge"  # when something has changed


@dataclass(frozen=True, slots=True)
class Switches:
    """The teaching switches.

    ``read_budget`` bytes are asked for by one read. With ``drain`` a wake-up reads until
    EAGAIN, `READS_PER_TURN` times before the others get their turn; without it once. None does
    what each trigger needs: edge drains, level reads once and is woken again.
    """

    read_budget: int = READ_SIZE
    drain: bool | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.read_budget <= READ_SIZE:
            raise ValueError(f"a read takes 1 to {READ_SIZE} bytes, not {self.read_budget}")

    def drains(self, trigger: Trigger) -> bool:
        """Whether a client with this trigger reads until EAGAIN."""
        return trigger is Trigger.EDGE if self.drain is None else self.drain

    def stepped(self, steps: int) -> Switches:
        """A read asks for more, or with negative steps for less; the ends of `BUDGETS` stop it."""
        at = min(range(len(BUDGETS)), key=lambda i: abs(BUDGETS[i] - self.read_budget))
        return replace(self, read_budget=BUDGETS[max(0, min(at + steps, len(BUDGETS) - 1))])

    def next_drain(self) -> Switches:
        """Drain as the trigger needs, always, never, and round again."""
        return replace(self, drain=_DRAINS[(_DRAINS.index(self.drain) + 1) % len(_DRAINS)])

    def effect(self, trigger: Trigger) -> str:
        """What will be seen, in one sentence."""
        size = budget_text(self.read_budget)
        if self.drains(trigger) and trigger is Trigger.LEVEL:
            return (
                f"each wake-up reads {size} at a time until EAGAIN, {READS_PER_TURN} times at "
                "most; while more is left, epoll reports the same client again"
            )
        if self.drains(trigger):
            return (
                f"one wake-up reads {size} at a time until EAGAIN; after each {READS_PER_TURN} "
                "reads the others get a turn, and then it goes on without an event"
            )
        if trigger is Trigger.LEVEL:
            return (
                f"each wake-up reads at most {size} once; what is left makes epoll report the "
                "same client again and again until its buffer is empty"
            )
        return (
            f"each wake-up reads at most {size} once; what is left stays unread in the kernel "
            "and the client stalls until new bytes arrive"
        )


def budget_text(budget: int) -> str:
    """``16 bytes``, ``64 KiB``."""
    if budget == READ_SIZE:
        return f"{budget // 1024} KiB"
    return f"{budget:,} byte{'' if budget == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class EchoOptions:
    """Limits and socket options. Times in seconds, sizes in bytes; 0 turns a thing off.

    ``idle_timeout_s`` is for silence: a client that sends a byte now and then stays.

    The TCP options are set on the listening socket, from which the kernel copies them to each
    accepted one: ``keepalive_idle_s`` of silence before the first probe, ``keepalive_probes``
    of them, ``keepalive_interval_s`` apart (tcp(7)); ``send_buffer`` and ``receive_buffer``
    are SO_SNDBUF and SO_RCVBUF (socket(7): the kernel doubles them, and has a minimum).
    """

    high_water: int = HIGH_WATER
    idle_timeout_s: float = 600.0
    keepalive_idle_s: int = 60
    keepalive_interval_s: int = 10
    keepalive_probes: int = 3
    send_buffer: int = 0
    receive_buffer: int = 0
    backlog: int = 4096
