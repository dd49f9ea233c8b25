"""Encode packets, a chunk at a time, as the content of a pcapng file.

The encoder writes all that the reader keeps. Sections, interfaces, and other blocks come in the
order of the source, before the packet that they preceded there, so a copy of a file has its
sections. What belongs to packets alone (comments, options) comes with the rows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import CaptureInterface, FileBlock
from core.decode.chunk import Chunk
from core.files import byte_order
from core.files.kept_blocks import SECTION_HEADER
from core.files.timestamps import stamps, written_resolution
from core.files.writing.encoder import ChunkRows, InterfaceCounts, slices
from core.files.writing.packet_blocks import packet_blocks
from core.files.writing.pcapng_blocks import (
    block,
    comment_options,
    interface_description,
    section_header,
    statistics_block,
)
from core.wire.model.dissection import PacketFlag

_NO_LIMIT = 0xFFFF_FFFF


class PcapngEncoder:
    """Encodes pcapng. `interfaces` and `blocks` are those of the source, and may grow.

    Leaves out secrets unless `keeps_secrets`, and custom blocks that must not be copied into
    another file unless it `is_whole`. The blocks `added` begin the first section, so that readers
    have their names before the packets; `counts` go into statistics blocks at the end.
    """

    def __init__(
        self,
        interfaces: Sequence[CaptureInterface],
        blocks: Sequence[FileBlock] = (),
        *,
        keeps_secrets: bool = False,
        is_whole: bool = False,
        counts: Sequence[InterfaceCounts] = (),
        added: Sequence[FileBlock] = (),
    ) -> None:
        self._interfaces, self._blocks = interfaces, blocks
        self._left_out = set() if keeps_secrets else {byte_order.SECRETS}
        if not is_whole:
            self._left_out.add(byte_order.CUSTOM_NOT_COPIED)
        self._counts, self._added = counts, added
        self._next_block = 0
        self._first = 0  # interface of the section
        self._described = 0  # interfaces that were written
        self._section = 0  # sections of the source that were begun
        self._section_starts: list[int] = []  # the first interface of each
        self._scanned = 0  # blocks that were searched for sections
        self._has_begun = False

    def encode(self, part: ChunkRows) -> Iterator[bytes | memoryview]:
        """Implement `Encoder.encode`."""
        chunk, rows, options = (
            part.chunk,
            part.rows,
            packed_options(part.comments, part.options, part.rows),
        )
        start = 0
        while self._next_block < len(self._blocks):
            following = self._blocks[self._next_block]
            row = following.packets + 1 - chunk.first
            if row >= len(chunk):
                break
            stop = max(start, int(np.searchsorted(rows, row)))
            for piece in slices(chunk, rows[start:stop]):
                yield from self._packets(chunk, piece, options)
            yield from self._block(following)
            start = stop
            self._next_block += 1
        for piece in slices(chunk, rows[start:]):
            yield from self._packets(chunk, piece, options)

    def finish(self) -> Iterator[bytes]:
        """Implement `Encoder.finish`."""
        for following in self._blocks[self._next_block :]:
            yield from self._block(following)
        yield from self._describe(len(self._interfaces))
        for each in self._counts:
            number = each.interface - self._first
            if number >= 0:
                yield counts_block(self._interfaces[each.interface], number, each)

    def _packets(
        self, chunk: Chunk, rows: NDArray[np.int64], options: Mapping[int, bytes]
    ) -> Iterator[bytes | memoryview]:
        """Yield packets after the interfaces that they need; `options` are by row, ascending."""
        interface = chunk.interface[rows].astype(np.int64)
        yield from self._describe(int(interface.max()) + 1)
        by_index = {}
        if options:
            having = np.fromiter(options, np.int64)
            having = having[(having >= rows[0]) & (having <= rows[-1])]
            at = np.searchsorted(rows, having).tolist()
            by_index = {i: options[row] for i, row in zip(at, having.tolist(), strict=True)}
        yield packet_blocks(
            chunk,
            rows,
            interface=interface - self._first,
            stamp=stamps_of(chunk.timestamp_ns[rows], interface, self._interfaces),
            options=by_index,
            simple=self._simple(chunk, rows, interface, by_index),
        ).data

    def _simple(
        self,
        chunk: Chunk,
        rows: NDArray[np.int64],
        interface: NDArray[np.int64],
        options: Mapping[int, bytes],
    ) -> NDArray[np.bool_] | None:
        """Return the mask of the packets that fit a Simple Packet Block; None if no packet does.

        These have no time.

        Such a block takes interface and captured length from the first interface of the section.
        """
        flags = chunk.flags[rows]
        untimed = (flags & PacketFlag.TIME_INVALID != 0) & (chunk.timestamp_ns[rows] == 0)
        if not untimed.any():
            return None
        limit = self._interfaces[self._first].snap_length or _NO_LIMIT
        expected = np.minimum(chunk.original[rows], np.uint32(limit))
        simple: NDArray[np.bool_] = (
            untimed & (interface == self._first) & (chunk.captured[rows] == expected)
        )
        simple[list(options)] = False
        return simple

    def _block(self, following: FileBlock) -> Iterator[bytes]:
        """Yield a block of the source; begin a section if it is a section header."""
        if following.kind == SECTION_HEADER:
            if self._has_begun:
                yield from self._describe(following.interfaces)
            self._has_begun = True
            self._section += 1
            self._first = self._described = following.interfaces
            yield from self._begin_section(following.body)
            return
        yield from self._describe(following.interfaces)
        is_out_of_unit = following.kind == byte_order.STATISTICS and not self._is_in_unit(following)
        if following.kind not in self._left_out and not is_out_of_unit:
            yield block(following.kind, following.body)

    def _begin_section(self, options: bytes | None = None) -> Iterator[bytes]:
        yield section_header(options)
        for each in self._added:
            yield block(each.kind, each.body)
        self._added = ()

    def _is_in_unit(self, statistics: FileBlock) -> bool:
        """Return False for statistics of an interface whose unit of time changes."""
        number = self._first + int.from_bytes(statistics.body[:4], sys.byteorder)
        if number >= len(self._interfaces):
            return True
        code = self._interfaces[number].resolution
        return written_resolution(code) == code

    def _describe(self, stop: int) -> Iterator[bytes]:
        """Yield the interfaces of this section up to number `stop` that were not written yet."""
        if not self._has_begun:
            self._has_begun = True
            yield from self._begin_section()
        for each in islice(self._blocks, self._scanned, None):
            if each.kind == SECTION_HEADER:
                self._section_starts.append(each.interfaces)
        self._scanned = len(self._blocks)
        if self._section < len(self._section_starts):
            stop = min(stop, self._section_starts[self._section])
        for interface in islice(self._interfaces, self._described, stop):
            yield interface_description(interface)
        self._described = max(self._described, stop)


def stamps_of(
    timestamp_ns: NDArray[np.int64],
    interface: NDArray[np.integer],
    interfaces: Sequence[CaptureInterface],
) -> NDArray[np.uint64]:
    """Return the times (n,) of packets in the units of their interfaces."""
    is_one = len(interface) > 0 and bool((interface == interface[0]).all())  # the usual case
    numbers = [int(interface[0])] if is_one else np.unique(interface).tolist()
    units = {(interfaces[n].resolution, interfaces[n].offset_s) for n in numbers}
    if len(units) == 1:
        return stamps(timestamp_ns, *units.pop())
    result = np.zeros(len(interface), np.uint64)
    for number in numbers:
        where = interface == number
        described = interfaces[number]
        result[where] = stamps(timestamp_ns[where], described.resolution, described.offset_s)
    return result


def packed_options(
    comments: Mapping[int, Sequence[str]],
    options: Mapping[int, bytes],
    rows: NDArray[np.int64] | None = None,
) -> dict[int, bytes]:
    """Return comments and options of packets, packed, by row, ascending; of some `rows` only."""
    having = sorted({*comments, *options})
    if not having:
        return {}
    chosen = [True] * len(having) if rows is None else np.isin(having, rows).tolist()
    return {
        row: comment_options(comments.get(row, ())) + options.get(row, b"")
        for row, is_chosen in zip(having, chosen, strict=True)
        if is_chosen
    }


def counts_block(interface: CaptureInterface, number: int, counts: InterfaceCounts) -> bytes:
    """Return the statistics block of an interface that has this number in its section."""
    time = np.array([counts.timestamp_ns], np.int64)
    stamp = int(stamps(time, interface.resolution, interface.offset_s)[0])
    return statistics_block(
        number,
        stamp,
        received=counts.received,
        dropped=counts.dropped,
        comment=counts.comment,
    )
