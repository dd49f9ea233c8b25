"""The analysis of one part of a capture after the other: streams, and what each segment is.

A part is at most `PART` packets. Its segments are sorted by stream, and the streams evaluated from
the state in which earlier parts left them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from core.analysis.tcp.direction import Direction, Segment
from core.analysis.tcp.exact import ACK, SYN, Stream
from core.analysis.tcp.flow_table import TCP_COLUMNS, UDP_COLUMNS, Block, Columns, empty
from core.analysis.tcp.memory import StreamMemory
from core.analysis.tcp.neighbors import Run
from core.analysis.tcp.part_columns import Results, Segments
from core.analysis.tcp.quiet import QuietRuns
from core.analysis.tcp.segments import Headers, transport_headers, tunneled_rows
from core.analysis.tcp.state import OfDirection, OfStream, StreamStates
from core.analysis.tcp.stream_times import StreamTimes
from core.analysis.tcp.streams import Groups, StreamNumbers
from core.decode.chunk import Chunk

PART = 1 << 14

Rows = NDArray[np.int64]
_MOST_ROUNDS = 8
_LEAST_OF_ROUND = 400  # segments; fewer cost less one at a time
_ORDINARY = 3  # segments in a row after which columns may continue
_LOOK_AHEAD = 16


class FlowAnalysis:
    """Analyzes the packets of one capture in the order of their numbers."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tcp, self._udp = StreamNumbers(), StreamNumbers()
        self._udp_times = StreamTimes()
        self._memory = StreamMemory()
        self.exact_packets = 0  # evaluated one at a time
        self._pause: Callable[[], None] = lambda: None

    def analyze(self, part: Chunk, pause: Callable[[], None] = lambda: None) -> Block:
        """Return the results for the packets that follow those analyzed before.

        Call `pause` every few milliseconds.
        """
        self._pause = pause
        tcp, udp = transport_headers(part, self._seed, tunneled_rows(part))
        pause()
        return Block(part.first, part.last, self._analyze_tcp(part, tcp), self._number(part, udp))

    def _number(self, part: Chunk, headers: Headers) -> Columns:
        packets = part.first + headers.rows
        if not len(packets):
            return empty(UDP_COLUMNS)
        found = {name: np.zeros(len(packets), kind) for name, kind in UDP_COLUMNS.items()}
        sorting = self._udp.sorted_by_stream(headers)
        groups = self._udp.assign(sorting, self._udp.known(sorting[3]), packets)
        found["packet"] = packets
        found["stream"][groups.order] = np.repeat(groups.numbers, groups.sizes)
        times = part.timestamp_ns[headers.rows[groups.order]]
        relative, delta = self._udp_times.add(groups, times)
        found["time_relative"][groups.order] = relative
        found["time_delta"][groups.order] = delta
        self._udp.forget()
        return found

    def _analyze_tcp(self, part: Chunk, headers: Headers) -> Columns:
        if not len(headers):
            return empty(TCP_COLUMNS)
        sorting = self._tcp.sorted_by_stream(headers)
        segments = Segments(part, headers, sorting[0])
        slots = self._tcp.known(sorting[3])
        splits = self._splits(segments, sorting[1], sorting[2], slots)
        groups = self._tcp.assign(sorting, slots, part.first + headers.rows, splits)
        self._memory.states.reset(groups.slots[groups.is_new])
        first_times = segments.time_ns[groups.starts[groups.is_new]]
        self._memory.states.streams[groups.slots[groups.is_new], OfStream.FIRST_TIME] = first_times
        self._memory.states.streams[groups.slots[groups.is_new], OfStream.LAST_TIME] = first_times
        results = Results(segments, groups)
        self._evaluate(segments, groups, results.found)
        columns = results.columns(self._memory.states)
        self._memory.drop([*self._tcp.forget().tolist(), *groups.replaced])
        self._tcp.release(groups.replaced)
        self._memory.bound()
        return columns

    def _splits(self, segments: Segments, direction: Rows, starts: Rows, slots: Rows) -> Rows:
        """Return where a SYN starts a new stream between ends that have one."""
        syns = np.flatnonzero(segments.flags & (SYN | ACK) == SYN)
        found: list[int] = []
        if not len(syns):
            return np.array(found, np.int64)
        group_of = np.searchsorted(starts, syns, "right") - 1
        is_plain = (syns == starts[group_of]) & (slots[group_of] < 0)
        is_plain &= np.bincount(group_of, minlength=len(starts))[group_of] == 1
        groups, places = group_of[~is_plain].tolist(), syns[~is_plain].tolist()
        last = dict(zip(groups, places, strict=True))
        for group, end in last.items():
            found += self._splits_of(
                segments, direction, int(starts[group]), end, int(slots[group])
            )
        return np.array(found, np.int64)

    def _splits_of(
        self, segments: Segments, direction: Rows, start: int, end: int, slot: int
    ) -> Iterator[int]:
        bases = [-1, -1]
        if slot >= 0:
            bases = self._memory.states.directions[slot, :, OfDirection.BASE].tolist()
        part = slice(start, end + 1)
        columns = (direction, segments.flags, segments.sequence, segments.acknowledgment)
        rows = zip(*(column[part].tolist() for column in columns), strict=True)
        for index, (way, flags, sequence, acknowledgment) in enumerate(rows, start):
            if flags & (SYN | ACK) == SYN and bases[way] >= 0 and bases[way] != sequence:
                yield index
                bases = [-1, -1]
            if bases[way] < 0:
                bases[way] = sequence if flags & SYN else (sequence - 1) & 0xFFFF_FFFF
            if flags & ACK and bases[1 - way] < 0:
                bases[1 - way] = (acknowledgment - 1) & 0xFFFF_FFFF

    def _evaluate(self, segments: Segments, groups: Groups, found: dict[str, Rows]) -> None:
        """Evaluate all segments: quiet ones by columns, the others one at a time.

        In each round, columns evaluate the quiet segments at the start of each stream's rest, and
        the exact evaluation the next few ones. The rest is exact if it is not worth a round.
        """
        starts, stops = groups.starts, groups.starts + groups.sizes
        slots = groups.slots
        run = segments.run(groups.direction)
        places: Rows | slice = slice(None)
        part = run
        begin = starts
        for turn in range(_MOST_ROUNDS):
            self._pause()
            quiet = QuietRuns(part, begin, slots, self._memory)
            quiet.evaluate(found, places)
            starts = starts + quiet.counts
            is_last = turn == _MOST_ROUNDS - 1
            rests = (starts, stops, slots)
            starts = self._evaluate_exactly(run, rests, found, is_last=is_last)
            left = np.flatnonzero(starts < stops)
            if not len(left):
                return
            starts, stops, slots = starts[left], stops[left], slots[left]
            sizes = stops - starts
            begin = np.cumsum(sizes) - sizes
            places = np.arange(sizes.sum()) + np.repeat(starts - begin, sizes)
            part = Run._make(column[places] for column in run)

    def _evaluate_exactly(
        self, run: Run, rests: tuple[Rows, Rows, Rows], found: dict[str, Rows], *, is_last: bool
    ) -> Rows:
        """Evaluate the next segments of each run one at a time. Return where each run continues.

        `rests` are where the rest of each run starts and stops, and the slot of its stream.
        """
        starts, stops, slots = rests
        takes_all = is_last or int((stops - starts).sum()) < _LEAST_OF_ROUND
        ends = stops if takes_all else np.minimum(stops, starts + _LOOK_AHEAD)
        sizes = ends - starts
        firsts = np.cumsum(sizes) - sizes
        offsets = np.arange(int(sizes.sum())) - np.repeat(firsts, sizes)
        places = offsets + np.repeat(starts, sizes)
        columns = zip(*(column[places].tolist() for column in run), strict=True)
        segments = list(map(Segment._make, columns))
        results: list[tuple[int, ...]] = []
        counts = np.zeros(len(starts), np.int64)
        runs = np.flatnonzero(sizes)
        states = _Rows(self._memory.states, slots[runs])
        for at, index in enumerate(runs.tolist()):
            self._pause()
            first = int(firsts[index])
            these = segments[first : first + int(sizes[index])]
            found_here = self._evaluate_stream(these, states, at, takes_all=takes_all)
            results += found_here
            counts[index] = len(found_here)
        states.write()
        if results:
            used = places[offsets < np.repeat(counts, sizes)]
            for name, column in zip(found, np.array(results, np.int64).T, strict=True):
                found[name][used] = column
        self.exact_packets += len(results)
        return starts + counts

    def _evaluate_stream(
        self, segments: Sequence[Segment], states: _Rows, at: int, *, takes_all: bool
    ) -> list[tuple[int, ...]]:
        """Evaluate segments of one stream, all of them or until some seem quiet.

        Its numbers are in row `at`. Return a row of the columns `EVALUATED` for each segment that
        was evaluated.
        """
        memory, slot = self._memory, states.slots[at]
        rows = states.directions[at]
        first = Direction(rows[0], *memory.take(slot, 0))
        second = Direction(rows[1], *memory.take(slot, 1))
        stream = Stream(states.streams[at], (first, second))
        results: list[tuple[int, ...]] = []
        ordinary = 0
        for segment in segments:
            evaluated = stream.evaluate(segment)
            scale = stream.directions[segment.direction].scale
            results.append((*evaluated, stream.initial_rtt_ns, scale))
            ordinary = 0 if evaluated.findings or segment.sacked > 0 else ordinary + 1
            if ordinary >= _ORDINARY and not takes_all:
                break
        states.streams[at] = stream.row
        for way, each in enumerate(stream.directions):
            rows[way] = each.row
            memory.keep(slot, way, each.unacked, each.holes)
        return results


class _Rows:
    """The numbers of some streams as lists, read and written all at once."""

    def __init__(self, states: StreamStates, slots: Rows) -> None:
        self._states, self._slots = states, slots
        self.slots: list[int] = slots.tolist()
        self.streams: list[list[int]] = states.streams[slots].tolist()
        self.directions: list[list[list[int]]] = states.directions[slots].tolist()

    def write(self) -> None:
        """Write the lists back."""
        if self.slots:
            self._states.streams[self._slots] = self.streams
            self._states.directions[self._slots] = self.directions
