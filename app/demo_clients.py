"""``--demo``: real clients of the echo server, so that its panel has something to show.

Two listeners, one of each trigger, and four kinds of client, each with its own lesson:

* two that chat, one a listener: a few bytes there and back every turn;
* one that is *slow*: it sends as much as goes in and reads little, until the server's high-water
  mark stops reading from it and its row says *backed up*;
* one that *half-closes*: it sends, ends its direction, and still reads every byte back.

One thread, no waiting: sockets that could block are non-blocking or have a timeout.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

from core.echo.options import Trigger
from core.echo.snapshot import EchoSnapshot
from core.serving import DEFAULT_ADDRESS, EchoService

PORTS = ((Trigger.LEVEL, 7007), (Trigger.EDGE, 7008))  # a free one where another program has it
CHAT = b"is anybody there?\n"
SLOW_SEND = 64 * 1024  # at once, while it goes in
SLOW_SENDS = 96  # a turn; more than the buffers of both ends hold
SLOW_READ = 16 * 1024  # a turn
SLOW_BUFFER = 4096  # its SO_RCVBUF: what it does not read waits with the server
HALF_CLOSED = b"the last words, and then I only listen\n" * 64
HALF_CLOSE_EVERY = 5  # turns
TIMEOUT_S = 1.0

Wait = Callable[[float], bool]  # waits so many seconds; true if it is time to end


class DemoClients:
    """The clients; `turn` lets each do its next thing. OSError where loopback is not ours."""

    def __init__(self, echo: EchoService, wait: Wait) -> None:
        self._echo = echo
        self._wait = wait
        self._turns = 0
        self._ports: list[int] = []
        self._chatting: list[socket.socket] = []
        self._slow: socket.socket | None = None

    def turn(self) -> None:
        """A few packets of each."""
        if not self._ports:
            self._open()
        self._turns += 1
        for client in self._chatting:
            client.sendall(CHAT)
            _receive(client, len(CHAT))
        self._push()
        if self._turns % HALF_CLOSE_EVERY == 0:
            self._half_close(self._ports[self._turns // HALF_CLOSE_EVERY % len(self._ports)])

    def close(self) -> None:
        """End every connection."""
        for client in (*self._chatting, self._slow):
            if client is not None:
                client.close()
        self._chatting, self._slow = [], None

    def _open(self) -> None:
        ports = [self._listen(trigger, port) for trigger, port in PORTS]
        self._chatting = [_connect(port) for port in ports]
        self._slow = _connect(ports[0], SLOW_BUFFER)
        self._slow.setblocking(False)
        self._ports = ports

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

    def _push(self) -> None:
        assert self._slow is not None
        with suppress(BlockingIOError):
            for _ in range(SLOW_SENDS):
                self._slow.send(bytes(SLOW_SEND))
        with suppress(BlockingIOError):
            self._slow.recv(SLOW_READ)

    def _half_close(self, port: int) -> None:
        with _connect(port) as client:
            client.sendall(HALF_CLOSED)
            client.shutdown(socket.SHUT_WR)
            _receive(client, len(HALF_CLOSED))


def _connect(port: int, receive_buffer: int = 0) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if receive_buffer:  # before connecting: it bounds the window that is offered
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        made.settimeout(TIMEOUT_S)
        made.connect((DEFAULT_ADDRESS, port))
    except OSError:
        made.close()
        raise
    return made


def _receive(client: socket.socket, size: int) -> None:
    while size and (data := client.recv(size)):
        size -= len(data)
