"""The source of packets that the command line selects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.capture.capture_filter import CaptureFilter
from core.capture.options import CaptureOptions, Method

if TYPE_CHECKING:
    from core.wire.model.decode_rules import DecodeRules


@dataclass(frozen=True, slots=True)
class PacketSource:
    """Interfaces or files, never both. With neither, the monitor lets the user choose.

    A file is a path, or ``"-"`` for standard input; several become one capture. `follows` is True
    if what other programs append to the file is read, too. `snap_length` is in bytes. `method` is
    ``"ring"``, ``"datagram"`` or ``"inet"``. `decode_rules` are those of ``-d``, if there are any.
    """

    interfaces: tuple[str, ...]
    files: tuple[str, ...]
    snap_length: int
    promiscuous: bool
    method: Method
    capture_filter: CaptureFilter | None = None
    follows: bool = False
    decode_rules: DecodeRules | None = None

    def capture_options(self) -> CaptureOptions:
        """Return the options that `core.capture` takes."""
        return CaptureOptions(
            interfaces=self.interfaces,
            snap_length=self.snap_length,
            promiscuous=self.promiscuous,
            method=self.method,
            capture_filter=self.capture_filter,
        )
