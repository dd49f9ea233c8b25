"""One echo connection, without I/O: what came in and could not go back yet, and whether to read on.

Facts:

* A stream has two directions that end separately. The peer's FIN says "no more from me"; it may
  still read for as long as it likes (RFC 9293 §3.6, half-close). So what came in before the
  FIN goes back to the last byte, and only then do we end our direction.
* `send` may take less than it was offered. What it did not take is ours to keep: the *backlog*.
* A peer that sends and never reads would make the backlog grow without end. So above a *high-water
  mark* we stop reading: the kernel's receive buffer fills, its window closes, and the peer has to
  wait. Below the *low-water mark* (half of it) we read again.

What follows for us: while nothing is pending, the shell hands what it read straight to `send`, and
only what is left comes here (`keep`); while something is pending, everything new queues behind
it. The invariant is *bytes received = bytes sent + pending*, and *pending* stays below the
high-water mark plus one read.
"""

from __future__ import annotations

HIGH_WATER = 256 * 1024
_COMPACT = 64 * 1024  # bytes already sent that may lie at the backlog's start

_NOTHING = bytearray()  # never written to: `keep` makes a backlog of its own


class EchoConnection:
    """The state of one connection.

    ``pending`` counts the bytes received and not yet taken by the kernel. ``wants_read`` is
    false above the high-water mark, and for good once the peer has ``ended``.
    """

    __slots__ = ("_backlog", "_high", "_low", "_start", "ended", "pending", "wants_read")

    def __init__(self, high_water: int = HIGH_WATER) -> None:
        self._backlog = _NOTHING
        self._start = 0  # of the backlog that is still to be sent
        self._high = high_water
        self._low = high_water // 2
        self.pending = 0
        self.ended = False
        self.wants_read = True

    def keep(self, data: bytes) -> None:
        """Bytes from the peer that the kernel would not take back yet."""
        if not self.pending:
            self._backlog = bytearray()
        self._backlog += data
        self.pending += len(data)
        if self.pending >= self._high:
            self.wants_read = False

    def receive_end(self) -> None:
        """The peer ended its direction: the bytes so far are all there will be."""
        self.ended = True
        self.wants_read = False

    def output(self) -> memoryview:
        """What to offer to `send` next: borrowed, to be dropped before the next `keep`."""
        return memoryview(self._backlog)[self._start :]

    def sent(self, count: int) -> None:
        """`send` took the first `count` bytes of the output."""
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
        """The peer ended, and all it sent went back."""
        return self.ended and not self.pending
