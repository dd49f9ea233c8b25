"""Samples of the kernel's side of every client, a slice of the clients at a time.

A sample costs three system calls (`core.echo.tcp_info`), so ten thousand clients at once would stop
the loop for too long. Each tick continues where the last one ended and stops after `SLICE_S`; the
selected client is sampled at every tick. Of ten thousand clients each is sampled once in several
seconds, so a sample is stored with its time, and a reader must check how old it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from core.echo.client import Client
from core.echo.client_columns import ClientColumns
from core.echo.tcp_info import sample

SLICE_S = 0.002
_SAMPLES_PER_TIME_CHECK = 16


class Sampler:
    """Writes samples into `columns`. `clients` is the server's own table, by identifier."""

    def __init__(self, clients: Mapping[int, Client], columns: ClientColumns) -> None:
        self._clients = clients
        self._columns = columns
        self._round: Iterator[Client] = iter(())  # the clients not yet sampled in this round
        self.selected: int | None = None

    def tick(self) -> int:
        """Sample the next slice of clients; return how many."""
        ends_s = time.monotonic() + SLICE_S
        chosen = self._clients.get(self.selected) if self.selected is not None else None
        if chosen is not None:
            self._sample(chosen)
        sampled = 0
        for _ in range(len(self._clients)):  # no more than one round
            self._sample(self._next())
            sampled += 1
            if sampled % _SAMPLES_PER_TIME_CHECK == 0 and time.monotonic() >= ends_s:
                break
        return sampled

    def _next(self) -> Client:
        following = next(self._round, None)
        if following is None:
            self._round = iter(tuple(self._clients.values()))
            following = next(self._round)
        return following

    def _sample(self, client: Client) -> None:
        if not client.is_open:
            return  # closed since the round began
        try:
            seen = sample(client.connected)
        except OSError:
            return  # the connection broke; its next event reports that
        columns, slot, now_s = self._columns, client.slot, time.monotonic()
        columns.sampled_s[slot] = now_s
        if not seen.unread:
            columns.unread_s[slot] = 0.0
        elif not columns.unread_s[slot]:
            columns.unread_s[slot] = now_s
        columns.tcp_state[slot] = seen.state
        columns.rtt_us[slot] = seen.rtt_us
        columns.unread[slot] = seen.unread
        columns.unsent[slot] = seen.unsent
