"""Print packets until enough were printed.

The output is flushed after each batch or chunk: the reader of a live pipe gets packets as they
arrive, and a large file is still written in large pieces.

A packet that cannot be described because of an internal error gets a line that reports it, and is
counted; `Printer.finish` reports the count. If writing packets by columns fails, the packet path
writes the rest of the chunk, so only the packet that is at fault gets such a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.cli.dump.decoded_packets import USUAL, DecodedPackets, Decoding, PacketDecoder
from app.cli.dump.line_format import ChunkPart, LineFormat
from app.cli.dump.selection import Selection
from app.cli.output import (
    CommandError,
    CommandOutput,
    InterruptedCommandError,
    print_message,
)
from core.analysis.analyzer import slow_note
from core.analysis.tcp.flow_table import NO_FLOWS
from core.decode.batch import Batch, CaptureInterface
from core.decode.capture_statistics import CaptureStatistics
from core.decode.chunk import Chunk
from core.store.captured_packet import CapturedPacket, packets_of
from core.wire.present.faults import Faults
from core.wire.protocol import SequenceBase

if TYPE_CHECKING:
    from app.cli.dump.decoded_packets import PacketPrograms


class Printer:
    """Prints packets until there were `limit` (None: no limit) or `enough` returns True.

    With a `selection`, it prints only the packets that pass. `signal` is as for `CommandOutput`.
    `passed_over` counts the packets before the last printed one that did not pass. `programs` finds
    the programs of captured packets. `decoding` tells how packets are decoded.
    """

    work = "printed"

    def __init__(
        self,
        line_format: LineFormat,
        limit: int | None,
        enough: Callable[[], bool] = lambda: False,
        signal: Callable[[], int | None] = lambda: None,
        selection: Selection | None = None,
        programs: PacketPrograms | None = None,
        *,
        decoding: Decoding = USUAL,
    ) -> None:
        self._selection = selection
        self._format = line_format
        self._limit = limit
        self._enough = enough
        self._signal = signal
        self._output = CommandOutput(signal)
        self._faults = Faults()
        needs_flows = line_format.needs_flows or (selection is not None and selection.needs_flows)
        self.selects = selection is not None
        self._programs = programs
        self._decoder = PacketDecoder(needs_flows=needs_flows, programs=programs, decoding=decoding)
        self.printed = 0
        self.passed_over = 0

    @property
    def written(self) -> int:
        """The number of printed packets that standard output took."""
        return self._output.written

    @property
    def done(self) -> bool:
        """True once no more packets are to be printed."""
        return self.printed == self._limit or self._enough()

    def take(self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]) -> None:
        """Print the packets, at most up to the limit, and flush."""
        for decoded in self._decoder.decoded(frames, interfaces):
            if self.done:
                break
            before, part = self.printed, self._part(decoded)
            if len(part.rows):
                self._print_part(part)
            count = self.printed - before
            seen = len(part.chunk)
            if self.printed == self._limit:
                seen = int(part.rows[count - 1]) + 1
            self.passed_over += seen - count
        self._output.flush()

    def describe(
        self,
        interfaces: Sequence[CaptureInterface],
        statistics: Mapping[str, CaptureStatistics],
    ) -> None:
        """Do nothing: each line names its interface."""

    def idle(self) -> None:
        """Do nothing: all packets are printed."""

    def end(self, *, is_cut: bool = False) -> None:
        """Raise `InterruptedCommandError` if the user interrupted it."""
        if is_cut:
            words = f"only {self.written:,} packet{'s' * (self.written != 1)} printed"
            raise InterruptedCommandError(f"{words}: you interrupted it", self._signal())

    def close(self) -> None:
        """Do nothing: no file is open."""

    def _part(self, decoded: DecodedPackets) -> ChunkPart:
        """Return the packets of the next chunk that are to be printed."""
        chunk, context = decoded.chunk, decoded.context
        self._format.begin(decoded.first_timestamp_ns)
        rows: NDArray[np.int64] = np.arange(len(chunk))
        if self._selection is not None:
            rows = self._selection.rows(decoded.values, self._enough)
        if self._limit is not None:
            rows = rows[: self._limit - self.printed]
        flows = context.flows.reaching(chunk.last) if len(rows) else NO_FLOWS
        bases = flows.bases(chunk)
        return ChunkPart(chunk, context, decoded.values, rows, bases)

    def _print_part(self, part: ChunkPart) -> None:
        begun = self.printed
        for texts in self._blocks(part):
            lines = self._completed(part, self.printed - begun, texts)
            self._output.lines(lines)
            self.printed += len(lines)
            if self.done:
                break

    def _blocks(self, part: ChunkPart) -> Iterator[list[str | None]]:
        """Yield what the format writes by columns, and None for each of the other packets."""
        start = 0
        try:
            for texts in self._format.lines(part):
                yield texts
                start += len(texts)
        except CommandError:
            raise
        except Exception:  # the packet path tells which packet is at fault
            yield from part.by_packet(start)

    def _completed(self, part: ChunkPart, start: int, texts: list[str | None]) -> list[str]:
        """Return a block of rows from `start` on; the packet path writes those without a text.

        Return only those before the packet at which printing must end.
        """
        missing = [index for index, text in enumerate(texts) if text is None]
        rows = part.rows[start : start + len(texts)][missing]
        packets = packets_of(part.chunk, part.interfaces, part.chunk.first, rows)
        for index, row, packet in zip(missing, rows.tolist(), packets, strict=True):
            if self._enough():
                del texts[index:]
                break
            texts[index] = self._text(packet, part.bases.of(row))
        return [text for text in texts if text is not None]

    def _text(self, packet: CapturedPacket, base: SequenceBase | None) -> str:
        try:
            return self._format(packet, base)
        except Exception as error:  # internal: print the packets that follow
            return self._format.failed(packet, self._faults.note(packet.number, error))

    def finish(self) -> None:
        """Report packets that took too long for the filter.

        Raise `CommandError`, with its cause, if packets could not be described.
        """
        if self._programs is not None and self._programs.trouble:
            print_message(f"rawscope: {self._programs.trouble}")
        if self._selection is not None and self._selection.slow_packets:
            print_message(f"rawscope: -Y: {slow_note(self._selection.slow_packets)}")
        count = self._faults.count
        if count:
            words = f"{count:,} packet{'s' * (count != 1)} not described; {self._faults.message}"
            raise CommandError(f"{words}; --debug shows where") from self._faults.first
