"""One file of a recording: what was written can be read, whatever happens next.

Bytes go to the file as they come, without a buffer of the program, so a killed program has written
all of them (the kernel keeps them). At a checkpoint and at the end they go to the disk, so a power
cut loses only the bytes after the last checkpoint. If a write fails, the file is truncated after
the last whole packet or, in a compressed file, after the last checkpoint.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Protocol

import numpy as np

from core.recording.packer import CheckpointPacker
from core.recording.packet_format import EncodedPackets

_PIECE = 1 << 18  # bytes that a packer gets at once, so that the size on the disk is known
_SMALLEST_PIECE = 256  # when the file is almost as large as it may be


class Target(Protocol):
    """The destination of the bytes. Every method raises `OSError`."""

    def write(self, data: memoryview) -> int:
        """Write some of the bytes; return how many."""
        ...

    def truncate(self, size: int) -> None:
        """Cut off everything behind `size` bytes."""
        ...

    def sync(self) -> None:
        """Wait until the bytes are on the disk."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class DescriptorTarget:
    """A regular file that was just created."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        self.identity = status.st_dev, status.st_ino

    def write(self, data: memoryview) -> int:
        """Implement `Target.write`."""
        return os.write(self._descriptor, data)

    def truncate(self, size: int) -> None:
        """Implement `Target.truncate`."""
        os.ftruncate(self._descriptor, size)
        os.lseek(self._descriptor, size, os.SEEK_SET)

    def sync(self) -> None:
        """Implement `Target.sync` by fdatasync(2)."""
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Implement `Target.close`."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class OutputFile:
    """A file that grows. Raises `OSError`; then the file is truncated, and only `close` may follow.

    `size` is the length of the file in bytes. `packets` were written; of these, `whole_packets` can
    be read even if the next write fails.
    """

    def __init__(self, target: Target, packer: CheckpointPacker | None) -> None:
        self._target = target
        self._packer = packer
        self.size = 0
        self.packets = 0
        self.whole_packets = 0
        self._whole_size = 0
        self._has_failed = False

    def begin(self, header: bytes) -> None:
        """Write bytes that belong to no packet."""
        if self._packer is not None:
            header = self._packer.pack(memoryview(header))
        self._write_or_cut(header)
        if self._packer is None:
            self._whole_size = self.size

    def add(self, packets: EncodedPackets, limit: int | None = None) -> int:
        """Write packets up to the one with which the file is `limit` bytes long; return the count.

        A compressed file may be longer by a few packets.
        """
        if self._packer is not None:
            return self._add_packed(self._packer, packets, limit)
        count = packets.count
        if limit is not None and self.size + len(packets.data) >= limit:
            count = min(count, int(np.searchsorted(packets.ends, limit - self.size)) + 1)
            packets = packets.part(0, count)
        before = self.size
        try:
            self._write(packets.data.data)
        except OSError:
            written = self.size - before
            whole = int(np.searchsorted(packets.ends, written, side="right"))
            self.whole_packets += whole
            self._whole_size = before + (int(packets.ends[whole - 1]) if whole else 0)
            self._cut()
            raise
        self.packets += count
        self.whole_packets = self.packets
        self._whole_size = self.size
        return count

    def _add_packed(
        self, packer: CheckpointPacker, packets: EncodedPackets, limit: int | None
    ) -> int:
        """Pack pieces of whole packets. Near the limit they get smaller, and each is flushed."""
        done = 0
        while done < packets.count:
            room = None if limit is None else limit - self.size
            if room is not None and room <= 0:
                break
            count, piece = self._piece(packets, done, room)
            packed = packer.pack(piece.data.data)
            if limit is not None:
                packed += packer.flush()
            self._write_or_cut(packed)
            self.packets += count
            done += count
        return done

    @staticmethod
    def _piece(packets: EncodedPackets, done: int, room: int | None) -> tuple[int, EncodedPackets]:
        """Return the next packets, at least one, and their number."""
        most = _PIECE if room is None else max(_SMALLEST_PIECE, min(_PIECE, room // 2))
        if done == 0 and len(packets.data) <= most:
            return packets.count, packets
        begin = int(packets.ends[done - 1]) if done else 0
        stop = int(np.searchsorted(packets.ends, begin + most, side="right"))
        stop = max(done + 1, stop)
        return stop - done, packets.part(done, stop)

    def checkpoint(self) -> None:
        """Make the file whole up to here, also if the power fails."""
        if self._has_failed:
            return
        if self._packer is not None:
            self._write_or_cut(self._packer.checkpoint())
            self._whole_size, self.whole_packets = self.size, self.packets
        self._sync()

    def close(self, ending: bytes = b"") -> None:
        """Write the `ending`, which belongs to no packet, make the file whole, and close it."""
        try:
            if not self._has_failed:
                if ending:
                    self.begin(ending)
                if self._packer is not None:
                    self._write_or_cut(self._packer.finish())
                    self.whole_packets = self.packets
                self._sync()
        finally:
            self._target.close()

    def _sync(self) -> None:
        try:
            self._target.sync()
        except OSError:
            self._has_failed = True
            raise

    def _write_or_cut(self, data: bytes) -> None:
        try:
            self._write(memoryview(data))
        except OSError:
            self._cut()
            raise

    def _write(self, data: memoryview) -> None:
        while data:
            written = self._target.write(data)
            self.size += written
            data = data[written:]

    def _cut(self) -> None:
        self._has_failed = True
        with suppress(OSError):
            self._target.truncate(self._whole_size)
            self.size = self._whole_size
            if self._packer is not None and self.size:
                self._write(memoryview(self._packer.ending))
