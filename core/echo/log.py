"""The steps of one client, in order: ``EPOLLIN → read 64 → EAGAIN``.

A few clients have a log (`EventLogs`); for the others a step costs one comparison. A step is stored
as a kind and a number; text is made only for the log that is shown. A wake-up begins a line, and
the steps of its handler follow.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

LENGTH = 1000  # steps of one client
MOST_LOGS = 16  # of open clients; as many of closed ones

_EVENT_NAMES = (
    (select.EPOLLIN, "EPOLLIN"),
    (select.EPOLLPRI, "EPOLLPRI"),
    (select.EPOLLOUT, "EPOLLOUT"),
    (select.EPOLLRDHUP, "EPOLLRDHUP"),
    (select.EPOLLHUP, "EPOLLHUP"),
    (select.EPOLLERR, "EPOLLERR"),
)


class LogStep(Enum):
    """A kind of step. In the text, ``{}`` stands for the number or the names of the events."""

    WAKE_UP = "{}"
    AGAIN = "next turn"  # from the server's queue, not by epoll
    READ = "read {}"
    WROTE = "wrote {}"
    EAGAIN = "EAGAIN"
    WRITE_EAGAIN = "EAGAIN on write"
    URGENT = "urgent mark"
    END = "end of stream"
    INTEREST = "wait for {}"
    QUEUED = "already queued"
    BUDGET = "turn over, queued"
    ONCE = "read once (switch)"
    SHORT = "short read: nothing left"
    HIGH_WATER = "high-water mark, reading stops"
    PAUSED = "reading paused"
    RESUMED = "reading resumed"
    CLOSED = "closed: {}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One step.

    `time_s` is monotonic; `number` is a count of bytes or EPOLL* bits; `why` is the reason of a
    close.
    """

    time_s: float
    step: LogStep
    number: int = 0
    why: str = ""

    @property
    def text(self) -> str:
        """The step as text."""
        words: str = self.step.value
        if self.step in (LogStep.WAKE_UP, LogStep.INTEREST):
            return words.format(event_names(self.number))
        if self.step is LogStep.CLOSED:
            return words.format(self.why)
        return words.format(self.number)


class EventLog:
    """The latest steps of one client."""

    def __init__(self, client: int) -> None:
        self.client = client
        self._entries: deque[Entry] = deque(maxlen=LENGTH)

    def add(self, time_s: float, step: LogStep, number: int = 0, why: str = "") -> None:
        """Record one step."""
        self._entries.append(Entry(time_s, step, number, why))

    def entries(self) -> tuple[Entry, ...]:
        """Return the steps, oldest first."""
        return tuple(self._entries)


class EventLogs:
    """The logs of one server, by client identifier.

    The first `automatic` clients open at one time have a log from their first step on, and so have
    those selected last, `MOST_LOGS` in all. As many logs of closed clients are kept.
    """

    def __init__(self, automatic: int) -> None:
        self._automatic = automatic
        self._open: dict[int, EventLog] = {}
        self._closed: dict[int, EventLog] = {}

    def begin(self, client: int) -> EventLog | None:
        """Return the log of a new client; None if enough clients have one."""
        if len(self._open) >= self._automatic:
            return None
        self._open[client] = EventLog(client)
        return self._open[client]

    def select(self, client: int) -> tuple[EventLog, int | None]:
        """Return the log of an open client, and the client whose log it replaced, or None."""
        found, dropped = self._open.pop(client, None), None
        if found is None and len(self._open) >= MOST_LOGS:
            dropped = next(iter(self._open))
            del self._open[dropped]
        self._open[client] = found or EventLog(client)  # the newest is dropped last
        return self._open[client], dropped

    def end(self, client: int) -> None:
        """Move the log of a client that was closed."""
        if (closed := self._open.pop(client, None)) is not None:
            self._closed[client] = closed
            while len(self._closed) > MOST_LOGS:
                del self._closed[next(iter(self._closed))]

    def entries(self, client: int | None) -> tuple[Entry, ...]:
        """Return a client's steps, oldest first; empty if it has no log."""
        found = self._open.get(client or 0) or self._closed.get(client or 0)
        return found.entries() if found is not None else ()


def event_names(events: int) -> str:
    """Return ``EPOLLIN|EPOLLRDHUP`` for these bits; ``nothing`` for 0."""
    return "|".join(name for bit, name in _EVENT_NAMES if events & bit) or "nothing"


def lines(entries: Iterable[Entry]) -> list[tuple[float, str]]:
    """Return one line per wake-up: its time, and text like ``EPOLLIN → read 64 → EAGAIN``."""
    made: list[tuple[float, list[str]]] = []
    for entry in entries:
        if not made or entry.step in (
            LogStep.WAKE_UP,
            LogStep.AGAIN,
            LogStep.PAUSED,
            LogStep.RESUMED,
        ):
            made.append((entry.time_s, [entry.text]))
        else:
            made[-1][1].append(entry.text)
    return [(time_s, " → ".join(_folded(words))) for time_s, words in made]


def _folded(words: list[str]) -> list[str]:
    """Fold repeated pairs of steps into one: ``16 × (read 1 → wrote 1)``."""
    folded: list[str] = []
    at = 0
    while at < len(words):
        pair = words[at : at + 2]
        times = 1
        while len(pair) == 2 and words[at + 2 * times : at + 2 * times + 2] == pair:
            times += 1
        if times > 2:
            folded.append(f"{times} × ({' → '.join(pair)})")
            at += 2 * times
        else:
            folded.append(words[at])
            at += 1
    return folded
