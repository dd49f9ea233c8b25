"""One echo connection, without I/O: bytes in, bytes out.

Facts:

* A stream has two directions that end separately. The peer's FIN says "no more from me"; it may
  still read for as long as it likes (RFC 9293 §3.6, half-close). So what came in before the
  FIN goes back to the last byte, and only then do we end our direction.
* `send` may take less than it was offered. What it did not take is ours to keep: the *backlog*.
* A peer that sends and never reads would make the backlog grow without end. So above a *high-water
  mark* we stop reading: the kernel's receive buffer fills, its window closes, and the peer has to
  wait. Below the *low-water mark* (half of it) we read again.

What follows for us: the shell reads into one buffer that all connections share and offers it to
`send` at once; only the part that is left is copied into the backlog. While there is a backlog,
new bytes queue behind it. The invariant is *bytes received = bytes sent + pending*, and
*pending* stays below the high-water mark plus one read.
"""

from __future__ import annotations

HIGH_WATER = 256 * 1024
_COMPACT = 64 * 1024  # bytes already sent that may lie at the backlog's start

Bytes = bytes | bytearray | memoryview


class EchoConnection:
    """The state of one connection: what is to be sent back, and whether to read on.

    ``wants_read`` is false above the high-water mark, and for good once the peer has ended;
    ``ended`` says that it has.
    """

    __slots__ = ("_backlog", "_borrowed", "_high", "_low", "_start", "ended", "wants_read")

    def __init__(self, high_water: int = HIGH_WATER) -> None:
        self._backlog = bytearray()
        self._start = 0  # of the backlog that is still to be sent
        self._borrowed: Bytes | None = None
        self._high = high_water
        self._low = high_water // 2
        self.ended = False
        self.wants_read = True

    def receive(self, data: Bytes) -> Bytes | None:
        """Bytes from the peer (at least one). Returns what to offer to `send` now, if anything.

        What is returned is `data` itself, borrowed until `sent` says how much of it was taken.
        None: the bytes were put behind others that the kernel would not take yet.
        """
        if self._backlog:
            self._keep(data)
            return None
        self._borrowed = data
        return data

    def receive_end(self) -> None:
        """The peer ended its direction: the bytes so far are all there will be."""
        self.ended = True
        self.wants_read = False

    def output(self) -> memoryview:
        """What to offer to `send` next: borrowed, to be dropped before the next `receive`."""
        return memoryview(self._backlog)[self._start :]

    def sent(self, count: int) -> None:
        """`send` took the first `count` bytes of what it was offered last; 0 for EAGAIN."""
        borrowed = self._borrowed
        if borrowed is not None:
            self._borrowed = None
            if count < len(borrowed):
                self._keep(borrowed[count:])
            return
        self._start += count
        if self._start == len(self._backlog):
            self._backlog = bytearray()  # not clear(): give the memory back
            self._start = 0
        elif self._start >= _COMPACT:
            self._backlog = self._backlog[self._start :]  # a copy: the old one may be borrowed
            self._start = 0
        if not self.ended and len(self._backlog) - self._start <= self._low:
            self.wants_read = True

    @property
    def pending(self) -> int:
        """Bytes received and not yet taken by the kernel."""
        return len(self._backlog) - self._start

    @property
    def finished(self) -> bool:
        """The peer ended, and all it sent went back."""
        return self.ended and not self._backlog

    def _keep(self, data: Bytes) -> None:
        self._backlog += data
        if len(self._backlog) - self._start >= self._high:
            self.wants_read = False
