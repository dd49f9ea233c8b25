"""The orderly shutdown of a server: each client gets the bytes it is owed, and time to end itself.

`core.echo.orderly_end` defines what a client is owed. A client that has everything, our FIN
included, and does not end is closed after `PATIENCE_S`; whichever clients remain after the grace
time are closed by force.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from core.echo.client import Client
from core.echo.snapshot import CloseReason
from core.net.event_loop import EpollLoop

PATIENCE_S = 1.0


class Shutdown:
    """A shutdown in progress; it begins when it is made.

    `clients` is the server's own table. The loop calls `on_drained` once, when the last client is
    gone. `grace_s` is in seconds.
    """

    def __init__(
        self,
        loop: EpollLoop,
        clients: Mapping[int, Client],
        on_drained: Callable[[], None],
        grace_s: float,
    ) -> None:
        self._loop = loop
        self._clients = clients
        self._on_drained: Callable[[], None] | None = on_drained
        self._complete_since_s: dict[int, float] = {}  # of clients that have everything
        self._timers = (
            loop.call_every(PATIENCE_S / 4, self._close_complete),
            loop.call_every(grace_s, lambda: close_all(clients)),
        )
        for client in tuple(clients.values()):
            client.drain()
        self.check()

    def check(self) -> None:
        """Report the end to `on_drained` if no client is left."""
        if not self._clients:
            self._loop.call(self._report)

    def cancel(self) -> None:
        """Stop the timers: nobody waits for the clients any longer."""
        for timer in self._timers:
            timer.canceled = True

    def _close_complete(self) -> None:
        """Close the clients that have had everything for `PATIENCE_S`."""
        now_s = time.monotonic()
        for client in tuple(self._clients.values()):
            if not client.has_everything:
                self._complete_since_s.pop(client.identifier, None)
            elif now_s - self._complete_since_s.setdefault(client.identifier, now_s) >= PATIENCE_S:
                client.close(CloseReason.DRAINED)

    def _report(self) -> None:
        on_drained, self._on_drained = self._on_drained, None
        if on_drained is not None:
            on_drained()


def close_all(clients: Mapping[int, Client]) -> None:
    """Close every client at once."""
    for client in tuple(clients.values()):
        client.close(CloseReason.FORCED)
