"""The walk over many frames, as a protocol's batch step sees it.

A protocol's module describes its step over `BatchReader`, an interface, because the walk itself
(`core.decode.batch_walk.BatchWalk`) belongs to a package that imports this one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.wire.model.field import PlacedField, gather
from core.wire.model.options import OptionList
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Numbering

Rows: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Column: TypeAlias = NDArray[Any]


class Network(IntEnum):
    """The kind of the outermost network header: the numbers of the `network` column."""

    NONE = 0
    ARP = 1
    IPV4 = 4
    IPV6 = 6


class HeaderState(IntEnum):
    """Bits of the `state` column."""

    CAUSE_MASK = 0x03  # `core.wire.model.dissection.Cause` of the stop, outermost headers only
    NETWORK = 0x04  # the network header's fixed part is whole and does not contradict itself
    TRANSPORT = 0x08  # `transport` and `transport_offset` are valid
    FRAGMENT = 0x10  # the network packet is a fragment, the first one included
    ROUTED = 0x20  # options or a routing header may change the pseudo-header's addresses
    SYN = 0x40  # a TCP header with SYN set
    NESTED = 0x80  # another packet may follow inside: a tunnel's, or one that an ICMP error quotes


@dataclass(frozen=True, slots=True, eq=False)
class FrameGroup:
    """Packets at the same kind of header: `rows` (n,) and the offset `at` (n,) of each."""

    rows: Rows
    at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, mask: Mask) -> FrameGroup:
        """Return the packets of the group for which `mask` (n,) holds."""
        return self.taken(mask.nonzero()[0])

    def taken(self, index: Rows) -> FrameGroup:
        """Return the packets of the group at these ascending indices."""
        if len(index) == len(self.rows):
            return self
        return FrameGroup(self.rows.take(index), self.at.take(index))

    def moved(self, distance: int | Column) -> FrameGroup:
        """Return the same packets, `distance` bytes further on."""
        return FrameGroup(self.rows, self.at + distance)


class BatchReader(Protocol):
    """The part of `core.decode.batch_walk.BatchWalk` that a protocol's step uses.

    Columns have one element a packet: `base` is the first byte of each frame in `data`, `stop`
    (from the start of the frame) the end of the bytes that belong to the current payload, `network`
    the kind of the outermost network header, and `network_offset` its position in the frame.
    """

    data: NDArray[np.uint8]
    base: NDArray[np.int64]
    stop: NDArray[np.int64]
    network: NDArray[np.uint8]
    network_offset: NDArray[np.int32]

    @property
    def is_watched(self) -> bool:
        """True if the walk reports the headers that it finds."""

    def column(self, slot: PlacedField, group: FrameGroup) -> Column:
        """Return a field of the header that each packet of the group is at, (n,)."""

    def columns(self, table: HeaderTable, group: FrameGroup, *keys: str) -> list[Column]:
        """Return several fields of a header of at least 8 bytes, (n,) int64 each."""

    def begin(self, table: HeaderTable, group: FrameGroup) -> FrameGroup:
        """Report a header of this table; return the packets that have all of it."""

    def has(self, group: FrameGroup, size: int | Column) -> FrameGroup:
        """Return the packets with `size` bytes; record the cause why the others stop."""

    def enough(self, group: FrameGroup, size: int | Column) -> Mask:
        """Return a mask (n,) of the packets that `has` returns."""

    def begins(self, group: FrameGroup) -> Mask:
        """Return a mask (n,) of the packets with a byte to read."""

    def ends(self, group: FrameGroup) -> Column:
        """Return where the readable bytes of each packet end, (n,)."""

    def find_option(
        self,
        group: FrameGroup,
        stop: Column,
        options: OptionList,
        kinds: Collection[int],
        rounds: int,
    ) -> tuple[Rows, Rows]:
        """Find the first option of these kinds in each packet; see `core.decode.option_steps`."""

    def limit(self, group: FrameGroup, stop: Column) -> None:
        """End the payload of each packet at `stop` (n,), if it does not end before."""

    def halt(self, group: FrameGroup, cause: int) -> None:
        """End the walk of these packets with a `Cause`."""

    def contradiction(self, group: FrameGroup, slot: PlacedField) -> None:
        """End the walk of packets whose header contradicts itself in `slot`."""

    def mark(self, group: FrameGroup, bits: int) -> None:
        """Set bits of these packets' state."""

    def found(self, table: HeaderTable, group: FrameGroup) -> None:
        """Report a header of this table, whole or not."""

    def reclassify(self, table: HeaderTable, other: HeaderTable, group: FrameGroup) -> None:
        """Report that these headers, found as ones of `table`, are of `other`."""

    def found_network(self, group: FrameGroup, kind: Network) -> None:
        """Record a network header of this kind, whole or not."""

    def found_transport(self, group: FrameGroup, protocol: Column) -> None:
        """Record a header of each packet's IP protocol (n,), whole or not."""

    def queue(self, space: Numbering, numbers: int | Column, group: FrameGroup) -> None:
        """Queue the packets for the steps that `numbers` (one, or one a packet) name."""


Step: TypeAlias = Callable[[BatchReader, FrameGroup], None]


def nested_step(walk: BatchReader, group: FrameGroup) -> None:
    """Mark packets at a header that leads out of the outermost packet; the walk ends there."""
    walk.mark(group, HeaderState.NESTED)


def header_step(table: HeaderTable) -> Step:
    """Return the step of a header without options that nothing follows."""

    def step(walk: BatchReader, group: FrameGroup) -> None:
        walk.begin(table, group)

    return step


def whole_headers(
    walk: BatchReader, group: FrameGroup, slot: PlacedField, length: Column
) -> tuple[FrameGroup, Column]:
    """Return the packets that have the whole header, and its length in each (n,).

    `length` (n,) are the bytes that `slot` states; less than the table's contradict it.
    """
    short = length < slot.table.size
    walk.contradiction(group.where(short), slot)
    group, length = group.where(~short), length[~short]
    whole = walk.enough(group, length)
    return group.where(whole), length[whole]


def report_continuations(
    walk: BatchReader, group: FrameGroup, kind: Column, continuations: tuple[HeaderTable, ...]
) -> None:
    """Report the tables that continue messages of these types (n,)."""
    if walk.is_watched:
        for table in continuations:
            if table.when:
                walk.found(table, group.where(np.isin(kind, list(table.when[1]))))


def message_sizes(table: HeaderTable, continuations: tuple[HeaderTable, ...]) -> Column:
    """Return the header size by message type, (256,)."""
    sizes = np.full(256, table.size, dtype=np.int64)
    for more in continuations:
        for kind in more.when[1] if more.when else ():
            sizes[kind] = more.stop
    return sizes


def byte_column(walk: BatchReader, group: FrameGroup) -> Column:
    """Return the byte that each packet of the group is at, (n,) uint8."""
    column: Column = walk.data[walk.base.take(group.rows) + group.at]
    return column


def begin_with(walk: BatchReader, group: FrameGroup, start: bytes, size: int) -> Mask:
    """Return a mask (n,) of packets that have `size` bytes that begin with `start` (1, 2, 4, 8)."""
    mask = walk.begins(group.moved(size - 1))
    whole = group.where(mask)
    words = gather(walk.data, walk.base.take(whole.rows) + whole.at, len(start))
    mask[mask] = words == int.from_bytes(start, "big")
    return mask


def message_step(
    table: HeaderTable, continuations: tuple[HeaderTable, ...], errors: Collection[int] = ()
) -> Step:
    """Return the step of a message whose `type` selects the tables that continue it.

    Types in `errors` quote a packet.
    """
    sizes = message_sizes(table, continuations)
    quotes = np.isin(np.arange(256), list(errors))

    def step(walk: BatchReader, group: FrameGroup) -> None:
        group = walk.begin(table, group)
        kind = walk.column(table["type"], group)
        report_continuations(walk, group, kind, continuations)
        whole = walk.enough(group, sizes[kind])
        nested_step(walk, group.where(whole & quotes[kind]))

    return step
