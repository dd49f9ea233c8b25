"""Batches of numbered packets, and the packets in recorded files."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from core.decode.batch import Batch, CaptureInterface
from core.files.reader import open_capture
from tests.core.decode.support import batch_of

ETH0 = CaptureInterface("eth0", 1, 262_144)
TUN0 = CaptureInterface("tun0", 101)
SECOND_NS = 1_000_000_000


def numbered(
    first: int, count: int, size: int = 60, *, step_ns: int = 1_000, interface: int = 0
) -> Batch:
    """Return packets that hold their numbers, `step_ns` apart from number 0 at the epoch on."""
    numbers = range(first, first + count)
    return batch_of(
        [number.to_bytes(4, "big").ljust(size, b".") for number in numbers],
        gap=6,
        interface=[interface] * count,
        flags=[1] * count,
        times_ns=[number * step_ns for number in numbers],
    )


def numbers_in(path: Path) -> list[int]:
    """Return the numbers of the packets in a file."""
    with open_capture(str(path)) as reader:
        return [
            int.from_bytes(batch.data[offset : offset + 4].tobytes(), "big")
            for batch in reader.batches()
            for offset in batch.offset.tolist()
        ]


def numbers_by_file(paths: Iterable[Path]) -> list[list[int]]:
    """Return the numbers in each file, in the order of the files' names."""
    return [numbers_in(path) for path in sorted(paths)]


def joined(files: Iterable[list[int]]) -> list[int]:
    """Return the numbers in all files."""
    return [*chain.from_iterable(files)]
