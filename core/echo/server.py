"""The echo server: listeners, clients, and built-in clients in a loop of the caller.

The server has no thread. The owner of the loop (the engine's worker, or ``rawscope echo``) makes it
and calls its commands in the loop's thread; other threads use `EpollLoop.call`. `snapshot` may be
called from any thread: it returns the value that the loop published last, by one assignment, ten
times a second.

A server ends in one of two ways. `drain` accepts the connections in the queue, stops listening,
echoes every byte that has arrived, sends FIN, and waits for the peers, at most for a grace time;
`close` ends everything at once.
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
from core.echo.listener import EchoError, Listener, open_listening
from core.echo.log import EventLogs
from core.echo.options import EchoOptions, Switches, Trigger
from core.echo.sampler import Sampler
from core.echo.server_context import ServerContext
from core.echo.shutdown import Shutdown, close_all
from core.echo.snapshot import CloseReason, EchoSnapshot, EchoTotals, ListenerInfo
from core.net.event_loop import EpollLoop, Timer

PUBLISH_S = 0.1
PUBLISH_SHARE = 50  # publishing takes at most 1/50 of the time
GRACE_S = 5.0  # for a client to take the bytes it is owed
_LEAST_IDLE_CHECK_S, _MOST_IDLE_CHECK_S = 0.05, 1.0

_SUMMED = ("bytes_in", "wake_ups", "reads", "eagains", "urgent")  # over open and closed clients


class EchoServer:
    """A server. Call its commands in the loop's thread, `snapshot` in any.

    The first `logs` open clients have a log from their first step on, others from their selection
    on. If it is not `watched`, it makes no snapshots and does not query the kernel about each
    client.
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
        self._context = ServerContext(loop, options or EchoOptions(), self._on_closed)
        self._spare = SpareDescriptor()
        self._listeners: dict[int, Listener] = {}
        self._next_listener = 1
        self._clients: dict[int, Client] = {}
        self._builtin_clients: dict[int, BuiltinClient] = {}
        self._logs = EventLogs(logs)
        self._selected: int | None = None
        self._watched = watched
        self._message = ""
        self._sampler = Sampler(self._clients, self._context.columns)
        self._shutdown: Shutdown | None = None
        self._timers: list[Timer] = [
            loop.call_every(PUBLISH_S, self._tick),
        ]
        if idle_s := self._context.options.idle_timeout_s:
            check_s = max(_LEAST_IDLE_CHECK_S, min(_MOST_IDLE_CHECK_S, idle_s / 4))
            self._timers.append(loop.call_every(check_s, self._close_idle))
        self._publish_after_s = 0.0
        self._published = self.take_snapshot()

    # -- any thread

    def snapshot(self) -> EchoSnapshot:
        """Return the latest published state: 0.1 s old at most, with ten thousand clients 0.3 s."""
        return self._published

    # -- commands: the loop's thread

    def listen(
        self, address: str = "127.0.0.1", port: int = 0, trigger: Trigger = Trigger.LEVEL
    ) -> ListenerInfo:
        """Listen on one more address and port; port 0 is a free one. Raise `EchoError`."""
        listening = open_listening(address, port, self._context.options)
        bound = listening.getsockname()
        info = ListenerInfo(self._next_listener, bound[0], bound[1], trigger)
        try:
            self._listeners[info.identifier] = Listener(
                self._loop, listening, info, self._context.totals, self._spare, self._on_client
            )
        except OSError as error:  # epoll_ctl(2): ENOSPC, ENOMEM
            listening.close()
            raise EchoError(f"{info.name}: epoll cannot watch it: {error.strerror}") from error
        self._next_listener += 1
        self._message = ""
        return info

    def stop_listening(self, identifier: int) -> None:
        """Close a listener and its built-in client; its other clients stay."""
        if (listener := self._listeners.get(identifier)) is not None:
            listener.close()
            del self._listeners[identifier]  # after it is closed: if that fails, `close` finds it
        if (builtin := self._builtin_clients.get(identifier)) is not None:
            builtin.close()
            del self._builtin_clients[identifier]

    def close_client(self, identifier: int) -> None:
        """Close a client now. Do nothing if it is closed."""
        if client := self._clients.get(identifier):
            client.close(CloseReason.CLOSED)

    def pause_client(self, identifier: int, paused: bool = True) -> None:
        """Stop reading from a client, or resume: the kernel's buffers fill, then the peer's."""
        if client := self._clients.get(identifier):
            client.pause(paused)

    def toggle_pause(self, identifier: int) -> None:
        """Stop reading from a client, or resume if it is paused."""
        if client := self._clients.get(identifier):
            client.pause(not client.paused)

    def select(self, identifier: int | None) -> None:
        """Show the log of this client, which begins now if it has none; None shows none."""
        self._selected = self._sampler.selected = identifier
        if identifier is not None and (client := self._clients.get(identifier)):
            log, dropped = self._logs.select(identifier)
            client.set_log(log)
            if dropped is not None:
                self._clients[dropped].set_log(None)

    @property
    def switches(self) -> Switches:
        """The teaching switches: how much a wake-up reads."""
        return self._context.switches

    def set_switches(self, switches: Switches) -> None:
        """Set how much a wake-up reads, from the next one on."""
        self._context.switches = switches
        for client in self._clients.values():
            client.apply_switches()

    def has_builtin_client(self, listener: int) -> bool:
        """Return True if the listener's built-in client is connected."""
        builtin = self._builtin_clients.get(listener)
        return builtin is not None and not builtin.closed

    def talk(self, listener: int, size: int) -> None:
        """Let the listener's built-in client send `size` bytes; connect it first if needed."""
        if listener not in self._listeners:
            return
        if not self.has_builtin_client(listener):
            try:
                self._builtin_clients[listener] = BuiltinClient(
                    self._loop, self._listeners[listener].info
                )
            except OSError as error:
                self._message = f"the built-in client cannot connect: {error.strerror}"
                return
        self._builtin_clients[listener].send(size)

    def select_builtin_client(self, listener: int) -> None:
        """Show the log of the server's end of the listener's built-in client."""
        builtin = self._builtin_clients.get(listener)
        if builtin is None or builtin.closed:
            return
        info = builtin.info
        table = self._context.columns.table(time.monotonic())
        row = table.row_of_peer(info.address, info.port, listener)
        if row is not None:
            self.select(int(table.identifier[row]))

    def drain(self, on_drained: Callable[[], None], grace_s: float = GRACE_S) -> None:
        """End in good order; the loop calls `on_drained` when the last client is gone.

        The kernel has acknowledged bytes of the connections in a listener's queue, and closing the
        listener would reset them, so they are accepted first.
        """
        for identifier, listener in tuple(self._listeners.items()):
            listener.accept_waiting(self._context.options.backlog + 1)
            self.stop_listening(identifier)
        self._shutdown = Shutdown(self._loop, self._clients, on_drained, grace_s)

    def close(self) -> None:
        """End everything at once and leave the loop, even if a fault of the server interferes."""
        sockets = [
            *(listener.listening for listener in self._listeners.values()),
            *(builtin.connected for builtin in self._builtin_clients.values()),
            *(client.connected for client in self._clients.values()),
        ]
        for timer in self._timers:
            timer.canceled = True
        if self._shutdown is not None:
            self._shutdown.cancel()
        try:
            for identifier in tuple(self._listeners):
                self.stop_listening(identifier)
            close_all(self._clients)
            self._publish()
        finally:
            self._context.queued.clear()
            for opened in sockets:
                self._close_socket(opened)
            self._spare.close()

    def take_snapshot(self) -> EchoSnapshot:
        """Return the state at this moment."""
        now_s = time.monotonic()
        return EchoSnapshot(
            taken_s=now_s,
            listeners=tuple(listener.info for listener in self._listeners.values()),
            clients=self._context.columns.table(now_s),
            builtin_clients=tuple(one.info for one in self._builtin_clients.values()),
            totals=self._totals(),
            loop=self._loop.counters,
            switches=self._context.switches,
            selected=self._selected,
            log=self._logs.entries(self._selected),
            message=self._message,
        )

    # -- called by the loop

    def _on_client(
        self, connected: socket.socket, peer: tuple[str, int], listener: Listener
    ) -> None:
        try:
            client = Client(self._context, connected, peer, listener.identifier, listener.trigger)
        except BaseException:
            self._close_socket(connected)  # nobody else has it
            raise
        self._clients[client.identifier] = client
        if (log := self._logs.begin(client.identifier)) is not None:
            client.set_log(log)

    def _on_closed(self, identifier: int) -> None:
        client = self._clients.pop(identifier)
        columns, totals = self._context.columns, self._context.totals
        for name in _SUMMED:
            setattr(totals, name, getattr(totals, name) + columns.figure(name, client.slot))
        totals.unsent += columns.pending[client.slot]
        columns.close(client.slot)
        self._logs.end(identifier)
        if self._shutdown is not None:
            self._shutdown.check()

    def _totals(self) -> EchoTotals:
        columns, closed = self._context.columns, self._context.totals
        sums = {name: getattr(closed, name) + columns.sum(name) for name in _SUMMED}
        return replace(closed, closed=dict(closed.closed), pending=columns.sum("pending"), **sums)

    def _tick(self) -> None:
        """Publish, less often if it takes long: it gets one part in `PUBLISH_SHARE` of the time."""
        began_s = time.monotonic()
        if began_s >= self._publish_after_s:
            self._publish()
            ended_s = time.monotonic()
            self._publish_after_s = ended_s + PUBLISH_SHARE * (ended_s - began_s)

    def _publish(self) -> None:
        self._spare.open()
        if self._watched:
            self._sampler.tick()
            self._context.columns.note_activity(time.monotonic())
            self._published = self.take_snapshot()

    def _close_idle(self) -> None:
        columns, timeout_s = self._context.columns, self._context.options.idle_timeout_s
        columns.note_activity(time.monotonic())
        for slot in columns.idle_slots(time.monotonic(), timeout_s):
            self._clients[columns.identifier[slot]].close(CloseReason.IDLE)

    def _close_socket(self, opened: socket.socket) -> None:
        """Remove a socket from the loop and close it, unless it is closed."""
        if opened.fileno() >= 0:
            with suppress(KeyError, OSError):  # KeyError: a paused listener is not in it
                self._loop.remove(opened)
            opened.close()
