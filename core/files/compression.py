"""Unpacking gzip and zstd in pieces, as the packed bytes arrive, in bounded memory.

A few kilobytes can stand for gigabytes (1000:1 in gzip, far more in zstd), so no call ever
unpacks all it is given: gzip's output is asked for piece by piece, and zstd, whose Python
binding cannot stop in the middle, is fed so little at a time that one call's output is bounded
by the format (a block of 4 packed bytes stands for at most 128 KiB; RFC 8878 §3.1.1.2).

Files may hold several gzip members (RFC 1952 §2.2) or zstd frames one after the other. Zeros
after the last one are padding. Whatever else follows is ignored, and said.

All that was unpacked before a fault is given out: a damaged archive still shows its good part
(in zstd all but what the last `_ZSTD_FEED_BYTES` stood for).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from core.files.formats import GZIP_MAGIC, compression_of

PIECE_BYTES = 1 << 20  # the most that one piece of unpacked gzip holds
_GZIP_WINDOW = 31  # zlib's window bits for a gzip header and trailer
_ZSTD_FEED_BYTES = 256  # so that one call unpacks at most 8 MiB
_ZSTD_WINDOW_BYTES = 128 << 20  # zstd's own default limit (windowLog 27)


class Decoder(Protocol):
    """Packed bytes in, unpacked pieces out.

    `fault` says what is wrong with the data, once something is; nothing comes after it.
    `remark` tells of what was ignored. Neither names the file.
    """

    fault: str
    remark: str

    def decode(self, packed: bytes) -> Iterator[bytes]:
        """The pieces that `packed`, the next bytes of the file, unpacks to."""
        ...

    def finish(self) -> None:
        """Tell that the input has ended; sets `fault` if more was to come."""
        ...


def decoder(compression: str) -> Decoder:
    """A decoder for ``"gzip"`` or ``"zstd"``."""
    return Gzip() if compression == "gzip" else Zstd()


class Gzip:
    """gzip, one or more members."""

    def __init__(self) -> None:
        self.fault = ""
        self.remark = ""
        self._inflate: Any = zlib.decompressobj(_GZIP_WINDOW)

    def decode(self, packed: bytes) -> Iterator[bytes]:
        """See `Decoder.decode`."""
        while packed and not self.fault and not self.remark:
            if self._inflate is None and not self._next_member(packed := packed.lstrip(b"\0")):
                return
            before = self._inflate.copy()
            try:
                piece = self._inflate.decompress(packed, PIECE_BYTES)
            except zlib.error as error:
                yield from _salvage(before.decompress, packed, zlib.error)
                self.fault = f"the gzip data is damaged: {error}"
                return
            if piece:
                yield piece
            packed = self._inflate.unconsumed_tail
            if self._inflate.eof:
                packed, self._inflate = self._inflate.unused_data, None
            elif not packed:
                while piece := self._inflate.decompress(b"", PIECE_BYTES):
                    yield piece

    def _next_member(self, packed: bytes) -> bool:
        if packed and not packed.startswith(GZIP_MAGIC[: len(packed)]):
            self.remark = "bytes after the gzip data were ignored"
        elif packed:
            self._inflate = zlib.decompressobj(_GZIP_WINDOW)
        return self._inflate is not None

    def finish(self) -> None:
        """See `Decoder.finish`."""
        if self._inflate is not None and not self.fault:
            self.fault = "the gzip data is cut short"


class Zstd:
    """zstd, one or more frames."""

    def __init__(self) -> None:
        import zstandard  # here, so that only who opens such a file pays for it

        self.fault = ""
        self.remark = ""
        self._error = zstandard.ZstdError
        self._context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
        self._frame: Any = self._context.decompressobj()
        self._pending = b""  # the beginning of a next frame's magic number

    def decode(self, packed: bytes) -> Iterator[bytes]:
        """See `Decoder.decode`."""
        for start in range(0, len(packed), _ZSTD_FEED_BYTES):
            yield from self._decode(packed[start : start + _ZSTD_FEED_BYTES])

    def _decode(self, packed: bytes) -> Iterator[bytes]:
        while packed and not self.fault and not self.remark:
            if self._frame is None:
                packed = (self._pending + packed).lstrip(b"\0")
                self._pending = b""
                if len(packed) < 4:
                    self._pending = packed
                    return
                if compression_of(packed) != "zstd":
                    self.remark = "bytes after the zstd data were ignored"
                    return
                self._frame = self._context.decompressobj()
            try:
                piece = self._frame.decompress(packed)
            except self._error as error:
                self.fault = f"the zstd data is damaged: {error}"
                return
            if piece:
                yield piece
            packed = b""
            if self._frame.eof:
                packed, self._frame = self._frame.unused_data, None

    def finish(self) -> None:
        """See `Decoder.finish`."""
        if self._frame is not None and not self.fault:
            self.fault = "the zstd data is cut short"


def _salvage(
    decompress: Callable[[bytes, int], bytes], packed: bytes, error: type[Exception]
) -> Iterator[bytes]:
    """What bytes unpack to before the first that raises `error`, found one byte at a time."""
    for index in range(len(packed)):
        try:
            piece = decompress(packed[index : index + 1], PIECE_BYTES)
        except error:
            return
        if piece:
            yield piece
