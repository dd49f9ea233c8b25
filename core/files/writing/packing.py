"""Compress a file that is written, as its name says: ``.gz`` is gzip, ``.zst`` is zstd.

Each packer makes one stream; `flush` ends a block of it, so that everything written up to then can
be read even if the rest never comes.

A name that promises another compression is refused: programs that go by the name of a file could
not read it.
"""

from __future__ import annotations

import errno
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

_GZIP_WINDOW = 31  # zlib's window bits for a gzip header and trailer
_GZIP_LEVEL, _FASTEST_GZIP_LEVEL = 6, 1
_ZSTD_LEVEL, _FASTEST_ZSTD_LEVEL = 3, 1


class Packer(Protocol):
    """Takes bytes and returns those to write, of which some may come later."""

    def pack(self, content: bytes | memoryview) -> bytes | memoryview:
        """Return what can be written now."""
        ...

    def flush(self) -> bytes:
        """Return what was held back; the file can be read up to here."""
        ...

    def finish(self) -> bytes:
        """Return the end of the file."""
        ...


class _Plain:
    def __init__(self, *, fast: bool) -> None:
        pass

    def pack(self, content: bytes | memoryview) -> bytes | memoryview:
        return content

    def flush(self) -> bytes:
        return b""

    def finish(self) -> bytes:
        return b""


class _Gzip:
    def __init__(self, *, fast: bool) -> None:
        level = _FASTEST_GZIP_LEVEL if fast else _GZIP_LEVEL
        self._deflate: Any = zlib.compressobj(level, zlib.DEFLATED, _GZIP_WINDOW)

    def pack(self, content: bytes | memoryview) -> bytes:
        packed: bytes = self._deflate.compress(content)
        return packed

    def flush(self) -> bytes:
        packed: bytes = self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return packed

    def finish(self) -> bytes:
        packed: bytes = self._deflate.flush(zlib.Z_FINISH)
        return packed


class _Zstd:
    def __init__(self, *, fast: bool) -> None:
        import zstandard  # here, because it is slow to import

        self._flush_block = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        level = _FASTEST_ZSTD_LEVEL if fast else _ZSTD_LEVEL
        self._frame: Any = zstandard.ZstdCompressor(level=level).compressobj()

    def pack(self, content: bytes | memoryview) -> bytes:
        packed: bytes = self._frame.compress(content)
        return packed

    def flush(self) -> bytes:
        packed: bytes = self._frame.flush(self._flush_block)
        return packed

    def finish(self) -> bytes:
        packed: bytes = self._frame.flush()
        return packed


_PACKERS: Mapping[str, type[_Gzip] | type[_Zstd]] = {".gz": _Gzip, ".zst": _Zstd}


_UNWRITTEN = (
    ".7z", ".br", ".bz", ".bz2", ".gzip", ".lrz", ".lz", ".lz4", ".lzma", ".lzo", ".rar", ".sz",
    ".tar", ".tbz2", ".tgz", ".txz", ".xz", ".z", ".zip", ".zstd", ".tzst",
)  # fmt: skip
"""Endings of compressions and archives that rawscope does not write."""


def unwritten(name: str) -> str:
    """Return why no capture can be written under the name of a file; empty if one can."""
    for ending in _UNWRITTEN:
        if name.lower().endswith(ending):
            given = name[-len(ending) :]
            return f"rawscope writes no {given} files: end the name in .gz or .zst to compress it"
    return ""


def refuse_unwritten(name: str) -> None:
    """Raise `OSError` if no capture can be written under the name of a file."""
    if problem := unwritten(name):
        raise OSError(errno.EOPNOTSUPP, problem, name)


def packer_of(name: str, *, fast: bool = False) -> Packer:
    """Return the packer for the name of a file; a fast one keeps up with a capture."""
    for ending, packer in _PACKERS.items():
        if name.lower().endswith(ending):
            return packer(fast=fast)
    return _Plain(fast=fast)


def plain_name(name: str) -> str:
    """Return the name of a file without the ending of its compression."""
    for ending in _PACKERS:
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def with_ending(name: str, ending: str) -> str:
    """Return the name of a file with another ending before that of its compression."""
    plain = plain_name(name)
    return str(Path(plain).with_suffix(ending)) + name[len(plain) :] if Path(plain).name else name


def is_classic(name: str) -> bool:
    """Return True if the name of a file asks for classic pcap: ``.pcap``, ``.cap``, ``.dmp``."""
    return plain_name(name).lower().endswith((".pcap", ".cap", ".dmp"))
