"""What was captured and is not printed yet.

Printing a packet takes far longer than capturing it, and a pipe may not be read for minutes, while
the kernel's ring holds half a second of a flood. So one thread empties the ring into here and
another prints. The memory is bounded: what comes while the bound is reached is refused, as the
kernel does with its ring, and counted.

One thread puts and one takes; each counter is written by one of them only, so there is no lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from queue import SimpleQueue

from core.decode.batch import Batch

_BATCH_BYTES = 1024  # of a batch's objects, its arrays not counted


class Backlog:
    """Batches in order of arrival, at most about `limit_bytes` of them.

    `wanted` is how many packets are taken in at all (None: no limit).
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
        """As many packets as are wanted came in."""
        return self.packets_in == self._wanted

    def put(self, batch: Batch) -> None:
        """Keep a copy of the frames; what the source does with its memory then is no matter."""
        if self._wanted is not None:
            batch = _first(batch, self._wanted - self.packets_in)
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
        """Nothing more comes."""
        self._queue.put(None)

    def __iter__(self) -> Iterator[Batch]:
        """The batches until the end, as they come. Their memory is free when the next is taken."""
        while (batch := self._queue.get()) is not None:
            yield batch
            self.packets_out += len(batch)
            self._bytes_out += _size(batch)


def _first(batch: Batch, count: int) -> Batch:
    if count >= len(batch):
        return batch
    return replace(
        batch,
        offset=batch.offset[:count],
        captured=batch.captured[:count],
        original=batch.original[:count],
        timestamp_ns=batch.timestamp_ns[:count],
        interface=batch.interface[:count],
        flags=batch.flags[:count],
    )


def _copied(batch: Batch) -> Batch:
    """The same with bytes of its own, and none before the first frame or behind the last."""
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
