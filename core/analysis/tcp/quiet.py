"""The evaluation of whole columns, for segments that follow each other as they should.

Most segments begin where the previous one of their direction ended, and acknowledge what was sent.
Then all that the exact evaluation says of them follows from the segment before in the same
direction, the newest one in the other direction, and the state before the run. `QuietRuns` finds
for each run of a stream's segments how many are of this kind, evaluates them, and notes the state
after them. What follows is left to `core.analysis.tcp.exact`: holes, repeated bytes and
acknowledgments, closed windows, SACK ranges, and all that is unusual. Tests hold both equal.
"""

from __future__ import annotations

import numpy as np

from core.analysis.tcp.direction import MOST_UNACKED
from core.analysis.tcp.exact import WINDOW_FULL, WINDOW_UPDATE
from core.analysis.tcp.memory import StreamMemory
from core.analysis.tcp.neighbors import FAR, MASK, Mask, Neighbors, Rows, Run, after
from core.analysis.tcp.quiet_state import note_state, note_unacked
from core.analysis.tcp.state import SCALE_UNKNOWN, SCALE_UNUSED, OfDirection, OfStream
from core.decode.header_positions import NOWHERE
from core.wire.transport.tcp_options import GREATEST_SHIFT

_HALF = np.int64(1 << 31)
_RUN_SHIFT = 33  # of a run's number in a key, above a sequence number
_MOST_IN_FLIGHT = 2_000_000_000


class QuietRuns:
    """Segments of runs (r,) of different streams, which begin at `starts` (r,) in the columns.

    `counts` (r,) are how many segments at the start of each run are quiet, and `kept` (k,) is their
    mask. The other attributes are what `quiet_state` notes.
    """

    def __init__(self, run: Run, starts: Rows, slots: Rows, memory: StreamMemory) -> None:
        self.near = near = Neighbors(run, starts, slots, memory)
        self.memory = memory
        self.counts = self._quiet_counts()
        self.kept = near.index < (starts + self.counts)[near.ids]
        self.scales = self._scales_after_syn()

    def _scales_after_syn(self) -> Rows:
        """Return the scales (r, 2) after the SYN segments of the runs."""
        near, run = self.near, self.near.run
        scales = near.carried[:, :, OfDirection.SCALE].copy()
        syns = np.flatnonzero(self.kept & near.is_syn)
        if not len(syns):
            return scales
        ids = near.ids[syns]
        rank = np.arange(len(syns)) - np.searchsorted(ids, ids)
        for turn in range(2):
            these = syns[rank == turn]
            runs, ways = near.ids[these], run.direction[these]
            offered = run.scale[these]
            has_scale = offered != SCALE_UNKNOWN
            scales[runs[has_scale], ways[has_scale]] = np.minimum(
                offered[has_scale], GREATEST_SHIFT
            )
            without = ~has_scale & (scales[runs, ways] == SCALE_UNKNOWN)
            scales[runs[without]] = SCALE_UNUSED
        return scales

    # -- which segments are quiet -----------------------------------------------------

    def _quiet_counts(self) -> Rows:
        """Return how many segments at the start of each run are quiet, (r,)."""
        near, run = self.near, self.near.run
        is_odd = self._is_out_of_place() | self._has_odd_acknowledgment()
        is_odd |= (run.window == 0) & near.is_open
        is_odd |= run.sacked > 0
        self._window_before = near.of_same(run.window, OfDirection.WINDOW)
        repeats = (run.length == 0) & near.is_open
        repeats &= run.acknowledgment == self.acknowledged_before
        repeats &= self.next != 0
        self._is_update = repeats & (run.window != self._window_before)
        is_odd |= repeats & ~self._is_update
        self._other_window = near.of_other(run.window, OfDirection.WINDOW)
        is_odd |= (run.length == 1) & (self._other_window == 0)
        odd = np.where(is_odd, near.index, FAR)
        first_odd = np.minimum.reduceat(odd, near.starts)
        counts: Rows = np.minimum(first_odd - near.starts, near.sizes)
        counts[self._is_too_long()] = 0
        return counts

    def _is_out_of_place(self) -> Mask:
        """Return a mask of the segments that do not begin where the one before ended."""
        near, run = self.near, self.near.run
        self.next = near.of_same(near.end, OfDirection.NEXT)
        is_known = self.next != 0
        is_odd: Mask = is_known & (run.sequence != self.next)
        had_any = near.has_same | (near.of_same(run.window, OfDirection.WINDOW) >= 0)
        self._had_any = had_any
        is_odd |= had_any & ~is_known
        is_odd |= ~is_known & (run.sequence == MASK)
        last_syn = np.maximum.reduceat(np.where(near.is_syn, near.index, NOWHERE), near.starts)
        is_odd |= ~near.is_syn & (near.index < last_syn[near.ids])
        return is_odd

    def _has_odd_acknowledgment(self) -> Mask:
        """Return a mask of the segments that acknowledge in an unusual way."""
        near, run = self.near, self.near.run
        ack = run.acknowledgment
        self.acknowledged_before = near.of_same(ack, OfDirection.ACK)
        self._other_ack = near.of_other(ack, OfDirection.ACK)
        other_next = near.of_other(near.end, OfDirection.NEXT)
        heard = near.has_other | (near.of_other(run.window, OfDirection.WINDOW) >= 0)
        is_first_syn = near.is_syn & ~heard & (ack == 0)
        is_odd: Mask = ~near.is_ack & ~is_first_syn
        contiguous = self._contiguous(other_next)
        is_odd |= near.is_ack & (contiguous != 0) & (after(ack, contiguous) > 0)
        begins = np.where(near.has_same, ~near.is_ack[near.same], ~self._had_any)
        is_odd |= near.is_ack & ~heard & begins  # acknowledges bytes that were not captured
        before = self.acknowledged_before
        is_odd |= (before != 0) & (after(ack, before) < 0)
        is_heard = self._other_ack != 0
        has_data = (run.length > 0) & is_heard
        is_odd |= has_data & (after(near.data_end, self._other_ack) <= 0)
        is_odd |= near.is_counted & is_heard & (after(near.end, self._other_ack) <= 0)
        has_data |= near.is_counted & is_heard
        is_odd |= has_data & (self.next == 0) & (after(self._other_ack, run.sequence) > 0)
        base = near.carried[near.ids, run.direction, OfDirection.BASE]
        is_odd |= near.is_syn & (base >= 0) & (base != run.sequence)
        is_odd |= near.is_syn & near.has_other & near.is_ack[near.other]
        gap = near.carried[near.ids, 1 - run.direction, OfDirection.HAS_GAP] > 0
        is_odd |= gap & (ack != before)
        return is_odd

    def _contiguous(self, other_next: Rows) -> Rows:
        """Return the end of the other direction's bytes without a hole."""
        near = self.near
        ways = 1 - near.run.direction
        carried = near.carried[:, :, OfDirection.CONTIGUOUS]
        is_behind = (carried != near.carried[:, :, OfDirection.NEXT]) & (carried != 0)
        self.is_behind = is_behind
        behind = is_behind[near.ids, ways]
        return np.where(behind, carried[near.ids, ways], other_next)

    def _is_too_long(self) -> Mask:
        """Return a mask (r,) of runs that may have too many unacknowledged segments."""
        near = self.near
        waiting = self.memory.counts_of(near.slots)
        most: Mask = waiting + near.sizes >= MOST_UNACKED
        return most

    # -- what they are ------------------------------------------------------------------

    def evaluate(self, found: dict[str, Rows], places: Rows | slice) -> None:
        """Write the results of the quiet segments to `found` at `places`, and note the state."""
        near, run = self.near, self.near.run
        kept = self.kept
        findings = np.where(self._is_update, WINDOW_UPDATE, 0)
        findings[self._is_full()] |= WINDOW_FULL
        self.findings = findings
        packets, times = self._acknowledged()
        columns = {
            "findings": findings,
            "acked_packet": packets,
            "ack_rtt": times,
            "bytes_in_flight": self._in_flight(),
            "initial_rtt": self._initial_rtt(),
            "shift": self.scales[near.ids, run.direction],
        }
        targets = np.arange(len(found["findings"]))[places][kept]
        for name, column in columns.items():
            found[name][targets] = column[kept]
        note_state(self)
        note_unacked(self)

    def _is_full(self) -> Mask:
        near, run = self.near, self.near.run
        scale = self.scales[near.ids, 1 - run.direction]
        has_acked = near.of_other((~near.is_syn).astype(np.int64), OfDirection.HAS_ACKED) > 0
        shift = np.where(has_acked & (scale > 0), scale, 0)
        limit = (self._other_ack + (self._other_window << shift)) & MASK
        full: Mask = (near.data_end == limit) & (run.length > 0)
        full &= near.is_open & (scale != SCALE_UNKNOWN)
        return full

    def _acknowledged(self) -> tuple[Rows, Rows]:
        """Return the packet whose last byte each segment acknowledges, and the time since then."""
        near, run = self.near, self.near.run
        packets = np.zeros(len(run.packet), np.int64)
        times = packets.copy()
        self.sent = self.kept & ((run.length > 0) | near.is_counted)
        is_new = run.acknowledgment != self.acknowledged_before
        is_new |= ~near.has_same  # repeated bytes may wait although they were acknowledged before
        is_new |= ~near.is_ack[near.same]  # a SYN without ACK has the number 0, too
        is_new &= self.kept & near.is_ack
        origins = near.carried[:, :, OfDirection.NEXT]
        self.waiting = []
        for way in (0, 1):
            sent = np.flatnonzero(self.sent & (run.direction == way))
            first = self._first_of(sent)
            origin = np.where(origins[:, way] != 0, origins[:, way], run.sequence[first])
            waiting = self.memory.waiting(near.slots, way, self.counts > 0)
            self.waiting.append(waiting)
            keys = np.concatenate(
                [
                    _keys(waiting.runs, waiting.end, origin),
                    _keys(near.ids[sent], near.end[sent], origin),
                ]
            )
            order = np.argsort(keys, kind="stable")
            keys = keys[order]
            if not len(keys):
                continue
            index = np.flatnonzero(is_new & (run.direction == 1 - way))
            asked = _keys(near.ids[index], run.acknowledgment[index], origin)
            place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
            hits = keys[place] == asked
            index, place = index[hits], order[place[hits]]
            numbers = np.concatenate([waiting.packet, run.packet[sent]])[place]
            is_earlier = numbers < run.packet[index]
            index, place = index[is_earlier], place[is_earlier]
            packets[index] = numbers[is_earlier]
            sent_ns = np.concatenate([waiting.time_ns, run.time_ns[sent]])[place]
            times[index] = run.time_ns[index] - sent_ns
        return packets, times

    def _first_of(self, index: Rows) -> Rows:
        """Return the first of some segments in each run, (r,), or any segment of others."""
        near = self.near
        found = near.starts.copy()
        if len(index):
            ids = near.ids[index]
            is_first = np.ones(len(ids), np.bool_)
            is_first[1:] = ids[1:] != ids[:-1]
            found[ids[is_first]] = index[is_first]
        return found

    def _in_flight(self) -> Rows:
        near, run = self.near, self.near.run
        index = np.flatnonzero(self.kept & (run.length > 0))
        ids, ways = near.ids[index], run.direction[index]
        lowest = np.empty((len(near.starts), 2), np.int64)
        for way in (0, 1):
            sent = np.flatnonzero(self.sent & (run.direction == way))
            lowest[:, way] = run.sequence[self._first_of(sent)]
            waiting = self.waiting[way]
            lowest[waiting.runs, way] = _lowest(waiting.runs, waiting.start)
        first = lowest[ids, ways]
        has_other = near.has_other[index]
        acked = self._other_ack[index]
        is_beyond = has_other & near.is_ack[near.other[index]] & (after(acked, first) > 0)
        is_beyond &= after(acked, near.data_end[index]) < 0  # else: acknowledged before it was sent
        first = np.where(is_beyond, acked, first)
        flying = (near.data_end[index] - first) & MASK
        is_tracked = near.carried[ids, ways, OfDirection.IS_TRACKED] > 0
        is_tracked |= has_other & near.is_ack[near.other[index]]
        sacked = np.where(has_other, 0, near.carried[ids, 1 - ways, OfDirection.SACKED])
        flying = np.where(flying < _MOST_IN_FLIGHT, np.maximum(flying - sacked, 0), 0)
        found = np.zeros(len(run.packet), np.int64)
        found[index] = np.where(is_tracked, flying, 0)
        return found

    def _initial_rtt(self) -> Rows:
        """Return the duration of the handshake as it is known at each segment."""
        near, run = self.near, self.near.run
        streams = self.memory.states.streams
        syn_time = streams[near.slots, OfStream.SYN_TIME]
        self.rtt = streams[near.slots, OfStream.INITIAL_RTT]
        syns = np.flatnonzero(self.kept & near.is_syn & ~near.is_ack)
        syn_time[near.ids[syns]] = run.time_ns[syns]
        self.syn_time = syn_time
        candidates = self.kept & near.is_ack & ~near.is_syn
        waited = run.time_ns - syn_time[near.ids]
        is_open = (self.rtt <= 0) & (syn_time >= 0)
        candidates &= is_open[near.ids]
        any_ack = np.logical_or.reduceat(candidates, near.starts)
        first = np.minimum.reduceat(
            np.where(candidates & (waited > 0), near.index, FAR), near.starts
        )
        before = self.rtt[near.ids]
        is_found = first < FAR
        self.rtt = np.where(any_ack & ~is_found, 0, self.rtt)
        self.rtt[is_found] = waited[first[is_found]]
        asked = np.minimum.reduceat(np.where(candidates, near.index, FAR), near.starts)
        before = np.where(near.index >= asked[near.ids], 0, before)
        return np.where(near.index >= first[near.ids], self.rtt[near.ids], before)


def _keys(runs: Rows, numbers: Rows, origins: Rows) -> Rows:
    """Return numbers that sort by run, and then by sequence number around the run's origin."""
    return runs << _RUN_SHIFT | ((numbers - origins[runs] + _HALF) & MASK)


def _lowest(runs: Rows, starts: Rows) -> Rows:
    """Return for each number the lowest one of its run; runs ascend."""
    if not len(runs):
        return starts
    is_first = np.ones(len(runs), np.bool_)
    is_first[1:] = runs[1:] != runs[:-1]
    first = np.flatnonzero(is_first)
    group = np.cumsum(is_first) - 1
    base = starts[first][group]
    least = np.minimum.reduceat(after(starts, base), first)
    lowest: Rows = (base + least[group]) & MASK
    return lowest
