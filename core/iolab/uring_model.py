"""io_uring: the program submits work, the kernel returns results.

* Two rings lie in memory that both sides see (io_uring(7)): the program writes *submissions*
  (receive into this buffer, send these bytes), the kernel writes *completions*. One
  ``io_uring_enter`` both submits all new operations and waits for the next completion.
* The program never asks whether a socket is ready: a receive that finds nothing stays with the
  kernel until there are bytes. So there is no EAGAIN, and a loaded server makes fewer system
  calls than messages.
* The buffer belongs to the kernel until the completion: each client has its own, for receiving
  and for sending.

Containers often forbid io_uring (seccomp, or the sysctl ``kernel.io_uring_disabled``); then the
model is refused with that reason.
"""

from __future__ import annotations

import ctypes
import socket
from collections.abc import Sequence

from core.iolab.peers import Calls, ModelRefusedError
from core.iolab.uring import OP_RECV, OP_SEND, Ring

_BUFFER = 64 * 1024
_MOST_BUFFERS = 64 << 20  # bytes, shared by all clients
_LEAST_BUFFER = 4096
_ENTRIES = 4096


def serve(connections: Sequence[socket.socket], calls: Calls) -> None:
    """Echo until every peer has ended."""
    try:
        ring = Ring(_ENTRIES)
    except OSError as error:
        raise ModelRefusedError(f"the kernel refuses io_uring: {error.strerror}") from error
    try:
        _Echo(ring, connections, calls).run()
    finally:
        ring.close()


class _Echo:
    """Each client has one operation in flight: a receive, or the send of the received bytes."""

    def __init__(self, ring: Ring, connections: Sequence[socket.socket], calls: Calls) -> None:
        self._ring = ring
        self._connections = connections
        self._calls = calls
        self._size = max(_LEAST_BUFFER, min(_BUFFER, _MOST_BUFFERS // max(1, len(connections))))
        self._buffer = ctypes.create_string_buffer(self._size * len(connections))
        self._start = ctypes.addressof(self._buffer)
        self._sending = [range(0)] * len(connections)  # part of the buffer; empty: it receives

    def run(self) -> None:
        """Serve until the last client has ended."""
        for index in range(len(self._connections)):
            self._receive(index)
        left = len(self._connections)
        while left:
            self._enter(1)
            for index, result in self._ring.completions():
                left -= not self._go_on(index, result)

    def _go_on(self, index: int, result: int) -> bool:
        """Prepare the next operation of a client. Return False if it has ended."""
        if result <= 0:
            self._connections[index].close()
            return False
        rest = self._sending[index]
        if not rest:
            self._send(index, range(result))
        elif result < len(rest):
            self._send(index, rest[result:])
        else:
            self._sending[index] = range(0)
            self._receive(index)
        return True

    def _receive(self, index: int) -> None:
        self._prepare(OP_RECV, index, range(self._size))

    def _send(self, index: int, part: range) -> None:
        self._sending[index] = part
        self._prepare(OP_SEND, index, part)

    def _prepare(self, operation: int, index: int, part: range) -> None:
        """Prepare one operation on a part of the client's buffer; submit a full ring first."""
        while self._ring.is_full:
            self._enter(0)
        address = self._start + index * self._size + part.start
        descriptor = self._connections[index].fileno()
        self._ring.prepare(operation, descriptor, address, len(part), index)

    def _enter(self, wait_for: int) -> None:
        self._calls["io_uring_enter"] += 1
        self._ring.enter(wait_for)
