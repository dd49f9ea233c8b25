"""The echo server: listeners, clients and built-in clients in a loop that it is given.

It has no thread. Whoever runs the loop (the engine's worker, or ``rawscope echo``) makes
the server, and calls its commands in the loop's thread; another thread goes through
`EpollLoop.call`. `snapshot` may be called from any thread: it returns the value that the loop
published last, one assignment, ten times a second.

Ending has two speeds. `drain` accepts who is in the queue, stops listening, echoes what has come
in, sends FIN and waits for the peers, for a grace time at most; `close` ends everything at once.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from core.echo.builtin_client import BuiltinClient
from core.echo.client import Client
from core.echo.descriptors import SpareDescriptor
from core.echo.draining import Draining, force
from core.echo.listener import EchoError, Listener, open_listening
from core.echo.log import EventLogs
from core.echo.options import EchoOptions, Switches, Trigger
from core.echo.sampler import Sampler
from core.echo.server_context import ServerContext
from core.echo.snapshot import CloseReason, EchoSnapshot, EchoTotals, ListenerInfo
from core.net.event_loop import EpollLoop, Timer

PUBLISH_S = 0.1
PUBLISH_SHARE = 50  # of the time, one part in so many goes into that
GRACE_S = 5.0  # for a client to take what it is owed
_LEAST_IDLE_CHECK_S, _MOST_IDLE_CHECK_S = 0.05, 1.0

_SUMMED = ("bytes_in", "wake_ups", "reads", "eagains", "urgent")  # of the clients, open and gone


class EchoServer:
    """Commands are for the loop's thread; `snapshot` for any.

    `logs` open clients have a log from their first step on, others from when they are selected.
    Where nobody asks for snapshots it is not `watched`: then none are made, and the kernel is not
    asked about each client.
    """

    def __init__(
        self,
        loop: EpollLoop,
        options: EchoOptions | None = None,
        *,
        logs: int = 0,
        watched: bool = True,
    ) -> None:
        self._loop = loop
        self._shared = ServerContext(loop, options or EchoOptions(), self._on_closed)
        self._spare = SpareDescriptor()
        self._listeners: dict[int, Listener] = {}
        self._next_listener = 1
        self._clients: dict[int, Client] = {}
        self._talkers: dict[int, BuiltinClient] = {}
        self._logs = EventLogs(logs)
        self._selected: int | None = None
        self._watched = watched
        self._message = ""
        self._sampler = Sampler(self._clients, self._shared.accounts)
        self._draining: Draining | None = None
        self._timers: list[Timer] = [
            loop.call_every(PUBLISH_S, self._beat),
        ]
        if idle_s := self._shared.options.idle_timeout_s:
            beat_s = max(_LEAST_IDLE_CHECK_S, min(_MOST_IDLE_CHECK_S, idle_s / 4))
            self._timers.append(loop.call_every(beat_s, self._close_idle))
        self._publish_after_s = 0.0
        self._published = self.take_snapshot()

    # -- any thread

    def snapshot(self) -> EchoSnapshot:
        """What was so a tenth of a second ago; with ten thousand clients, a third."""
        return self._published

    # -- commands: the loop's thread

    def listen(
        self, address: str = "127.0.0.1", port: int = 0, trigger: Trigger = Trigger.LEVEL
    ) -> ListenerInfo:
        """Listen on one more address and port; port 0 is a free one. Raises `EchoError`."""
        listening = open_listening(address, port, self._shared.options)
        bound = listening.getsockname()
        info = ListenerInfo(self._next_listener, bound[0], bound[1], trigger)
        try:
            self._listeners[info.identifier] = Listener(
                self._loop, listening, info, self._shared.totals, self._spare, self._on_client
            )
        except OSError as error:  # epoll_ctl(2): ENOSPC, ENOMEM
            listening.close()
            raise EchoError(f"{info.name}: epoll cannot watch it: {error.strerror}") from error
        self._next_listener += 1
        self._message = ""
        return info

    def stop_listening(self, identifier: int) -> None:
        """Close a listener; its clients stay."""
        if (listener := self._listeners.get(identifier)) is not None:
            listener.close()
            del self._listeners[identifier]  # not before: `close` must find what is still open
        if (talker := self._talkers.get(identifier)) is not None:
            talker.close()
            del self._talkers[identifier]

    def close_client(self, identifier: int) -> None:
        """Close a client now; nothing happens if it is gone already."""
        if client := self._clients.get(identifier):
            client.close(CloseReason.CLOSED)

    def pause_client(self, identifier: int, paused: bool = True) -> None:
        """Stop reading from a client, or go on: the kernel's buffers fill and then the peer's."""
        if client := self._clients.get(identifier):
            client.pause(paused)

    def toggle_pause(self, identifier: int) -> None:
        """Stop reading from a client that is read, go on with one that is not."""
        if client := self._clients.get(identifier):
            client.pause(not client.paused)

    def select(self, identifier: int | None) -> None:
        """Show the log of this client, and keep one from now on if there is none; None: of none."""
        self._selected = self._sampler.selected = identifier
        if identifier is not None and (client := self._clients.get(identifier)):
            log, gone = self._logs.select(identifier)
            client.note_into(log)
            if gone is not None:
                self._clients[gone].note_into(None)

    @property
    def switches(self) -> Switches:
        """How much is read at a wake-up."""
        return self._shared.switches

    def set_switches(self, switches: Switches) -> None:
        """How much is read at a wake-up, from the next one on."""
        self._shared.switches = switches
        for client in self._clients.values():
            client.obey_switches()

    def has_talker(self, listener: int) -> bool:
        """Return True if the listener's built-in client is connected."""
        talker = self._talkers.get(listener)
        return talker is not None and not talker.closed

    def talk(self, listener: int, size: int) -> None:
        """Have the listener's built-in client send `size` bytes; it is connected at need."""
        if listener not in self._listeners:
            return
        if not self.has_talker(listener):
            try:
                self._talkers[listener] = BuiltinClient(self._loop, self._listeners[listener].info)
            except OSError as error:
                self._message = f"the built-in client cannot connect: {error.strerror}"
                return
        self._talkers[listener].say(size)

    def select_talker(self, listener: int) -> None:
        """Show the log of what the listener's built-in client causes."""
        talker = self._talkers.get(listener)
        if talker is None or talker.closed:
            return
        info = talker.info
        table = self._shared.accounts.table(time.monotonic())
        row = table.row_of_peer(info.address, info.port, listener)
        if row is not None:
            self.select(int(table.identifier[row]))

    def drain(self, on_drained: Callable[[], None], grace_s: float = GRACE_S) -> None:
        """End in good order; `on_drained` is called when the last client is gone.

        The kernel has acknowledged what connections in a listener's queue sent, and closing the
        listener would reset them: so they are accepted first.
        """
        for identifier, listener in tuple(self._listeners.items()):
            listener.accept_waiting(self._shared.options.backlog + 1)
            self.stop_listening(identifier)
        self._draining = Draining(self._loop, self._clients, on_drained, grace_s)

    def close(self) -> None:
        """End everything at once and leave the loop, even if a fault of ours is in the way."""
        sockets = [
            *(listener.listening for listener in self._listeners.values()),
            *(talker.connected for talker in self._talkers.values()),
            *(client.connected for client in self._clients.values()),
        ]
        for timer in self._timers:
            timer.canceled = True
        if self._draining is not None:
            self._draining.cancel()
        try:
            for identifier in tuple(self._listeners):
                self.stop_listening(identifier)
            force(self._clients)
            self._publish()
        finally:
            self._shared.unfinished.clear()
            for left in sockets:
                self._let_go(left)
            self._spare.close()

    def take_snapshot(self) -> EchoSnapshot:
        """Return the latest published state."""
        now_s = time.monotonic()
        return EchoSnapshot(
            taken_s=now_s,
            listeners=tuple(listener.info for listener in self._listeners.values()),
            clients=self._shared.accounts.table(now_s),
            talkers=tuple(talker.info for talker in self._talkers.values()),
            totals=self._totals(),
            loop=self._loop.counters,
            switches=self._shared.switches,
            selected=self._selected,
            log=self._logs.entries(self._selected),
            message=self._message,
        )

    # -- the loop's thread, by itself

    def _on_client(
        self, connected: socket.socket, peer: tuple[str, int], listener: Listener
    ) -> None:
        try:
            client = Client(self._shared, connected, peer, listener.identifier, listener.trigger)
        except BaseException:
            self._let_go(connected)  # nobody else knows of it
            raise
        self._clients[client.identifier] = client
        if (log := self._logs.begin(client.identifier)) is not None:
            client.note_into(log)

    def _on_closed(self, identifier: int) -> None:
        client = self._clients.pop(identifier)
        accounts, totals = self._shared.accounts, self._shared.totals
        for name in _SUMMED:
            setattr(totals, name, getattr(totals, name) + accounts.figure(name, client.slot))
        totals.unsent += accounts.pending[client.slot]
        accounts.close(client.slot)
        self._logs.end(identifier)
        if self._draining is not None:
            self._draining.look()

    def _totals(self) -> EchoTotals:
        accounts, gone = self._shared.accounts, self._shared.totals
        sums = {name: getattr(gone, name) + accounts.sum(name) for name in _SUMMED}
        return replace(gone, closed=dict(gone.closed), pending=accounts.sum("pending"), **sums)

    def _beat(self) -> None:
        """Publish, for no more of the time than its share: with ten thousand clients less often."""
        began_s = time.monotonic()
        if began_s >= self._publish_after_s:
            self._publish()
            ended_s = time.monotonic()
            self._publish_after_s = ended_s + PUBLISH_SHARE * (ended_s - began_s)

    def _publish(self) -> None:
        self._spare.have()
        if self._watched:
            self._sampler.beat()
            self._shared.accounts.note_activity(time.monotonic())
            self._published = self.take_snapshot()

    def _close_idle(self) -> None:
        accounts, timeout_s = self._shared.accounts, self._shared.options.idle_timeout_s
        accounts.note_activity(time.monotonic())
        for slot in accounts.idle_slots(time.monotonic(), timeout_s):
            self._clients[accounts.identifier[slot]].close(CloseReason.IDLE)

    def _let_go(self, opened: socket.socket) -> None:
        """Out of the loop and closed, if it is not yet."""
        if opened.fileno() >= 0:
            with suppress(KeyError, OSError):  # KeyError: a listener at rest is not in it
                self._loop.remove(opened)
            opened.close()
