"""What a source of live frames is, whichever way they leave the kernel.

A source is made by `core.capture.source_factory.open_source` and belongs to one thread. It has a
descriptor that polls readable when `read` will give something. A batch is valid until the next
`read` or `close` of its source: it may lie in memory that the kernel fills again, so whoever
wants to keep it copies it (`PacketStore.append` does).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.decode.batch import Batch, CaptureInterface

AddInterface = Callable[[CaptureInterface], int]  # gives the number to write into batches


class CaptureError(Exception):
    """Capturing is impossible; the text is one line: what, why, and what to do next."""


@dataclass(frozen=True, slots=True)
class CaptureStatistics:
    """Totals since the source was opened; they never decrease.

    `received` counts every frame that passed the filter, those in `dropped` included: when
    nothing is on its way, frames read + dropped = received.
    """

    received: int = 0
    dropped: int = 0  # by the kernel for lack of room, or left in it when a session ended

    def __add__(self, other: CaptureStatistics) -> CaptureStatistics:
        return CaptureStatistics(self.received + other.received, self.dropped + other.dropped)


class CaptureSource(Protocol):
    """One live source of frames."""

    name: str  # the interface's own, however it was asked for; or ``any``
    interface_index: int  # the kernel's number; 0 for all
    note: str  # what a person should know of how it was opened; empty if nothing

    def fileno(self) -> int:
        """The descriptor to wait for."""
        ...

    def read(self) -> Batch | None:
        """The next frames, or None when there are none now."""
        ...

    def statistics(self) -> CaptureStatistics:
        """Ask the kernel for its counts and add them up."""
        ...

    def clear_error(self) -> int:
        """Take the pending socket error (errno, 0 if none): ENETDOWN when the link went down."""
        ...

    def detach(self) -> None:
        """Let nothing more in; what is in already can still be read."""
        ...

    def close(self) -> None:
        """Leave promiscuous mode and give everything back to the kernel."""
        ...
