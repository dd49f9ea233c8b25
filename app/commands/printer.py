"""Printing packets until enough were seen.

Output is flushed after each batch: who reads a live pipe sees packets as they come, and a
large file is still written in large pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.commands.formats import LineFormat
from app.commands.frame import frames
from app.commands.output import Output
from core.store.batch import Batch, CaptureInterface


class Printer:
    """Prints batches until there were `limit` packets (None: no limit) or `enough` says so."""

    def __init__(
        self,
        line_format: LineFormat,
        limit: int | None,
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        self._format = line_format
        self._limit = limit
        self._enough = enough
        self._output = Output()
        self.printed = 0

    @property
    def written(self) -> int:
        """How many of the printed ones were handed to standard output."""
        return self._output.written

    @property
    def done(self) -> bool:
        """No packet is wanted any more."""
        return self.printed == self._limit or self._enough()

    def print(self, batch: Batch, interfaces: Sequence[CaptureInterface]) -> None:
        """Print the batch, or as much of it as is wanted, and flush."""
        for frame in frames(batch, interfaces, self.printed + 1):
            if self.done:
                break
            self._output.line(self._format(frame))
            self.printed += 1
        self._output.flush()
