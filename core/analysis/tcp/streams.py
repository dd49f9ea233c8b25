"""The numbers of streams: which conversation each header belongs to.

A stream is a conversation between two ends, an address and a port each. Streams of a protocol are
numbered from 0 in the order of their first packets. A SYN with another sequence number than its
direction began with starts a new stream of TCP between the same ends.

A stream has a *slot*, in which its state is kept. Beyond `MOST_STREAMS`, the streams that had no
packet for longest are forgotten; a later packet between their ends starts a new stream.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.tcp.segments import Headers

MOST_STREAMS = 1 << 18
_KEPT = MOST_STREAMS // 2  # after some were forgotten

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The headers of a part, sorted by stream: k headers in g groups, one for each stream.

    ``order`` (k,) are the headers' indices, by group and then as in the part; ``direction`` (k,) is
    0 or 1 in this order. Group i begins at ``starts[i]``. ``slots`` and ``numbers`` (g,) are those
    of its stream, and ``is_new``, ``is_reused`` (g,) tell whether it begins here, and whether on
    the ports of an earlier one. `replaced` are the slots of these earlier ones.
    """

    order: Rows
    direction: Rows
    starts: Rows
    slots: Rows
    numbers: Rows
    is_new: NDArray[np.bool_]
    is_reused: NDArray[np.bool_]
    replaced: list[int]

    @property
    def sizes(self) -> Rows:
        """The number of headers in each group, (g,)."""
        return np.diff(self.starts, append=len(self.order))


class StreamNumbers:
    """Numbers the streams of one protocol."""

    def __init__(self) -> None:
        self._slots: dict[int, int] = {}  # by the key of the two ends
        self._free: list[int] = []
        self._capacity = 0
        self._next_number = 0
        self._numbers = np.zeros(0, np.int64)
        self._last_packet = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._slots)

    def sorted_by_stream(self, headers: Headers) -> tuple[Rows, Rows, Rows, list[int]]:
        """Return order, direction, and starts of the groups, as in `Groups`, and their keys."""
        keys = np.minimum(headers.forward, headers.backward)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        is_first = np.ones(len(keys), np.bool_)
        is_first[1:] = keys[1:] != keys[:-1]
        starts = np.flatnonzero(is_first)
        direction = (headers.forward > headers.backward)[order].astype(np.int64)
        return order, direction, starts, keys[starts].tolist()

    def known(self, keys: list[int]) -> Rows:
        """Return the slot of each key's newest stream, or -1 for a new key."""
        find = self._slots.get
        return np.array([find(key, -1) for key in keys], np.int64)

    def assign(
        self,
        sorting: tuple[Rows, Rows, Rows, list[int]],
        slots: Rows,
        packets: Rows,
        splits: Rows | None = None,
    ) -> Groups:
        """Give a number and a slot to each group that has no stream yet.

        `slots` are those of the keys. `packets` (k,) are the packets' numbers in the part's order.
        At `splits`, indices in the sorted order, further streams of the same ends begin.
        """
        order, direction, starts, keys = sorting
        is_reused = np.zeros(len(starts), np.bool_)
        if splits is not None and len(splits):
            at = np.searchsorted(starts, splits, "right")
            keys = np.insert(
                np.array(keys, np.uint64), at, np.array(keys, np.uint64)[at - 1]
            ).tolist()
            slots = np.insert(slots, at, -1)
            is_reused = np.insert(is_reused, at, True)
            is_split = np.isin(splits, starts)
            starts = np.insert(starts, at, splits)
            if (
                is_split.any()
            ):  # the first packet of a group begins another stream: drop the empty one
                kept = np.ones(len(starts), np.bool_)
                kept[np.searchsorted(starts, splits[is_split], "left")] = False
                starts, slots, is_reused = starts[kept], slots[kept], is_reused[kept]
                keys = [key for key, keep in zip(keys, kept.tolist(), strict=True) if keep]
        is_new = slots < 0
        numbers = np.zeros(len(starts), np.int64)
        new = np.flatnonzero(is_new)
        replaced: list[int] = []
        if len(new):
            slots = slots.copy()
            slots[new] = self._take(len(new))
            by_packet = new[np.argsort(order[starts[new]], kind="stable")]
            self._numbers[slots[by_packet]] = self._next_number + np.arange(len(new))
            self._next_number += len(new)
            for index in new.tolist():
                if keys[index] in self._slots:
                    replaced.append(self._slots[keys[index]])
                self._slots[keys[index]] = int(slots[index])
        numbers = self._numbers[slots]
        ends = np.append(starts[1:], len(order)) - 1
        self._last_packet[slots] = packets[order[ends]]
        return Groups(order, direction, starts, slots, numbers, is_new, is_reused, replaced)

    def release(self, slots: list[int]) -> None:
        """Take back the slots of streams that others between the same ends have replaced."""
        self._free += slots

    def forget(self) -> Rows:
        """Forget streams if there are too many. Return their slots."""
        if len(self._slots) <= MOST_STREAMS:
            return np.zeros(0, np.int64)
        slots = np.fromiter(self._slots.values(), np.int64, len(self._slots))
        last = self._last_packet[slots]
        bound = np.partition(last, len(last) - _KEPT)[len(last) - _KEPT]
        gone: Rows = slots[last < bound]
        kept = dict(item for item in self._slots.items() if self._last_packet[item[1]] >= bound)
        self._slots = kept
        self.release(gone.tolist())
        return gone

    def _take(self, count: int) -> Rows:
        """Return free slots."""
        reused = self._free[len(self._free) - min(count, len(self._free)) :]
        del self._free[len(self._free) - len(reused) :]
        fresh = np.arange(self._capacity, self._capacity + count - len(reused))
        self._capacity += len(fresh)
        if self._capacity > len(self._numbers):
            more = np.zeros(max(self._capacity, 1 << 8), np.int64)
            self._numbers = np.concatenate([self._numbers, more])
            self._last_packet = np.concatenate([self._last_packet, more])
        return np.concatenate([np.array(reused, np.int64), fresh])
