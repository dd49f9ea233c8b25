"""Datagrams whose fragments arrive: the rules of reassembly, without packets or time of its own.

A datagram is complete when its last fragment has told where it ends and all bytes before that are
there (RFC 791 §3.2, RFC 815, RFC 8200 §4.5). Of bytes that come twice, those that came first count.
IPv6 receivers must discard datagrams with overlaps (RFC 5722); a monitor shows them and says so.
The marks of fragments are Wireshark's: fragments are compared in the order of the datagram, and
those with the same offset in the order in which they came. A fragment that comes after its datagram
was completed begins another one.

Bounds
------
`Reassembler` holds at most `MOST_DATAGRAMS` incomplete datagrams, which take at most
`MOST_WAITING_BYTES` of memory together: `DATAGRAM_COST` each, and `FRAGMENT_COST` for each fragment
beside its bytes. The oldest ones give way, and what they held is given up also where others refer
to them. A datagram has at most `MOST_BYTES` bytes and `MOST_FRAGMENTS` fragments: further ones are
refused. A fragment that comes more than `LONGEST_WAIT_NS` after the first one begins another
datagram (RFC 8200 §4.5: 60 seconds), by the times of the packets.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from core.wire.model.reassembly import FragmentPart

MOST_BYTES = 65_535
MOST_FRAGMENTS = 8_192  # the longest datagram, eight bytes at a time
MOST_DATAGRAMS = 4_096
MOST_WAITING_BYTES = 64 << 20
DATAGRAM_COST = 1_024
FRAGMENT_COST = 256
LONGEST_WAIT_NS = 60 * 1_000_000_000

Key = tuple[str, bytes, int]


class Arrival(NamedTuple):
    """A fragment as it came: the packet, its place in the datagram, and its bytes."""

    packet: int
    start: int
    data: bytes
    has_more: bool

    @property
    def end(self) -> int:
        """The end of its bytes in the datagram."""
        return self.start + len(self.data)


class Coverage:
    """The bytes of a datagram that came, as ranges that do not touch each other."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        """Add the bytes ``start:end``."""
        low = bisect_left(self._ends, start)
        high = bisect_right(self._starts, end)
        if low < high:
            start = min(start, self._starts[low])
            end = max(end, self._ends[high - 1])
        self._starts[low:high] = [start]
        self._ends[low:high] = [end]

    def reaches(self, end: int) -> bool:
        """Return True if all bytes before `end` came."""
        return bool(self._starts) and self._starts[0] == 0 and self._ends[0] >= end


class Datagram:
    """One datagram. Any thread may read `completed_in`, `parts`, and `payload`.

    `completed_in` is the packet that completes it, 0 before. `payload` is None before, and again
    after its memory was given up; `length` stays. `held_bytes` is the memory that it takes while it
    is incomplete.
    """

    __slots__ = ("_arrivals", "_coverage", "_end", "completed_in", "held_bytes", "length",
                 "parts", "payload", "started_ns")  # fmt: skip

    def __init__(self, started_ns: int) -> None:
        self.started_ns = started_ns
        self.held_bytes = DATAGRAM_COST
        self.payload: bytes | None = None
        self.parts: tuple[FragmentPart, ...] = ()
        self.completed_in = self.length = 0
        self._arrivals: list[Arrival] | None = []  # None once complete or given up, as below
        self._coverage: Coverage | None = Coverage()
        self._end: int | None = None  # as the first last fragment says

    def takes(self, arrival: Arrival) -> bool:
        """Return False for a fragment past the bounds of a datagram."""
        assert self._arrivals is not None
        return arrival.end <= MOST_BYTES and len(self._arrivals) < MOST_FRAGMENTS

    def add(self, arrival: Arrival) -> bool:
        """Add a fragment. Return True if it completes the datagram."""
        assert self._arrivals is not None
        assert self._coverage is not None
        self._arrivals.append(arrival)
        self.held_bytes += FRAGMENT_COST + len(arrival.data)
        self._coverage.add(arrival.start, arrival.end)
        if self._end is None and not arrival.has_more:
            self._end = arrival.end
        if self._end is None or not self._coverage.reaches(self._end):
            return False
        self.payload, self.length = _joined(self._arrivals, self._end), self._end
        self.parts = _marked(self._arrivals, self._end)
        self.completed_in = arrival.packet  # last: readers test it first
        self.give_up_fragments()
        return True

    def give_up_fragments(self) -> None:
        """Free the memory of the fragments; the datagram takes no more of them."""
        self._arrivals = self._coverage = None


def _joined(arrivals: list[Arrival], end: int) -> bytes:
    """Return the datagram of `end` bytes, in which the bytes that came first count."""
    joined = bytearray(end)
    for arrival in reversed(arrivals):
        stop = min(arrival.end, end)
        if arrival.start < stop:
            joined[arrival.start : stop] = arrival.data[: stop - arrival.start]
    return bytes(joined)


def _marked(arrivals: list[Arrival], end: int) -> tuple[FragmentPart, ...]:
    """Return the fragments in the order of the datagram, with Wireshark's marks."""
    seen = bytearray(end)
    reached = 0
    parts: list[FragmentPart] = []
    for each in sorted(arrivals, key=_start_of):  # stable
        is_inside = each.start < end
        both = each.data[: max(0, min(each.end, reached) - each.start)] if is_inside else b""
        differs = bool(both) and bytes(seen[each.start : each.start + len(both)]) != both
        parts.append(
            FragmentPart(
                each.packet,
                each.start,
                each.end,
                overlaps=bool(both),
                conflicts=differs,
                is_other_tail=not each.has_more and each.end != end,
                is_too_long=each.end > end,
            )
        )
        stop = min(each.end, end)
        if reached < stop:
            seen[reached:stop] = each.data[reached - each.start : stop - each.start]
            reached = stop
    return tuple(parts)


def _start_of(arrival: Arrival) -> int:
    return arrival.start


class Reassembler:
    """Puts fragments together; see the module's text for its bounds.

    `waiting` are the incomplete datagrams, the oldest first, and `held_bytes` is the memory that
    they take.
    """

    def __init__(self) -> None:
        self.waiting: dict[Key, Datagram] = {}
        self.held_bytes = 0

    def add(self, key: Key, arrival: Arrival, time_ns: int) -> tuple[Datagram, bool]:
        """Return the datagram of a fragment, and False if it does not take the fragment."""
        datagram = self.waiting.get(key)
        if datagram is not None and time_ns - datagram.started_ns > LONGEST_WAIT_NS:
            self._drop(key)
            datagram = None
        if datagram is None:
            datagram = Datagram(time_ns)
            if not datagram.takes(arrival):
                datagram.give_up_fragments()
                return datagram, False
            self.waiting[key] = datagram
            self.held_bytes += datagram.held_bytes
        if not datagram.takes(arrival):
            return datagram, False
        before = datagram.held_bytes
        is_complete = datagram.add(arrival)
        self.held_bytes += datagram.held_bytes - before
        if is_complete:
            self._drop(key)
        self._drop_oldest(key)
        return datagram, True

    def _drop(self, key: Key) -> None:
        datagram = self.waiting.pop(key)
        self.held_bytes -= datagram.held_bytes
        datagram.give_up_fragments()

    def _drop_oldest(self, newest: Key) -> None:
        """Give up the oldest datagrams if there are too many, but not the newest."""
        while len(self.waiting) > MOST_DATAGRAMS or self.held_bytes > MOST_WAITING_BYTES:
            oldest = next(iter(self.waiting))
            if oldest == newest and len(self.waiting) == 1:
                return
            self._drop(oldest)
