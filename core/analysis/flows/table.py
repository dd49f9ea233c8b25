"""The conversations of one level, as columns that grow with every part of a capture.

A conversation has a row, its *slot*, from its first packet on; it is never dropped, and neither is
a count: packets that the store evicts stay counted. At most `MOST_FLOWS` conversations have one.
Packets of further ones are counted as those of others. A row takes `FLOW_BYTES`.

Direction 0 is from end A, the source of the first packet, to end B; direction 1 is back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.flows.history import BINS, TimeScale, widened
from core.analysis.flows.pairs import Ends, Pairs
from core.analysis.flows.slots import NO_SLOT, SlotIndex

MOST_FLOWS = 1 << 17
NO_TIME = int(np.iinfo(np.int64).max)
"""The start of a flow whose packets have no time."""

UNTIMED = -NO_TIME
"""The time of a packet without one, and the end of such a flow."""

_LEAST_ROWS = 64

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
    "stream": (np.int64, (), -1),
    "rates": (np.float32, (BINS,), 0),
}
TCP_COLUMNS: Mapping[str, tuple[Any, tuple[int, ...], Any]] = {
    "retransmissions": (np.uint32, (2,), 0),
    "zero_windows": (np.uint32, (2,), 0),
    "resets": (np.uint32, (2,), 0),
    "seen": (np.uint8, (2,), 0),
    "initial_rtt_ns": (np.int64, (), -1),
}
"""Further columns of TCP; see `core.analysis.flows.tcp_marks`."""

FLOW_BYTES: int = 12 + sum(
    np.dtype(kind).itemsize * int(np.prod(shape, dtype=np.int64))
    for kind, shape, _ in [*_COLUMNS.values(), *TCP_COLUMNS.values()]
)
"""The memory of a conversation with its key, in an array of the right size."""


@dataclass(frozen=True, slots=True, eq=False)
class Headers:
    """Headers to count (k,), with the `keys` of their conversations.

    ``sources``   uint64  a hash of each source, which tells the direction
    ``packets``   int64   the numbers of their packets
    ``times_ns``  int64   the times of these; `UNTIMED` for those without
    ``lengths``   int64   the bytes of these, as they were on the wire
    """

    pairs: Pairs
    keys: NDArray[np.uint64]
    sources: NDArray[np.uint64]
    packets: Rows
    times_ns: Rows
    lengths: Rows

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Headers that a table has counted, sorted by conversation: parallel arrays (k,).

    ``index``  int64  which of the headers that were added
    ``slot``   int64  the row of its conversation
    ``way``    int64  its direction, 0 or 1
    """

    index: Rows
    slot: Rows
    way: Rows


class ConversationTable:
    """Counts the packets of the conversations of one level."""

    def __init__(self, scale: TimeScale, *, is_tcp: bool, most: int = MOST_FLOWS) -> None:
        self.other_packets = 0
        self.other_bytes = 0
        self._scale = scale
        self._kinds = {**_COLUMNS, **(TCP_COLUMNS if is_tcp else {})}
        self._index = SlotIndex(most)
        self._columns: dict[str, NDArray[Any]] = {}
        self._width_ns = scale.width_ns
        self._reserve(_LEAST_ROWS)

    def __len__(self) -> int:
        return len(self._index)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """The columns of all conversations, which the next `add` changes."""
        self._follow_scale()
        return {name: column[: len(self)] for name, column in self._columns.items()}

    def add(self, headers: Headers) -> Counted:
        """Count headers. Return those that have a conversation, for further columns."""
        if not len(headers):
            nothing = np.zeros(0, np.int64)
            return Counted(nothing, nothing, nothing)
        self._follow_scale()
        order = np.argsort(headers.keys)
        keys = headers.keys[order]
        is_first = np.ones(len(keys), np.bool_)
        is_first[1:] = keys[1:] != keys[:-1]
        starts = np.flatnonzero(is_first)
        slots = self._index.known(keys[starts])
        new = np.flatnonzero(slots == NO_SLOT)
        if len(new):
            firsts = np.minimum.reduceat(order, starts)[new]
            by_packet = np.argsort(firsts)
            new, firsts = new[by_packet], firsts[by_packet]
            slots[new] = self._add_new(headers, firsts)
        slot = np.repeat(slots, np.diff(starts, append=len(keys)))
        is_kept = slot != NO_SLOT
        if not is_kept.all():
            others = headers.lengths[order[~is_kept]]
            self.other_packets += len(others)
            self.other_bytes += int(others.sum())
            order, slot = order[is_kept], slot[is_kept]
        way = (headers.sources[order] != self._columns["a_hash"][slot]).astype(np.int64)
        counted = Counted(order, slot, way)
        if len(order):
            self._count(headers, counted)
        return counted

    def _add_new(self, headers: Headers, index: Rows) -> Rows:
        """Give slots to the conversations that begin with some headers. Return the slots."""
        slots = self._index.add(headers.keys[index])
        self._reserve(len(self))
        index, kept = index[slots != NO_SLOT], slots[slots != NO_SLOT]
        columns = self._columns
        pairs = headers.pairs
        for prefix, ends in (("a", pairs.source), ("b", pairs.destination)):
            for name in Ends.__slots__:
                columns[f"{prefix}_{name}"][kept] = getattr(ends, name)[index]
        columns["a_hash"][kept] = headers.sources[index]
        columns["first_packet"][kept] = headers.packets[index]
        return slots

    def _count(self, headers: Headers, counted: Counted) -> None:
        """Add packets, bytes, times, and rates to the rows of their conversations."""
        columns = self._columns
        slot, way = counted.slot, counted.way
        is_first = np.ones(len(slot), np.bool_)
        is_first[1:] = slot[1:] != slot[:-1]
        starts = np.flatnonzero(is_first)
        slots = slot[starts]
        group = np.cumsum(is_first) - 1
        lengths, times = headers.lengths[counted.index], headers.times_ns[counted.index]
        place = 2 * group + way
        shape, size = (len(slots), 2), 2 * len(slots)
        columns["packets"][slots] += np.bincount(place, minlength=size).reshape(shape)
        total = np.bincount(place, lengths, size).astype(np.int64)
        columns["bytes"][slots] += total.reshape(shape)
        stops = np.maximum.reduceat(times, starts)
        columns["stop_ns"][slots] = np.maximum(columns["stop_ns"][slots], stops)
        begins = np.where(times == UNTIMED, NO_TIME, times)
        begins = np.minimum.reduceat(begins, starts)
        columns["start_ns"][slots] = np.minimum(columns["start_ns"][slots], begins)
        place = group * BINS + self._scale.bins(times)
        rates = np.bincount(place, lengths, len(slots) * BINS)
        columns["rates"][slots] += rates.reshape(-1, BINS).astype(np.float32)

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
