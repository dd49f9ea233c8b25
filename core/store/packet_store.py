"""The packet store: an append-only list of chunks, with one writer and any number of readers.

Theory
------
The writer decodes each batch once, into columns, then publishes a new `Snapshot` by one
assignment. Readers take the snapshot and hold it as long as they like: it never changes, it
needs no lock, and the chunks it names stay alive through it. State is absolute, so a
reader that skips a thousand versions has missed nothing.

* Numbers start at 1 and never change. ``captured = held + evicted`` at every version.
* Memory is bounded: over `limit_bytes` the oldest chunks go, and their packets are
  counted as evicted. The newest chunk always stays. Bytes of a mapped file belong to the
  file and are not counted; the columns over them are, and so are comments.
* A large stable batch is kept where it is. A batch that is small (a live pipe hands over a
  few packets at a time) or not stable (a ring block) is copied into the current arena, so
  that many small batches make few chunks.
"""

from __future__ import annotations

import mmap
import threading
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch, CaptureInterface
from core.decode.chunk import CHUNK_PACKETS, COLUMN_BYTES, VERDICT_UNKNOWN, Chunk
from core.decode.header_index import index_headers
from core.store.arena import Arena
from core.store.comments import Comments
from core.store.interface_numbers import INTERFACES, InterfaceNumbers
from core.store.snapshot import Snapshot

__all__ = ["PacketStore", "Snapshot"]

ARENA_BYTES = 1 << 22
KEPT_IN_PLACE = 4096  # packets from which a stable batch becomes a chunk of its own …
KEPT_IN_PLACE_BYTES = 1 << 20  # … or bytes
OFFSET_LIMIT = 1 << 32  # what the chunk's `offset` column can count


class PacketStore:
    """Packets in order of arrival. See the module's text.

    `limit_bytes` bounds the bytes and columns held. One thread appends at a time; `snapshot`
    and `version` are free for all threads.
    """

    def __init__(self, limit_bytes: int = 1 << 30) -> None:
        self.limit_bytes = limit_bytes
        self._arena_bytes = max(1 << 16, min(ARENA_BYTES, limit_bytes // 16))
        self._arena: Arena | None = None
        self._sealed: list[Chunk] = []
        self._sealed_bytes: list[int] = []  # memory of each sealed chunk
        self._numbers = InterfaceNumbers()
        self._link_types = np.zeros(INTERFACES, dtype=np.int32)  # by interface index
        self._comments = Comments()
        self._writing = threading.Lock()
        self._published = Snapshot(0, 0, 0, 0, None, (), (), self._comments.by_number)

    @property
    def version(self) -> int:
        """Grows with every change that a reader can see."""
        return self._published.version

    def snapshot(self) -> Snapshot:
        """What the store holds now."""
        return self._published

    def add_interface(self, interface: CaptureInterface) -> int:
        """Register where packets come from; returns the index that batches name it by."""
        return self.add_interfaces((interface,))[0]

    def add_interfaces(self, interfaces: Iterable[CaptureInterface]) -> list[int]:
        """Register many at once; return their indices.

        Interfaces beyond what can be numbered share an index: see `core.store.interface_numbers`,
        also for the `ValueError`.
        """
        with self._writing:
            known = self._published.interfaces
            indices = [self._numbers.add(each) for each in interfaces]
            added = tuple(self._numbers.interfaces[len(known) :])
            if added:
                stop = len(known) + len(added)
                self._link_types[len(known) : stop] = [each.link_type for each in added]
                self._publish(interfaces=known + added)
            return indices

    def add_comment(self, number: int, text: str) -> None:
        """Attach a remark to a packet. `KeyError` if it is evicted or never was captured."""
        with self._writing:
            self._published.find(number)
            self._comments.add(number, (text,))
            self._publish()

    def append(self, batch: Batch) -> None:
        """Decode a batch, add its packets with their comments behind the last one, and publish.

        Raises `ValueError` if a frame does not lie inside the batch's data or names an
        interface that was not added: the caller's mistake, never the traffic's.
        """
        if not len(batch):
            return
        with self._writing:
            self._check(batch)
            if batch.stable and _is_large(batch):
                self._keep(batch)
            else:
                self._copy(batch)
            last = self._published
            self._comment(last.count + 1, batch)
            first_time = last.first_timestamp_ns
            self._publish(
                count=last.count + len(batch),
                bytes_total=last.bytes_total + int(batch.original.sum(dtype=np.int64)),
                first_timestamp_ns=int(batch.timestamp_ns[0]) if first_time is None else first_time,
            )

    def _check(self, batch: Batch) -> None:
        for start in range(0, len(batch), CHUNK_PACKETS):  # a part at a time stays in the cache
            low, high = _extent(batch, start, start + CHUNK_PACKETS)
            if low < 0 or high > len(batch.data):
                raise ValueError("a frame lies outside the batch's data")
        if int(batch.interface.max()) >= len(self._published.interfaces):
            raise ValueError(f"interface {int(batch.interface.max())} was not added")

    def _keep(self, batch: Batch) -> None:
        """Make chunks over the batch's own bytes."""
        self._seal()
        mapped = _is_mapped(batch.data)
        start = 0
        number = self._next_number
        while start < len(batch):
            stop = min(start + CHUNK_PACKETS, len(batch))
            low, high = _extent(batch, start, stop)
            while high - low > OFFSET_LIMIT:
                stop = start + (stop - start) // 2
                low, high = _extent(batch, start, stop)
            data = batch.data[low:high]
            chunk = Chunk.allocate(number, data, self._link_types, stop - start)
            chunk.offset[:] = batch.offset[start:stop] - low
            self._fill(chunk, batch, start)
            self._sealed.append(chunk)
            self._sealed_bytes.append(len(chunk) * COLUMN_BYTES + (0 if mapped else high - low))
            number += len(chunk)
            start = stop

    def _copy(self, batch: Batch) -> None:
        """Copy the batch's frames into the current arena, and into new ones as it fills up."""
        start = 0
        while start < len(batch):
            if self._arena is None:
                room = max(self._arena_bytes, int(batch.captured[start]))
                self._arena = Arena(self._next_number, room, self._link_types)
            fits = self._arena.room_for(batch.captured[start:])
            if fits == 0:
                self._seal()
                continue
            stop = start + fits
            rows = self._arena.add(batch.data, batch.offset[start:stop], batch.captured[start:stop])
            self._fill(rows, batch, start)
            start = stop

    def _fill(self, chunk: Chunk, batch: Batch, start: int) -> None:
        """Fill a chunk's columns, but `offset`, from the batch's packets from `start` on."""
        part = slice(start, start + len(chunk))
        chunk.timestamp_ns[:] = batch.timestamp_ns[part]
        chunk.captured[:] = batch.captured[part]
        chunk.original[:] = batch.original[part]
        chunk.interface[:] = batch.interface[part]
        chunk.flags[:] = batch.flags[part]
        chunk.verdict.fill(VERDICT_UNKNOWN)
        layout = index_headers(
            chunk.data,
            chunk.offset,
            chunk.captured,
            chunk.original,
            chunk.link_type,
            chunk.flags,
        )
        chunk.network[:] = layout.network
        chunk.network_offset[:] = layout.network_offset
        chunk.transport[:] = layout.transport
        chunk.transport_offset[:] = layout.transport_offset
        chunk.stop[:] = layout.stop
        chunk.state[:] = layout.state

    @property
    def _next_number(self) -> int:
        if self._arena is not None:
            return self._arena.chunk.first + self._arena.packets
        return self._sealed[-1].last + 1 if self._sealed else self._published.count + 1

    def _seal(self) -> None:
        """Close the current arena: its chunk gets no more packets."""
        if self._arena is not None:
            chunk = self._arena.sealed()
            self._sealed.append(chunk)
            self._sealed_bytes.append(len(chunk) * COLUMN_BYTES + len(chunk.data))
        self._arena = None

    def _comment(self, first: int, batch: Batch) -> None:
        """Keep the comments of a batch whose first packet is number `first`."""
        before = self._comments.memory
        for row, texts in batch.comments.items():
            self._comments.add(first + row, texts)
        if self._arena is not None:
            self._arena.comment_bytes += self._comments.memory - before
            if self._arena.comment_bytes > self._arena_bytes:
                self._seal()  # comments go with their chunk, so none may gather them for ever

    def _evict(self) -> int:
        """Drop the oldest chunks over the bound; returns the memory still held."""
        held = sum(self._sealed_bytes) + self._comments.memory
        if self._arena is not None:
            held += self._arena.packets * COLUMN_BYTES + len(self._arena.chunk.data)
        gone = 0
        while held > self.limit_bytes and len(self._sealed) - gone > (self._arena is None):
            chunk = self._sealed[gone]
            held -= self._sealed_bytes[gone]
            held -= self._comments.forget(range(chunk.first, chunk.last + 1))
            gone += 1
        if gone:
            del self._sealed[:gone], self._sealed_bytes[:gone]
        return held

    def _publish(self, **changes: Any) -> None:
        """Replace the published snapshot by the current state, in one assignment."""
        last = self._published
        held = self._evict()
        chunks = list(self._sealed)
        if self._arena is not None:
            chunks.append(self._arena.published())
        self._published = Snapshot(
            version=last.version + 1,
            count=changes.get("count", last.count),
            bytes_total=changes.get("bytes_total", last.bytes_total),
            bytes_held=held,
            first_timestamp_ns=changes.get("first_timestamp_ns", last.first_timestamp_ns),
            interfaces=changes.get("interfaces", last.interfaces),
            chunks=tuple(chunks),
            comments=self._comments.by_number,
        )


def _is_large(batch: Batch) -> bool:
    """Return True if a batch is worth a chunk of its own."""
    if len(batch) >= KEPT_IN_PLACE:
        return True
    return int(batch.captured.sum(dtype=np.int64)) >= KEPT_IN_PLACE_BYTES


def _extent(batch: Batch, start: int, stop: int) -> tuple[int, int]:
    """The bytes of `batch.data` that packets `start` … ``stop - 1`` lie in."""
    offsets = batch.offset[start:stop]
    return int(offsets.min()), int((offsets + batch.captured[start:stop]).max())


def _is_mapped(data: NDArray[np.uint8]) -> bool:
    """True if the bytes belong to a mapped file."""
    owner: object = data
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    return isinstance(owner, mmap.mmap)
