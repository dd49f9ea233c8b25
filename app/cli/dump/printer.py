"""Print packets until enough were printed.

The output is flushed after each batch or chunk: the reader of a live pipe gets packets as they
arrive, and a large file is still written in large pieces.

A packet that cannot be described because of an internal error gets a line that reports it, and is
counted; `Printer.finish` reports the count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from app.cli.dump.formats import LineFormat
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

    `signal` is as for `CommandOutput`.
    """

    def __init__(
        self,
        line_format: LineFormat,
        limit: int | None,
        enough: Callable[[], bool] = lambda: False,
        signal: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._format = line_format
        self._limit = limit
        self._enough = enough
        self._output = CommandOutput(signal)
        self._faults = Faults()
        self._sequences = SequenceIndex()
        self.printed = 0

    @property
    def written(self) -> int:
        """The number of printed packets that standard output took."""
        return self._output.written

    @property
    def done(self) -> bool:
        """True once no more packets are to be printed."""
        return self.printed == self._limit or self._enough()

    def print(self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]) -> None:
        """Print the packets, at most up to the limit, and flush."""
        bases = self._bases(frames, interfaces) if self._format.shows_relative else {}
        for packet in packets_of(frames, interfaces, self.printed + 1):
            if self.done:
                break
            self._output.line(self._text(packet, bases.get(packet.number)))
            self.printed += 1
        self._output.flush()

    def _bases(
        self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]
    ) -> dict[int, SequenceBase]:
        """Return the bases of the packets' relative sequence numbers, by packet number."""
        if isinstance(frames, Chunk):
            return self._sequences.bases_of_next(replace(frames, first=self.printed + 1))
        link_types = np.array([interface.link_type for interface in interfaces], dtype=np.int32)
        bases: dict[int, SequenceBase] = {}
        first = self.printed + 1
        for part in parts_of(frames):
            bases |= self._sequences.bases_of_next(decode_batch(part, link_types, first))
            first += len(part)
        return bases

    def _text(self, packet: CapturedPacket, base: SequenceBase | None) -> str:
        try:
            return self._format(packet, base)
        except Exception as error:  # internal: print the packets that follow
            return self._format.failed(packet, self._faults.note(packet.number, error))

    def finish(self) -> None:
        """Raise `CommandError`, with its cause, if packets could not be described."""
        count = self._faults.count
        if count:
            words = f"{count} packet{'s' * (count != 1)} not described; {self._faults.message}"
            raise CommandError(f"{words}; --debug shows where") from self._faults.first
