"""Sources of a capture's bytes: a mapped file, or a stream.

Both give the parser a *window* of bytes. The window of a mapped file is the whole file: nothing is
loaded, the kernel reads pages on access, and batches may keep pointing into the map. The window of
a stream holds the bytes that arrived and were not consumed. Its buffer is never written again, so
batches may keep pointing into it, too.

A stream returns what has arrived. It waits only if not one more packet can be read without waiting,
so each packet of a live capture on a pipe is shown when it comes.
"""

from __future__ import annotations

import os
import select
import stat
import time
from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.files.cancellation import Cancellation
from core.files.compression import Decoder, decoder
from core.files.formats import MAGIC_BYTES, compression_of
from core.files.sources.growing_file import GrowingFile
from core.files.sources.mapping import Mapping

_READ_BYTES = 1 << 16
_FIRST_WINDOW = 1 << 18  # small, so that the first packets appear at once
_WINDOW = 1 << 22
_GATHER_S = 0.05  # the longest time to fill one window from a stream that never pauses


class ByteSource(Protocol):
    """Bytes for a parser. `origin` is the offset of the window in the unpacked file."""

    window: NDArray[np.uint8]
    origin: int

    @property
    def size(self) -> int | None:
        """The size of the input in bytes, compressed as it is; None if unknown."""
        ...

    def more(self, position: int, needed: int) -> int | None:
        """Extend the window; the parser needs `needed` bytes from `position` on.

        Return the index of `position` in the new window, or None if nothing more comes. `position`
        may lie past the window; the bytes before it are then skipped.
        """
        ...

    def progress(self, position: int) -> int:
        """Return how many input bytes are processed once the window is, up to `position`."""
        ...

    def lost(self) -> str:
        """Return why the window must not be accessed any more, or an empty string."""
        ...

    def fault(self) -> str:
        """Return the error below the capture format, or an empty string."""
        ...

    def remark(self) -> str:
        """Return a note about ignored input, or an empty string."""
        ...

    def close(self) -> None:
        """Read nothing more: the caller is about to close the descriptor."""
        ...


class MappedFile:
    """A mapped regular file, which may grow while it is read."""

    origin = 0

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._mappings: list[Mapping] = []
        self.window = self._map(os.fstat(descriptor).st_size)

    def _map(self, size: int) -> NDArray[np.uint8]:
        self._mappings.append(Mapping(self._descriptor, size))
        return self._mappings[-1].data

    @property
    def size(self) -> int:
        """The number of mapped bytes."""
        return len(self.window)

    def more(self, position: int, needed: int) -> int | None:
        """Map bytes that were appended since the last call; see `ByteSource.more`."""
        size = os.fstat(self._descriptor).st_size
        if size <= len(self.window):
            return None
        self.window = self._map(size)
        return position

    def progress(self, position: int) -> int:
        """Implement `ByteSource.progress`."""
        return min(position, len(self.window))

    def lost(self) -> str:
        """Report that another process truncated the file after it was mapped."""
        size = os.fstat(self._descriptor).st_size
        if size < len(self.window):
            return f"the file shrank from {len(self.window)} to {size} bytes while it was read"
        return ""

    def fault(self) -> str:
        """Return an empty string: a map has no layer below the capture format."""
        return ""

    def remark(self) -> str:
        """Report an access, perhaps long after reading, to bytes that the file no longer has."""
        if any(mapping.lost for mapping in self._mappings):
            return "another program cut the file while it was open; the lost part reads as zeros"
        return ""

    def close(self) -> None:
        """Do nothing: the map is released with the last batch that points into it."""


class Stream:
    """The bytes that a descriptor delivers, decompressed if necessary.

    Reading waits until bytes arrive, the input ends, or `cancellation` is used. The end of a
    `growing` file is not that of the input.
    """

    def __init__(
        self,
        descriptor: int,
        cancellation: Cancellation | None = None,
        growing: GrowingFile | None = None,
    ) -> None:
        status = os.fstat(descriptor)
        self.is_file = stat.S_ISREG(status.st_mode) and growing is None
        self._growing = growing
        self.size = status.st_size if self.is_file else None
        self.window = np.zeros(0, np.uint8)
        self.origin = 0
        self._descriptor = descriptor
        self._decoder: Decoder | None = None
        self._read = 0
        self._error = ""
        self._cancellation = cancellation
        self._poll = select.poll()
        if growing is None:
            self._poll.register(descriptor, select.POLLIN)
        if cancellation is not None:
            self._poll.register(cancellation, select.POLLIN)
        self._ended = False
        self._pieces = self._unpack(b"")
        self._target = _FIRST_WINDOW

    def begin(self) -> str:
        """Wait for the first bytes and return their compression, as `compression_of` does."""
        head = b""
        while len(head) < MAGIC_BYTES and (piece := self._next_piece(wait=True)) is not None:
            head += piece
        compression = compression_of(head) if len(head) >= MAGIC_BYTES else ""
        if compression:
            self._decoder = decoder(compression)
        self._pieces = self._unpack(head)
        return compression

    def more(self, position: int, needed: int) -> int | None:
        """Implement `ByteSource.more`."""
        skip = max(0, position - len(self.window))
        parts = [self.window[position:].tobytes()]
        before = have = len(parts[0])
        deadline = time.monotonic() + _GATHER_S
        while have < needed or (have < self._target and time.monotonic() < deadline):
            piece = self._next_piece(wait=have < needed)
            if piece is None:
                break
            parts.append(piece[skip:])
            skip = max(0, skip - len(piece))
            have += len(parts[-1])
        if have == before:
            return None
        self.origin += position
        self.window = np.frombuffer(b"".join(parts), np.uint8)
        self._target = _WINDOW
        return 0

    def progress(self, position: int) -> int:
        """Return the number of bytes read from the input; see `ByteSource.progress`."""
        return self._read

    def lost(self) -> str:
        """Report that a growing file shrank; the window is memory of its own."""
        return self._growing.fault if self._growing else ""

    def fault(self) -> str:
        """Return a system error, or the damage of compressed data."""
        return self._error or (self._decoder.fault if self._decoder else "")

    def remark(self) -> str:
        """Return a note about ignored bytes of compressed data."""
        growing = self._growing.remark if self._growing else ""
        return growing or (self._decoder.remark if self._decoder else "")

    def close(self) -> None:
        """Implement `ByteSource.close`."""
        self._ended = True

    def _unpack(self, packed: bytes) -> Iterator[bytes]:
        return iter((packed,)) if self._decoder is None else self._decoder.decode(packed)

    def _next_piece(self, wait: bool) -> bytes | None:
        """Return the next bytes, or None at the end, or if none come without waiting."""
        while True:
            if self._is_canceled:
                self._ended = True
                return None
            piece = next(self._pieces, None)
            if piece is not None:
                return piece
            if self._decoder and (self._decoder.fault or self._decoder.remark):
                return None
            if self._ended or not self._ready(wait):
                return None
            self._read_some()

    @property
    def _is_canceled(self) -> bool:
        return self._cancellation is not None and self._cancellation.canceled

    def _read_some(self) -> None:
        try:
            packed = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:  # another reader was faster
            return
        except OSError as error:
            self._error = f"reading failed: {error.strerror}"
            packed = b""
        if packed:
            self._read += len(packed)
            self._pieces = self._unpack(packed)
            return
        self._ended = True
        if self._decoder and not self._error:
            self._decoder.finish()

    def _ready(self, wait: bool) -> bool:
        """Return True if reading would not block. With `wait`, wait until then first."""
        if self._growing is not None:
            return self._growing.has_more(self._read, wait) and not self._is_canceled
        if self.is_file:
            return True
        events = self._poll.poll(None if wait else 0)
        return bool(events) and not self._is_canceled
