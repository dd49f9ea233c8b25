"""One direction of a stream, as the exact evaluation knows it: its sender's segments up to now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.analysis.tcp.memory import Hole, Unacked

MOST_UNACKED = 10_000  # segments kept of a direction
MODULUS = 1 << 32  # of sequence numbers

_HALF = 1 << 31


class Segment(NamedTuple):
    """One segment; `direction` is 0 or 1, and `sacked` as in `SegmentOptions`."""

    direction: int
    sequence: int
    acknowledgment: int
    flags: int
    window: int
    length: int
    time_ns: int
    packet: int
    scale: int
    sacked: int


def after(one: int, other: int) -> int:
    """Return how far a sequence number is after another one; negative if it is before."""
    return (one - other + _HALF) % MODULUS - _HALF


class Direction:
    """The numbers of one direction; see `OfDirection`."""

    __slots__ = (
        "ack",
        "ack_packet",
        "ack_time",
        "base",
        "bounds",
        "contiguous",
        "duplicates",
        "findings",
        "has_acked",
        "holes",
        "is_tracked",
        "next",
        "next_packet",
        "next_time",
        "sacked",
        "scale",
        "unacked",
        "window",
    )

    def __init__(self, row: Sequence[int], unacked: list[Unacked], holes: list[Hole]) -> None:
        (
            self.base,
            self.next,
            self.next_time,
            self.next_packet,
            self.contiguous,
            self.ack,
            self.ack_time,
            self.window,
            self.scale,
            self.duplicates,
            self.ack_packet,
            self.findings,
            self.is_tracked,
            self.sacked,
            self.has_acked,
            *_,
        ) = row
        self.unacked, self.holes = unacked, holes
        self.bounds: tuple[int, int] | None = None

    def unacked_bounds(self) -> tuple[int, int]:
        """Return where the unacknowledged bytes begin and end; there is at least one segment."""
        if self.bounds is None:
            origin = self.unacked[0].start
            first = min(after(each.start, origin) for each in self.unacked)
            last = max(after(each.end, origin) for each in self.unacked)
            self.bounds = (origin + first) % MODULUS, (origin + last) % MODULUS
        return self.bounds

    def send(self, segment: Unacked, *, is_repeated: bool) -> None:
        """Note an unacknowledged segment; of equal ones, the first is enough."""
        if len(self.unacked) >= MOST_UNACKED:
            return
        span = segment[:2]
        if is_repeated and any(each[:2] == span for each in reversed(self.unacked)):
            return
        if self.unacked:
            first, last = self.unacked_bounds()
            first = segment.start if after(segment.start, first) < 0 else first
            last = segment.end if after(segment.end, last) > 0 else last
            self.bounds = first, last
        self.unacked.append(segment)

    @property
    def row(self) -> list[int]:
        """The numbers as a row of `StreamStates.directions`, in the order of `OfDirection`."""
        return [
            self.base,
            self.next,
            self.next_time,
            self.next_packet,
            self.contiguous,
            self.ack,
            self.ack_time,
            self.window,
            self.scale,
            self.duplicates,
            self.ack_packet,
            self.findings,
            self.is_tracked,
            self.sacked,
            self.has_acked,
            len(self.unacked),
            self._has_gap,
        ]

    @property
    def _has_gap(self) -> bool:
        """True if the unacknowledged segments are not all bytes from the first to the last."""
        if not self.unacked:
            return False
        end = self.unacked[0].end
        for each in self.unacked[1:]:
            if after(each.start, end) > 0:
                return True
            end = each.end if after(each.end, end) > 0 else end
        return end != self.next
