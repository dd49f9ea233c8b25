"""Puts the segments of one TCP stream into order, without I/O: bytes in, pieces out.

The rules are those of Wireshark's *Follow Stream*:

* The first segment of a side sets the sequence number that is expected of it.
* A segment that begins there is appended, and then those that waited for it. Of one that begins
  earlier, only bytes that are new count: the first copy of a byte wins.
* A segment that begins later waits. When the *other* side acknowledges more than the bytes before
  it, these are missing from the capture: a mark takes their place. Without such an acknowledgment
  the segment stays hidden.

rawscope adds three things. Bytes that the capture cut off a packet leave a mark. Bytes that are
sent again are compared with the last ones of their side (`History`), and a mark says how many
differ; a keep-alive, one byte before the expected one, is not compared. And the segments of a side
that wait take at most `MOST_WAITING` bytes of memory, `SEGMENT_COST` for each beside its data: then
the lowest ones are treated as if acknowledged.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import NamedTuple

from core.analysis.follow.history import History
from core.analysis.follow.pieces import Piece, PieceKind

MOST_WAITING = 1 << 24
SEGMENT_COST = 360
"""The bytes of memory that a waiting segment takes beside its data, which may be empty."""

_MODULUS, _HALF = 1 << 32, 1 << 31


class Segment(NamedTuple):
    """A TCP segment. `data` is what the capture kept of its `length` bytes.

    `acknowledgment` is None without the flag ACK. `elapsed_ns` is the time since the first packet
    of the stream.
    """

    side: int
    packet: int
    sequence: int
    acknowledgment: int | None
    is_syn: bool
    data: bytes
    length: int
    elapsed_ns: int = 0


class _Origin(NamedTuple):
    """The packet that a piece comes from, and the time of that packet."""

    packet: int
    elapsed_ns: int


class _Waiting(NamedTuple):
    """A segment that waits for the bytes before it. `start` counts from the side's first byte."""

    start: int
    order: int
    origin: _Origin
    data: bytes
    length: int


class _Side:
    """The bytes of one side up to now. Positions count from its first byte, without wrapping.

    `waiting_bytes` are those of the stream that wait, whether or not the capture kept them.
    """

    def __init__(self, number: int, emit: Callable[[Piece], None]) -> None:
        self.waiting: list[_Waiting] = []  # a heap by `start`
        self.waiting_bytes = 0
        self._held = 0  # bytes of memory that `waiting` takes
        self._number, self._emit = number, emit
        self._first: int | None = None  # the sequence number of position 0
        self._next = 0  # the position that is expected
        self._order = 0
        self._history = History()

    def position_of(self, sequence: int) -> int:
        """Return the position of a sequence number, the nearest one to the expected one."""
        if self._first is None:
            self._first = sequence
        distance = (sequence - self._first - self._next + _HALF) % _MODULUS - _HALF
        return self._next + distance

    def add(self, start: int, origin: _Origin, data: bytes, length: int) -> None:
        """Take the bytes of a segment at a position."""
        if not length:
            return
        if start > self._next:
            self._order += 1
            heapq.heappush(self.waiting, _Waiting(start, self._order, origin, data, length))
            self.waiting_bytes += length
            self._held += SEGMENT_COST + len(data)
            while self._held > MOST_WAITING:
                self.skip_gap(origin)
            return
        self._append(start, origin, data, length)
        self.drain()

    def acknowledge(self, acknowledgment: int, origin: _Origin) -> None:
        """Mark bytes as missing that the other side has and the capture has not."""
        while self.waiting and self.position_of(acknowledgment) > self.waiting[0].start:
            self.skip_gap(origin)

    def skip_gap(self, origin: _Origin) -> None:
        """Continue with the first bytes that wait, after a mark for those before them."""
        start = self.waiting[0].start
        self._mark(origin, PieceKind.MISSING, start - self._next)
        self._next = start
        self.drain()

    def drain(self) -> None:
        """Append the segments that need not wait anymore, in the order of the capture."""
        ready: list[tuple[int, _Waiting]] = []
        while True:
            while self.waiting and self.waiting[0].start <= self._next:
                one = heapq.heappop(self.waiting)
                heapq.heappush(ready, (one.order, one))
            if not ready:
                return
            _, one = heapq.heappop(ready)
            self.waiting_bytes -= one.length
            self._held -= SEGMENT_COST + len(one.data)
            self._append(one.start, one.origin, one.data, one.length)

    def _append(self, start: int, origin: _Origin, data: bytes, length: int) -> None:
        """Append what is new of bytes that do not begin after the expected position."""
        known = self._next - start
        if known:
            self._compare(start, origin, data[:known], length)
            if known >= length:
                return
            data, length = data[known:], length - known
        if data:
            self._history.add(self._next, data)
            packet, elapsed_ns = origin
            self._emit(Piece(self._number, packet, PieceKind.DATA, data, 0, elapsed_ns))
        self._next += length
        if len(data) < length:
            self._mark(origin, PieceKind.CUT, length - len(data))

    def _mark(self, origin: _Origin, kind: PieceKind, amount: int) -> None:
        self._emit(Piece(self._number, origin.packet, kind, b"", amount, origin.elapsed_ns))

    def _compare(self, start: int, origin: _Origin, data: bytes, length: int) -> None:
        """Emit a mark if bytes at a position differ from those that came first."""
        if length == 1 and start == self._next - 1:  # a keep-alive: its byte means nothing
            return
        amount = self._history.count_differences(start, data)
        if amount:
            self._mark(origin, PieceKind.DIFFERENT, amount)


class TcpAssembly:
    """Takes the segments of a stream in the order of the capture, and calls `emit` with pieces."""

    def __init__(self, emit: Callable[[Piece], None]) -> None:
        self._sides = (_Side(0, emit), _Side(1, emit))

    def add(self, segment: Segment) -> None:
        """Take the next segment."""
        side, other = self._sides[segment.side], self._sides[1 - segment.side]
        origin = _Origin(segment.packet, segment.elapsed_ns)
        if other.waiting and segment.acknowledgment is not None:
            other.acknowledge(segment.acknowledgment, origin)
        start = side.position_of((segment.sequence + segment.is_syn) % _MODULUS)
        side.add(start, origin, segment.data, segment.length)

    @property
    def waiting(self) -> tuple[int, int]:
        """The bytes of each side, on the wire, that wait behind a gap."""
        return self._sides[0].waiting_bytes, self._sides[1].waiting_bytes
