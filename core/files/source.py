"""Where a capture's bytes come from: a mapped file, or a stream that arrives in its own time.

Both show a *window* of bytes to the parser. A mapped file's window is the whole file: nothing
is loaded, the kernel brings pages as they are looked at, and batches may point into the map
for good. A stream's window is what has arrived and was not consumed yet, in bytes of its own
that are never written again, so batches may keep those too.

A stream gives what is there. It waits only when not one more packet can be read without
waiting, so a live capture on a pipe shows each packet when it comes.
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
from core.files.mapping import Mapping

_READ_BYTES = 1 << 16
_FIRST_WINDOW = 1 << 18  # small, so that the first packets are seen at once
_WINDOW = 1 << 22
_GATHER_S = 0.05  # how long a stream that never pauses is gathered into one window


class ByteSource(Protocol):
    """Bytes for a parser. `origin` is the offset in the unpacked file of the window's start."""

    window: NDArray[np.uint8]
    origin: int

    @property
    def size(self) -> int | None:
        """Bytes of the input, packed as it is; None where nobody knows."""
        ...

    def more(self, position: int, needed: int) -> int | None:
        """Bring what follows; `needed` bytes from `position` on are wanted.

        Returns the place of `position` in the new window, or None when nothing more comes.
        `position` may lie past the window: what is between is stepped over.
        """
        ...

    def progress(self, position: int) -> int:
        """How many bytes of the input are dealt with when the window is, up to `position`."""
        ...

    def lost(self) -> str:
        """Why the window must not be looked at any more, or an empty string."""
        ...

    def fault(self) -> str:
        """What went wrong below the capture format, or an empty string."""
        ...

    def remark(self) -> str:
        """What was ignored in the input, or an empty string."""
        ...

    def close(self) -> None:
        """Bring nothing more: the descriptor is about to be closed."""
        ...


class MappedFile:
    """A regular file, mapped. It may grow while it is read."""

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
        """The bytes that are mapped."""
        return len(self.window)

    def more(self, position: int, needed: int) -> int | None:
        """Map what was appended since; see `ByteSource.more`."""
        size = os.fstat(self._descriptor).st_size
        if size <= len(self.window):
            return None
        self.window = self._map(size)
        return position

    def progress(self, position: int) -> int:
        """See `ByteSource.progress`."""
        return min(position, len(self.window))

    def lost(self) -> str:
        """That the file was cut by somebody else after it was mapped."""
        size = os.fstat(self._descriptor).st_size
        if size < len(self.window):
            return f"the file shrank from {len(self.window)} to {size} bytes while it was read"
        return ""

    def fault(self) -> str:
        """See `lost`."""
        return ""

    def remark(self) -> str:
        """That bytes were looked at, maybe long after reading, which the file has no more."""
        if any(mapping.lost for mapping in self._mappings):
            return "another program cut the file while it was open; what is gone reads as zeros"
        return ""

    def close(self) -> None:
        """The map goes with the last batch that points into it."""


class Stream:
    """What comes out of a descriptor, unpacked on the way if need be.

    Reading waits until something comes, the input ends, or `cancellation` is used.
    """

    def __init__(self, descriptor: int, cancellation: Cancellation | None = None) -> None:
        status = os.fstat(descriptor)
        self.is_file = stat.S_ISREG(status.st_mode)
        self.size = status.st_size if self.is_file else None
        self.window = np.zeros(0, np.uint8)
        self.origin = 0
        self._descriptor = descriptor
        self._decoder: Decoder | None = None
        self._read = 0
        self._error = ""
        self._cancellation = cancellation
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        if cancellation is not None:
            self._poll.register(cancellation, select.POLLIN)
        self._ended = False
        self._pieces = self._unpack(b"")
        self._target = _FIRST_WINDOW

    def begin(self) -> str:
        """Wait for the first bytes and tell the compression they show, as `compression_of`."""
        head = b""
        while len(head) < MAGIC_BYTES and (piece := self._next_piece(wait=True)) is not None:
            head += piece
        compression = compression_of(head) if len(head) >= MAGIC_BYTES else ""
        if compression:
            self._decoder = decoder(compression)
        self._pieces = self._unpack(head)
        return compression

    def more(self, position: int, needed: int) -> int | None:
        """See `ByteSource.more`."""
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
        """See `ByteSource.progress`: what was read of the input."""
        return self._read

    def lost(self) -> str:
        """A window of own bytes cannot be lost."""
        return ""

    def fault(self) -> str:
        """An error of the system, or damaged packed data."""
        return self._error or (self._decoder.fault if self._decoder else "")

    def remark(self) -> str:
        """What was ignored in packed data."""
        return self._decoder.remark if self._decoder else ""

    def close(self) -> None:
        """See `ByteSource.close`."""
        self._ended = True

    def _unpack(self, packed: bytes) -> Iterator[bytes]:
        return iter((packed,)) if self._decoder is None else self._decoder.decode(packed)

    def _next_piece(self, wait: bool) -> bytes | None:
        """The next bytes, or None at the end, or where there are none without waiting."""
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
        except BlockingIOError:  # somebody else was faster: nothing to read after all
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
        """Return True if reading would not wait; with `wait`, when it would not."""
        if self.is_file:
            return True
        events = self._poll.poll(None if wait else 0)
        return bool(events) and not self._is_canceled
