"""``--demo``: real clients of the echo server, so that its panel has something to show.

Two listeners, one of each trigger, and four kinds of client, each with its own lesson:

* two that chat, one a listener: a few bytes there and back every turn;
* one that is *slow*: it sends as much as goes in and reads little, until the server's high-water
  mark stops reading from it and its row says *backed up*;
* one that *half-closes*: it sends, ends its direction, and still reads every byte back.

Nothing here waits for an echo: the user may pause a client, close it, stop its listener or have
the server read one byte at a time, and then this goes on as far as it can, and connects again.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

from core.echo.options import Trigger
from core.echo.snapshot import EchoSnapshot
from core.engine.echo_service import DEFAULT_ADDRESS, EchoService

PORTS = ((Trigger.LEVEL, 7007), (Trigger.EDGE, 7008))  # a free one where another program has it
CHAT = b"is anybody there?\n"
SLOW_SEND = 8 << 20  # a turn, as far as it goes in: more than the buffers of both ends hold
SLOW_READ = 16 * 1024  # a turn
ALL = 1 << 20  # more than the others have to read
SLOW_BUFFER = 4096  # its SO_RCVBUF: what it does not read waits with the server
HALF_CLOSED = b"the last words, and then I only listen\n" * 64
HALF_CLOSE_EVERY = 5  # turns
TIMEOUT_S = 1.0

Wait = Callable[[float], bool]  # waits so many seconds; true if it is time to end


class _Guest:
    """One client: connected at need, never waited for."""

    def __init__(self, port: int, receive_buffer: int = 0) -> None:
        self._port = port
        self._receive_buffer = receive_buffer
        self._socket: socket.socket | None = None

    def turn(self, data: bytes, reads: int, *, ends: bool = False) -> None:
        """Send as much as goes in, end this direction if asked, read at most so much."""
        try:
            if self._socket is None:
                if not data:
                    return  # it was there to listen, and that is over
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
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class DemoClients:
    """The clients; `turn` lets each do its next thing. OSError where the server cannot listen."""

    def __init__(self, echo: EchoService, wait: Wait) -> None:
        self._echo = echo
        self._wait = wait
        self._turns = 0
        self._ports: list[int] = []
        self._chatting: list[_Guest] = []
        self._slow: list[_Guest] = []
        self._ended: list[_Guest] = []  # they only listen now

    def turn(self) -> None:
        """A few packets of each."""
        if not self._ports:
            self._open()
        self._turns += 1
        for guest in self._chatting:
            guest.turn(CHAT, ALL)
        for guest in self._slow:
            guest.turn(bytes(SLOW_SEND), SLOW_READ)
        for guest in self._ended:
            guest.turn(b"", ALL)
        if self._turns % HALF_CLOSE_EVERY == 0:
            self._half_close(self._ports[self._turns // HALF_CLOSE_EVERY % len(self._ports)])

    def close(self) -> None:
        """End every connection."""
        for guest in (*self._chatting, *self._slow, *self._ended):
            guest.close()

    def _open(self) -> None:
        self._ports = [self._listen(trigger, port) for trigger, port in PORTS]
        self._chatting = [_Guest(port) for port in self._ports]
        self._slow = [_Guest(self._ports[0], SLOW_BUFFER)]

    def _listen(self, trigger: Trigger, port: int) -> int:
        """The port that the server listens on now."""
        for wanted in (port, 0):
            before = self._echo.snapshot()
            self._echo.listen(DEFAULT_ADDRESS, wanted, trigger)
            answer = self._answered(before)
            for info in answer.listeners[len(before.listeners) :]:
                return info.port
        raise OSError(f"the echo server does not listen: {answer.message}")

    def _answered(self, before: EchoSnapshot) -> EchoSnapshot:
        """The snapshot that shows a new listener, or says why there is none."""
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
            guest.close()  # it has had all the time it needed
        self._ended = [_Guest(port)]
        self._ended[0].turn(HALF_CLOSED, 0, ends=True)


def _connect(port: int, receive_buffer: int) -> socket.socket:
    """A non-blocking connected socket."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if receive_buffer:  # before connecting: it bounds the window that is offered
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        made.settimeout(TIMEOUT_S)
        made.connect((DEFAULT_ADDRESS, port))
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
