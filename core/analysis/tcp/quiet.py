"""The evaluation of whole columns, for segments that follow each other as they should.

Most segments begin where the previous one of their direction ended, and acknowledge what was sent.
Then all that the exact evaluation says of them follows from the segment before in the same
direction, the newest one in the other direction, and the state before the run. `QuietRuns` finds
for each run of a stream's segments how many are of this kind, evaluates them, and notes the state
after them. What follows is left to `core.analysis.tcp.exact`: holes, repeated bytes and
acknowledgments, closed windows, SACK ranges, and all that is unusual. Tests hold both equal.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.tcp.exact import ACK, FIN, MOST_UNACKED, RST, SYN, WINDOW_FULL, WINDOW_UPDATE
from core.analysis.tcp.memory import StreamMemory
from core.analysis.tcp.state import SCALE_UNKNOWN, SCALE_UNUSED, OfDirection, OfStream
from core.decode.header_positions import NOWHERE
from core.wire.transport.tcp_options import GREATEST_SHIFT

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

_MASK, _HALF = np.int64(0xFFFF_FFFF), np.int64(1 << 31)
_RUN_SHIFT = 33  # of a run's number in a key, above a sequence number
_FAR = np.iinfo(np.int64).max
_MOST_IN_FLIGHT = 2_000_000_000


class Run(NamedTuple):
    """Columns (k,) of the segments of some runs, one run after the other; see `Segment`."""

    direction: Rows
    sequence: Rows
    acknowledgment: Rows
    flags: Rows
    window: Rows
    length: Rows
    time_ns: Rows
    packet: Rows
    scale: Rows
    sacked: Rows


def _after(one: Rows, other: Rows) -> Rows:
    """Return how far each sequence number is after another; negative if it is before."""
    return ((one - other + _HALF) & _MASK) - _HALF


class QuietRuns:
    """Segments of runs (r,) of different streams, which begin at `starts` (r,) in the columns."""

    def __init__(self, run: Run, starts: Rows, slots: Rows, memory: StreamMemory) -> None:
        self._run, self._starts, self._slots, self._memory = run, starts, slots, memory
        count = len(run.packet)
        self._sizes = np.diff(starts, append=count)
        self._ids = np.repeat(np.arange(len(starts)), self._sizes)
        self._index = np.arange(count)
        self._first = starts[self._ids]
        self._is_ack = run.flags & ACK > 0
        self._is_syn = run.flags & SYN > 0
        self._is_counted = run.flags & (SYN | FIN) > 0
        self._is_open = run.flags & (SYN | FIN | RST) == 0
        self._data_end = (run.sequence + run.length) & _MASK
        self._end = (self._data_end + self._is_counted) & _MASK
        self._carried = memory.states.directions[slots]
        self._find_neighbors()
        self.counts = self._quiet_counts()
        self._kept = self._index < (starts + self.counts)[self._ids]
        self._scales = self._scales_after_syn()

    # -- the segments before --------------------------------------------------------

    def _find_neighbors(self) -> None:
        """Find the segment before each one in its direction, and in the other one."""
        index, direction = self._index, self._run.direction
        self._last = []
        before = []
        for way in (0, 1):
            last = np.maximum.accumulate(np.where(direction == way, index, NOWHERE))
            self._last.append(last)
            shifted = np.full(len(last), NOWHERE)
            shifted[1:] = last[:-1]
            before.append(shifted)
        is_first_way = direction == 0
        self._same = np.where(is_first_way, before[0], before[1])
        self._other = np.where(is_first_way, before[1], before[0])
        self._has_same = self._same >= self._first
        self._has_other = self._other >= self._first

    def _of_same(self, column: Rows, carried: OfDirection) -> Rows:
        """Return a column's value in the segment before, else the carried one."""
        found = column[self._same]
        missing = np.flatnonzero(~self._has_same)
        ways = self._run.direction[missing]
        found[missing] = self._carried[self._ids[missing], ways, carried]
        return found

    def _of_other(self, column: Rows, carried: OfDirection) -> Rows:
        """Return a column's value in the newest segment the other way, else the carried one."""
        found = column[self._other]
        missing = np.flatnonzero(~self._has_other)
        ways = 1 - self._run.direction[missing]
        found[missing] = self._carried[self._ids[missing], ways, carried]
        return found

    def _scales_after_syn(self) -> Rows:
        """Return the scales (r, 2) after the SYN segments of the runs."""
        run = self._run
        scales = self._carried[:, :, OfDirection.SCALE].copy()
        syns = np.flatnonzero(self._kept & self._is_syn)
        if not len(syns):
            return scales
        ids = self._ids[syns]
        rank = np.arange(len(syns)) - np.searchsorted(ids, ids)
        for turn in range(2):
            these = syns[rank == turn]
            runs, ways = self._ids[these], run.direction[these]
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
        run = self._run
        is_odd = self._is_out_of_place() | self._has_odd_acknowledgment()
        is_odd |= (run.window == 0) & self._is_open
        is_odd |= run.sacked > 0
        self._window_before = self._of_same(run.window, OfDirection.WINDOW)
        repeats = (run.length == 0) & self._is_open
        repeats &= run.acknowledgment == self._acknowledged_before
        repeats &= self._next != 0
        self._is_update = repeats & (run.window != self._window_before)
        is_odd |= repeats & ~self._is_update
        self._other_window = self._of_other(run.window, OfDirection.WINDOW)
        is_odd |= (run.length == 1) & (self._other_window == 0)
        odd = np.where(is_odd, self._index, _FAR)
        first_odd = np.minimum.reduceat(odd, self._starts)
        counts: Rows = np.minimum(first_odd - self._starts, self._sizes)
        counts[self._is_too_long()] = 0
        return counts

    def _is_out_of_place(self) -> Mask:
        """Return a mask of the segments that do not begin where the one before ended."""
        run = self._run
        self._next = self._of_same(self._end, OfDirection.NEXT)
        is_known = self._next != 0
        is_odd: Mask = is_known & (run.sequence != self._next)
        had_any = self._has_same | (self._of_same(run.window, OfDirection.WINDOW) >= 0)
        self._had_any = had_any
        is_odd |= had_any & ~is_known
        is_odd |= ~is_known & (run.sequence == _MASK)
        last_syn = np.maximum.reduceat(np.where(self._is_syn, self._index, NOWHERE), self._starts)
        is_odd |= ~self._is_syn & (self._index < last_syn[self._ids])
        return is_odd

    def _has_odd_acknowledgment(self) -> Mask:
        """Return a mask of the segments that acknowledge in an unusual way."""
        run = self._run
        ack = run.acknowledgment
        self._acknowledged_before = self._of_same(ack, OfDirection.ACK)
        self._other_ack = self._of_other(ack, OfDirection.ACK)
        other_next = self._of_other(self._end, OfDirection.NEXT)
        heard = self._has_other | (self._of_other(run.window, OfDirection.WINDOW) >= 0)
        is_first_syn = self._is_syn & ~heard & (ack == 0)
        is_odd: Mask = ~self._is_ack & ~is_first_syn
        contiguous = self._contiguous(other_next)
        is_odd |= self._is_ack & (contiguous != 0) & (_after(ack, contiguous) > 0)
        begins = np.where(self._has_same, ~self._is_ack[self._same], ~self._had_any)
        is_odd |= self._is_ack & ~heard & begins  # acknowledges bytes that were not captured
        before = self._acknowledged_before
        is_odd |= (before != 0) & (_after(ack, before) < 0)
        is_heard = self._other_ack != 0
        has_data = (run.length > 0) & is_heard
        is_odd |= has_data & (_after(self._data_end, self._other_ack) <= 0)
        is_odd |= self._is_counted & is_heard & (_after(self._end, self._other_ack) <= 0)
        has_data |= self._is_counted & is_heard
        is_odd |= has_data & (self._next == 0) & (_after(self._other_ack, run.sequence) > 0)
        base = self._carried[self._ids, run.direction, OfDirection.BASE]
        is_odd |= self._is_syn & (base >= 0) & (base != run.sequence)
        is_odd |= self._is_syn & self._has_other & self._is_ack[self._other]
        gap = self._carried[self._ids, 1 - run.direction, OfDirection.HAS_GAP] > 0
        is_odd |= gap & (ack != before)
        return is_odd

    def _contiguous(self, other_next: Rows) -> Rows:
        """Return the end of the other direction's bytes without a hole."""
        ways = 1 - self._run.direction
        carried = self._carried[:, :, OfDirection.CONTIGUOUS]
        is_behind = (carried != self._carried[:, :, OfDirection.NEXT]) & (carried != 0)
        self._is_behind = is_behind
        behind = is_behind[self._ids, ways]
        return np.where(behind, carried[self._ids, ways], other_next)

    def _is_too_long(self) -> Mask:
        """Return a mask (r,) of runs that may have too many unacknowledged segments."""
        waiting = self._memory.counts_of(self._slots)
        most: Mask = waiting + self._sizes >= MOST_UNACKED
        return most

    # -- what they are ------------------------------------------------------------------

    def evaluate(self, found: dict[str, Rows], places: Rows | slice) -> None:
        """Write the results of the quiet segments to `found` at `places`, and note the state."""
        run = self._run
        kept = self._kept
        findings = np.where(self._is_update, WINDOW_UPDATE, 0)
        findings[self._is_full()] |= WINDOW_FULL
        self._findings = findings
        packets, times = self._acknowledged()
        columns = {
            "findings": findings,
            "acked_packet": packets,
            "ack_rtt": times,
            "bytes_in_flight": self._in_flight(),
            "initial_rtt": self._initial_rtt(),
            "shift": self._scales[self._ids, run.direction],
        }
        targets = np.arange(len(found["findings"]))[places][kept]
        for name, column in columns.items():
            found[name][targets] = column[kept]
        self._note_state()
        self._note_unacked()

    def _is_full(self) -> Mask:
        run = self._run
        scale = self._scales[self._ids, 1 - run.direction]
        has_acked = self._of_other((~self._is_syn).astype(np.int64), OfDirection.HAS_ACKED) > 0
        shift = np.where(has_acked & (scale > 0), scale, 0)
        limit = (self._other_ack + (self._other_window << shift)) & _MASK
        full: Mask = (self._data_end == limit) & (run.length > 0)
        full &= self._is_open & (scale != SCALE_UNKNOWN)
        return full

    def _acknowledged(self) -> tuple[Rows, Rows]:
        """Return the packet whose last byte each segment acknowledges, and the time since then."""
        run = self._run
        packets = np.zeros(len(run.packet), np.int64)
        times = packets.copy()
        self._sent = self._kept & ((run.length > 0) | self._is_counted)
        is_new = run.acknowledgment != self._acknowledged_before
        is_new |= ~self._has_same  # repeated bytes may wait although they were acknowledged before
        is_new |= ~self._is_ack[self._same]  # a SYN without ACK has the number 0, too
        is_new &= self._kept & self._is_ack
        origins = self._carried[:, :, OfDirection.NEXT]
        self._waiting = []
        for way in (0, 1):
            sent = np.flatnonzero(self._sent & (run.direction == way))
            first = self._first_of(sent)
            origin = np.where(origins[:, way] != 0, origins[:, way], run.sequence[first])
            waiting = self._memory.waiting(self._slots, way, self.counts > 0)
            self._waiting.append(waiting)
            keys = np.concatenate(
                [
                    _keys(waiting.runs, waiting.end, origin),
                    _keys(self._ids[sent], self._end[sent], origin),
                ]
            )
            order = np.argsort(keys, kind="stable")
            keys = keys[order]
            if not len(keys):
                continue
            index = np.flatnonzero(is_new & (run.direction == 1 - way))
            asked = _keys(self._ids[index], run.acknowledgment[index], origin)
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
        """Return the first of some segments in each run, (r,); any segment without one."""
        found = self._starts.copy()
        if len(index):
            ids = self._ids[index]
            is_first = np.ones(len(ids), np.bool_)
            is_first[1:] = ids[1:] != ids[:-1]
            found[ids[is_first]] = index[is_first]
        return found

    def _in_flight(self) -> Rows:
        run = self._run
        index = np.flatnonzero(self._kept & (run.length > 0))
        ids, ways = self._ids[index], run.direction[index]
        lowest = np.empty((len(self._starts), 2), np.int64)
        for way in (0, 1):
            sent = np.flatnonzero(self._sent & (run.direction == way))
            lowest[:, way] = run.sequence[self._first_of(sent)]
            waiting = self._waiting[way]
            lowest[waiting.runs, way] = _lowest(waiting.runs, waiting.start)
        first = lowest[ids, ways]
        has_other = self._has_other[index]
        acked = self._other_ack[index]
        is_beyond = has_other & self._is_ack[self._other[index]] & (_after(acked, first) > 0)
        is_beyond &= (
            _after(acked, self._data_end[index]) < 0
        )  # else: acknowledged before it was sent
        first = np.where(is_beyond, acked, first)
        flying = (self._data_end[index] - first) & _MASK
        is_tracked = self._carried[ids, ways, OfDirection.IS_TRACKED] > 0
        is_tracked |= has_other & self._is_ack[self._other[index]]
        sacked = np.where(has_other, 0, self._carried[ids, 1 - ways, OfDirection.SACKED])
        flying = np.where(flying < _MOST_IN_FLIGHT, np.maximum(flying - sacked, 0), 0)
        found = np.zeros(len(run.packet), np.int64)
        found[index] = np.where(is_tracked, flying, 0)
        return found

    def _initial_rtt(self) -> Rows:
        """Return the duration of the handshake as it is known at each segment."""
        run = self._run
        streams = self._memory.states.streams
        syn_time = streams[self._slots, OfStream.SYN_TIME]
        self._rtt = streams[self._slots, OfStream.INITIAL_RTT]
        syns = np.flatnonzero(self._kept & self._is_syn & ~self._is_ack)
        syn_time[self._ids[syns]] = run.time_ns[syns]
        self._syn_time = syn_time
        candidates = self._kept & self._is_ack & ~self._is_syn
        waited = run.time_ns - syn_time[self._ids]
        is_open = (self._rtt <= 0) & (syn_time >= 0)
        candidates &= is_open[self._ids]
        any_ack = np.logical_or.reduceat(candidates, self._starts)
        first = np.minimum.reduceat(
            np.where(candidates & (waited > 0), self._index, _FAR), self._starts
        )
        before = self._rtt[self._ids]
        is_found = first < _FAR
        self._rtt = np.where(any_ack & ~is_found, 0, self._rtt)
        self._rtt[is_found] = waited[first[is_found]]
        asked = np.minimum.reduceat(np.where(candidates, self._index, _FAR), self._starts)
        before = np.where(self._index >= asked[self._ids], 0, before)
        return np.where(self._index >= first[self._ids], self._rtt[self._ids], before)

    # -- the state after them -----------------------------------------------------------

    def _note_state(self) -> None:
        run, memory = self._run, self._memory
        there = np.flatnonzero(self.counts > 0)
        slots, last = self._slots[there], (self._starts + self.counts - 1)[there]
        memory.states.streams[slots, OfStream.SYN_TIME] = self._syn_time[there]
        memory.states.streams[slots, OfStream.INITIAL_RTT] = self._rtt[there]
        states = memory.states.directions[slots]
        states[:, :, OfDirection.SCALE] = self._scales[there]
        self._note_bases(there, states)
        for way in (0, 1):
            newest = self._last[way][last]
            has = np.flatnonzero(newest >= self._starts[there])
            at = newest[has]
            row = states[has, way]
            was_behind = self._is_behind[there[has], way]
            row[:, OfDirection.CONTIGUOUS] = np.where(
                was_behind, row[:, OfDirection.CONTIGUOUS], self._end[at]
            )
            row[:, OfDirection.NEXT] = self._end[at]
            row[:, OfDirection.ACK] = run.acknowledgment[at]
            row[:, OfDirection.ACK_TIME] = run.time_ns[at]
            row[:, OfDirection.WINDOW] = run.window[at]
            row[:, OfDirection.FINDINGS] = self._findings[at]
            row[:, OfDirection.SACKED] = 0
            row[:, OfDirection.HAS_ACKED] |= ~self._is_syn[at]
            states[has, way] = row
            has_acked = self._is_ack[at]
            states[has[has_acked], 1 - way, OfDirection.IS_TRACKED] = 1
            mine = self._kept & (run.direction == way)
            self._note_last(
                there,
                states,
                way,
                mine & (run.acknowledgment != self._acknowledged_before),
                ((OfDirection.ACK_PACKET, run.packet),),
            )
            self._note_last(
                there,
                states,
                way,
                mine & ((self._end != self._next) | (self._next == 0)),
                ((OfDirection.NEXT_TIME, run.time_ns), (OfDirection.NEXT_PACKET, run.packet)),
            )
        memory.states.directions[slots] = states

    def _note_last(
        self,
        there: Rows,
        states: Rows,
        way: int,
        mask: Mask,
        columns: tuple[tuple[OfDirection, Rows], ...],
    ) -> None:
        """Note the values of the last segment of a mask in each run."""
        last = np.maximum.reduceat(np.where(mask, self._index, NOWHERE), self._starts)[there]
        has = np.flatnonzero(last >= 0)
        for column, values in columns:
            states[has, way, column] = values[last[has]]
            if column is OfDirection.ACK_PACKET:
                states[has, way, OfDirection.DUPLICATES] = 0

    def _note_bases(self, there: Rows, states: Rows) -> None:
        """Note what relative numbers count from, where it was unknown."""
        run, far = self._run, len(self._run.packet)
        firsts: list[Rows] = []
        acks: list[Rows] = []
        for way in (0, 1):
            mine = self._kept & (run.direction == way)
            for found, mask in ((firsts, mine), (acks, mine & self._is_ack)):
                index = np.where(mask, self._index, far)
                found.append(np.minimum.reduceat(index, self._starts)[there])
        for way in (0, 1):
            first, told = firsts[way], acks[1 - way]
            is_open = states[:, way, OfDirection.BASE] < 0
            own = np.flatnonzero(is_open & (first < told))
            at = first[own]
            states[own, way, OfDirection.BASE] = (run.sequence[at] - ~self._is_syn[at]) & _MASK
            other = np.flatnonzero(is_open & (told < first))
            states[other, way, OfDirection.BASE] = (run.acknowledgment[told[other]] - 1) & _MASK

    def _note_unacked(self) -> None:
        """Note which segments the other side has not acknowledged."""
        run, memory = self._run, self._memory
        last = self._starts + self.counts - 1
        for way in (0, 1):
            newest = self._last[1 - way][np.maximum(last, 0)]
            is_acked = (newest >= self._starts) & (self.counts > 0)
            is_acked &= self._is_ack[newest]
            acks = np.where(is_acked, run.acknowledgment[newest], NOWHERE)
            memory.acknowledge(self._slots[is_acked], way, acks[is_acked])
            sent = np.flatnonzero(self._sent & (run.direction == way))
            of_run = acks[self._ids[sent]]
            is_left = (of_run < 0) | (_after(self._end[sent], of_run) > 0)
            left, of_run = sent[is_left], of_run[is_left]
            starts = run.sequence[left]
            is_partial = (of_run >= 0) & (_after(of_run, starts) > 0)
            starts = np.where(is_partial, of_run, starts)
            columns = (starts, self._end[left], run.packet[left], run.time_ns[left])
            memory.add(self._slots[self._ids[left]], way, columns)


def _keys(runs: Rows, numbers: Rows, origins: Rows) -> Rows:
    """Return numbers that sort by run, and then by sequence number around the run's origin."""
    return runs << _RUN_SHIFT | ((numbers - origins[runs] + _HALF) & _MASK)


def _lowest(runs: Rows, starts: Rows) -> Rows:
    """Return for each number the lowest one of its run; runs ascend."""
    if not len(runs):
        return starts
    is_first = np.ones(len(runs), np.bool_)
    is_first[1:] = runs[1:] != runs[:-1]
    first = np.flatnonzero(is_first)
    group = np.cumsum(is_first) - 1
    base = starts[first][group]
    least = np.minimum.reduceat(_after(starts, base), first)
    lowest: Rows = (base + least[group]) & _MASK
    return lowest
