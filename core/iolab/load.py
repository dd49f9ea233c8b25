"""A load of echo clients: many connections, each with one message in flight at a time.

Each busy client sends a message, waits until all of it has come back, compares it, and sends the
next: so messages per second and delay are two sides of one thing, and a client never has more than
one message in the server. Idle clients connect and send nothing.

To be faster than the server, it works on bare descriptors, all tables are lists indexed by them,
and it reads the clock once per batch: a delay is exact to the time that one batch of events takes.
It runs in a process of its own (``python -m core.iolab.load``), so that the two sides share neither
interpreter nor processor time accounting; it prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass

from core.echo.descriptors import raise_descriptor_limit

CONNECT_TIMEOUT_S = 10.0
CONNECTED = "connected"  # written to stderr before the first message
SILENCE_S = 10.0  # after so long without an echo the server is considered broken


class LoadError(Exception):
    """The server refused, ended, fell silent, or sent back other bytes."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The figures. Times are in seconds, delays in microseconds."""

    messages: int
    seconds: float
    cpu_s: float  # of the load itself: near `seconds`, it was the bottleneck
    p50_us: float
    p99_us: float

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds


def connect(address: str, port: int) -> socket.socket:
    """Return a connected blocking socket without Nagle's delay. Raise `LoadError`."""
    try:
        made = socket.create_connection((address, port), CONNECT_TIMEOUT_S)
    except OSError as error:
        raise LoadError(f"connecting to {address} port {port}: {error}") from error
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.settimeout(None)
    return made


class Load:
    """The clients of one run. A context manager that closes them."""

    def __init__(self, address: str, port: int, clients: int, idle: int, size: int) -> None:
        self._sockets: list[socket.socket] = []
        self._epoll = select.epoll(flags=select.EPOLL_CLOEXEC)
        self._messages: list[bytes] = []  # by descriptor, as are the next two
        self._sent_s: list[float] = []
        self._partial: dict[int, bytes] = {}
        self._busy: list[int] = []
        for number in range(idle + clients):
            made = connect(address, port)
            self._sockets.append(made)
            if number >= idle:  # connected last: once they are served, all are accepted
                self._busy.append(made.fileno())
        most = max(self._busy, default=0) + 1
        self._messages = [b""] * most
        self._sent_s = [0.0] * most
        for number, descriptor in enumerate(self._busy):
            self._messages[descriptor] = _message(number, size)
            os.set_blocking(descriptor, False)
            self._epoll.register(descriptor, select.EPOLLIN)

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self._epoll.close()
        for made in self._sockets:
            made.close()

    def settle(self) -> None:
        """Exchange one message on each busy connection. Raise `LoadError`.

        Connections are accepted in the order in which they were made, so by then the server has
        accepted all.
        """
        self.run(float("inf"), len(self._busy))

    def run(self, seconds: float, most: int = sys.maxsize) -> LoadResult:
        """Send for `seconds`, or at most `most` messages. Raise `LoadError`."""
        delays: list[float] = []
        cpu_s, started_s = time.process_time(), time.perf_counter()
        first = self._busy[:most]
        for descriptor in first:
            self._sent_s[descriptor] = started_s
            os.write(descriptor, self._messages[descriptor])
        left, under_way, ends_s = most - len(first), len(first), started_s + seconds
        while under_way:
            ready = self._epoll.poll(SILENCE_S)
            if not ready:
                raise LoadError(f"nothing came back for {SILENCE_S:g} s")
            now_s = time.perf_counter()
            if now_s >= ends_s:
                left = 0
            came = self._exchange(ready, now_s, left, delays)
            under_way -= max(0, came - left)
            left = max(0, left - came)
        taken_s = time.perf_counter() - started_s
        delays.sort()
        return LoadResult(
            messages=len(delays),
            seconds=taken_s,
            cpu_s=time.process_time() - cpu_s,
            p50_us=_percentile(delays, 0.50) * 1e6,
            p99_us=_percentile(delays, 0.99) * 1e6,
        )

    def _exchange(
        self, ready: list[tuple[int, int]], now_s: float, left: int, delays: list[float]
    ) -> int:
        """Receive the echoes, and send at most `left` new messages.

        Return how many echoes were complete.
        """
        came = 0
        messages, sent_s, read, write = self._messages, self._sent_s, os.read, os.write
        for descriptor, _events in ready:
            message = messages[descriptor]
            try:
                data = read(descriptor, len(message))
            except OSError as error:
                raise LoadError(f"a connection broke: {error.strerror}") from error
            if data != message and not self._completes(descriptor, data, message):
                continue
            delays.append(now_s - sent_s[descriptor])
            if came < left:
                sent_s[descriptor] = now_s
                write(descriptor, message)
            came += 1
        return came

    def _completes(self, descriptor: int, data: bytes, message: bytes) -> bool:
        if not data:
            raise LoadError("the server ended a connection")
        whole = self._partial.pop(descriptor, b"") + data
        if whole == message:
            return True
        if not message.startswith(whole):
            raise LoadError("the echo differs from what was sent")
        self._partial[descriptor] = whole
        return False


def _message(number: int, size: int) -> bytes:
    """Return bytes that differ from client to client."""
    head = number.to_bytes(4, "big")
    return (head * (size // 4 + 1))[:size]


def _percentile(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def main(arguments: list[str]) -> int:
    """Run ``python -m core.iolab.load PORT …``.

    Print one JSON object and return 0, or one line of error and return 1.
    """
    parser = argparse.ArgumentParser(prog="load")
    parser.add_argument("port", type=int)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--idle", type=int, default=0)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--messages", type=int, default=sys.maxsize, help="of all clients")
    parser.add_argument("--settle", action="store_true", help="first let the server accept all")
    given = parser.parse_args(arguments)
    raise_descriptor_limit()
    try:
        with Load(given.address, given.port, given.clients, given.idle, given.size) as load:
            if given.settle:
                load.settle()
            sys.stderr.write(CONNECTED + "\n")
            sys.stderr.flush()
            result = load.run(given.seconds, given.messages)
    except LoadError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(asdict(result)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
