"""Decompress gzip and zstd in pieces, as the packed bytes arrive, in bounded memory.

A few kilobytes can expand to gigabytes (1000:1 in gzip, far more in zstd), so no call unpacks all
of its input at once. zlib returns at most `PIECE_BYTES` per call. The Python binding of zstd cannot
stop in the middle of its input, so `Zstd` feeds it `_ZSTD_FEED_BYTES` at a time; the format then
bounds the output of one call (a block of 4 packed bytes expands to at most 128 KiB; RFC 8878
§3.1.1.2).

A file may hold several gzip members (RFC 1952 §2.2) or zstd frames in a row. Zeros after the last
one are padding. Other bytes after it are ignored, and `remark` reports that.

The decoders return everything that was unpacked before a fault, so the good part of a damaged
archive is still shown (in zstd all but the output of the last `_ZSTD_FEED_BYTES`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from core.files.formats import GZIP_MAGIC, compression_of

PIECE_BYTES = 1 << 20  # the largest unpacked piece of gzip
_GZIP_WINDOW = 31  # zlib's window bits for a gzip header and trailer
_ZSTD_FEED_BYTES = 256  # bounds the output of one call to 8 MiB
_ZSTD_WINDOW_BYTES = 128 << 20  # zstd's own default limit (windowLog 27)


class Decoder(Protocol):
    """A decoder that takes packed bytes and yields unpacked pieces.

    `fault` describes what is wrong with the data; after it is set, `decode` yields nothing more.
    `remark` describes input that was ignored. Neither text names the file.
    """

    fault: str
    remark: str

    def decode(self, packed: bytes) -> Iterator[bytes]:
        """Unpack the next bytes of the file and yield the pieces."""
        ...

    def finish(self) -> None:
        """Mark the end of the input. Sets `fault` if the packed data is incomplete."""
        ...


def decoder(compression: str) -> Decoder:
    """Return a decoder for ``"gzip"`` or ``"zstd"``."""
    return Gzip() if compression == "gzip" else Zstd()


class Gzip:
    """A decoder for gzip data of one or more members."""

    def __init__(self) -> None:
        self.fault = ""
        self.remark = ""
        self._inflate: Any = zlib.decompressobj(_GZIP_WINDOW)

    def decode(self, packed: bytes) -> Iterator[bytes]:
        """Implement `Decoder.decode`."""
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
        """Implement `Decoder.finish`."""
        if self._inflate is not None and not self.fault:
            self.fault = "the gzip data is cut short"


class Zstd:
    """A decoder for zstd data of one or more frames."""

    def __init__(self) -> None:
        import zstandard  # here, because it is slow to import

        self.fault = ""
        self.remark = ""
        self._error = zstandard.ZstdError
        self._context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
        self._frame: Any = self._context.decompressobj()
        self._pending = b""  # the beginning of the next frame's magic number

    def decode(self, packed: bytes) -> Iterator[bytes]:
        """Implement `Decoder.decode`."""
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
        """Implement `Decoder.finish`."""
        if self._frame is not None and not self.fault:
            self.fault = "the zstd data is cut short"


def _salvage(
    decompress: Callable[[bytes, int], bytes], packed: bytes, error: type[Exception]
) -> Iterator[bytes]:
    """Yield the output before the first byte that makes `decompress` raise `error`."""
    for index in range(len(packed)):
        try:
            piece = decompress(packed[index : index + 1], PIECE_BYTES)
        except error:
            return
        if piece:
            yield piece
