"""What happened to one client, step by step: ``EPOLLIN → read 64 → EAGAIN``.

A few clients have a log (`EventLogs`); the others pay one comparison for it. A step is a kind
and a number; words are made for those that are looked at. A wake-up begins a line, and what
the handler did stands behind it.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

LENGTH = 1000  # steps kept
MOST_LOGS = 16  # of open clients, and so many of closed ones

_EVENT_NAMES = (
    (select.EPOLLIN, "EPOLLIN"),
    (select.EPOLLPRI, "EPOLLPRI"),
    (select.EPOLLOUT, "EPOLLOUT"),
    (select.EPOLLRDHUP, "EPOLLRDHUP"),
    (select.EPOLLHUP, "EPOLLHUP"),
    (select.EPOLLERR, "EPOLLERR"),
)


class LogStep(Enum):
    """What happened; the value is the sentence, ``{}`` the number or the event names."""

    WAKE_UP = "{}"
    AGAIN = "taken up again"  # by our own queue, not by epoll
    READ = "read {}"
    WROTE = "wrote {}"
    EAGAIN = "EAGAIN"
    WRITE_EAGAIN = "EAGAIN on write"
    URGENT = "urgent mark"
    END = "end of stream"
    INTEREST = "wait for {}"
    QUEUED = "in the queue already"
    BUDGET = "turn over, queued again"
    ONCE = "read once, as the switch says"
    SHORT = "short read: nothing is left"
    HIGH_WATER = "high-water mark, reading stops"
    PAUSED = "reading paused"
    RESUMED = "reading resumed"
    CLOSED = "closed: {}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One step. ``time_s`` is monotonic; ``number`` counts bytes, or holds EPOLL* bits; ``why`` is
    the reason of an end."""

    time_s: float
    step: LogStep
    number: int = 0
    why: str = ""

    @property
    def text(self) -> str:
        """The step in words."""
        words: str = self.step.value
        if self.step in (LogStep.WAKE_UP, LogStep.INTEREST):
            return words.format(event_names(self.number))
        if self.step is LogStep.CLOSED:
            return words.format(self.why)
        return words.format(self.number)


class EventLog:
    """The last steps of one client."""

    def __init__(self, client: int) -> None:
        self.client = client
        self._entries: deque[Entry] = deque(maxlen=LENGTH)

    def add(self, time_s: float, step: LogStep, number: int = 0, why: str = "") -> None:
        """Note one step."""
        self._entries.append(Entry(time_s, step, number, why))

    def entries(self) -> tuple[Entry, ...]:
        """The steps kept, oldest first."""
        return tuple(self._entries)


class EventLogs:
    """The logs of one server, by client: of `unasked` open clients from their first step on, and of
    those that were selected last, `MOST_LOGS` in all. Those of closed clients are kept a while."""

    def __init__(self, unasked: int) -> None:
        self._unasked = unasked
        self._open: dict[int, EventLog] = {}
        self._ended: dict[int, EventLog] = {}

    def begin(self, client: int) -> EventLog | None:
        """The log of a new client, None if there are enough."""
        if len(self._open) >= self._unasked:
            return None
        self._open[client] = EventLog(client)
        return self._open[client]

    def select(self, client: int) -> tuple[EventLog, int | None]:
        """The log of a client that is open, and whose had to go for it."""
        found, gone = self._open.pop(client, None), None
        if found is None and len(self._open) >= MOST_LOGS:
            gone = next(iter(self._open))
            del self._open[gone]
        self._open[client] = found or EventLog(client)  # the newest is the last to go
        return self._open[client], gone

    def end(self, client: int) -> None:
        """The client is closed."""
        if (ended := self._open.pop(client, None)) is not None:
            self._ended[client] = ended
            while len(self._ended) > MOST_LOGS:
                del self._ended[next(iter(self._ended))]

    def entries(self, client: int | None) -> tuple[Entry, ...]:
        """A client's steps, the oldest first; none where it has no log."""
        found = self._open.get(client or 0) or self._ended.get(client or 0)
        return found.entries() if found is not None else ()


def event_names(events: int) -> str:
    """``EPOLLIN|EPOLLRDHUP``; ``nothing`` for no bit at all."""
    return "|".join(name for bit, name in _EVENT_NAMES if events & bit) or "nothing"


def lines(entries: Iterable[Entry]) -> list[tuple[float, str]]:
    """One line a wake-up: its time and ``EPOLLIN → read 64 → EAGAIN``."""
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
    """Pairs of steps that come again and again, once: ``16 × (read 1 → wrote 1)``."""
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
