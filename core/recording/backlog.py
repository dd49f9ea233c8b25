"""Captured batches that wait for a slower thread, which prints or writes them.

A pipe may not be read for minutes and a disk may be busy for seconds, but the kernel's ring holds
only half a second of a flood. So one thread moves packets from the ring into the backlog, and
another takes them. The backlog is bounded: while it is full, it refuses and counts packets, as the
kernel does with its ring.

One thread puts and one takes; each counter is written by one of them only, so there is no lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue

import numpy as np

from core.decode.batch import Batch

_BATCH_BYTES = 1024  # of the objects of a batch, without its arrays


class Backlog:
    """Batches in order of arrival, at most about `limit_bytes`.

    `wanted` bounds the number of packets ever taken (None: no limit). `has_ended` is true once the
    taking thread took the last batch.
    """

    def __init__(self, limit_bytes: int, wanted: int | None = None) -> None:
        self._limit_bytes = limit_bytes
        self._wanted = wanted
        self._queue: SimpleQueue[tuple[Batch, int] | None] = SimpleQueue()  # with its bytes
        self._taken: Batch | None = None
        self._taken_bytes = 0
        self._bytes_in = 0
        self._bytes_out = 0
        self.packets_in = 0
        self.packets_out = 0
        self.refused = 0
        self.has_ended = False
        self._is_discarded = False

    @property
    def complete(self) -> bool:
        """True once as many packets as `wanted` were taken."""
        return self.packets_in == self._wanted

    def put(self, batch: Batch) -> None:
        """Append the frames: a copy, unless their memory is `stable`."""
        if self._wanted is not None:
            batch = batch.first(self._wanted - self.packets_in)
        if not len(batch):
            return
        if self._bytes_in - self._bytes_out >= self._limit_bytes:
            self.refused += len(batch)
            return
        size = _BATCH_BYTES + _column_bytes(batch)
        if batch.stable:
            size += int(batch.captured.sum(dtype=np.int64))
        else:
            batch = _copied(batch)
            size += batch.data.nbytes
        self._bytes_in += size
        self.packets_in += len(batch)
        self._queue.put((batch, size))
        if self._is_discarded:
            self._empty()

    def end(self) -> None:
        """End the backlog after the last batch."""
        self._queue.put(None)

    def discard(self) -> None:
        """Free all batches, and those that are put later. The counters stay correct."""
        self._is_discarded = True
        self._taken = None
        self._empty()

    def _empty(self) -> None:
        with suppress(Empty):
            while True:
                self._queue.get_nowait()

    def take(self, timeout_s: float | None = None) -> Batch | None:
        """Return the next batch; None at the end, or if none arrives in time.

        Frees the batch before. A timeout of 0 does not wait.
        """
        if self._taken is not None:
            self.packets_out += len(self._taken)
            self._bytes_out += self._taken_bytes
            self._taken = None
        try:
            taken = self._queue.get(timeout=timeout_s)
        except Empty:
            return None
        self.has_ended = taken is None
        if taken is not None:
            self._taken, self._taken_bytes = taken
        return self._taken

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches as they come, until `end`. Taking the next one frees the last."""
        while (batch := self.take()) is not None:
            yield batch


def _copied(batch: Batch) -> Batch:
    """Return a copy with bytes of its own, from the first frame to the last."""
    low = int(batch.offset.min())
    high = int((batch.offset + batch.captured).max())
    data = batch.data[low:high].copy()
    return replace(batch, data=data, offset=batch.offset - low, stable=True)


def _column_bytes(batch: Batch) -> int:
    columns = (
        batch.offset, batch.captured, batch.original,
        batch.timestamp_ns, batch.interface, batch.flags,
    )  # fmt: skip
    return sum(column.nbytes for column in columns)
