"""The epoll loop of capture, forge and echo.

Some facts about epoll (epoll(7), epoll_ctl(2), epoll_wait(2)):

* An epoll instance is itself a file descriptor: a set, kept in the kernel, of (descriptor,
  events of interest). `EPOLL_CLOEXEC` keeps programs that we start from inheriting it. Being a
  descriptor, it can be polled itself: one epoll set may be a source in another.
* `ADD` puts a descriptor in, `MOD` replaces its events, `DEL` takes it out. The set holds the
  *open file description*, not the number: closing a number leaves the set only when it was the last
  one for that description (a duplicate, or a `mmap` of it, keeps it in). So remove, then close.
* The wait takes a timeout: −1 waits forever, 0 only polls, n waits at most n milliseconds. It
  returns at most *maxevents* events; the others are not lost, the next wait returns them, and the
  kernel rotates the ready list, so no descriptor starves.
* *Level* triggered: the event comes back on every wait as long as the condition holds. A handler
  may read a little and return. *Edge* triggered: it comes once per change; a handler must read
  until EAGAIN, or it waits for bytes that are already there.
* `EPOLLERR` and `EPOLLHUP` are always reported, requested or not. `EPOLLRDHUP` (the peer closed
  its sending half) must be requested, and may come together with `EPOLLIN`: read first.
* One wait returns a batch of events. A handler early in a batch may close a descriptor whose event
  comes later in it, and even open a new one that gets the same number: a *stale* event.

So the loop remembers, until the end of a batch, the numbers that were removed during it. It skips
and counts the remaining events of these numbers, whatever they refer to by then. When a handler
raises, the loop does not dispatch the rest of the batch: level-triggered events are reported again.
Any thread may call `call` and `stop`, which add to a queue and write to an eventfd that is a source
like any other. Everything else belongs to the thread that runs the loop.
"""

from __future__ import annotations

import heapq
import os
import select
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol

from core.net.loop_counters import LoopCounters

Handler = Callable[[int], None]  # gets the EPOLL* bits that are ready

FOREVER = -1


class HasDescriptor(Protocol):
    """An object with a file descriptor."""

    def fileno(self) -> int: ...


@dataclass(order=True, slots=True)
class Timer:
    """A function that the loop calls every `interval_s` seconds until `canceled` is set."""

    due_s: float
    order: int
    interval_s: float = field(compare=False)
    function: Callable[[], None] = field(compare=False)
    canceled: bool = field(default=False, compare=False)


class EpollLoop:
    """One epoll instance, its sources, and a thread-safe queue of calls.

    ``max_events`` bounds one batch. Sources are descriptors or objects with ``fileno()``; a
    handler gets the ready bits (``select.EPOLLIN`` …). Exceptions of handlers leave `run`.
    """

    def __init__(self, max_events: int = 64) -> None:
        self._epoll = select.epoll(flags=select.EPOLL_CLOEXEC)
        self._poll = self._epoll.poll
        self._max_events = max_events
        self._handlers: dict[int, Handler] = {}
        self._removed: set[int] = set()  # since the current batch began
        self._timers: list[Timer] = []
        self._timer_order = count()
        self._counters = LoopCounters()
        self._stopping = False
        self._calls: deque[Callable[[], None]] = deque()
        self._wake_up = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.add(self._wake_up, self._on_wake_up)

    # -- sources: the loop's own thread only

    def add(
        self,
        source: int | HasDescriptor,
        handler: Handler,
        events: int = select.EPOLLIN,
        *,
        edge: bool = False,
    ) -> None:
        """Add a source (EPOLL_CTL_ADD).

        Raises FileExistsError if the descriptor is already in the set.
        """
        descriptor = _descriptor(source)
        self._epoll.register(descriptor, _interest(events, edge))
        self._handlers[descriptor] = handler

    def modify(self, source: int | HasDescriptor, events: int, *, edge: bool = False) -> None:
        """Wait for other events (EPOLL_CTL_MOD). Raises FileNotFoundError if it is not in."""
        self._epoll.modify(_descriptor(source), _interest(events, edge))

    def remove(self, source: int | HasDescriptor) -> None:
        """Remove a source (EPOLL_CTL_DEL) before its descriptor is closed; drop pending events."""
        descriptor = _descriptor(source)
        del self._handlers[descriptor]
        self._removed.add(descriptor)
        self._epoll.unregister(descriptor)

    def call_every(self, interval_s: float, function: Callable[[], None]) -> Timer:
        """Call `function` every `interval_s` seconds; set the timer's `canceled` to end it."""
        due_s = time.monotonic() + interval_s
        timer = Timer(due_s, next(self._timer_order), interval_s, function)
        heapq.heappush(self._timers, timer)
        return timer

    # -- any thread

    def call(self, function: Callable[[], None]) -> None:
        """Schedule `function` to run soon in the loop's thread; calls keep their order."""
        self._calls.append(function)
        os.eventfd_write(self._wake_up, 1)

    def stop(self) -> None:
        """Make `run` return after its current pass."""
        self.call(self._set_stopping)

    @property
    def counters(self) -> LoopCounters:
        """Return a copy of the counters."""
        return replace(self._counters)

    # -- running

    def run(self) -> None:
        """Wait and dispatch until `stop`."""
        self._stopping = False
        self._run_passes(FOREVER, once=False)

    def run_once(self, timeout_ms: int = 0) -> int:
        """Wait once, call the handlers of ready sources, and return the number of events.

        ``timeout_ms`` is that of epoll_wait(2): −1 waits forever, 0 does not wait, n waits at most
        n milliseconds. A timer that is due sooner shortens the wait.
        """
        return self._run_passes(timeout_ms / 1000 if timeout_ms >= 0 else FOREVER, once=True)

    def _run_passes(self, longest_s: float, once: bool) -> int:
        """Run one pass, or passes until `stop`; return the number of events of the last one.

        The pass is inlined in this function, and the end of one is the start of the next: with few
        events per wait, a pass is a tenth of the cost of each message of a busy server.
        """
        counters, timers, handlers, removed = (
            self._counters, self._timers, self._handlers, self._removed,
        )  # fmt: skip
        poll, most, clock_s = self._poll, self._max_events, time.monotonic
        started_s = clock_s()
        while True:
            timeout_s = longest_s
            if timers:  # poll rounds up to milliseconds, so a timer is never early
                due_s = timers[0].due_s - started_s
                if timeout_s < 0 or due_s < timeout_s:
                    timeout_s = due_s if due_s > 0 else 0.0
            ready = poll(timeout_s, most)
            returned_s = clock_s()
            counters.waits += 1
            counters.kernel_s += returned_s - started_s
            try:
                if ready:
                    counters.events += len(ready)
                    removed.clear()
                    for descriptor, events in ready:
                        handler = handlers.get(descriptor)  # None: a duplicate is still in the set
                        if handler is None or (removed and descriptor in removed):
                            counters.stale += 1
                        else:
                            handler(events)
                else:
                    counters.timeouts += 1
                if timers and timers[0].due_s <= returned_s:
                    self._run_timers(returned_s)
            finally:
                started_s = clock_s()
                counters.handlers_s += started_s - returned_s
            if once or self._stopping:
                return len(ready)

    def close(self) -> None:
        """Close the epoll instance and the wake-up descriptor, not the sources."""
        self._epoll.close()
        os.close(self._wake_up)
        self._wake_up = -1  # a late `call` fails instead of writing to a reused descriptor
        self._handlers.clear()
        self._timers.clear()

    def _run_timers(self, now_s: float) -> None:
        while self._timers and self._timers[0].due_s <= now_s:
            timer = heapq.heappop(self._timers)
            if timer.canceled:
                continue
            timer.due_s = now_s + timer.interval_s  # a late loop skips intervals
            heapq.heappush(self._timers, timer)
            timer.function()

    def _on_wake_up(self, _events: int) -> None:
        os.eventfd_read(self._wake_up)
        for _ in range(len(self._calls)):  # calls added during this loop have written again
            self._calls.popleft()()

    def _set_stopping(self) -> None:
        self._stopping = True


def _interest(events: int, edge: bool) -> int:
    return events | select.EPOLLET if edge else events


def _descriptor(source: int | HasDescriptor) -> int:
    return source if isinstance(source, int) else source.fileno()
