"""Compress a growing file so that it can be read at any time.

A *member* (gzip, RFC 1952 §2.2) or *frame* (zstd, RFC 8878 §3) has its own end and checksum, and a
file may hold any number of them. So a recording ends one at least once a second: the file is then
whole, and a killed program or a full disk costs at most the packets after it. That costs less
than one percent of the size at a megabyte a second.

Compression is at the fastest level, since it must keep up with the capture.
"""

from __future__ import annotations

import zlib
from typing import Any, Protocol

_GZIP_WINDOW = 31  # zlib's window bits for a gzip header and trailer
_GZIP_LEVEL = 1
_ZSTD_LEVEL = 1


class Packer(Protocol):
    """Packs bytes. `finish` ends the member; the next byte begins another."""

    def pack(self, data: memoryview) -> bytes:
        """Take bytes; return those that are packed by now."""
        ...

    def flush(self) -> bytes:
        """Return the rest of what was taken: the sum of the output is then the size of the file."""
        ...

    def finish(self) -> bytes:
        """Return the rest and the end of the member; empty if none was begun."""
        ...


def packer_of(compression: str) -> Packer | None:
    """Return a packer for ``"gzip"`` or ``"zstd"``; None for no compression."""
    if not compression:
        return None
    return GzipPacker() if compression == "gzip" else ZstdPacker()


class GzipPacker:
    """See `Packer`."""

    def __init__(self) -> None:
        self._member: Any = None

    def pack(self, data: memoryview) -> bytes:
        """Implement `Packer.pack`."""
        if self._member is None:
            self._member = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        packed: bytes = self._member.compress(data)
        return packed

    def flush(self) -> bytes:
        """Implement `Packer.flush`."""
        flushed: bytes = self._member.flush(zlib.Z_SYNC_FLUSH) if self._member else b""
        return flushed

    def finish(self) -> bytes:
        """Implement `Packer.finish`."""
        member, self._member = self._member, None
        rest: bytes = member.flush(zlib.Z_FINISH) if member else b""
        return rest


class ZstdPacker:
    """See `Packer`."""

    def __init__(self) -> None:
        import zstandard  # here, because it is slow to import

        self._flush_block = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        self._compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
        self._frame: Any = None

    def pack(self, data: memoryview) -> bytes:
        """Implement `Packer.pack`."""
        if self._frame is None:
            self._frame = self._compressor.compressobj()
        packed: bytes = self._frame.compress(data)
        return packed

    def flush(self) -> bytes:
        """Implement `Packer.flush`."""
        flushed: bytes = self._frame.flush(self._flush_block) if self._frame else b""
        return flushed

    def finish(self) -> bytes:
        """Implement `Packer.finish`."""
        frame, self._frame = self._frame, None
        rest: bytes = frame.flush() if frame else b""
        return rest
