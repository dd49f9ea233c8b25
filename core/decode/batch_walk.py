"""The walk over many frames at once: `core.wire.model.walk` with a column for each variable.

Theory
------
Packets of a batch that are at the same kind of header take the same step together, as a *group*:
their rows and the offset that each has reached. A step reads the fields it needs as columns, drops
the rows that end there, and names the next header by number, as the scalar parsers do. Groups of
one kind are merged before each round, so that a batch takes at most (rounds × kinds) steps,
whatever the traffic; a step costs a few numpy operations on its rows, and most traffic needs three.

A step never reads a byte that `has` did not find captured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.decode.header_positions import HeaderObserver
from core.decode.option_steps import find_option
from core.wire.model.batch import Column, FrameGroup, HeaderState, Mask, Network, Rows, Step
from core.wire.model.dissection import Cause
from core.wire.model.field import PlacedField, gather
from core.wire.model.options import OptionList
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Numbering

QUOTE_ENDS = 3
"""In the place of a `Cause`: the sender of an ICMP error left out the rest of the packet."""

_WORD = 8  # bytes a gather reads


class BatchWalk:
    """The state of one batch's walk: columns with one element a packet.

    Offsets count from the start of the frame. `stop` is the end of the bytes of the current
    payload, as the frame and all length fields up to here allow; it is what
    `core.wire.model.walk.Walk.stop` is. `steps` names the step for each number of each numbering,
    the most frequent first. The walk reports every header to `positions`. In packets that ICMP
    errors quote (`are_quoted`), headers may pass `stop`: their state is then `QUOTE_ENDS`.
    """

    def __init__(
        self,
        data: NDArray[np.uint8],
        base: NDArray[np.int64],
        captured: NDArray[np.int64],
        stop: NDArray[np.int64],
        steps: Steps,
        positions: HeaderObserver | None = None,
        *,
        are_quoted: bool = False,
    ) -> None:
        count = len(base)
        self.data = data
        self.base = base
        self.stop = stop
        self._end = np.minimum(captured, stop)  # where readable bytes end
        self.network = np.full(count, Network.NONE, dtype=np.uint8)
        self.network_offset = np.zeros(count, dtype=np.int32)
        self.transport = np.zeros(count, dtype=np.uint8)
        self.transport_offset = np.zeros(count, dtype=np.int32)
        self.state = np.zeros(count, dtype=np.uint8)
        self._steps = steps
        self._positions = positions
        self._past_stop = QUOTE_ENDS if are_quoted else Cause.MALFORMED
        self._pending: defaultdict[Step, list[FrameGroup]] = defaultdict(list)

    # -- reading ------------------------------------------------------------------

    def column(self, slot: PlacedField, group: FrameGroup) -> Column:
        """Return a field of the header that each packet of the group is at, (n,)."""
        return slot.column(self.data, self.base.take(group.rows) + group.at)

    def columns(self, table: HeaderTable, group: FrameGroup, *keys: str) -> list[Column]:
        """Return several fields of a header of at least 8 bytes, (n,) int64 each.

        It needs few gathers: fields that lie within 8 bytes share one.
        """
        starts = self.base.take(group.rows) + group.at
        words: dict[int, NDArray[np.uint64]] = {}
        values = []
        for key in keys:
            slot = table[key]
            span = slot.span
            word = next((at for at in words if at <= span.start and span.stop <= at + _WORD), None)
            if word is None:
                word = min(span.start, table.stop - _WORD)
                words[word] = gather(self.data, starts + word, _WORD)
            unread = 8 * (word + _WORD - table.start) - slot.first_bit - slot.field.bits
            value = words[word] >> np.uint64(unread)
            value &= np.uint64((1 << slot.field.bits) - 1)
            if slot.field.unit != 1:
                value *= np.uint64(slot.field.unit)
            values.append(value.view(np.int64))
        return values

    def begin(self, table: HeaderTable, group: FrameGroup) -> FrameGroup:
        """Report a header of this table; return the packets that have all of it."""
        self.found(table, group)
        return self.has(group, table.stop)

    def has(self, group: FrameGroup, size: int | Column) -> FrameGroup:
        """Return the packets with `size` bytes; record the cause why the others stop."""
        return group.where(self.enough(group, size))

    def enough(self, group: FrameGroup, size: int | Column) -> Mask:
        """Return a mask (n,) of the packets with `size` bytes; record why the others stop."""
        end = group.at + size
        enough: Mask = end <= self._end.take(group.rows)
        if not enough.all():
            malformed = end > self.stop[group.rows]
            self.halt(group.where(malformed), self._past_stop)
            self.halt(group.where(~malformed & ~enough), Cause.TRUNCATED)
        return enough

    def ends(self, group: FrameGroup) -> Column:
        """Return where the readable bytes of each packet end, (n,)."""
        return self._end.take(group.rows)

    def find_option(
        self,
        group: FrameGroup,
        stop: Column,
        options: OptionList,
        kinds: Collection[int],
        rounds: int,
    ) -> tuple[Rows, Rows]:
        """Find the first option of these kinds in each packet.

        Lists end at `stop` (n,) and are all readable. Return indices into the group, and the
        positions of the options in `data`; see `find_option`.
        """
        base = self.base.take(group.rows)
        return find_option(self.data, base + group.at, base + stop, options, kinds, rounds)

    def begins(self, group: FrameGroup) -> Mask:
        """Return a mask (n,) of the packets with a byte to read."""
        mask: Mask = group.at < self._end.take(group.rows)
        return mask

    def halt(self, group: FrameGroup, cause: int) -> None:
        """End the walk of these packets with a `Cause`."""
        self.mark(group, cause)

    def contradiction(self, group: FrameGroup, slot: PlacedField) -> None:
        """End the walk of packets whose header contradicts itself in `slot`."""
        self.halt(group, Cause.MALFORMED)
        if self._positions:
            self._positions.contradiction(slot, group.rows, group.at)

    def mark(self, group: FrameGroup, bits: int) -> None:
        """Set bits of these packets' state."""
        if len(group):
            self.state[group.rows] |= np.uint8(bits)

    def limit(self, group: FrameGroup, stop: Column) -> None:
        """End the payload of each packet at `stop` (n,), if it does not end before."""
        self.stop[group.rows] = np.minimum(self.stop.take(group.rows), stop)
        self._end[group.rows] = np.minimum(self._end.take(group.rows), stop)

    # -- what was found -----------------------------------------------------------

    @property
    def is_watched(self) -> bool:
        """True if the walk reports the headers that it finds."""
        return self._positions is not None

    def found(self, table: HeaderTable, group: FrameGroup) -> None:
        """Report a header of this table, whole or not."""
        if self._positions:
            self._positions.found(table, group.rows, group.at)

    def reclassify(self, table: HeaderTable, other: HeaderTable, group: FrameGroup) -> None:
        """Report that these headers, found as ones of `table`, are of `other`."""
        if self._positions:
            self._positions.reclassify(table, other, group.rows, group.at)

    def found_network(self, group: FrameGroup, kind: Network) -> None:
        """Record a network header of this kind, whole or not."""
        self.network[group.rows] = kind
        self.network_offset[group.rows] = group.at

    def found_transport(self, group: FrameGroup, protocol: Column) -> None:
        """Record a header of each packet's IP protocol (n,), whole or not."""
        self.transport[group.rows] = protocol
        self.transport_offset[group.rows] = group.at
        self.mark(group, HeaderState.TRANSPORT)

    # -- what follows -------------------------------------------------------------

    def queue(self, space: Numbering, numbers: int | Column, group: FrameGroup) -> None:
        """Queue the packets for the steps that `numbers` (one, or one a packet) name.

        Packets whose number has no step end here.
        """
        steps = self._steps.get(space, {})
        if isinstance(numbers, int):
            if numbers in steps and len(group):
                self._pending[steps[numbers]].append(group)
            return
        left = len(group)
        for number, step in steps.items():
            if not left:
                return
            index = (numbers == number).nonzero()[0]
            if len(index):
                self._pending[step].append(group.taken(index))
                left -= len(index)

    def run(self, rounds: int) -> None:
        """Take steps until every packet has ended; more than `rounds` headers are malformed."""
        for _ in range(rounds):
            if not self._pending:
                return
            pending, self._pending = self._pending, defaultdict(list)
            for step, groups in pending.items():
                step(self, _merge(groups))
        for groups in self._pending.values():
            for group in groups:
                self.halt(group, Cause.MALFORMED)
                self.state[group.rows] &= np.uint8(0xFF ^ HeaderState.TRANSPORT)


Steps: TypeAlias = Mapping[Numbering, Mapping[int, Step]]


def _merge(groups: list[FrameGroup]) -> FrameGroup:
    if len(groups) == 1:
        return groups[0]
    return FrameGroup(
        np.concatenate([group.rows for group in groups]),
        np.concatenate([group.at for group in groups]),
    )
