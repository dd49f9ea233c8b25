"""``--demo``: real conversations on loopback, as an introduction to the program.

Theory
------
One thread holds both ends of every conversation. On loopback a connection is complete as soon as
the listener's backlog has it, and a small response fits into the socket buffers, so the calls of
the two sides can simply follow each other: connect, accept, send, receive. Every call has a
timeout, so a firewall on loopback costs one conversation and not the thread.

One conversation runs every `PAUSE_S`:

* HTTP over TCP, IPv4 and (if the host has it) IPv6: handshake, request, response, FINs;
* a DNS query and its response over UDP;
* UDP to a closed port, which the kernel answers with ICMP port unreachable;
* a TCP connection to a closed port, which it answers with a reset;
* and after each of them, a step of the clients of the echo server (`app.demo.echo_clients`).

Only 127.0.0.1 and ::1 are used, and only ports that the kernel chooses or the echo server has.
Everything ends with the program.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType

from app.demo.echo_clients import DemoClients
from core.engine.echo_service import EchoService

PAUSE_S = 0.6
_TIMEOUT_S = 1.0

Conversation = Callable[[], None]


class Demo:
    """The thread with both ends of each conversation. A context manager that ends it."""

    def __init__(self, echo: EchoService | None = None, pause_s: float = PAUSE_S) -> None:
        self._echo = echo
        self._pause_s = pause_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo", daemon=True)
        self.completed = 0  # conversations
        self.failed = 0  # conversations

    def __enter__(self) -> Demo:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=2 * _TIMEOUT_S)

    def _run(self) -> None:
        clients = None if self._echo is None else DemoClients(self._echo, self._stop.wait)
        for conversation in itertools.cycle(list(conversations())):
            self._hold(conversation)
            if clients is not None and not self._hold(clients.step):
                clients.close()  # the server cannot listen: the panel shows why
                clients = None
            if self._stop.wait(self._pause_s):
                break
        if clients is not None:
            clients.close()

    def _hold(self, conversation: Conversation) -> bool:
        try:
            conversation()
        except OSError:
            self.failed += 1
            return False
        self.completed += 1
        return True


def conversations() -> Iterator[Conversation]:
    """Yield every conversation that this host can hold, in order."""
    hosts = ["127.0.0.1", *(["::1"] if _has_ipv6() else [])]
    paths = ("/", "/packets?from=1", "/missing")
    for host, path in zip(itertools.cycle(hosts), paths, strict=False):
        yield partial(http, host, path)
        yield partial(dns_query, host)
        yield partial(closed_udp_port, host)
        yield partial(closed_tcp_port, host)


def http(host: str, path: str) -> None:
    """Exchange one HTTP request and its response over TCP."""
    with _bound(host, socket.SOCK_STREAM) as listener, _new(host, socket.SOCK_STREAM) as client:
        listener.listen(1)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        with server:
            server.settimeout(_TIMEOUT_S)
            client.sendall(
                f"GET {path} HTTP/1.1\r\nHost: demo.rawscope\r\nUser-Agent: rawscope-demo\r\n"
                "Connection: close\r\n\r\n".encode()
            )
            server.recv(4096)
            server.sendall(_http_response(path))
            server.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass


def _http_response(path: str) -> bytes:
    found = path != "/missing"
    body = b"Every byte of this is in the hex view.\n" * 20 if found else b"no such page\n"
    status = "200 OK" if found else "404 Not Found"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def dns_query(host: str) -> None:
    """Exchange a DNS query (RFC 1035 §4.1) for demo.rawscope and its response, over UDP."""
    question = b"\x04demo\x08rawscope\x00" + b"\x00\x01\x00\x01"  # name, type A, class IN
    answer = b"\xc0\x0c\x00\x01\x00\x01" + b"\x00\x00\x00\x3c\x00\x04" + b"\x7f\x00\x00\x01"
    counts = b"\x00\x01%b\x00\x00\x00\x00"
    with _bound(host, socket.SOCK_DGRAM) as server, _new(host, socket.SOCK_DGRAM) as client:
        client.connect(server.getsockname())
        client.send(b"\x52\x53\x01\x00" + counts % b"\x00\x00" + question)
        _, peer = server.recvfrom(512)
        server.sendto(b"\x52\x53\x81\x80" + counts % b"\x00\x01" + question + answer, peer)
        client.recv(512)


def closed_udp_port(host: str) -> None:
    """Send a datagram to a closed port: ICMP port unreachable comes back."""
    with _new(host, socket.SOCK_DGRAM) as client:
        client.connect(_closed_port(host, socket.SOCK_DGRAM))
        client.send(b"is anybody there?")
        with contextlib.suppress(ConnectionRefusedError):
            client.recv(1)


def closed_tcp_port(host: str) -> None:
    """Connect to a closed port: a reset comes back."""
    with (
        _new(host, socket.SOCK_STREAM) as client,
        contextlib.suppress(ConnectionRefusedError),
    ):
        client.connect(_closed_port(host, socket.SOCK_STREAM))


def _new(host: str, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    fresh = socket.socket(family, kind)
    fresh.settimeout(_TIMEOUT_S)
    return fresh


def _bound(host: str, kind: socket.SocketKind) -> socket.socket:
    """Return a socket on a port of the kernel's choice."""
    fresh = _new(host, kind)
    try:
        fresh.bind((host, 0))
    except OSError:
        fresh.close()
        raise
    return fresh


def _closed_port(host: str, kind: socket.SocketKind) -> tuple[str, int]:
    """Return a port that was free a moment ago."""
    with _bound(host, kind) as taken:
        return host, taken.getsockname()[1]


def _has_ipv6() -> bool:
    try:
        _bound("::1", socket.SOCK_STREAM).close()
    except OSError:
        return False
    return True
