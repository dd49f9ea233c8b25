"""Print packets until enough were printed.

The output is flushed after each batch or chunk: the reader of a live pipe gets packets as they
arrive, and a large file is still written in large pieces.

A packet that cannot be described because of an internal error gets a line that reports it, and is
counted; `Printer.finish` reports the count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.cli.dump.formats import LineFormat
from app.cli.dump.selection import Selection
from app.cli.output import CommandError, CommandOutput
from core.analysis.sequences import SequenceIndex
from core.decode.batch import Batch, CaptureInterface
from core.decode.batch_decoder import decode_batch, parts_of
from core.decode.chunk import Chunk
from core.store.captured_packet import CapturedPacket, packets_of
from core.wire.present.faults import Faults
from core.wire.protocol import SequenceBase


class Printer:
    """Prints packets until there were `limit` (None: no limit) or `enough` returns True.

    With a `selection`, it prints only the packets that pass. `signal` is as for `CommandOutput`.
    `passed_over` counts the packets that were not to be printed: those that did not pass, and those
    after the last one.
    """

    def __init__(
        self,
        line_format: LineFormat,
        limit: int | None,
        enough: Callable[[], bool] = lambda: False,
        signal: Callable[[], int | None] = lambda: None,
        selection: Selection | None = None,
    ) -> None:
        self._selection = selection
        self._format = line_format
        self._limit = limit
        self._enough = enough
        self._output = CommandOutput(signal)
        self._faults = Faults()
        self._sequences = SequenceIndex()
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

    def print(self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]) -> None:
        """Print the packets, at most up to the limit, and flush.

        Raise `CommandError` if the selection fails.
        """
        before = self.printed
        if not self.done and (self._selection or self._format.shows_relative):
            for chunk in self._chunks(frames, interfaces):
                self._print_chunk(chunk, interfaces)
        else:
            self._print(packets_of(frames, interfaces, self._next_number), {})
        self.passed_over += len(frames) - (self.printed - before)
        self._output.flush()

    @property
    def _next_number(self) -> int:
        return self.printed + self.passed_over + 1

    def _chunks(
        self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]
    ) -> Iterator[Chunk]:
        """Yield packets as chunks, numbered from the next number."""
        first = self._next_number
        if isinstance(frames, Chunk):
            yield replace(frames, first=first)
            return
        link_types = np.array([interface.link_type for interface in interfaces], dtype=np.int32)
        for part in parts_of(frames):
            yield decode_batch(part, link_types, first)
            first += len(part)

    def _print_chunk(self, chunk: Chunk, interfaces: Sequence[CaptureInterface]) -> None:
        bases: dict[int, SequenceBase] = {}
        if self._format.shows_relative:
            bases = self._sequences.bases_of_next(chunk)
        rows: NDArray[np.int64] | slice = slice(None)
        if self._selection is not None:
            rows = self._selection.rows(chunk, interfaces)
            self._format.begin(self._selection.first_timestamp_ns)
        self._print(packets_of(chunk, interfaces, chunk.first, rows), bases)

    def _print(self, packets: Iterator[CapturedPacket], bases: Mapping[int, SequenceBase]) -> None:
        for packet in packets:
            if self.done:
                break
            self._output.line(self._text(packet, bases.get(packet.number)))
            self.printed += 1

    def _text(self, packet: CapturedPacket, base: SequenceBase | None) -> str:
        try:
            return self._format(packet, base)
        except Exception as error:  # internal: print the packets that follow
            return self._format.failed(packet, self._faults.note(packet.number, error))

    def finish(self) -> None:
        """Raise `CommandError`, with its cause, if packets could not be described."""
        count = self._faults.count
        if count:
            words = f"{count:,} packet{'s' * (count != 1)} not described; {self._faults.message}"
            raise CommandError(f"{words}; --debug shows where") from self._faults.first
