"""One echo connection, without I/O: the bytes still to be sent back, and whether to read on.

Facts:

* A stream has two directions that end separately. With its FIN the peer ends only its own; it may
  still read for as long as it likes (RFC 9293 §3.6, half-close). So we send back every byte that
  arrived before the FIN, and only then end our direction.
* `send` may take fewer bytes than offered. The connection keeps the rest: the *backlog*.
* A peer that sends and never reads would make the backlog grow without end. So above a *high-water
  mark* we stop reading: the kernel's receive buffer fills, its window closes, and the peer has to
  wait. Below the *low-water mark* (half of it) we read again.

So while nothing is pending, the shell hands what it read straight to `send`, and only the rest
comes here (`keep`); while something is pending, everything new queues behind it. The invariant is
*bytes received = bytes sent + pending*, and *pending* stays below the high-water mark plus one
read.
"""

from __future__ import annotations

HIGH_WATER = 256 * 1024
_COMPACT = 64 * 1024  # sent bytes at the start of the backlog, from which it is copied

_NOTHING = bytearray()  # never written to: `keep` makes a backlog of its own


class EchoConnection:
    """The state of one connection.

    `pending` counts the bytes received and not yet taken by the kernel. `wants_read` is False
    above the high-water mark, and for good once the peer has `ended`.
    """

    __slots__ = ("_backlog", "_high", "_low", "_start", "ended", "pending", "wants_read")

    def __init__(self, high_water: int = HIGH_WATER) -> None:
        self._backlog = _NOTHING
        self._start = 0  # of the bytes in the backlog that are still to be sent
        self._high = high_water
        self._low = high_water // 2
        self.pending = 0
        self.ended = False
        self.wants_read = True

    def keep(self, data: bytes) -> None:
        """Buffer bytes from the peer that the kernel does not take back yet."""
        if not self.pending:
            self._backlog = bytearray()
        self._backlog += data
        self.pending += len(data)
        if self.pending >= self._high:
            self.wants_read = False

    def receive_end(self) -> None:
        """Record that the peer ended its direction: no more bytes will arrive."""
        self.ended = True
        self.wants_read = False

    def output(self) -> memoryview:
        """Return the bytes to offer to `send` next; drop the view before the next `keep`."""
        return memoryview(self._backlog)[self._start :]

    def sent(self, count: int) -> None:
        """Remove the first `count` bytes of the output, which `send` took."""
        self._start += count
        self.pending -= count
        if not self.pending:
            self._backlog = _NOTHING
            self._start = 0
        elif self._start >= _COMPACT:
            self._backlog = self._backlog[self._start :]  # a copy: the old one may be borrowed
            self._start = 0
        if not self.ended and self.pending <= self._low:
            self.wants_read = True

    @property
    def finished(self) -> bool:
        """True if the peer ended and all its bytes went back."""
        return self.ended and not self.pending
