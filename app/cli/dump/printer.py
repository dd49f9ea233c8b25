"""Print packets until enough were printed.

The output is flushed after each batch or chunk: the reader of a live pipe gets packets as they
arrive, and a large file is still written in large pieces.

A packet that cannot be described because of an internal error gets a line that reports it, and is
counted; `Printer.finish` reports the count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.cli.dump.formats import LineFormat
from app.cli.output import CommandError, CommandOutput
from core.decode.batch import Batch, CaptureInterface
from core.decode.chunk import Chunk
from core.store.captured_packet import CapturedPacket, packets_of
from core.wire.present.faults import Faults


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
        for packet in packets_of(frames, interfaces, self.printed + 1):
            if self.done:
                break
            self._output.line(self._text(packet))
            self.printed += 1
        self._output.flush()

    def _text(self, packet: CapturedPacket) -> str:
        try:
            return self._format(packet)
        except Exception as error:  # internal: print the packets that follow
            return self._format.failed(packet, self._faults.note(packet.number, error))

    def finish(self) -> None:
        """Raise `CommandError`, with its cause, if packets could not be described."""
        count = self._faults.count
        if count:
            words = f"{count} packet{'s' * (count != 1)} not described; {self._faults.message}"
            raise CommandError(f"{words}; --debug shows where") from self._faults.first
