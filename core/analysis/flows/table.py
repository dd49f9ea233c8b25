"""The conversations of one level, as columns that grow with every part of a capture.

A conversation has a row, its *slot*, from its first packet on; packets that the store evicts stay
counted. At most `MOST_FLOWS` conversations have one, of `FLOW_BYTES`. A new one then takes the row
of the one that has been idle for the most packets, which is *evicted*: its packets and bytes are
counted with those of others, so the totals stay true. If it has packets later, it begins again.

Direction 0 is from end A, the source of the first packet, to end B; direction 1 is back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.flows.ends import Ends, Pairs
from core.analysis.flows.history import BINS, TimeScale, widened
from core.analysis.flows.slots import NO_SLOT, SlotIndex

MOST_FLOWS = 1 << 17
NO_TIME = int(np.iinfo(np.int64).max)
"""The start of a flow whose packets have no time."""

UNTIMED = -NO_TIME
"""The time of a packet without one, and the end of such a flow."""

_LEAST_ROWS = 64
IDLE_PART = 8
"""One in so many conversations is looked up at once as the longest idle; each takes 16 bytes."""

Rows = NDArray[np.int64]

_COLUMNS: Mapping[str, tuple[Any, tuple[int, ...], Any]] = {
    "a_kind": (np.uint8, (), 0),
    "a_high": (np.uint64, (), 0),
    "a_low": (np.uint64, (), 0),
    "a_port": (np.uint16, (), 0),
    "b_kind": (np.uint8, (), 0),
    "b_high": (np.uint64, (), 0),
    "b_low": (np.uint64, (), 0),
    "b_port": (np.uint16, (), 0),
    "a_hash": (np.uint64, (), 0),
    "packets": (np.int64, (2,), 0),
    "bytes": (np.int64, (2,), 0),
    "start_ns": (np.int64, (), NO_TIME),
    "stop_ns": (np.int64, (), UNTIMED),
    "first_packet": (np.int64, (), 0),
    "last_packet": (np.int64, (), 0),
    "rates": (np.float32, (BINS,), 0),
}
_OF_BEGINNING = frozenset(
    {"first_packet", "a_hash", "stream"}
    | {f"{side}_{name}" for side in "ab" for name in Ends.__slots__}
)
"""The columns that are set when a conversation begins."""

TCP_COLUMNS: Mapping[str, tuple[Any, tuple[int, ...], Any]] = {
    "retransmissions": (np.uint32, (2,), 0),
    "zero_windows": (np.uint32, (2,), 0),
    "resets": (np.uint32, (2,), 0),
    "seen": (np.uint8, (2,), 0),
    "initial_rtt_ns": (np.int64, (), -1),
    "stream": (np.int64, (), -1),
}
"""Further columns of TCP; see `core.analysis.flows.tcp_marks`."""

FLOW_BYTES: int = (
    12
    + 16 // IDLE_PART
    + sum(
        np.dtype(kind).itemsize * int(np.prod(shape, dtype=np.int64))
        for kind, shape, _ in [*_COLUMNS.values(), *TCP_COLUMNS.values()]
    )
)
"""The memory of a conversation with its key, in an array of the right size."""


@dataclass(frozen=True, slots=True, eq=False)
class PartColumns:
    """Times and lengths of the packets of a part: columns (n,), by row.

    ``times_ns``  int64    `UNTIMED` for packets without a time
    ``lengths``   float64  the bytes of each packet, as they were on the wire
    ``bins``      int64    the bin of each time in the plots
    """

    first: int
    times_ns: Rows
    lengths: NDArray[np.float64]
    bins: Rows


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Headers that a table has counted, sorted by conversation: parallel arrays (k,).

    ``index``  int64  which of the headers that were added
    ``slot``   int64  the row of its conversation
    ``way``    int64  its direction, 0 or 1

    The headers of a conversation begin at each of `starts` (g,), whose rows are `slots` (g,).
    """

    index: Rows
    slot: Rows
    way: Rows
    starts: Rows
    slots: Rows


_NOTHING = np.zeros(0, np.int64)


class ConversationTable:
    """Counts the packets of the conversations of one level."""

    def __init__(self, scale: TimeScale, *, is_tcp: bool, most: int = MOST_FLOWS) -> None:
        self.other_packets = 0
        self.other_bytes = 0
        self.evicted = 0  # conversations; one that came again may be evicted again
        self._scale = scale
        self._kinds = {**_COLUMNS, **(TCP_COLUMNS if is_tcp else {})}
        self._index, self._most = SlotIndex(most), most
        self._columns: dict[str, NDArray[Any]] = {}
        self._width_ns = scale.width_ns
        self._idle = (_NOTHING, _NOTHING)  # slots, and the last packet that each had
        self._reserve(_LEAST_ROWS)

    def __len__(self) -> int:
        return len(self._index)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """The columns of all conversations, which the next `add` changes."""
        self._follow_scale()
        return {name: column[: len(self)] for name, column in self._columns.items()}

    def add(self, pairs: Pairs, keys: NDArray[np.uint64], part: PartColumns) -> Counted:
        """Count headers (k,), with the keys of their conversations.

        Return those that have a conversation, for further columns.
        """
        if not len(pairs):
            return Counted(_NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING)
        self._follow_scale()
        order = np.argsort(keys)
        ascending = keys[order]
        is_first = np.ones(len(keys), np.bool_)
        np.not_equal(ascending[1:], ascending[:-1], out=is_first[1:])
        starts = np.flatnonzero(is_first)
        slots = self._index.known(ascending[starts])
        new = np.flatnonzero(slots == NO_SLOT)
        if len(new):
            if (lacking := len(self) + len(new) - self._most) > 0:
                self._evict(lacking, busy=slots[slots != NO_SLOT])
            firsts = np.minimum.reduceat(order, starts)[new]
            by_packet = np.argsort(firsts)
            new, firsts = new[by_packet], firsts[by_packet]
            slots[new] = self._add_new(pairs, keys, firsts, part)
        sizes = np.diff(starts, append=len(keys))
        is_kept = slots != NO_SLOT
        if not is_kept.all():
            others = part.lengths[pairs.rows[order[np.repeat(~is_kept, sizes)]]]
            self.other_packets += len(others)
            self.other_bytes += int(others.sum())
            order = order[np.repeat(is_kept, sizes)]
            slots, sizes = slots[is_kept], sizes[is_kept]
            starts = np.cumsum(sizes) - sizes
        slot = np.repeat(slots, sizes)
        way = (pairs.sources[order] != self._columns["a_hash"][slot]).astype(np.int64)
        counted = Counted(order, slot, way, starts, slots)
        if len(order):
            self._count(pairs.rows[order], counted, sizes, part)
        return counted

    def _evict(self, count: int, busy: Rows) -> None:
        """Take the rows of up to `count` conversations, idle for longest, but not `busy` ones.

        New conversations get all of these rows in the same step, with their ends.
        """
        columns = self._columns
        slots = self._longest_idle(count, busy)
        self.evicted += len(slots)
        self.other_packets += int(columns["packets"][slots].sum())
        self.other_bytes += int(columns["bytes"][slots].sum())
        for name, (_, _, default) in self._kinds.items():
            if name not in _OF_BEGINNING:
                columns[name][slots] = default
        self._index.remove(slots)

    def _longest_idle(self, count: int, busy: Rows) -> Rows:
        """Return up to `count` slots, but not `busy` ones, and take them from those in `_idle`.

        Those in `_idle` were idle for longest, in order, when they were found. As any that had a
        packet since is more recent than all others, the rest still is in order.
        """
        last = self._columns["last_packet"][: len(self)]
        is_busy = np.zeros(len(last), np.bool_)
        is_busy[busy] = True
        slots, seen = self._idle
        is_idle = (last[slots] == seen) & ~is_busy[slots]
        slots = slots[is_idle]
        if len(slots) < count:
            idle = np.where(is_busy, NO_TIME, last)
            found = min(max(count, len(last) // IDLE_PART), len(last) - len(busy))
            slots = np.argpartition(idle, max(found - 1, 0))[:found]
            slots = slots[np.argsort(idle[slots])]
        self._idle = (slots[count:], last[slots[count:]])
        return slots[:count]

    def _add_new(
        self, pairs: Pairs, keys: NDArray[np.uint64], index: Rows, part: PartColumns
    ) -> Rows:
        """Give slots to the conversations that begin with some headers. Return the slots."""
        slots = self._index.add(keys[index])
        self._reserve(len(self))
        index, kept = index[slots != NO_SLOT], slots[slots != NO_SLOT]
        columns = self._columns
        for prefix, ends in (("a", pairs.source), ("b", pairs.destination)):
            taken = ends.take(index)
            for name in Ends.__slots__:
                columns[f"{prefix}_{name}"][kept] = getattr(taken, name)
        columns["a_hash"][kept] = pairs.sources[index]
        columns["first_packet"][kept] = part.first + pairs.rows[index]
        if "stream" in columns:
            columns["stream"][kept] = keys[index].astype(np.int64)
        return slots

    def _count(self, rows: Rows, counted: Counted, sizes: Rows, part: PartColumns) -> None:
        """Add packets, bytes, times, and rates to the rows of their conversations."""
        columns, slots, starts = self._columns, counted.slots, counted.starts
        count = len(slots)
        group = np.repeat(np.arange(count), sizes)
        lengths, times = part.lengths[rows], part.times_ns[rows]
        place = 2 * group + counted.way
        columns["packets"][slots] += np.bincount(place, minlength=2 * count).reshape(-1, 2)
        total = np.bincount(place, lengths, 2 * count).astype(np.int64)
        columns["bytes"][slots] += total.reshape(-1, 2)
        stops = np.maximum.reduceat(times, starts)
        columns["stop_ns"][slots] = np.maximum(columns["stop_ns"][slots], stops)
        begins = np.minimum.reduceat(times, starts)
        if UNTIMED in begins:
            begins = np.minimum.reduceat(np.where(times == UNTIMED, NO_TIME, times), starts)
        columns["start_ns"][slots] = np.minimum(columns["start_ns"][slots], begins)
        columns["last_packet"][slots] = part.first + np.maximum.reduceat(rows, starts)
        timed = np.where(times == UNTIMED, 0.0, lengths)
        bins = part.bins[rows]
        low = int(bins.min())
        used = int(bins.max()) + 1 - low  # few, as the times of a part are close
        rates = np.bincount(group * used + bins - low, timed, count * used)
        columns["rates"][slots, low : low + used] += rates.reshape(-1, used).astype(np.float32)

    def _reserve(self, count: int) -> None:
        """Make room for `count` conversations."""
        for name, (kind, shape, default) in self._kinds.items():
            old = self._columns.get(name)
            if old is None or len(old) < count:
                new = np.full(
                    (max(count, 0 if old is None else 2 * len(old)), *shape), default, kind
                )
                if old is not None:
                    new[: len(old)] = old
                self._columns[name] = new

    def _follow_scale(self) -> None:
        while self._width_ns < self._scale.width_ns:
            self._columns["rates"] = widened(self._columns["rates"])
            self._width_ns *= 2
