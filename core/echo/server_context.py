"""The context that a server's clients share: the loop, the counters, the switches, and the queue.

The queue holds edge-triggered clients whose turn ended before EAGAIN: epoll will not report the
rest of their bytes. One pass of the loop gives turns to as many as fit into `TURN_S`; the others
wait for the next pass. So epoll and timers run in between, however many clients send at once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from core.echo.client_columns import ClientColumns
from core.echo.options import EchoOptions, Switches
from core.echo.snapshot import EchoTotals
from core.net.event_loop import EpollLoop

TURN_S = 0.002  # of the queue, in one pass of the loop


@dataclass(eq=False, slots=True)
class ServerContext:
    """One per server. `on_closed` receives the identifier of a client that closed itself."""

    loop: EpollLoop
    options: EchoOptions
    on_closed: Callable[[int], None]
    totals: EchoTotals = field(default_factory=EchoTotals)
    columns: ClientColumns = field(default_factory=ClientColumns)
    switches: Switches = field(default_factory=Switches)
    queued: deque[Callable[[], None]] = field(default_factory=deque)
    _is_scheduled: bool = False  # the loop will call `_run_queue` in its next pass

    def queue(self, take_turn: Callable[[], None]) -> None:
        """Call `take_turn` once, after the clients that wait already."""
        self.queued.append(take_turn)
        self._schedule()

    def _schedule(self) -> None:
        if self.queued and not self._is_scheduled:
            self._is_scheduled = True
            self.loop.call(self._run_queue)

    def _run_queue(self) -> None:
        self._is_scheduled = False
        queued, ends_s = self.queued, time.monotonic() + TURN_S
        for _ in range(len(queued)):  # a client that queues again waits for the next pass
            queued.popleft()()
            if time.monotonic() >= ends_s:
                break
        self._schedule()
