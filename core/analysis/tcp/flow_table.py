"""The results of the analysis: immutable columns, by packet."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.tcp.info_marks import info_mark
from core.decode.chunk import Chunk
from core.wire.protocol import SequenceBase, SequenceBases

_MOST_MERGED = 1 << 16  # packets in a block that grows
_MARKING = ("findings", "duplicate", "repeated_packet")

TCP_COLUMNS: Mapping[str, Any] = {
    "packet": np.int64,
    "stream": np.uint32,
    "sequence": np.uint32,
    "acknowledgment": np.uint32,
    "sequence_base": np.uint32,
    "acknowledgment_base": np.uint32,
    "window": np.uint32,
    "shift": np.int8,
    "scale_factor": np.int16,
    "flags": np.uint16,
    "findings": np.uint16,
    "completeness": np.uint8,
    "time_relative": np.int64,
    "time_delta": np.int64,
    "initial_rtt": np.int64,
    "ack_rtt": np.int64,
    "acked_packet": np.uint32,
    "bytes_in_flight": np.uint32,
    "duplicate": np.uint32,
    "repeated_packet": np.uint32,
    "rto": np.int64,
    "rto_packet": np.uint32,
}
UDP_COLUMNS: Mapping[str, Any] = {
    "packet": np.int64,
    "stream": np.uint32,
    "time_relative": np.int64,
    "time_delta": np.int64,
}
TCP_PACKET_BYTES: int = sum(np.dtype(kind).itemsize for kind in TCP_COLUMNS.values())
"""The memory that the results of one TCP packet take."""

Columns = Mapping[str, NDArray[Any]]


def empty(kinds: Mapping[str, Any]) -> Columns:
    """Return the columns of no packets."""
    return {name: np.zeros(0, kind) for name, kind in kinds.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The results for the packets `first` … `last`; each column is (k,), by ascending packet."""

    first: int
    last: int
    tcp: Columns
    udp: Columns

    def __len__(self) -> int:
        return self.last + 1 - self.first

    def joined(self, newer: Block) -> Block:
        """Return the results of both, of which `newer` follows."""
        return Block(
            self.first, newer.last, _joined([self.tcp, newer.tcp]), _joined([self.udp, newer.udp])
        )


@dataclass(frozen=True, slots=True, eq=False)
class FlowTable:
    """The results for the packets from `first` on, up to `through`: immutable, for any thread."""

    blocks: tuple[Block, ...] = ()
    through: int = 0

    def tcp(self, numbers: NDArray[np.int64]) -> Columns:
        """Return the results of the TCP packets among some ascending packet numbers.

        The column ``row`` (k,) has the index of each in `numbers`.
        """
        return self._of(numbers, "tcp", TCP_COLUMNS)

    def udp(self, numbers: NDArray[np.int64]) -> Columns:
        """Return the results of the UDP packets among some ascending packet numbers."""
        return self._of(numbers, "udp", UDP_COLUMNS)

    def reaching(self, through: int) -> FlowTable:
        """Return the results, whether or not they reach packet `through`."""
        return self

    def without_evicted(self, first: int) -> FlowTable:
        """Return the results from packet `first` on, and a few before it."""
        gone = bisect_left(self.blocks, first, key=_last)
        return FlowTable(self.blocks[gone:], self.through) if gone else self

    def values(self, number: int, protocol: str) -> Columns:
        """Return the results for one packet, or empty columns."""
        numbers = np.array([number])
        return self.tcp(numbers) if protocol == "tcp" else self.udp(numbers)

    def packets_of(self, protocol: str, stream: int, after: int = 0) -> NDArray[np.int64]:
        """Return the numbers (k,) of a stream's packets above `after`, ascending."""
        parts = []
        for block in self.blocks[bisect_left(self.blocks, after + 1, key=_last) :]:
            columns: Columns = getattr(block, protocol)
            packets = columns["packet"][columns["stream"] == stream]
            parts.append(packets[np.searchsorted(packets, after, "right") :])
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def nearest_stream(self, protocol: str, stream: int, step: int) -> int | None:
        """Return the next stream above (`step` 1) or below (-1) one, or None after the last."""
        found: list[int] = []
        for block in self.blocks:
            streams = getattr(block, protocol)["stream"]
            streams = streams[streams > stream] if step > 0 else streams[streams < stream]
            if len(streams):
                found.append(int(streams.min() if step > 0 else streams.max()))
        return (min(found) if step > 0 else max(found)) if found else None

    def bases(self, chunk: Chunk) -> SequenceBases:
        """Return what the Info lines of the packets of a chunk need."""
        found = SequenceBases.unknown(len(chunk))
        columns = self.tcp(np.arange(chunk.first, chunk.first + len(chunk)))
        rows = columns["row"]
        found.sequence[rows] = columns["sequence_base"]
        found.acknowledgment[rows] = columns["acknowledgment_base"]
        found.shift[rows] = columns["shift"]
        index = np.flatnonzero(columns["findings"])
        kinds = (columns[name][index].tolist() for name in _MARKING)
        for row, mark in zip(rows[index].tolist(), map(info_mark, *kinds), strict=True):
            found.marks[row] = mark
        return found

    def base(self, number: int) -> SequenceBase | None:
        """Return what the Info line of a packet needs, or None for other packets than TCP."""
        columns = self.tcp(np.array([number]))
        if not len(columns["row"]):
            return None
        sequence, acknowledgment, shift, *marking = (
            int(columns[name][0])
            for name in ("sequence_base", "acknowledgment_base", "shift", *_MARKING)
        )
        return SequenceBase(sequence, acknowledgment, shift, info_mark(*marking))

    def _of(self, numbers: NDArray[np.int64], name: str, kinds: Mapping[str, Any]) -> Columns:
        parts: list[Columns] = []
        if len(numbers):
            start = bisect_left(self.blocks, int(numbers[0]), key=_last)
            for block in self.blocks[start:]:
                if block.first > numbers[-1]:
                    break
                parts.append(_chosen(getattr(block, name), numbers))
        return _joined(parts) if parts else {**empty(kinds), "row": np.zeros(0, np.int64)}


NO_FLOWS = FlowTable()
"""The results for no packets."""


def _last(block: Block) -> int:
    return block.last


def _chosen(columns: Columns, numbers: NDArray[np.int64]) -> Columns:
    packets = columns["packet"]
    low, high = np.searchsorted(packets, (numbers[0], numbers[-1] + 1))
    found: Columns = {name: column[low:high] for name, column in columns.items()}
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return {**found, "row": found["packet"] - numbers[0]}
    rows = np.searchsorted(numbers, found["packet"])
    is_there = numbers[rows] == found["packet"]
    return {name: column[is_there] for name, column in {**found, "row": rows}.items()}


def _joined(parts: Sequence[Columns]) -> Columns:
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def appended(blocks: Sequence[Block], block: Block) -> tuple[Block, ...]:
    """Return blocks with one more, so that there are few: small ones are joined."""
    kept = list(blocks)
    while kept and len(kept[-1]) < 2 * len(block):
        if len(kept[-1]) + len(block) > _MOST_MERGED or kept[-1].last + 1 != block.first:
            break
        block = kept.pop().joined(block)
    return (*kept, block)
