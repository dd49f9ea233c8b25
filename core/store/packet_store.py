"""The packet store: an append-only list of chunks, with one writer and any number of readers.

Theory
------
The writer decodes each batch once, into columns, then publishes a new `Snapshot` by one assignment.
A reader may keep a snapshot for any time: it never changes, needs no lock, and keeps its chunks in
memory. State is absolute, so a reader that skips a thousand versions has missed nothing.

* Numbers start at 1 and never change. ``captured = held + evicted`` in every version.
* Memory is bounded: above `limit_bytes` the store discards the oldest chunks and counts their
  packets as evicted. The newest chunk always stays. Bytes of a mapped file belong to the file and
  do not count; the columns over them do, and so do comments.
* A large stable batch stays where it is. A batch that is small (a live pipe delivers a few packets
  at a time) or not stable (a ring block) is copied into the current arena, so that many small
  batches make few chunks. Of a large one that is copied, the index of headers is postponed until a
  reader needs it (`core.decode.postponed_index`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.decode.batch import Batch, CaptureInterface, FileBlock
from core.decode.batch_decoder import decode_batch, extent, fill_columns, parts_of
from core.decode.chunk import CHUNK_PACKETS, COLUMN_BYTES, Chunk
from core.decode.memory import is_mapped
from core.store.annotations import Annotations
from core.store.arena import Arena
from core.store.comments import Comments
from core.store.interface_numbers import INTERFACES, InterfaceNumbers
from core.store.snapshot import Snapshot
from core.wire.model.decode_rules import NO_RULES, DecodeRules
from core.wire.model.dissection import PacketFlag

ARENA_BYTES = 1 << 22
POSTPONED_FROM = 1024
"""Packets from which a batch is a burst, whose headers are found later."""

KEPT_IN_PLACE = 4096  # packets from which a stable batch becomes a chunk of its own …
KEPT_IN_PLACE_BYTES = 1 << 20  # … or bytes


class PacketStore:
    """Packets in order of arrival. See the module's text.

    `limit_bytes` bounds the bytes and columns in memory. `decode_rules` apply to all packets. One
    thread appends at a time; any thread may call `snapshot` and `version`.
    """

    def __init__(self, limit_bytes: int = 1 << 30, decode_rules: DecodeRules = NO_RULES) -> None:
        self.limit_bytes = limit_bytes
        self.decode_rules = decode_rules
        self._arena_bytes = max(1 << 16, min(ARENA_BYTES, limit_bytes // 16))
        self._arena: Arena | None = None
        self._sealed: list[Chunk] = []
        self._sealed_bytes: list[int] = []  # memory of each sealed chunk
        self._numbers = InterfaceNumbers()
        self._link_types = np.zeros(INTERFACES, dtype=np.int32)  # by interface index
        self._comments = Comments()
        self._writing = threading.Lock()
        self._published = Snapshot(
            0,
            0,
            0,
            0,
            None,
            (),
            (),
            self._comments.by_number,
            self._comments.options,
            annotations=Annotations(),
        )

    @property
    def version(self) -> int:
        """A number that grows with every change that a reader can see."""
        return self._published.version

    def snapshot(self) -> Snapshot:
        """Return the packets that the store holds now."""
        return self._published

    def add_interface(self, interface: CaptureInterface) -> int:
        """Register an interface; return the index by which batches name it."""
        return self.add_interfaces((interface,))[0]

    def add_interfaces(self, interfaces: Iterable[CaptureInterface]) -> list[int]:
        """Register many interfaces at once; return their indices.

        Interfaces beyond the largest index share one; see `core.store.interface_numbers`, also for
        the `ValueError`.
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

    def add_blocks(self, blocks: Sequence[FileBlock]) -> None:
        """Keep what a file has besides packets and interfaces. Its reader bounds the memory."""
        if blocks:
            with self._writing:
                self._publish(blocks=(*self._published.blocks, *blocks))

    def set_comments(self, number: int, texts: Iterable[str]) -> None:
        """Replace the comments on a packet, and publish. Do nothing if it was evicted."""
        with self._writing:
            if self._published.first <= number <= self._published.count:
                self._comments.replace(number, texts)
                self._publish()

    def append(self, batch: Batch) -> list[Batch]:
        """Decode a batch, add its packets with their comments behind the last one, and publish.

        Return the packets in stable batches, over the memory of the store.
        Raise `ValueError` if a frame lies outside the batch's data or names an interface that was
        not added: the caller's mistake, never the traffic's.
        """
        if not len(batch):
            return []
        with self._writing:
            self._check(batch)
            if batch.stable and _is_large(batch):
                for part in parts_of(batch):
                    self._keep(decode_batch(part, self._link_types))
                copies = [batch]
            else:
                copies = [
                    replace(
                        batch.part(start, start + len(rows)),
                        data=rows.data,
                        offset=rows.offset.astype(np.int64),
                        stable=True,
                    )
                    for start, rows in self._copy(batch)
                ]
            self._add_to_totals(batch)
            return copies

    def append_chunk(self, chunk: Chunk) -> None:
        """Add the packets of a decoded chunk with their comments behind the last one, and publish.

        The bytes of the chunk must not change anymore, and its column `interface` holds indices of
        this store. Raise `ValueError` if one of them was not added.
        """
        if not len(chunk):
            return
        with self._writing:
            self._check_interfaces(chunk)
            if _is_large(chunk):
                self._keep(chunk)
            else:
                self._copy(chunk)
            self._add_to_totals(chunk)

    def _check(self, batch: Batch) -> None:
        for start in range(0, len(batch), CHUNK_PACKETS):  # a part at a time stays in the cache
            low, high = extent(batch, start, start + CHUNK_PACKETS)
            if low < 0 or high > len(batch.data):
                raise ValueError("a frame lies outside the batch's data")
        self._check_interfaces(batch)

    def _check_interfaces(self, frames: Batch | Chunk) -> None:
        highest = int(frames.interface.max())
        if highest >= len(self._published.interfaces):
            raise ValueError(f"interface {highest} was not added")

    def _keep(self, chunk: Chunk) -> None:
        """Seal the arena, and store a chunk over its own bytes."""
        self._seal()
        number, link_types = self._next_number, self._link_types
        self._sealed.append(
            replace(
                chunk,
                first=number,
                link_types=link_types,
                comments={},
                options={},
                decode_rules=self.decode_rules,
            )
        )
        frame_bytes = 0 if is_mapped(chunk.data) else len(chunk.data)
        self._sealed_bytes.append(len(chunk) * COLUMN_BYTES + frame_bytes)

    def _copy(self, frames: Batch | Chunk) -> list[tuple[int, Chunk]]:
        """Copy frames into the current arena, and into new ones as it fills up.

        Return the rows of each part of `frames`, and the index of its first frame.
        """
        copies: list[tuple[int, Chunk]] = []
        start = 0
        while start < len(frames):
            if self._arena is None:
                room = max(self._arena_bytes, int(frames.captured[start]))
                self._arena = Arena(self._next_number, room, self._link_types, self.decode_rules)
            fits = self._arena.room_for(frames.captured[start:])
            if fits == 0:
                self._seal()
                continue
            part = slice(start, start + fits)
            offsets = frames.offset[part].astype(np.int64, copy=False)
            rows = self._arena.add(frames.data, offsets, frames.captured[part])
            postpones = isinstance(frames, Batch) and len(frames) >= POSTPONED_FROM
            if postpones:
                self._arena.postpone_index()
            fill_columns(rows, frames, start, postpones_index=postpones)
            copies.append((start, rows))
            start += fits
        return copies

    def _add_to_totals(self, frames: Batch | Chunk) -> None:
        """Publish frames that were just stored, with their comments."""
        last = self._published
        self._comment(last.count + 1, frames)
        first_time = last.first_timestamp_ns
        self._publish(
            count=last.count + len(frames),
            bytes_total=last.bytes_total + int(frames.original.sum(dtype=np.int64)),
            first_timestamp_ns=_first_time(frames) if first_time is None else first_time,
        )

    @property
    def _next_number(self) -> int:
        if self._arena is not None:
            return self._arena.chunk.first + self._arena.packets
        return self._sealed[-1].last + 1 if self._sealed else self._published.count + 1

    def _seal(self) -> None:
        """Close the current arena; its chunk gets no more packets."""
        if self._arena is not None:
            chunk = self._arena.sealed()
            self._sealed.append(chunk)
            self._sealed_bytes.append(len(chunk) * COLUMN_BYTES + len(chunk.data))
        self._arena = None

    def _comment(self, first: int, frames: Batch | Chunk) -> None:
        """Keep comments and options of frames, of which the first is packet number `first`."""
        before = self._comments.memory
        for row, texts in frames.comments.items():
            self._comments.add(first + row, texts)
        for row, packed in frames.options.items():
            self._comments.add_options(first + row, packed)
        if self._arena is not None:
            self._arena.comment_bytes += self._comments.memory - before
            if self._arena.comment_bytes > self._arena_bytes:
                self._seal()  # comments go with their chunk, so bound what it has

    def _evict(self) -> int:
        """Discard the oldest chunks above the bound; return the memory still in use."""
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
            options=self._comments.options,
            blocks=changes.get("blocks", last.blocks),
            annotations=last.annotations,
        )


def _is_large(frames: Batch | Chunk) -> bool:
    """Return True if frames are worth a chunk of their own."""
    if len(frames) >= KEPT_IN_PLACE:
        return True
    return int(frames.captured.sum(dtype=np.int64)) >= KEPT_IN_PLACE_BYTES


def _first_time(frames: Batch | Chunk) -> int | None:
    """Return the time of the first frame that has one; see `dissection.is_timed`."""
    is_invalid = frames.flags & np.uint16(PacketFlag.TIME_INVALID) > 0
    timed = np.flatnonzero((frames.timestamp_ns != 0) | ~is_invalid)
    return int(frames.timestamp_ns[timed[0]]) if len(timed) else None
