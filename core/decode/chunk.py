"""A chunk: immutable frame bytes and a few columns of numbers about them.

Theory
------
A capture is a short list of chunks. Each holds at most `CHUNK_PACKETS` frames in one uint8 array (a
mapped file, or an arena with copies of live batches) and one numpy column for each property of a
packet. `COLUMN_TYPES` is the only list of columns; it adds up to `COLUMN_BYTES` a packet, at most
40.

Offsets of frames count from the chunk's own `data`, so 32 bits are enough. Offsets of headers count
from the frame. They have 32 bits too, since frames are longer than 64 KiB (BIG TCP, NFLOG,
jumbograms), and a sign, since a position that may not exist must not be unsigned (`NOWHERE` in
`core.decode.header_positions`). Bytes and columns are written once, before the chunk is published,
and only read afterward. The one exception is `verdict`: it is filled on demand with values that
depend only on the bytes, so two threads that fill it at once write the same. The positions of
headers may be another one (`core.decode.postponed_index`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.decode.header_index import HeaderOffsets
from core.decode.memory import allocate_columns
from core.decode.postponed_index import PostponedIndex
from core.wire.dissect import dissect
from core.wire.model.decode_rules import NO_RULES, DecodeRules
from core.wire.model.dissection import Dissection
from core.wire.model.reassembly import Piece

CHUNK_PACKETS = 1 << 16

COLUMN_TYPES: Mapping[str, Any] = {
    "timestamp_ns": np.int64,
    "offset": np.uint32,
    "captured": np.uint32,
    "original": np.uint32,
    "interface": np.uint16,
    "flags": np.uint16,
    "network": np.uint8,
    "network_offset": np.int32,
    "transport": np.uint8,
    "transport_offset": np.int32,
    "stop": np.uint32,
    "state": np.uint8,
    "verdict": np.uint8,
}
COLUMN_BYTES: int = sum(np.dtype(kind).itemsize for kind in COLUMN_TYPES.values())

INDEX_COLUMNS = tuple(each.name for each in fields(HeaderOffsets))
_OTHER_COLUMNS = tuple(name for name in COLUMN_TYPES if name not in INDEX_COLUMNS)

VERDICT_UNKNOWN = 0xFF  # the packet's checksums are not checked yet


class PlacedPiece(NamedTuple):
    """A fragment with its datagram, and where its frame begins in the chunk's data.

    If the packet completes the datagram, that is `Piece.frame_with_datagram`.
    """

    piece: Piece
    start: int


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Packets `first` … ``first + len(chunk) - 1``; every column has ``len(chunk)`` rows.

    ``data``              uint8   the bytes, with anything between frames
    ``link_types``        int32   the store's, by interface index; shared by all chunks, and
                                  filled for an interface before a packet names it
    ``timestamp_ns``      int64   since the epoch, as given by the source
    ``offset``            uint32  first byte of each frame in `data`
    ``captured``          uint32  bytes kept of the frame
    ``original``          uint32  bytes there were
    ``interface``         uint16  index into the store's interfaces
    ``flags``             uint16  `PacketFlag` bits
    ``network``           uint8   `core.wire.model.batch.Network`
    ``network_offset``    int32   from the start of the frame, where `network` is not NONE
    ``transport``         uint8   IP protocol number, where `HeaderState.TRANSPORT` is set
    ``transport_offset``  int32   from the start of the frame, where `HeaderState.TRANSPORT` is set
    ``stop``              uint32  where the network packet ends, from the start of the frame, as
                                  the frame and all length fields allow; may be past `captured`
    ``state``             uint8   `core.wire.model.batch.HeaderState` bits
    ``verdict``           uint8   see `core.decode.verdicts`

    ``comments`` are remarks on packets, by row, as a file has them, and ``options`` their other
    options in pcapng (see `Batch`). A chunk of a store has none, and neither has what `rows` and
    `copied` return. ``pieces`` are the fragments, by row, of which an analysis told the datagrams
    (`core.analysis.reassembly.chunk_pieces`), and ``datagrams`` the transport headers of those that
    complete one, as far as columns describe them. ``decode_rules`` are those of the capture.
    ``index`` has the columns of header positions, which readers take from `headers` or by their
    names: if the index was ``postponed``, they are computed at the first reading.
    """

    first: int
    data: NDArray[np.uint8]
    link_types: NDArray[np.int32]
    timestamp_ns: NDArray[np.int64]
    offset: NDArray[np.uint32]
    captured: NDArray[np.uint32]
    original: NDArray[np.uint32]
    interface: NDArray[np.uint16]
    flags: NDArray[np.uint16]
    verdict: NDArray[np.uint8]
    index: HeaderOffsets
    comments: Mapping[int, Sequence[str]] = field(default_factory=dict)
    options: Mapping[int, bytes] = field(default_factory=dict)
    pieces: Mapping[int, PlacedPiece] = field(default_factory=dict)
    datagrams: Datagrams | None = None
    decode_rules: DecodeRules = NO_RULES
    postponed: PostponedIndex | None = None

    @classmethod
    def of(
        cls,
        first: int,
        data: NDArray[np.uint8],
        link_types: NDArray[np.int32],
        columns: Mapping[str, NDArray[Any]],
        decode_rules: DecodeRules = NO_RULES,
        postponed: PostponedIndex | None = None,
    ) -> Chunk:
        """Return a chunk with all columns of `COLUMN_TYPES`."""
        index = HeaderOffsets(**{name: columns[name] for name in INDEX_COLUMNS})
        others: dict[str, Any] = {name: columns[name] for name in _OTHER_COLUMNS}
        return cls(
            first,
            data,
            link_types,
            **others,
            index=index,
            decode_rules=decode_rules,
            postponed=postponed,
        )

    @classmethod
    def allocate(
        cls,
        first: int,
        data: NDArray[np.uint8],
        link_types: NDArray[np.int32],
        capacity: int,
        decode_rules: DecodeRules = NO_RULES,
    ) -> Chunk:
        """Return a chunk with room for `capacity` packets, its columns all zero.

        The store has to fill all of them: zero is a valid verdict, for example.
        """
        return cls.of(
            first, data, link_types, allocate_columns(COLUMN_TYPES, capacity), decode_rules
        )

    def __len__(self) -> int:
        return len(self.offset)

    @property
    def last(self) -> int:
        """The number of the last packet."""
        return self.first + len(self.offset) - 1

    def rows(self, start: int, stop: int) -> Chunk:
        """Return the packets of rows `start` … ``stop - 1``, sharing bytes and columns."""
        found = self._with_columns(slice(start, stop), self.first + start)
        return self._with_pieces_in(found, slice(start, stop)) if self.pieces else found

    def copied(self, rows: NDArray[np.int64] | slice = slice(None)) -> Chunk:
        """Return some packets in columns of their own, over the same bytes.

        The numbers from `first` on are right only if all rows are taken.
        """
        found = self._with_columns(rows, self.first, copies=True)
        return self._with_pieces_in(found, rows) if self.pieces else found

    def _with_columns(
        self, rows: NDArray[np.int64] | slice, first: int, *, copies: bool = False
    ) -> Chunk:
        """Return a chunk of some rows. Postponed positions of headers stay so."""
        is_open = self.postponed is not None and not self.postponed.is_complete
        columns = {name: column[rows] for name, column in self.stored_columns()}
        if copies:
            columns = {name: column.copy() for name, column in columns.items()}
        postponed = PostponedIndex() if is_open else None
        return Chunk.of(first, self.data, self.link_types, columns, self.decode_rules, postponed)

    def stored_columns(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield each column of `COLUMN_TYPES` in order. Postponed positions of headers stay so."""
        for name in COLUMN_TYPES:
            yield name, getattr(self.index if name in INDEX_COLUMNS else self, name)

    def _with_pieces_in(self, part: Chunk, rows: NDArray[np.int64] | slice) -> Chunk:
        """Return `part`, which has some rows of this chunk, with their pieces and datagrams."""
        taken = np.arange(len(self))[rows]
        pieces = {i: self.pieces[row] for i, row in enumerate(taken.tolist()) if row in self.pieces}
        if self.datagrams is None:
            return replace(part, pieces=pieces)
        known, chunk = self.datagrams
        at = np.minimum(np.searchsorted(known, taken), len(known) - 1)
        index = np.flatnonzero(known[at] == taken)
        datagrams = Datagrams(index, chunk.copied(at[index])) if len(index) else None
        return replace(part, pieces=pieces, datagrams=datagrams)

    @property
    def headers(self) -> HeaderOffsets:
        """The positions of the headers of all packets, computed if they were postponed."""
        if self.postponed is not None and not self.postponed.is_complete:
            self.postponed.complete(self)
        return self.index

    @property
    def network(self) -> NDArray[np.uint8]:
        """The column of `headers`."""
        return self.headers.network

    @property
    def network_offset(self) -> NDArray[np.int32]:
        """The column of `headers`."""
        return self.headers.network_offset

    @property
    def transport(self) -> NDArray[np.uint8]:
        """The column of `headers`."""
        return self.headers.transport

    @property
    def transport_offset(self) -> NDArray[np.int32]:
        """The column of `headers`."""
        return self.headers.transport_offset

    @property
    def stop(self) -> NDArray[np.uint32]:
        """The column of `headers`."""
        return self.headers.stop

    @property
    def state(self) -> NDArray[np.uint8]:
        """The column of `headers`."""
        return self.headers.state

    @property
    def link_type(self) -> NDArray[np.int32]:
        """The link type of each packet, (n,); see `core.wire.link.link_types`."""
        return self.link_types.take(self.interface)

    def frame(self, row: int) -> bytes:
        """Return a copy of the captured bytes of one packet."""
        start = int(self.offset[row])
        return self.data[start : start + int(self.captured[row])].tobytes()

    def dissected_start(self, row: int) -> int:
        """Return where the bytes that `dissect` reads of a packet begin in `data`."""
        placed = self.pieces.get(row)
        return int(self.offset[row]) if placed is None else placed.start

    def dissected_stops(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where the captured bytes that `dissect` reads of packets (k,) end in `data`."""
        stops = self.offset[rows].astype(np.int64) + self.captured[rows]
        if self.pieces:
            for index, row in enumerate(rows.tolist()):
                if row in self.pieces:
                    placed = self.pieces[row]
                    stops[index] = placed.start + int(self.captured[row]) + placed.piece.growth
        return stops

    def dissect(self, row: int) -> Dissection:
        """Return the headers of one packet. Raise what a faulty parser raises."""
        placed = self.pieces.get(row)
        return dissect(
            self.frame(row),
            int(self.link_types[self.interface[row]]),
            int(self.original[row]),
            int(self.flags[row]),
            None if placed is None else placed.piece,
            self.decode_rules,
        )


class Datagrams(NamedTuple):
    """Whole TCP segments and UDP datagrams that packets `rows` (k,) ascending of a chunk complete.

    `chunk` has them as k frames over the same bytes, whose network header does not count.
    """

    rows: NDArray[np.int64]
    chunk: Chunk


def first_number(chunk: Chunk) -> int:
    """Return the number of the first packet, for searching in a list of chunks."""
    return chunk.first
