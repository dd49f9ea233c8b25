"""The backlog between the capturing thread and the printing one."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from core.decode.batch import Batch
from core.recording.backlog import Backlog


def batch_over(memory: bytearray, frames: int, size: int = 60, gap: int = 20) -> Batch:
    """`frames` frames in somebody else's memory, `gap` bytes before each."""
    offset = np.arange(frames, dtype=np.int64) * (size + gap) + gap
    return Batch(
        data=np.frombuffer(memory, np.uint8),
        offset=offset,
        captured=np.full(frames, size, np.uint32),
        original=np.full(frames, size, np.uint32),
        timestamp_ns=np.arange(frames, dtype=np.int64),
        interface=np.zeros(frames, np.uint16),
        flags=np.zeros(frames, np.uint16),
    )


def frame_bytes(batch: Batch) -> list[bytes]:
    rows = zip(batch.offset.tolist(), batch.captured.tolist(), strict=True)
    return [batch.data[start : start + size].tobytes() for start, size in rows]


def test_frames_outlive_the_memory_they_came_in() -> None:
    memory = bytearray(range(250)) * 4
    given = batch_over(memory, 3)
    expected = frame_bytes(given)
    backlog = Backlog(1 << 20)
    backlog.put(given)
    memory[:] = b"\xee" * len(memory)
    backlog.end()
    (kept,) = backlog
    assert frame_bytes(kept) == expected
    assert len(kept.data) == 3 * 60 + 2 * 20  # nothing around the frames is kept


def test_over_the_bound_packets_are_refused_and_counted() -> None:
    """put = taken + refused, and room that was freed is used again."""
    backlog = Backlog(100_000)
    memory = bytearray(80 * 100)
    for _ in range(50):
        backlog.put(batch_over(memory, 100))
    assert backlog.packets_in + backlog.refused == 5000
    assert 0 < backlog.packets_in < 2000
    before = backlog.packets_in
    taken = iter(backlog)
    next(taken), next(taken)  # asking for the second gives the first one's room back
    backlog.put(batch_over(memory, 100))
    assert backlog.packets_in == before + 100


def test_no_more_than_wanted_is_taken_in() -> None:
    backlog = Backlog(1 << 20, wanted=7)
    memory = bytearray(80 * 5)
    backlog.put(batch_over(memory, 5))
    assert not backlog.complete
    backlog.put(batch_over(memory, 5))
    backlog.put(batch_over(memory, 5))
    backlog.end()
    assert backlog.complete
    assert [len(one) for one in backlog] == [5, 2]
    assert backlog.refused == 0


def test_one_thread_puts_and_another_takes() -> None:
    backlog = Backlog(1 << 30)
    memory = bytearray(80 * 10)

    def put() -> None:
        for _ in range(500):
            backlog.put(batch_over(memory, 10))
        backlog.end()

    thread = threading.Thread(target=put)
    thread.start()
    assert sum(len(one) for one in backlog) == 5000
    thread.join()
    assert backlog.packets_out == backlog.packets_in == 5000


def test_stable_frames_are_not_copied_and_count_without_what_is_between_them() -> None:
    """As those that the store keeps: its memory also holds the frames of other batches."""
    frames = replace(batch_over(bytearray(1 << 20), 100), stable=True)
    backlog = Backlog(50_000)
    for _ in range(3):
        backlog.put(frames)
    backlog.end()
    assert backlog.refused == 0
    assert all(kept is frames for kept in backlog)
