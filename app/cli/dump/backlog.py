"""Captured batches that are not printed yet.

Printing a packet takes far longer than capturing it, and a pipe may not be read for minutes, but
the kernel's ring holds only half a second of a flood. So one thread moves packets from the ring
into the backlog, and another prints them. The backlog is bounded: while it is full, it refuses and
counts packets, as the kernel does with its ring.

One thread puts and one takes; each counter is written by one of them only, so there is no lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from queue import SimpleQueue

from core.decode.batch import Batch

_BATCH_BYTES = 1024  # of the objects of a batch, without its arrays


class Backlog:
    """Batches in order of arrival, at most about `limit_bytes`.

    `wanted` bounds the number of packets ever taken (None: no limit).
    """

    def __init__(self, limit_bytes: int, wanted: int | None = None) -> None:
        self._limit_bytes = limit_bytes
        self._wanted = wanted
        self._queue: SimpleQueue[Batch | None] = SimpleQueue()
        self._bytes_in = 0
        self._bytes_out = 0
        self.packets_in = 0
        self.packets_out = 0
        self.refused = 0

    @property
    def complete(self) -> bool:
        """True once as many packets as `wanted` were taken."""
        return self.packets_in == self._wanted

    def put(self, batch: Batch) -> None:
        """Append a copy of the frames, so that the source may reuse its memory."""
        if self._wanted is not None:
            batch = batch.first(self._wanted - self.packets_in)
        if not len(batch):
            return
        if self._bytes_in - self._bytes_out >= self._limit_bytes:
            self.refused += len(batch)
            return
        batch = _copied(batch)
        self._bytes_in += _size(batch)
        self.packets_in += len(batch)
        self._queue.put(batch)

    def end(self) -> None:
        """End the iteration after the last batch."""
        self._queue.put(None)

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches as they come, until `end`. Taking the next one frees the last."""
        while (batch := self._queue.get()) is not None:
            yield batch
            self.packets_out += len(batch)
            self._bytes_out += _size(batch)


def _copied(batch: Batch) -> Batch:
    """Return a copy with bytes of its own, from the first frame to the last."""
    low = int(batch.offset.min())
    high = int((batch.offset + batch.captured).max())
    data = batch.data[low:high].copy()
    return replace(batch, data=data, offset=batch.offset - low, stable=True)


def _size(batch: Batch) -> int:
    columns = (
        batch.data, batch.offset, batch.captured, batch.original,
        batch.timestamp_ns, batch.interface, batch.flags,
    )  # fmt: skip
    return _BATCH_BYTES + sum(column.nbytes for column in columns)
