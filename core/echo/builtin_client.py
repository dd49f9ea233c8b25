"""The built-in client: it sends bytes, so that one key shows what the server does with them.

It is a real socket on the same loop. Byte *i* of its stream is ``i mod 251`` (a prime, so that no
power of two hides a shift), and it compares the echo with that.
"""

from __future__ import annotations

import errno
import select
import socket

from core.echo.listener import set_non_blocking
from core.echo.snapshot import BuiltinClientInfo, ListenerInfo
from core.net.event_loop import EpollLoop

_PERIOD = 251
_PIECE = 64 * 1024
_PATTERN = bytes(range(_PERIOD)) * (_PIECE // _PERIOD + 2)
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # where to reach a wildcard listener


class BuiltinClient:
    """One connection to a listener of the server. Raise OSError if it cannot connect."""

    def __init__(self, loop: EpollLoop, listener: ListenerInfo) -> None:
        self._loop = loop
        self._listener = listener.identifier
        self._to_send = self._sent = self._received = 0
        self._intact = True
        self.closed = False
        family = socket.AF_INET6 if ":" in listener.address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        set_non_blocking(self._socket)
        where = (_ANY.get(listener.address, listener.address), listener.port)
        code = self._socket.connect_ex(where)
        if code not in (0, errno.EINPROGRESS):
            self._socket.close()
            raise OSError(code, errno.errorcode.get(code, str(code)))
        own = self._socket.getsockname()
        self._address, self._port = own[0], own[1]
        self._interest = select.EPOLLIN | select.EPOLLOUT
        loop.add(self._socket, self._on_ready, self._interest)

    @property
    def info(self) -> BuiltinClientInfo:
        """Its address and counters."""
        return BuiltinClientInfo(
            self._listener, self._address, self._port, self._sent, self._received, self._intact
        )

    @property
    def connected(self) -> socket.socket:
        """The socket itself."""
        return self._socket

    def send(self, size: int) -> None:
        """Send `size` more bytes, as the socket takes them."""
        self._to_send += size
        self._wait_for(select.EPOLLIN | select.EPOLLOUT)

    def close(self) -> None:
        """End the connection."""
        if not self.closed:
            self.closed = True
            self._loop.remove(self._socket)
            self._socket.close()

    def _on_ready(self, events: int) -> None:
        try:
            if events & select.EPOLLOUT:
                self._send()
            if events & ~select.EPOLLOUT:
                self._receive()
        except BlockingIOError:
            return
        except OSError:
            self.close()

    def _send(self) -> None:
        if self._to_send:
            at = self._sent % _PERIOD
            count = self._socket.send(_PATTERN[at : at + min(_PIECE, self._to_send)])
            self._sent += count
            self._to_send -= count
        if not self._to_send:
            self._wait_for(select.EPOLLIN)

    def _receive(self) -> None:
        data = self._socket.recv(_PIECE)
        if not data:
            self.close()
            return
        at = self._received % _PERIOD
        self._intact = self._intact and data == _PATTERN[at : at + len(data)]
        self._received += len(data)

    def _wait_for(self, interest: int) -> None:
        if interest != self._interest:
            self._interest = interest
            self._loop.modify(self._socket, interest)
