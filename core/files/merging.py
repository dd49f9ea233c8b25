"""Read several capture files as one, with the packets in the order of their times.

Each file keeps its own order, as with mergecap(1): a packet that is older than the one before it in
its file follows that one. So each packet has a key, the latest time in its file up to it, which
ascends. Packets with equal keys come in the order of the files.

Only what is already read of the files can be put in order, up to the smallest of their last keys.
The packets up to there are merged by a stable sort of columns, and their bytes are copied into
memory of their own, at most `_MOST_BYTES` at a time. A batch of each file is held, no more.

The result has one list of interfaces, those of all files. Other blocks follow what was merged when
they were read; the headers of sections are left out, because packets of several are mixed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch, CaptureInterface, FileBlock
from core.files.byte_order import STATISTICS
from core.files.cancellation import Cancellation
from core.files.kept_blocks import SECTION_HEADER
from core.files.packet_reader import PacketReader
from core.files.reader import CaptureReader, open_capture
from core.store.frame_copies import copy_frames
from core.store.interface_numbers import InterfaceNumbers

Value = TypeVar("Value")

_MOST_BYTES = 32 << 20  # of frames in one batch
_COLUMNS = ("captured", "original", "timestamp_ns", "flags")
_BEFORE_ALL = np.iinfo(np.int64).min


def open_captures(
    sources: Sequence[str | Path | int],
    cancellation: Cancellation | None = None,
    *,
    follows: bool = False,
) -> PacketReader:
    """Return a reader of one capture, or of several as one; see `open_capture`.

    Only one capture can be followed.
    """
    if len(sources) == 1:
        return open_capture(sources[0], cancellation, follows=follows)
    with ExitStack() as opened:
        readers = [opened.enter_context(open_capture(each, cancellation)) for each in sources]
        opened.pop_all()
    return MergedReader(readers)


class MergedReader:
    """A `PacketReader` of several files, which it closes."""

    def __init__(self, readers: Sequence[CaptureReader]) -> None:
        self._readers = readers
        self._numbers = InterfaceNumbers()
        self.interfaces: Sequence[CaptureInterface] = self._numbers.interfaces
        self._blocks: list[FileBlock] = []
        self.blocks: Sequence[FileBlock] = self._blocks
        self._packets = 0

    @property
    def notes(self) -> Sequence[str]:
        """The warnings about all files up to now."""
        return [note for reader in self._readers for note in reader.notes]

    @property
    def damaged(self) -> bool:
        """True if one of the files is not whole."""
        return any(reader.damaged for reader in self._readers)

    @property
    def size(self) -> int | None:
        """The size of all files in bytes; None if one is a pipe."""
        sizes = [reader.size for reader in self._readers]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def position(self) -> int:
        """The number of bytes processed, of all files."""
        return sum(reader.position for reader in self._readers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all files. Batches stay valid."""
        for reader in self._readers:
            reader.close()

    def batches(self) -> Iterator[Batch]:
        """Yield all packets in the order of their times, in stable batches."""
        files = [_File(reader) for reader in self._readers]
        while True:
            for file in files:
                file.fill()
                self._take_descriptions(file)
            held = [file for file in files if file.batch is not None]
            if not held:
                return
            batch = _merged(held)
            self._packets += len(batch)
            yield batch

    def _take_descriptions(self, file: _File) -> None:
        """Add the interfaces and other blocks that a file has read since the last call."""
        reader = file.reader
        for interface in reader.interfaces[len(file.numbers) :]:
            file.numbers.append(self._numbers.add(interface))
        for block in reader.blocks[file.blocks :]:
            file.blocks += 1
            if block.kind == SECTION_HEADER:
                file.section = block.interfaces
                continue
            body = block.body
            if block.kind == STATISTICS and len(body) >= 4:
                number = file.section + struct.unpack_from("=I", body)[0]
                if number >= len(file.numbers):
                    continue
                body = struct.pack("=I", file.numbers[number]) + body[4:]
            here = FileBlock(block.kind, body, self._packets, len(self._numbers.interfaces))
            self._blocks.append(here)


class _File:
    """One of the files, and the batch of it that is not merged yet."""

    def __init__(self, reader: CaptureReader) -> None:
        self.reader = reader
        self.batch: Batch | None = None
        self.keys = np.zeros(0, np.int64)
        self.numbers: list[int] = []  # of its interfaces in the result
        self.blocks = 0  # that were taken
        self.section = 0  # the first interface of the section
        self._batches = reader.batches()
        self._latest_ns: int = _BEFORE_ALL

    def fill(self) -> None:
        """Read the next batch if the last one is used up."""
        while self.batch is None or not len(self.batch):
            self.batch = next(self._batches, None)
            if self.batch is None:
                return
            times = np.maximum(self.batch.timestamp_ns, self._latest_ns)
            self.keys = np.maximum.accumulate(times)
            if len(self.keys):
                self._latest_ns = int(self.keys[-1])

    def drop(self, count: int) -> None:
        """Forget the first packets of the batch, which were merged."""
        assert self.batch is not None
        self.batch = self.batch.part(count, len(self.batch))
        self.keys = self.keys[count:]


def _merged(files: Sequence[_File]) -> Batch:
    """Take from the files what can be merged now, at least one packet."""
    last = [int(file.keys[-1]) for file in files]
    limit = min(last)
    first_at_limit = last.index(limit)  # later files wait for its next batch at this time
    counts = [
        int(np.searchsorted(file.keys, limit, "right" if at <= first_at_limit else "left"))
        for at, file in enumerate(files)
    ]
    keys = np.concatenate([file.keys[:n] for file, n in zip(files, counts, strict=True)])
    owner = np.repeat(np.arange(len(files)), counts)
    order = np.argsort(keys, kind="stable")
    captured = np.concatenate(
        [_batch(file).captured[:n] for file, n in zip(files, counts, strict=True)]
    )
    ends = np.cumsum(captured[order], dtype=np.int64)
    order = order[: int(np.searchsorted(ends, _MOST_BYTES)) + 1]
    counts = np.bincount(owner[order], minlength=len(files)).tolist()
    batch = _joined([_batch(file).first(n) for file, n in zip(files, counts, strict=True)], files)
    for file, count in zip(files, counts, strict=True):
        file.drop(count)
    return batch


def _batch(file: _File) -> Batch:
    assert file.batch is not None
    return file.batch


def _joined(parts: Sequence[Batch], files: Sequence[_File]) -> Batch:
    """Return the packets of all parts in order, over bytes of their own."""
    keys = np.concatenate([file.keys[: len(part)] for file, part in zip(files, parts, strict=True)])
    order = np.argsort(keys, kind="stable")
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])[order] for name in _COLUMNS
    }
    numbers = [np.array(file.numbers or [0], np.uint16) for file in files]
    interface = np.concatenate(
        [number[part.interface] for number, part in zip(numbers, parts, strict=True)]
    )
    row = np.empty(len(order), np.int64)  # by place before
    row[order] = np.arange(len(order))
    lengths = columns["captured"].astype(np.int64)
    offset = np.cumsum(lengths) - lengths
    data = np.empty(int(lengths.sum()), np.uint8)
    comments: dict[int, Sequence[str]] = {}
    options: dict[int, bytes] = {}
    start = 0
    for part in parts:
        rows = row[start : start + len(part)]
        copy_frames(part.data, part.offset, part.captured.astype(np.int64), data, offset[rows])
        comments |= _moved(part.comments, rows)
        options |= _moved(part.options, rows)
        start += len(part)
    return Batch(
        data=data,
        offset=offset,
        interface=interface[order],
        stable=True,
        comments=comments,
        options=options,
        **columns,
    )


def _moved(by_row: Mapping[int, Value], rows: NDArray[np.int64]) -> dict[int, Value]:
    return {int(rows[row]): by_row[row] for row in by_row}
