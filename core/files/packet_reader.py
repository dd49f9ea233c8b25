"""The interface of all readers of packets: of one capture file, and of several as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from core.decode.batch import Batch, CaptureInterface, FileBlock


class PacketReader(Protocol):
    """The packets of one capture file, or of several, and what belongs to them."""

    @property
    def interfaces(self) -> Sequence[CaptureInterface]: ...
    @property
    def blocks(self) -> Sequence[FileBlock]: ...
    @property
    def notes(self) -> Sequence[str]: ...
    @property
    def damaged(self) -> bool: ...
    @property
    def size(self) -> int | None: ...
    @property
    def position(self) -> int: ...

    def batches(self) -> Iterator[Batch]:
        """Yield all packets, in stable batches; see `CaptureReader.batches`."""
        ...

    def close(self) -> None:
        """Close the files. Batches stay valid."""
        ...
