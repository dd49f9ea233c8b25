"""The exact evaluation: one segment of a stream after the other, by Wireshark's rules.

The rules are those of Wireshark 4.0 where version 4.6 agrees; an acknowledgment that repeats both
numbers but changes the window is a duplicate if it has SACK ranges, as in 4.6. The two versions
disagree about reordering, so rawscope goes by bytes:

* bytes that the other side acknowledged before: *spurious retransmission*;
* bytes that were seen before: *retransmission*;
* bytes that fill a hole: *out of order* within the initial round-trip time (3 ms without a
  handshake) after the hole appeared, else *retransmission*, and *fills hole* in both cases;
* a *fast retransmission* is a retransmission within 20 ms after the second duplicate ACK, or a
  later one, for the bytes that it asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.analysis.tcp.direction import MODULUS, Direction, Segment, after
from core.analysis.tcp.flags import Finding
from core.analysis.tcp.memory import Hole, Unacked
from core.analysis.tcp.state import SCALE_UNKNOWN, SCALE_UNUSED, OfStream
from core.wire.transport.tcp import FLAG_BITS
from core.wire.transport.tcp_options import GREATEST_SHIFT

FIN, SYN, RST, ACK = (FLAG_BITS[key] for key in ("fin", "syn", "reset", "ack"))
_ENDS = FIN | SYN | RST
_COUNTED = FIN | SYN
_MOST_HOLES = 64
_FAST_NS = 20_000_000
_REORDER_NS = 3_000_000

_F = Finding
RETRANSMISSION, FAST, SPURIOUS = map(
    int, (_F.RETRANSMISSION, _F.FAST_RETRANSMISSION, _F.SPURIOUS_RETRANSMISSION)
)
OUT_OF_ORDER, FILLS_HOLE, LOST, ACK_LOST = map(
    int, (_F.OUT_OF_ORDER, _F.FILLS_HOLE, _F.LOST_SEGMENT, _F.ACK_LOST_SEGMENT)
)
WINDOW_UPDATE, WINDOW_FULL = int(_F.WINDOW_UPDATE), int(_F.WINDOW_FULL)
KEEP_ALIVE, KEEP_ALIVE_ACK, DUPLICATE = map(
    int, (_F.KEEP_ALIVE, _F.KEEP_ALIVE_ACK, _F.DUPLICATE_ACK)
)
PROBE, ZERO_WINDOW, PROBE_ACK = map(
    int, (_F.ZERO_WINDOW_PROBE, _F.ZERO_WINDOW, _F.ZERO_WINDOW_PROBE_ACK)
)
REUSED = int(_F.REUSED_PORTS)
_PLAIN = RETRANSMISSION | FAST | SPURIOUS


class Evaluated(NamedTuple):
    """The result for a segment; 0 for packets and bytes means none."""

    findings: int = 0
    acked_packet: int = 0  # that the segment acknowledges to its last byte
    ack_rtt_ns: int = 0
    bytes_in_flight: int = 0
    duplicate: int = 0  # the number of a duplicate ACK, from 1
    repeated_packet: int = 0  # whose acknowledgment a duplicate ACK repeats
    rto_ns: int = 0
    rto_packet: int = 0


class Stream:
    """A stream whose segments are evaluated one at a time; see `OfStream`."""

    def __init__(self, row: Sequence[int], directions: tuple[Direction, Direction]) -> None:
        self.directions = directions
        self._row = list(row)

    @property
    def initial_rtt_ns(self) -> int:
        """The duration of the handshake; -1 if it is unknown."""
        return self._row[OfStream.INITIAL_RTT]

    @property
    def row(self) -> list[int]:
        """The numbers as a row of `StreamStates.streams`."""
        return self._row

    def evaluate(self, segment: Segment) -> Evaluated:
        """Return what the next segment is. Relative numbers are not among it."""
        forward = self.directions[segment.direction]
        reverse = self.directions[1 - segment.direction]
        findings = _set_bases(segment, forward, reverse)
        if segment.flags & ACK:
            reverse.is_tracked = 1
        self._note_handshake(segment, forward, reverse)
        findings |= _about_window(segment, forward, reverse)
        if findings & DUPLICATE:
            forward.duplicates += 1
        duplicate = forward.duplicates if findings & DUPLICATE else 0
        repeated = forward.ack_packet if duplicate else 0
        if segment.acknowledgment != forward.ack:
            forward.ack_packet, forward.duplicates = segment.packet, 0
        findings |= _about_unseen(segment, reverse)
        rto = (0, 0)
        if (segment.length or segment.flags & _COUNTED) and not findings & KEEP_ALIVE:
            kind = self._about_repeated(segment, forward, reverse)
            if kind & _PLAIN == RETRANSMISSION:
                rto = _waited(segment, forward)
            findings |= kind
        _advance(segment, forward, findings)
        acked = _remove_acked(segment, reverse)
        in_flight = _in_flight(segment, forward, reverse)
        return Evaluated(findings, *acked, in_flight, duplicate, repeated, *rto)

    def _note_handshake(self, segment: Segment, forward: Direction, reverse: Direction) -> None:
        row = self._row
        if segment.flags & SYN:
            if segment.scale != SCALE_UNKNOWN:
                forward.scale = min(segment.scale, GREATEST_SHIFT)
            elif forward.scale == SCALE_UNKNOWN:
                forward.scale = reverse.scale = SCALE_UNUSED
        flags = segment.flags & (SYN | ACK)
        if flags == SYN:
            row[OfStream.SYN_TIME] = segment.time_ns
        elif flags == ACK and row[OfStream.INITIAL_RTT] <= 0 <= row[OfStream.SYN_TIME]:
            row[OfStream.INITIAL_RTT] = max(0, segment.time_ns - row[OfStream.SYN_TIME])

    def _about_repeated(self, segment: Segment, forward: Direction, reverse: Direction) -> int:
        """Return what a segment is that has bytes before the highest ones."""
        sequence, length = segment.sequence, segment.length
        end = (sequence + length) % MODULUS
        if length and reverse.ack and after(end, reverse.ack) <= 0:
            return RETRANSMISSION | SPURIOUS
        if not forward.next or after(sequence, forward.next) >= 0:
            return 0
        if length > 1 and (forward.next - 1) % MODULUS == sequence:
            return 0
        opened_ns = _fill(forward, sequence, end)
        fills = 0 if opened_ns is None else FILLS_HOLE
        is_asked_for = reverse.duplicates >= 2 and sequence == reverse.ack
        if is_asked_for and 0 <= segment.time_ns - reverse.ack_time < _FAST_NS:
            return RETRANSMISSION | FAST | fills
        if opened_ns is not None:
            rtt = self._row[OfStream.INITIAL_RTT]
            threshold = rtt if rtt > 0 else _REORDER_NS
            if segment.time_ns - opened_ns < threshold:
                return OUT_OF_ORDER | FILLS_HOLE
        return RETRANSMISSION | fills


def _set_bases(segment: Segment, forward: Direction, reverse: Direction) -> int:
    """Set what relative numbers count from, if it was unknown."""
    findings = 0
    is_syn = segment.flags & SYN
    if forward.base < 0:
        forward.base = segment.sequence if is_syn else (segment.sequence - 1) % MODULUS
    elif is_syn and segment.flags & ACK and segment.sequence != forward.base:
        findings = REUSED
    if reverse.base < 0 and segment.flags & ACK:
        reverse.base = (segment.acknowledgment - 1) % MODULUS
    return findings


def _about_window(segment: Segment, forward: Direction, reverse: Direction) -> int:
    """Return what the window, the place, and the acknowledgment of a segment tell."""
    sequence, length, window = segment.sequence, segment.length, segment.window
    if length == 1 and sequence == forward.next and reverse.window == 0:
        return PROBE
    findings = 0
    is_open = not segment.flags & _ENDS
    if window == 0 and is_open:
        findings |= ZERO_WINDOW
    if forward.next and after(sequence, forward.next) > 0 and not segment.flags & RST:
        findings |= LOST
        forward.is_tracked = 0
    if not is_open:
        return findings
    if length <= 1 and sequence == (forward.next - 1) % MODULUS:
        findings |= KEEP_ALIVE
    if length and reverse.scale != SCALE_UNKNOWN:
        shift = reverse.scale if reverse.has_acked and reverse.scale > 0 else 0
        limit = (reverse.ack + (reverse.window << shift)) % MODULUS
        if (sequence + length) % MODULUS == limit:
            findings |= WINDOW_FULL
    if length or sequence != forward.next or segment.acknowledgment != forward.ack:
        return findings
    if window != forward.window:
        if not window:
            return findings
        return findings | (DUPLICATE if segment.sacked > 0 else WINDOW_UPDATE)
    if window and reverse.findings & KEEP_ALIVE:
        return findings | KEEP_ALIVE_ACK
    if window:
        return findings | DUPLICATE
    return findings | PROBE_ACK if reverse.findings & PROBE else findings


def _about_unseen(segment: Segment, reverse: Direction) -> int:
    """Return `ACK_LOST` if a segment acknowledges bytes that were not seen, once for each."""
    if not (segment.flags & ACK and reverse.contiguous):
        return 0
    if after(segment.acknowledgment, reverse.contiguous) <= 0:
        return 0
    if reverse.contiguous != reverse.next:
        reverse.contiguous = reverse.next
        return ACK_LOST
    if reverse.duplicates == 0:
        reverse.duplicates = -1
        return ACK_LOST
    return 0


def _fill(forward: Direction, start: int, end: int) -> int | None:
    """Take bytes out of the holes. Return since when the first of these holes is there, or None."""
    opened_ns: int | None = None
    left: list[Hole] = []
    for hole in forward.holes:
        if after(end, hole.start) <= 0 or after(start, hole.end) >= 0:
            left.append(hole)
            continue
        opened_ns = hole.time_ns if opened_ns is None else opened_ns
        if after(start, hole.start) > 0:
            left.append(hole._replace(end=start))
        if after(end, hole.end) < 0:
            left.append(hole._replace(start=end))
    forward.holes[:] = left
    return opened_ns


def _waited(segment: Segment, forward: Direction) -> tuple[int, int]:
    """Return the time since the oldest unacknowledged segment was sent, and its packet."""
    since_ns, packet = forward.next_time, forward.next_packet
    if forward.unacked:
        since_ns, packet = forward.unacked[0].time_ns, forward.unacked[0].packet
    waited_ns = segment.time_ns - since_ns
    return (waited_ns, packet) if waited_ns > 0 else (0, 0)


def _advance(segment: Segment, forward: Direction, findings: int) -> None:
    """Note what the segment sends."""
    sequence = segment.sequence
    end = (sequence + segment.length) % MODULUS
    is_counted = segment.flags & _COUNTED
    if is_counted:
        end = (end + 1) % MODULUS
    if segment.length or is_counted:
        unacked = Unacked(sequence, end, segment.packet, segment.time_ns)
        forward.send(unacked, is_repeated=findings & RETRANSMISSION > 0)
    if not findings & PROBE:
        if not forward.next or after(end, forward.next) > 0:
            if forward.next and after(sequence, forward.next) > 0:
                forward.holes.append(Hole(forward.next, sequence, segment.time_ns))
                del forward.holes[:-_MOST_HOLES]
            forward.next, forward.next_time = end, segment.time_ns
            forward.next_packet = segment.packet
        if not forward.contiguous or sequence == forward.contiguous:
            forward.contiguous = end
    forward.window = segment.window
    forward.ack, forward.ack_time = segment.acknowledgment, segment.time_ns
    forward.findings, forward.sacked = findings, max(0, segment.sacked)
    if segment.flags & ACK and not segment.flags & SYN:
        forward.has_acked = 1


def _remove_acked(segment: Segment, reverse: Direction) -> tuple[int, int]:
    """Remove what the segment acknowledges.

    Return the oldest packet that ends where the acknowledgment does, and the time since then.
    """
    unacked, ack = reverse.unacked, segment.acknowledgment
    if not unacked or after(ack, reverse.unacked_bounds()[0]) <= 0:
        return 0, 0
    packet = rtt = 0
    left = []
    for each in reversed(unacked):
        if ack == each.end:
            packet, rtt = each.packet, segment.time_ns - each.time_ns
        elif after(each.end, ack) > 0:
            left.append(each._replace(start=ack) if after(ack, each.start) > 0 else each)
    left.reverse()
    unacked[:] = left
    reverse.bounds = None
    return packet, rtt


def _in_flight(segment: Segment, forward: Direction, reverse: Direction) -> int:
    """Return how many bytes are sent and not acknowledged, if that is known."""
    if not segment.length or not forward.is_tracked or not forward.unacked:
        return 0
    first, last = forward.unacked_bounds()
    found = after(last, first) - (segment.flags & _COUNTED > 0)
    if 0 < found < 2_000_000_000:
        return max(0, found - reverse.sacked)
    return 0
