"""io_uring: the program hands over work, the kernel hands back results.

* Two rings lie in memory that both sides see (io_uring(7)): the program writes *submissions*
  (receive into this buffer, send these bytes), the kernel writes *completions*. One
  ``io_uring_enter`` both submits all that is new and waits for the next completion.
* Readiness is never asked for: a receive that finds nothing stays with the kernel until there
  are bytes. So there is no EAGAIN, and a loaded server makes fewer system calls than messages.
* The buffer belongs to the kernel until the completion: each client has one of its own.

The rings are reached through the package ``liburing``, an optional extra (``rawscope[lab]``).
Containers often forbid io_uring (seccomp, or the sysctl ``kernel.io_uring_disabled``); then the
model says so.
"""

from __future__ import annotations

import importlib
import socket
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from core.echo.peers import Calls, ModelRefusedError

_BUFFER = 64 * 1024
_MOST_BUFFERS = 64 << 20  # bytes, shared by all clients
_LEAST_BUFFER = 4096
_ENTRIES = 4096


def serve(connections: Sequence[socket.socket], calls: Calls) -> None:
    """Echo until every peer has ended."""
    uring = _load()
    ring, completion = uring.Ring(), uring.Cqe()
    try:
        uring.io_uring_queue_init(_ENTRIES, ring)
    except OSError as error:
        raise ModelRefusedError(f"the kernel refuses io_uring: {error.strerror}") from error
    try:
        _Echo(uring, ring, completion, calls).run(connections)
    finally:
        uring.io_uring_queue_exit(ring)


def _load() -> ModuleType:
    try:
        return importlib.import_module("liburing")
    except ImportError as error:
        raise ModelRefusedError(
            "the package liburing is not installed: pip install 'rawscope[lab]'"
        ) from error


class _Echo:
    """Each client has one operation under way: a receive, or the send of what it brought."""

    def __init__(self, uring: Any, ring: Any, completion: Any, calls: Calls) -> None:
        self._uring = uring
        self._ring = ring
        self._completion = completion
        self._calls = calls
        self._buffers: list[bytearray] = []
        self._sending: list[bytes] = []  # empty: a receive is under way
        self._connections: Sequence[socket.socket] = ()

    def run(self, connections: Sequence[socket.socket]) -> None:
        size = max(_LEAST_BUFFER, min(_BUFFER, _MOST_BUFFERS // max(1, len(connections))))
        self._connections = connections
        self._buffers = [bytearray(size) for _ in connections]
        self._sending = [b""] * len(connections)
        for index in range(len(connections)):
            self._receive(index)
        left = len(connections)
        while left:
            self._calls["io_uring_enter"] += 1
            self._uring.io_uring_submit_and_wait(self._ring, 1)
            for index, result in self._completions():
                left -= not self._go_on(index, result)

    def _completions(self) -> list[tuple[int, int]]:
        """(client, bytes) of all that is done; −1 for a connection that broke."""
        done = []
        iterator = self._uring.io_uring_cqe_iter_init(self._ring)
        while self._uring.io_uring_cqe_iter_next(iterator, self._completion):
            entry = self._completion[0]
            try:
                result = entry.res
            except OSError:
                result = -1
            done.append((entry.user_data, result))
        self._uring.io_uring_cq_advance(self._ring, len(done))
        return done

    def _go_on(self, index: int, result: int) -> bool:
        """The next operation of a client; False if it has ended."""
        rest = self._sending[index]
        if result <= 0:
            self._connections[index].close()
            return False
        if not rest:
            self._send(index, bytes(self._buffers[index][:result]))
        elif result < len(rest):
            self._send(index, rest[result:])
        else:
            self._sending[index] = b""
            self._receive(index)
        return True

    def _receive(self, index: int) -> None:
        entry = self._entry()
        descriptor = self._connections[index].fileno()
        self._uring.io_uring_prep_recv(entry, descriptor, self._buffers[index], 0)
        entry.user_data = index

    def _send(self, index: int, data: bytes) -> None:
        self._sending[index] = data
        entry = self._entry()
        self._uring.io_uring_prep_send(entry, self._connections[index].fileno(), data, 0)
        entry.user_data = index

    def _entry(self) -> Any:
        """A free place in the submission ring; a full ring is submitted first."""
        if not self._uring.io_uring_sq_space_left(self._ring):
            self._calls["io_uring_enter"] += 1
            self._uring.io_uring_submit(self._ring)
        return self._uring.io_uring_get_sqe(self._ring)
