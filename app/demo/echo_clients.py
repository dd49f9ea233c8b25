"""``--demo``: real clients of the echo server, so that its panel has something to show.

There are two listeners, one of each trigger, and four kinds of client, each of which shows
something else:

* two that chat, one per listener: a few bytes there and back at every step;
* one that is *slow*: it sends as much as the socket takes and reads little, until the server's
  high-water mark stops reading from it and its row shows *backed up*;
* one that *half-closes*: it sends, ends its direction, and still reads every byte back.

Nothing here waits for an echo: if the user pauses a client, closes it, stops its listener, or lets
the server read one byte at a time, the clients continue as far as they can, and connect again.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

from core.echo.options import Trigger
from core.echo.snapshot import EchoSnapshot
from core.engine.echo_service import DEFAULT_ADDRESS, EchoService

PORTS = ((Trigger.LEVEL, 7007), (Trigger.EDGE, 7008))  # if taken, a free one
CHAT = b"is anybody there?\n"
SLOW_SEND = 8 << 20  # offered per step: more than the buffers of both ends hold
SLOW_READ = 16 * 1024  # per step
ALL = 1 << 20  # more than the other clients have to read
SLOW_BUFFER = 4096  # its SO_RCVBUF: unread bytes stay pending in the server
HALF_CLOSED = b"the last words, and then I only listen\n" * 64
HALF_CLOSE_EVERY = 5  # steps
TIMEOUT_S = 1.0

Wait = Callable[[float], bool]  # waits for seconds; returns True if the demo must end


class _Guest:
    """One client: it connects when needed and never blocks."""

    def __init__(self, port: int, receive_buffer: int = 0) -> None:
        self._port = port
        self._receive_buffer = receive_buffer
        self._socket: socket.socket | None = None

    def step(self, data: bytes, reads: int, *, ends: bool = False) -> None:
        """Send what the socket takes, end this direction if `ends`, read at most `reads` bytes."""
        try:
            if self._socket is None:
                if not data:
                    return  # it only read, and its connection is closed
                self._socket = _connect(self._port, self._receive_buffer)
            with suppress(BlockingIOError):
                while data and (count := self._socket.send(data)):
                    data = data[count:]
            if ends:
                self._socket.shutdown(socket.SHUT_WR)
            with suppress(BlockingIOError):
                while reads > 0 and (count := len(self._socket.recv(min(reads, 1 << 16)))):
                    reads -= count
                if reads > 0:
                    self.close()  # the server has ended
        except OSError:
            self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class DemoClients:
    """The clients. `step` advances each; it raises OSError if the server cannot listen."""

    def __init__(self, echo: EchoService, wait: Wait) -> None:
        self._echo = echo
        self._wait = wait
        self._steps = 0
        self._ports: list[int] = []
        self._chatting: list[_Guest] = []
        self._slow: list[_Guest] = []
        self._ended: list[_Guest] = []  # have half-closed, and only read

    def step(self) -> None:
        """Let each client send a few packets."""
        if not self._ports:
            self._open()
        self._steps += 1
        for guest in self._chatting:
            guest.step(CHAT, ALL)
        for guest in self._slow:
            guest.step(bytes(SLOW_SEND), SLOW_READ)
        for guest in self._ended:
            guest.step(b"", ALL)
        if self._steps % HALF_CLOSE_EVERY == 0:
            self._half_close(self._ports[self._steps // HALF_CLOSE_EVERY % len(self._ports)])

    def close(self) -> None:
        """Close every connection."""
        for guest in (*self._chatting, *self._slow, *self._ended):
            guest.close()

    def _open(self) -> None:
        self._ports = [self._listen(trigger, port) for trigger, port in PORTS]
        self._chatting = [_Guest(port) for port in self._ports]
        self._slow = [_Guest(self._ports[0], SLOW_BUFFER)]

    def _listen(self, trigger: Trigger, port: int) -> int:
        """Start a listener; return its port."""
        for wanted in (port, 0):
            before = self._echo.snapshot()
            self._echo.listen(DEFAULT_ADDRESS, wanted, trigger)
            answer = self._answered(before)
            for info in answer.listeners[len(before.listeners) :]:
                return info.port
        raise OSError(f"the echo server does not listen: {answer.message}")

    def _answered(self, before: EchoSnapshot) -> EchoSnapshot:
        """Return the snapshot that shows a new listener, or the reason why it was not added."""
        for _ in range(100):
            snapshot = self._echo.snapshot()
            if len(snapshot.listeners) > len(before.listeners):
                break
            if snapshot.message not in ("", before.message):
                break
            if self._wait(TIMEOUT_S / 100):
                break
        return snapshot

    def _half_close(self, port: int) -> None:
        for guest in self._ended:
            guest.close()  # it has had time to read everything
        self._ended = [_Guest(port)]
        self._ended[0].step(HALF_CLOSED, 0, ends=True)


def _connect(port: int, receive_buffer: int) -> socket.socket:
    """Return a non-blocking connected socket."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if receive_buffer:  # before connecting: it limits the advertised window
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        made.settimeout(TIMEOUT_S)
        made.connect((DEFAULT_ADDRESS, port))
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
