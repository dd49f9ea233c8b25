"""The source of packets that the command line selects."""

from __future__ import annotations

from dataclasses import dataclass

from core.capture.capture_filter import CaptureFilter
from core.capture.options import CaptureOptions, Method


@dataclass(frozen=True, slots=True)
class PacketSource:
    """Interfaces or a file, never both. With neither, the monitor lets the user choose.

    `file` is a path, or ``"-"`` for standard input. `snap_length` is in bytes. `method` is
    ``"ring"``, ``"datagram"`` or ``"inet"``.
    """

    interfaces: tuple[str, ...]
    file: str | None
    snap_length: int
    promiscuous: bool
    method: Method
    capture_filter: CaptureFilter | None = None

    def capture_options(self) -> CaptureOptions:
        """Return the options that `core.capture` takes."""
        return CaptureOptions(
            interfaces=self.interfaces,
            snap_length=self.snap_length,
            promiscuous=self.promiscuous,
            method=self.method,
            capture_filter=self.capture_filter,
        )
