"""A listening socket in the loop: how it accepts, also without a free descriptor.

Facts:

* A listener is readable when its queue holds a complete connection. *Level*: epoll reports it as
  long as one is left. *Edge*: epoll reports it once per arrival, so we accept until EAGAIN; two
  that arrive together make one event.
* Python calls ``accept4``, which makes the new socket close-on-exec in one step. The new socket
  does *not* inherit O_NONBLOCK (accept(2), Linux), so fcntl(2) sets it. It does inherit the socket
  options: keepalive, TCP_NODELAY, and buffer sizes are set once, here. So is SO_OOBINLINE, which
  must be set before the first segment: without it the kernel removes an urgent byte from the stream
  (tcp(7)), and the echo would lack it.
* Without a free descriptor, accept fails with EMFILE (ENFILE: none in the whole system) and the
  connection stays in the queue: a level-triggered loop would spin at full speed, an edge-triggered
  one would never accept again. So the server turns the connection away (`core.echo.descriptors`)
  and counts it: the peer learns at once that it cannot be served.
* A connection can be gone before it is accepted: ECONNABORTED, or an error of its network. The
  server counts it and tries the next one (accept(2), "Error handling").
* ``EPOLLEXCLUSIVE`` is for several epoll sets that watch one listener: an arrival then wakes
  one of them instead of all. Here only one set watches it.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Callable
from fcntl import F_GETFL, F_SETFL, fcntl

from core.echo.descriptors import NO_DESCRIPTOR, SpareDescriptor
from core.echo.options import EchoOptions, Trigger
from core.echo.snapshot import EchoTotals, ListenerInfo
from core.net.event_loop import EpollLoop, Timer
from core.wire.model.text import safe

ACCEPTS_PER_TURN = 128  # then the clients get a turn
_PAUSE_S = 0.1  # after accept fails for lack of the spare descriptor, or of memory

_MOST_PORT = 0xFFFF
_NO_MEMORY = (errno.ENOBUFS, errno.ENOMEM)

OnClient = Callable[[socket.socket, tuple[str, int], "Listener"], None]


class EchoError(Exception):
    """A listener cannot be opened. One line: the address, the cause, and what to do."""


class Listener:
    """One listening socket. It passes each new client, non-blocking, to `on_client`.

    If that raises OSError, epoll cannot watch the client, which is then turned away.
    """

    def __init__(
        self,
        loop: EpollLoop,
        listening: socket.socket,
        info: ListenerInfo,
        totals: EchoTotals,
        spare: SpareDescriptor,
        on_client: OnClient,
    ) -> None:
        self._loop = loop
        self._listening = listening
        self._info = info
        self._totals = totals
        self._spare = spare
        self._on_client = on_client
        self._accepted = 0
        self._queued = False  # the loop will call `_accept_more`
        self._pause: Timer | None = None
        self._closed = False
        self._watch()

    @property
    def identifier(self) -> int:
        """A number that is never used twice."""
        return self._info.identifier

    @property
    def trigger(self) -> Trigger:
        """The trigger with which epoll reports the listener and its clients."""
        return self._info.trigger

    @property
    def listening(self) -> socket.socket:
        """The socket itself."""
        return self._listening

    @property
    def info(self) -> ListenerInfo:
        """The listener with its present count of accepted clients."""
        known = self._info
        return ListenerInfo(
            known.identifier, known.address, known.port, known.trigger, self._accepted
        )

    def accept_waiting(self, most: int) -> None:
        """Accept the connections in the queue, at most `most`."""
        for _ in range(most):
            if self._pause is not None or not self._accept_one():
                return

    def close(self) -> None:
        """Stop listening; connections still in the queue are reset by the kernel."""
        self._closed = True
        if self._pause is None:
            self._loop.remove(self._listening)
        else:
            self._pause.canceled = True
        self._listening.close()

    def _watch(self) -> None:
        self._loop.add(self._listening, self._on_ready, edge=self.trigger is Trigger.EDGE)

    def _on_ready(self, _events: int) -> None:
        for _ in range(ACCEPTS_PER_TURN):
            if not self._accept_one():
                return
        if self.trigger is Trigger.EDGE and not self._queued:
            self._queued = True
            self._loop.call(self._accept_more)

    def _accept_more(self) -> None:
        self._queued = False
        if not self._closed and self._pause is None:
            self._on_ready(0)

    def _accept_one(self) -> bool:
        """Accept one connection. Return True if there may be another."""
        try:
            connected, peer = self._listening.accept()
        except BlockingIOError:
            return False
        except OSError as error:
            return self._handle(error)
        set_non_blocking(connected)
        try:
            self._on_client(connected, (peer[0], peer[1]), self)
        except OSError:
            connected.close()
            self._totals.turned_away += 1
        else:
            self._accepted += 1
            self._totals.accepted += 1
        return not self._closed

    def _handle(self, error: OSError) -> bool:
        """Handle a failed accept. Return True to try the next connection."""
        try:
            if error.errno in NO_DESCRIPTOR:
                self._spare.turn_away(self._listening)
                self._totals.turned_away += 1
                return True
        except BlockingIOError:
            return False  # the queue is empty
        except OSError as second:
            error = second
        if error.errno in NO_DESCRIPTOR or error.errno in _NO_MEMORY:
            self._loop.remove(self._listening)
            self._pause = self._loop.call_every(_PAUSE_S, self._resume)
            return False
        self._totals.aborted += 1
        return True

    def _resume(self) -> None:
        assert self._pause is not None
        self._pause.canceled = True
        self._pause = None
        self._spare.open()  # before accepting: with the spare, the next one can be turned away
        self._watch()  # EPOLL_CTL_ADD reports what is ready already, with either trigger


def open_listening(address: str, port: int, options: EchoOptions) -> socket.socket:
    """Return a non-blocking listening TCP socket with the options that its clients inherit.

    Raise `EchoError`.
    """
    listening = _bound(address, port, options)
    try:
        listening.listen(options.backlog)
    except OSError as error:
        listening.close()
        raise EchoError(_explain(address, port, error)) from error
    set_non_blocking(listening)
    return listening


def is_address(text: str) -> bool:
    """Return True for an IPv4 or IPv6 address, in brackets or not.

    getaddrinfo(3) accepts more, ``*`` for example.
    """
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def check_listening(address: str, port: int) -> None:
    """Raise the `EchoError` that `open_listening` would, as far as bind(2) can tell."""
    _bound(address, port, EchoOptions()).close()


def _bound(address: str, port: int, options: EchoOptions) -> socket.socket:
    if not 0 <= port <= _MOST_PORT:
        raise EchoError(f"port {port} does not exist: choose one up to {_MOST_PORT}, or 0")
    address = address.strip("[]")  # the program writes IPv6 addresses in brackets
    if not is_address(address):
        raise EchoError(f"{safe(address)!r} is not an IPv4 or IPv6 address")
    try:
        # bytes: for text Python would load a codec, which needs a free descriptor
        found = socket.getaddrinfo(
            address.encode(), port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )
    except (OSError, ValueError) as error:  # ValueError: not UTF-8
        raise EchoError(f"{safe(address)!r} is not an IPv4 or IPv6 address") from error
    family, _, _, _, where = found[0]
    try:
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            _set_options(bound, options)
            bound.bind(where)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise EchoError(_explain(address, port, error)) from error
    return bound


def set_non_blocking(opened: socket.socket) -> None:
    """Set O_NONBLOCK by fcntl(2), and record it in the Python object."""
    fcntl(opened, F_SETFL, fcntl(opened, F_GETFL) | os.O_NONBLOCK)
    opened.setblocking(False)


def _set_options(listening: socket.socket, options: EchoOptions) -> None:
    chosen = [
        (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
        (socket.SOL_SOCKET, socket.SO_OOBINLINE, 1),
    ]
    if listening.family == socket.AF_INET6:
        chosen.append((socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1))  # IPv4 may use the same port
    chosen.append((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1))
    if options.keepalive_idle_s:
        chosen += [
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, options.keepalive_idle_s),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, options.keepalive_interval_s),
            (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, options.keepalive_probes),
        ]
    if options.send_buffer:
        chosen.append((socket.SOL_SOCKET, socket.SO_SNDBUF, options.send_buffer))
    if options.receive_buffer:
        chosen.append((socket.SOL_SOCKET, socket.SO_RCVBUF, options.receive_buffer))
    for level, name, value in chosen:
        listening.setsockopt(level, name, value)


def _explain(address: str, port: int, error: OSError) -> str:
    where = f"port {port} on {address}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use already: choose another port, or 0 for a free one"
    if error.errno == errno.EACCES:
        return f"{where} is reserved for privileged programs: choose a port from 1024 up"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{where}: this host has no such address; 'rawscope interfaces' lists them"
    if error.errno in NO_DESCRIPTOR:
        return f"{where}: no file descriptor is left: raise the limit (ulimit -n)"
    return f"{where}: {error.strerror}"
