"""Compress a growing file so that it can be read at any time.

At a *checkpoint*, at least once a second, everything before it can be unpacked, and a file that is
cut there becomes whole with `ending`. So a killed program or a full disk costs at most the packets
of the last second.

A gzip file may hold any number of members (RFC 1952 §2.2), so a checkpoint ends one. Wireshark 4.0
does not read a second zstd frame, so a zstd file has one frame, a checkpoint ends a block of it
(RFC 8878 §3.1.1.2), and an empty last block ends the frame.
"""

from __future__ import annotations

from core.files.writing.packing import Packer, packer_of, plain_name

_LAST_BLOCK = b"\x01\0\0"  # raw, empty, and the last of its frame; rawscope writes no checksum


class CheckpointPacker:
    """Packs the bytes of one file."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._has_members = name.lower().endswith(".gz")
        self._packer: Packer | None = None
        self.ending = b"" if self._has_members else _LAST_BLOCK

    def pack(self, data: memoryview) -> bytes:
        """Take bytes; return those that are packed by now."""
        if self._packer is None:
            self._packer = packer_of(self._name, fast=True)
        return bytes(self._packer.pack(data))

    def flush(self) -> bytes:
        """Return the rest of what was taken: the sum of the output is then the size of the file."""
        return self._packer.flush() if self._packer is not None else b""

    def checkpoint(self) -> bytes:
        """Return the rest, up to a place at which the file may be cut."""
        return self.finish() if self._has_members else self.flush()

    def finish(self) -> bytes:
        """Return the rest and the end."""
        packer, self._packer = self._packer, None
        return packer.finish() if packer is not None else b""


def checkpoint_packer(name: str) -> CheckpointPacker | None:
    """Return the packer for the name of a file; None for one that is not compressed."""
    return None if plain_name(name) == name else CheckpointPacker(name)
