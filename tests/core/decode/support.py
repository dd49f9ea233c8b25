"""Frames and batches for tests."""

from __future__ import annotations

import numpy as np

from core.decode.batch import Batch, CaptureInterface
from core.decode.verdicts import verdict_pair
from core.store.snapshot import Snapshot
from core.wire.model.dissection import Verdict

ETHERNET_INTERFACE = CaptureInterface("eth0", 1)


def batch_of(
    frames: list[bytes],
    *,
    gap: int = 0,
    stable: bool = False,
    original: list[int] | None = None,
    flags: list[int] | None = None,
    interface: list[int] | None = None,
    first_time: int = 1_000,
    times_ns: list[int] | None = None,
) -> Batch:
    """Return a batch with `gap` canary bytes (0xA5) before, between and after the frames.

    Without `times_ns`, the frames are a nanosecond apart, from `first_time` on.
    """
    canary = b"\xa5" * gap
    data = np.frombuffer(canary + b"".join(frame + canary for frame in frames), np.uint8)
    lengths = np.array([len(frame) for frame in frames], dtype=np.int64)
    offsets = np.cumsum(lengths + gap) - lengths
    count = len(frames)
    return Batch(
        data=data,
        offset=offsets,
        captured=lengths.astype(np.uint32),
        original=np.array(original if original is not None else lengths, dtype=np.uint32),
        timestamp_ns=np.array(times_ns or range(first_time, first_time + count), dtype=np.int64),
        interface=np.array(interface if interface is not None else [0] * count, dtype=np.uint16),
        flags=np.array(flags if flags is not None else [0] * count, dtype=np.uint16),
        stable=stable,
    )


def verdicts_of(snapshot: Snapshot, number: int) -> tuple[Verdict, Verdict]:
    """Return the verdicts on a packet's outermost network and transport checksums."""
    return verdict_pair(*snapshot.find(number))
