"""Write packets to capture files instead of printing them: ``dump -w``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.cli.dump.decoded_packets import USUAL, Decoding, PacketDecoder
from app.cli.dump.remarked_packets import flow_remarks, with_remarks
from app.cli.dump.selection import Selection
from app.cli.output import (
    CommandError,
    CommandOutput,
    InterruptedCommandError,
    print_message,
)
from app.cli.recording_options import STDOUT, STDOUT_NAME, refusals
from core.analysis.analyzer import slow_note
from core.decode.batch import Batch, CaptureInterface, FileBlock
from core.decode.capture_statistics import CaptureStatistics
from core.decode.chunk import Chunk
from core.files.packet_reader import PacketReader
from core.files.writing.copied_blocks import CopiedBlocks, is_needed_in_every_file, packed
from core.recording.file_series import FileSeries, RecordingError
from core.recording.plan import RecordingPlan
from core.wire.model.text import safe

if TYPE_CHECKING:
    from app.cli.dump.decoded_packets import PacketPrograms

Value = TypeVar("Value")


class StandardOutput:
    """A `Target` that is not a file of rawscope. `signal` is as for `CommandOutput`."""

    def __init__(self, signal: Callable[[], int | None]) -> None:
        if sys.stdout is not None and sys.stdout.isatty():
            raise CommandError(
                "-w - writes a capture to standard output, which is a terminal: "
                "send it to a file or a pipe"
            )
        self._output = CommandOutput(signal)

    def write(self, data: memoryview) -> int:
        """Implement `Target.write`."""
        return self._output.write_bytes(data)

    def truncate(self, size: int) -> None:
        """Leave what was written: its reader has it."""

    def sync(self) -> None:
        """Do nothing: its reader has all bytes."""

    def close(self) -> None:
        """Leave it open."""


class PacketWriter:
    """A `PacketOutput` that writes at most `limit` packets (None: no limit) to files.

    With a `selection`, it writes only the packets that pass. Those of a `reader` are divided by
    their own times, all others by a clock. `programs` finds the programs of captured packets.
    """

    work = "written"

    def __init__(
        self,
        plan: RecordingPlan,
        limit: int | None,
        enough: Callable[[], bool] = lambda: False,
        signal: Callable[[], int | None] = lambda: None,
        *,
        selection: Selection | None = None,
        reader: PacketReader | None = None,
        programs: PacketPrograms | None = None,
        decoding: Decoding = USUAL,
    ) -> None:
        self._limit = limit
        self._enough, self._signal = enough, signal
        self._selection = selection
        self.selects = selection is not None
        self._decoder = PacketDecoder(
            needs_flows=selection is not None and selection.needs_flows,
            programs=programs,
            decoding=decoding,
        )
        self._remarks = None if plan.is_classic else flow_remarks(programs)
        self.passed_over = 0
        target = StandardOutput(signal) if str(plan.path) == STDOUT else None
        with refusals(STDOUT_NAME if target is not None else str(plan.path)):
            clock = time.monotonic if reader is None else None
            self._series = FileSeries(plan, clock, target)
        self._blocks: CopiedBlocks | None = None
        if reader is not None and not plan.is_classic:
            self._blocks = CopiedBlocks(reader.blocks, reader.interfaces)
        self._waiting: list[FileBlock] = []  # that precede the next packet
        self._seen = 0  # packets of the input
        self._interfaces: Sequence[CaptureInterface] = () if reader is None else reader.interfaces

    @property
    def written(self) -> int:
        """The packets in the files."""
        return self._series.saved

    @property
    def done(self) -> bool:
        """True once no more packets are to be written."""
        return self._is_full or self._enough()

    @property
    def _is_full(self) -> bool:
        return self._series.packets == self._limit or self._series.is_complete

    def take(self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]) -> None:
        """Write the packets. Raise `RecordingError` or `CommandError`."""
        self._series.tally.add(frames.interface)
        for part, rows, count in self._selected(frames, interfaces):
            before = self._series.packets
            self._write(part, rows + self._seen, interfaces)
            self._seen += count
            written = self._series.packets - before
            if self._is_full:
                self.passed_over += int(rows[written - 1]) + 1 - written if written else 0
                break
            self.passed_over += count - written
        self.idle()

    def _write(
        self, part: Batch, at: NDArray[np.int64], interfaces: Sequence[CaptureInterface]
    ) -> None:
        """Write packets that are at `at` (n,) in the input, and the blocks between them."""
        start = 0
        for each in self._blocks.until(int(at[-1]) + 1) if self._blocks and len(at) else ():
            stop = int(np.searchsorted(at, each.packets))
            self._write_packets(part.part(start, stop), interfaces)
            self._waiting.append(each)
            start = stop
        self._write_packets(part.part(start, len(part)), interfaces)

    def _write_packets(self, part: Batch, interfaces: Sequence[CaptureInterface]) -> None:
        if self._limit is not None:
            part = part.first(self._limit - self._series.packets)
        if len(part) and not self._series.is_complete:
            self._write_waiting(interfaces)
            self._series.write(part, interfaces)

    def _write_waiting(self, interfaces: Sequence[CaptureInterface]) -> None:
        for each in self._waiting:
            repeats = is_needed_in_every_file(each)
            self._series.insert(packed(each), interfaces, repeats=repeats)
        self._waiting.clear()

    def describe(
        self,
        interfaces: Sequence[CaptureInterface],
        statistics: Mapping[str, CaptureStatistics],
    ) -> None:
        """Write the interfaces, and keep the statistics for the end. Raise `RecordingError`."""
        self._series.statistics = statistics
        self._series.describe(interfaces)

    def idle(self) -> None:
        """Make the files whole once a second. Raise `RecordingError`."""
        self._series.keep_up()

    def end(self, *, is_cut: bool = False) -> None:
        """End the last file. Raise `RecordingError`, and `InterruptedCommandError`."""
        if self._blocks is not None:
            self._end_blocks(self._blocks)
        self._series.close()
        if is_cut:
            words = f"{safe(self._series.name)} ends early: you interrupted it; "
            words += f"{self.written:,} packet{'s' * (self.written != 1)} saved"
            raise InterruptedCommandError(words, self._signal())

    def _end_blocks(self, blocks: CopiedBlocks) -> None:
        """Write the blocks behind the last packet, if its file is not full."""
        self._waiting += blocks.until(self._seen + 1)
        if self._series.is_open:
            self._write_waiting(self._interfaces)
        for each in self._waiting:
            blocks.leave_out(each)

    def finish(self) -> None:
        """Report blocks that were left out, and packets that took too long for the filter."""
        if self._blocks is not None and self._blocks.left_out:
            left_out = ", ".join(self._blocks.left_out)
            print_message(
                f"rawscope: left out: {left_out}; "
                "a copy of one whole file keeps them: no pipe, no --follow, no -b"
            )
        if self._selection is not None and self._selection.slow_packets:
            print_message(f"rawscope: -Y: {slow_note(self._selection.slow_packets)}")

    def close(self) -> None:
        """Close the files."""
        try:
            self._series.close()
        except RecordingError:  # reported before
            self._series.abandon()

    def _selected(
        self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]
    ) -> Iterator[tuple[Batch, NDArray[np.int64], int]]:
        """Yield packets to write, their rows among some packets, and the number of these."""
        if self._selection is None and isinstance(frames, Batch):
            yield frames, np.arange(len(frames)), len(frames)
            return
        for decoded in self._decoder.decoded(frames, interfaces):
            rows = np.arange(len(decoded.chunk))
            if self._selection is not None:
                rows = self._selection.rows(decoded.values, self._enough)
            chunk = with_remarks(decoded, rows, self._remarks)
            yield _batch_of(chunk, rows), rows, len(chunk)


def _batch_of(chunk: Chunk, rows: NDArray[np.int64]) -> Batch:
    """Return some packets of a chunk, over the same bytes."""
    comments = _of_rows(chunk.comments, rows)
    options = _of_rows(chunk.options, rows)
    return Batch(
        data=chunk.data,
        offset=chunk.offset[rows].astype(np.int64),
        captured=chunk.captured[rows],
        original=chunk.original[rows],
        timestamp_ns=chunk.timestamp_ns[rows],
        interface=chunk.interface[rows],
        flags=chunk.flags[rows],
        stable=True,
        comments=comments,
        options=options,
    )


def _of_rows(by_row: Mapping[int, Value], rows: NDArray[np.int64]) -> dict[int, Value]:
    """Return what belongs to some rows, by index among them."""
    if not by_row:
        return {}
    return {index: by_row[row] for index, row in enumerate(rows.tolist()) if row in by_row}
