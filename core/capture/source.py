"""The interface of every source of live frames.

`core.capture.source_factory.open_source` makes a source, which belongs to one thread. Its
descriptor polls readable when `read` has something to return. A batch is valid until the next
`read` or `close` of its source: it may lie in memory that the kernel fills again, so a caller that
keeps it must copy it (`PacketStore.append` does).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from core.capture.bpf import Program
from core.capture.capture_filter import CaptureFilter
from core.decode.batch import Batch, CaptureInterface
from core.decode.capture_statistics import CaptureStatistics

AddInterface = Callable[[CaptureInterface], int]  # gives the number to write into batches


class CaptureError(Exception):
    """The capture is impossible. The text is one line: object, cause, and next step."""


class CaptureSource(Protocol):
    """One live source of frames."""

    name: str  # the interface's own name, not an alternative one; or ``any``
    interface_index: int  # the kernel's number; 0 for all
    note: str  # a remark for the user on how it was opened, or empty

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        ...

    def read(self) -> Batch | None:
        """Return the next frames, or None if no frame is ready."""
        ...

    def statistics(self) -> CaptureStatistics:
        """Ask the kernel for its counts and return the sums."""
        ...

    def clear_error(self) -> int:
        """Return and clear the pending errno, 0 if none: ENETDOWN when the link went down."""
        ...

    def rename(self, name: str) -> None:
        """Give later frames the interface's new name."""
        ...

    def program(self, capture_filter: CaptureFilter | None) -> Program:
        """Return the program of a filter for this source. Raises `CaptureError`."""
        ...

    def attach(self, program: Program) -> None:
        """Replace the filter atomically; frames that were received before stay.

        Raises OSError if the kernel refuses the program.
        """
        ...

    def describe_again(self) -> None:
        """Add the interfaces of later frames again: their description has changed."""
        ...

    def detach(self) -> None:
        """Reject new frames; those already received can still be read."""
        ...

    def close(self) -> None:
        """Leave promiscuous mode and release all resources of the kernel."""
        ...
