"""The recording that the user wants: its files, their names, and when to begin the next one.

Sources: dumpcap(1) ``-b`` and ``-a``; tcpdump(1) ``-C``, ``-G``, and ``-W``.

dumpcap begins the next file after the packet with which a file reaches its size, and puts a number
and the time into the name: ``trace_00001_20261130120000.pcapng``. tcpdump begins it before a packet
if the file is larger than its size. It appends a number to the name, or formats the name with
strftime(3) if files have a duration.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from core.files.writing.packing import is_classic, plain_name


class FileNaming(Enum):
    """The names of the files of a recording."""

    SINGLE = "the name itself"
    DUMPCAP = "name_00001_20261130120000.suffix"
    TCPDUMP = "name, name1, name2; a time format in the name is filled in"


@dataclass(frozen=True, slots=True)
class Rotation:
    """The bounds at which a file ends and the next one begins. None: no bound.

    A file ends with the packet that makes it `size_bytes` long on the disk, or is its last of
    `packets`; `duration_s` after it was opened; and where the time of a packet passes a multiple of
    `interval_s`. Of the files, the newest `ring_files` are kept.
    """

    size_bytes: int | None = None
    packets: int | None = None
    duration_s: float | None = None
    interval_s: int | None = None
    ring_files: int | None = None

    @property
    def is_used(self) -> bool:
        """True if a file may end before the recording."""
        return any(
            bound is not None
            for bound in (self.size_bytes, self.packets, self.duration_s, self.interval_s)
        )


NO_ROTATION = Rotation()


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """The file that the user named, and the files that follow.

    The recording is complete after `most_files` files. `replace` allows it to replace files that
    exist. For tcpdump's names, `is_numbered` adds a number of `digits` digits (0: as many as it
    has, and none for the first file), and `is_timed` fills in the time.
    """

    path: Path
    rotation: Rotation = NO_ROTATION
    naming: FileNaming = FileNaming.SINGLE
    most_files: int | None = None
    replace: bool = False
    is_numbered: bool = False
    digits: int = 0
    is_timed: bool = False

    @property
    def is_classic(self) -> bool:
        """True for classic pcap."""
        return is_classic(self.path.name)

    def file_name(self, index: int, opened: time.struct_time) -> str:
        """Return the name of file number `index`, from 0 on, that is opened at a local time."""
        name = self.path.name
        if self.naming is FileNaming.DUMPCAP:
            stem, suffix = _split(name)
            return f"{stem}_{index + 1:05}_{time.strftime('%Y%m%d%H%M%S', opened)}{suffix}"
        if self.naming is FileNaming.TCPDUMP:
            if self.is_timed:
                name = time.strftime(name, opened)
            if self.is_numbered:
                name += self._number(index)
        return name

    def _number(self, index: int) -> str:
        """Return what tcpdump appends to the name."""
        number = index % (self.rotation.ring_files or index + 1)
        return f"{number:0{self.digits}}" if number or self.digits else ""


def _split(name: str) -> tuple[str, str]:
    """Return the stem of a name, and its suffix with that of a compression."""
    stem = Path(plain_name(name)).stem
    return stem, name[len(stem) :]
