"""The end of a server in good order: each client gets what it is owed, and time to end by itself.

What a client is owed is its own affair (`core.echo.client`). One that has it all, our FIN behind
it, and does not end is closed after `PATIENCE_S`; whoever is left after the grace time, by force.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from core.echo.client import Client
from core.echo.snapshot import CloseReason
from core.net.event_loop import EpollLoop

PATIENCE_S = 1.0


class Draining:
    """Begins at once. `clients` is the server's own table; `on_drained` is called by the loop,
    once, when the last of them is gone. The grace time is in seconds."""

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
        self._all_back_s: dict[int, float] = {}  # since when clients lack nothing
        self._timers = (
            loop.call_every(PATIENCE_S / 4, self._end_patience),
            loop.call_every(grace_s, lambda: force(clients)),
        )
        for client in tuple(clients.values()):
            client.drain()
        self.look()

    def look(self) -> None:
        """A client is gone, or there were none."""
        if not self._clients:
            self._loop.call(self._drained)

    def cancel(self) -> None:
        """Wait for nobody any more."""
        for timer in self._timers:
            timer.canceled = True

    def _end_patience(self) -> None:
        now_s = time.monotonic()
        for client in tuple(self._clients.values()):
            if not client.has_all_back:
                self._all_back_s.pop(client.identifier, None)
            elif now_s - self._all_back_s.setdefault(client.identifier, now_s) >= PATIENCE_S:
                client.close(CloseReason.DRAINED)

    def _drained(self) -> None:
        on_drained, self._on_drained = self._on_drained, None
        if on_drained is not None:
            on_drained()


def force(clients: Mapping[int, Client]) -> None:
    """Close all that are left."""
    for client in tuple(clients.values()):
        client.close(CloseReason.FORCED)
