"""The common part of all I/O models: one echo peer, and the count of system calls.

The models differ in how they learn that a socket is ready, not in what they do then. So the echo
itself, with its backlog and its half-close, is here once; it reads or writes when a model calls it,
counts each call where it makes it, and never waits.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Sequence

from core.echo.connection import EchoConnection
from core.echo.options import READ_SIZE

Calls = Counter[str]  # system calls by name, those that got EAGAIN included


class ModelRefusedError(Exception):
    """A model cannot run here. The text is one line with the cause."""


Serve = Callable[[Sequence[socket.socket], Calls], None]


class Peer:
    """One non-blocking connection of a model."""

    __slots__ = ("_calls", "_connected", "_connection", "descriptor")

    def __init__(self, connected: socket.socket, calls: Calls) -> None:
        self._connected = connected
        self._connection = EchoConnection()
        self._calls = calls
        self.descriptor = connected.fileno()

    @property
    def wants_read(self) -> bool:
        """True if more may be read."""
        return self._connection.wants_read

    @property
    def wants_write(self) -> bool:
        """True if bytes are pending because the kernel's buffer was full."""
        return self._connection.pending > 0

    @property
    def finished(self) -> bool:
        """True if the peer has ended and has everything back, or is gone."""
        return self._connection.finished

    def read(self) -> bool:
        """Call recv once, and echo the bytes. Return False without any, or at the end."""
        self._calls["recv"] += 1
        try:
            data = self._connected.recv(READ_SIZE)
        except BlockingIOError:
            return False
        except ConnectionError:
            self._lose()
            return False
        if data:
            self.received(data)
        else:
            self._connection.receive_end()
        return bool(data)

    def received(self, data: bytes) -> None:
        """Send the bytes back, or keep them."""
        if not self._connection.pending:
            data = data[self._send(data) :]
        if data and not self.finished:
            self._connection.keep(data)

    def drain(self) -> None:
        """Read until EAGAIN, the end, or the high-water mark."""
        while self.wants_read and self.read():
            pass

    def flush(self) -> None:
        """Send what is pending until it is gone or the kernel's buffer is full."""
        while self._connection.pending:
            sent = self._send(self._connection.output())
            if not sent:
                return
            self._connection.sent(sent)

    def close(self) -> None:
        """Close the connection."""
        self._connected.close()

    def _send(self, data: bytes | memoryview) -> int:
        self._calls["send"] += 1
        try:
            return self._connected.send(data)
        except BlockingIOError:
            return 0
        except ConnectionError:
            self._lose()
            return 0

    def _lose(self) -> None:
        self._connection.receive_end()
        self._connection.sent(self._connection.pending)


def non_blocking_peers(connections: Sequence[socket.socket], calls: Calls) -> dict[int, Peer]:
    """Return a peer for each connection, by descriptor."""
    for connected in connections:
        connected.setblocking(False)
    return {connected.fileno(): Peer(connected, calls) for connected in connections}
