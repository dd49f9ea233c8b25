"""The contents of the packet store at one moment, for readers on any thread.

A snapshot is a tuple of immutable chunks and a few totals. Making one takes a few microseconds;
reading it needs no lock. It keeps its chunks in memory as long as somebody refers to it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.decode import verdicts
from core.decode.batch import CaptureInterface, FileBlock
from core.decode.chunk import Chunk, first_number
from core.store.annotations import Annotations
from core.store.captured_packet import CapturedPacket
from core.wire.model.dissection import Verdict, is_timed


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The packets of a store at one moment: immutable, for any thread.

    `count` is the number of packets ever captured, `evicted` how many of them the store has
    discarded, and `first` the lowest number that it still has. `bytes_total` sums the original
    lengths of all packets ever captured; `bytes_held` is the memory in use. `first_timestamp_ns` is
    the time of the first packet that has one, known after its eviction too. `blocks` are what the
    file of the packets has besides them. Only `comments` and `options`, by packet number, and
    `annotations` still change: they are the store's own. Comments and options come and go with
    their packets.
    """

    version: int
    count: int
    bytes_total: int
    bytes_held: int
    first_timestamp_ns: int | None
    interfaces: tuple[CaptureInterface, ...]
    chunks: tuple[Chunk, ...]
    comments: Mapping[int, tuple[str, ...]]
    options: Mapping[int, bytes] = field(default_factory=dict)
    blocks: tuple[FileBlock, ...] = ()
    annotations: Annotations = field(default_factory=Annotations)

    @property
    def first(self) -> int:
        """The lowest packet number in the store; ``count + 1`` if it is empty."""
        return self.chunks[0].first if self.chunks else self.count + 1

    @property
    def evicted(self) -> int:
        """The number of packets that the store discarded to stay within its bound."""
        return self.first - 1

    def without_evicted(self, newer: Snapshot) -> Snapshot:
        """Return this snapshot without the chunks that `newer`, of the same store, has evicted.

        An old snapshot keeps evicted chunks in memory. `bytes_held` does not change.
        """
        if newer.first <= self.first:
            return self
        kept = bisect_right(self.chunks, newer.first - 1, key=_last_number)
        return replace(self, chunks=self.chunks[kept:])

    def until(self, number: int) -> Snapshot:
        """Return this snapshot without the packets after packet `number`."""
        if number >= self.count:
            return self
        kept = self.chunks[: bisect_right(self.chunks, number, key=first_number)]
        if kept and kept[-1].last > number:
            last = kept[-1]
            kept = (*kept[:-1], last.rows(0, number + 1 - last.first))
        return replace(self, chunks=kept, count=number)

    def chunks_after(self, number: int) -> tuple[Chunk, ...]:
        """Return the chunks with any packet after packet `number`."""
        return self.chunks[bisect_right(self.chunks, number, key=_last_number) :]

    def find(self, number: int) -> tuple[Chunk, int]:
        """Return the chunk and row of a packet. Raise `KeyError` if evicted or never captured."""
        index = bisect_right(self.chunks, number, key=first_number) - 1
        if index < 0 or number > self.count:
            raise KeyError(number)
        chunk = self.chunks[index]
        return chunk, number - chunk.first

    def packet(self, number: int) -> CapturedPacket:
        """Return one packet, its bytes copied. Raise `KeyError` if evicted or never captured.

        If an internal error ends the check of its checksums, `fault` of the packet holds it.
        """
        chunk, row = self.find(number)
        fault: Exception | None = None
        try:
            network, transport = verdicts.verdict_pair(chunk, row)
        except Exception as error:
            network = transport = Verdict.UNVERIFIED
            fault = error
        return CapturedPacket(
            number=number,
            data=chunk.frame(row),
            original_length=int(chunk.original[row]),
            timestamp_ns=int(chunk.timestamp_ns[row]),
            interface=self.interfaces[int(chunk.interface[row])],
            flags=int(chunk.flags[row]),
            network_verdict=network,
            transport_verdict=transport,
            fault=fault,
            decode_rules=chunk.decode_rules,
        )

    def timestamp_ns(self, number: int) -> int:
        """Return the time of a packet. Raise `KeyError` if evicted or never captured."""
        chunk, row = self.find(number)
        return int(chunk.timestamp_ns[row])

    def time_ns(self, number: int) -> int | None:
        """Return the time of a packet; None if its source had none, or if it is not held."""
        try:
            chunk, row = self.find(number)
        except KeyError:
            return None
        timestamp_ns = int(chunk.timestamp_ns[row])
        return timestamp_ns if is_timed(timestamp_ns, int(chunk.flags[row])) else None


EMPTY_SNAPSHOT = Snapshot(0, 0, 0, 0, None, (), (), {})
"""The snapshot of a store without packets."""


def _last_number(chunk: Chunk) -> int:
    return chunk.last
