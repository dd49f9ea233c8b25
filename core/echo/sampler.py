"""Looking at the kernel's side of every client, a slice at a time.

A look costs three system calls (`core.echo.tcp_info`), so ten thousand clients at once would
stop the loop for too long. Each beat takes up where the last one ended and stops after `SLICE_S`;
the selected client is looked at on each beat. Of ten thousand clients each is looked at once in
several seconds, so a sample is written down with its time, and who judges by it must ask how old
it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from core.echo.client import Client
from core.echo.client_columns import ClientColumns
from core.echo.tcp_info import sample

SLICE_S = 0.002
_LOOKS_PER_TIME_CHECK = 16


class Sampler:
    """Writes samples into the books. ``clients`` is the server's own table, by identifier."""

    def __init__(self, clients: Mapping[int, Client], accounts: ClientColumns) -> None:
        self._clients = clients
        self._accounts = accounts
        self._round: Iterator[Client] = iter(())
        self.selected: int | None = None

    def beat(self) -> int:
        """Look at the next slice; returns how many clients were looked at."""
        ends_s = time.monotonic() + SLICE_S
        chosen = self._clients.get(self.selected) if self.selected is not None else None
        if chosen is not None:
            self._look(chosen)
        looked = 0
        for _ in range(len(self._clients)):  # no more than one round
            self._look(self._next())
            looked += 1
            if looked % _LOOKS_PER_TIME_CHECK == 0 and time.monotonic() >= ends_s:
                break
        return looked

    def _next(self) -> Client:
        following = next(self._round, None)
        if following is None:
            self._round = iter(tuple(self._clients.values()))
            following = next(self._round)
        return following

    def _look(self, client: Client) -> None:
        if not client.is_open:
            return  # closed since the round began
        try:
            seen = sample(client.connected)
        except OSError:
            return  # it broke; its next event will tell
        accounts, slot, now_s = self._accounts, client.slot, time.monotonic()
        accounts.sampled_s[slot] = now_s
        if not seen.unread:
            accounts.unread_s[slot] = 0.0
        elif not accounts.unread_s[slot]:
            accounts.unread_s[slot] = now_s
        accounts.tcp_state[slot] = seen.state
        accounts.rtt_us[slot] = seen.rtt_us
        accounts.unread[slot] = seen.unread
        accounts.unsent[slot] = seen.unsent
