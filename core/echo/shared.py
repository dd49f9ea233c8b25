"""What all clients of one server have in common: the loop, the books, the queue."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from core.echo.accounting import Accounts
from core.echo.options import EchoOptions, Switches
from core.echo.snapshot import EchoTotals
from core.loop import EpollLoop


@dataclass(eq=False, slots=True)
class Shared:
    """One a server."""

    loop: EpollLoop
    options: EchoOptions
    on_closed: Callable[[int], None]  # gets the client's identifier
    totals: EchoTotals = field(default_factory=EchoTotals)
    accounts: Accounts = field(default_factory=Accounts)
    switches: Switches = field(default_factory=Switches)
    unfinished: deque[Callable[[], None]] = field(default_factory=deque)

    def take_up_later(self, function: Callable[[], None]) -> None:
        """Let a client go on after the others have had their turn: epoll will not report it."""
        if not self.unfinished:
            self.loop.call(self._take_up)
        self.unfinished.append(function)

    def _take_up(self) -> None:
        waiting = self.unfinished
        self.unfinished = deque()  # those who come again ask for the next turn
        for function in waiting:
            function()
