"""What all clients of one server have in common: the loop, the books, the queue.

In the queue stand edge-triggered clients whose turn ended before EAGAIN: no event will come for
what is left. One pass of the loop takes up as many as go into `TURN_S`, the others wait for the
next: so between them epoll is asked and timers run, however many clients pour in.
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
    """One a server."""

    loop: EpollLoop
    options: EchoOptions
    on_closed: Callable[[int], None]  # gets the client's identifier
    totals: EchoTotals = field(default_factory=EchoTotals)
    accounts: ClientColumns = field(default_factory=ClientColumns)
    switches: Switches = field(default_factory=Switches)
    unfinished: deque[Callable[[], None]] = field(default_factory=deque)
    _called: bool = False  # the loop has been asked for the next pass

    def take_up_later(self, function: Callable[[], None]) -> None:
        """Let a client go on after the others have had their turn: epoll will not report it."""
        self.unfinished.append(function)
        self._call()

    def _call(self) -> None:
        if self.unfinished and not self._called:
            self._called = True
            self.loop.call(self._take_up)

    def _take_up(self) -> None:
        self._called = False
        waiting, ends_s = self.unfinished, time.monotonic() + TURN_S
        for _ in range(len(waiting)):  # who comes again stands at the end, for the next turn
            waiting.popleft()()
            if time.monotonic() >= ends_s:
                break
        self._call()
