"""Writing pcapng, append-only: a file that is cut off anywhere lacks its last block and no more.

Each opening begins a section of its own (a Section Header Block in this host's byte order), so a
file can be continued by another process: sections follow one another (draft-ietf-opsawg-pcapng
§4.1). A process that was killed may have left half a block; behind that a new section would be
unreadable, so whoever continues a file first cuts it to its last whole block.

Blocks are gathered and handed over in whole ones by `flush`, with one write(2) as far as the system
lets. Times are in nanoseconds. The file is readable by its owner only.

The block headers of a whole batch are written by columns, so that writing down what is sent does
not slow the sending.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from core.files.pcapng import INTERFACE_DESCRIPTION, SECTION_HEADER
from core.files.pcapng_options import (
    COMMENT,
    END_OF_OPTIONS,
    EPB_FLAGS,
    IF_DESCRIPTION,
    IF_NAME,
    IF_TSRESOL,
)
from core.files.pcapng_packets import ENHANCED_PACKET

_MAGIC = 0x1A2B3C4D
_NANOSECONDS = 9  # if_tsresol: 10 to the minus that
_UNKNOWN_LENGTH = 0xFFFF_FFFF_FFFF_FFFF
_FLAGS_KEPT = 0x0FFF  # of PacketFlag: the bits that are epb_flags
_SHB_USERAPPL = 4
_HEAD = struct.Struct("=II")
_TRAILER = struct.Struct("=I")
_OPTION = struct.Struct("=HH")
_ENHANCED = struct.Struct("=IIIII")  # interface, time high, time low, captured, original
_GATHERED = 1 << 20  # bytes held before they are handed over unasked
_LONGEST_OPTION = 0xFFFC

_EPB_FIXED = _HEAD.size + _ENHANCED.size
_EPB_WORDS = np.dtype("=u4")


class PcapngWriter:
    """One file, written from its end on. A context manager that flushes at the end.

    Raises OSError where the file cannot be written.
    """

    def __init__(self, path: Path, application: str = "rawscope") -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            end = _whole_length(self._descriptor)
            os.ftruncate(self._descriptor, end)
            os.lseek(self._descriptor, end, os.SEEK_SET)
        except BaseException:
            os.close(self._descriptor)
            raise
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._interfaces = 0
        body = struct.pack("=IHHQ", _MAGIC, 1, 0, _UNKNOWN_LENGTH)
        self._add(SECTION_HEADER, body + _options(((_SHB_USERAPPL, application.encode()),)))

    def __enter__(self) -> PcapngWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def add_interface(
        self, name: str, link_type: int, snap_length: int = 0, description: str = ""
    ) -> int:
        """Describe an interface; returns its number in this section."""
        options = [(IF_NAME, name.encode("utf-8", "surrogateescape"))] if name else []
        if description:
            options.append((IF_DESCRIPTION, description.encode()))
        options.append((IF_TSRESOL, bytes((_NANOSECONDS,))))
        body = struct.pack("=HxxI", link_type, snap_length)
        self._add(INTERFACE_DESCRIPTION, body + _options(options))
        self._interfaces += 1
        return self._interfaces - 1

    def write(
        self,
        data: bytes,
        *,
        timestamp_ns: int,
        interface: int = 0,
        original_length: int | None = None,
        flags: int = 0,
        comments: Iterable[str] = (),
    ) -> None:
        """One packet. `flags` are `PacketFlag` bits, of which the ``epb_flags`` are kept."""
        high, low = divmod(timestamp_ns, 1 << 32)
        original = len(data) if original_length is None else original_length
        options = [(COMMENT, comment.encode()[:_LONGEST_OPTION]) for comment in comments]
        if flags & _FLAGS_KEPT:
            options.append((EPB_FLAGS, struct.pack("=I", flags & _FLAGS_KEPT)))
        body = _ENHANCED.pack(interface, high, low, len(data), original)
        self._add(ENHANCED_PACKET, body + _padded(data) + _options(options))

    def write_many(
        self,
        data: NDArray[np.uint8],
        offset: NDArray[np.int64],
        captured: NDArray[np.int64],
        timestamp_ns: NDArray[np.int64],
        flags: int = 0,
        interface: int = 0,
    ) -> None:
        """Many whole packets at once: ``data[offset : offset + captured]`` each; (n,) arrays."""
        if not len(offset):
            return
        options = np.frombuffer(
            _options(((EPB_FLAGS, struct.pack("=I", flags & _FLAGS_KEPT)),)), _EPB_WORDS
        )
        room = captured + (-captured & 3)
        length = _EPB_FIXED + room + options.nbytes + _TRAILER.size
        start = np.cumsum(length) - length
        out = np.zeros(int(length.sum()), np.uint8)
        words = out.view(_EPB_WORDS)
        at = start // _EPB_WORDS.itemsize
        columns: tuple[NDArray[np.int64] | int, ...] = (
            int(ENHANCED_PACKET), length, interface,
            timestamp_ns >> 32, timestamp_ns & 0xFFFF_FFFF, captured, captured,
        )  # fmt: skip
        for place, column in enumerate(columns):
            words[at + place] = column
        tail = (start + _EPB_FIXED + room) // _EPB_WORDS.itemsize
        for place, word in enumerate(options):
            words[tail + place] = word
        words[tail + len(options)] = length
        source, target = data.data, out.data  # a slice at a time: faster than a gather of bytes
        ends = zip((start + _EPB_FIXED).tolist(), offset.tolist(), captured.tolist(), strict=True)
        for to, place, size in ends:
            target[to : to + size] = source[place : place + size]
        self._hold(out.tobytes())

    def flush(self) -> None:
        """Hand over every block so far. Raises OSError."""
        pending = memoryview(b"".join(self._held))
        self._held.clear()
        self._held_bytes = 0
        while pending:
            pending = pending[os.write(self._descriptor, pending) :]

    def close(self) -> None:
        """Flush and close."""
        try:
            self.flush()
        finally:
            os.close(self._descriptor)

    def _add(self, kind: int, body: bytes) -> None:
        length = _HEAD.size + len(body) + _TRAILER.size
        self._hold(_HEAD.pack(kind, length) + body + _TRAILER.pack(length))

    def _hold(self, blocks: bytes) -> None:
        self._held.append(blocks)
        self._held_bytes += len(blocks)
        if self._held_bytes >= _GATHERED:
            self.flush()


def _options(options: Iterable[tuple[int, bytes]]) -> bytes:
    packed = b"".join(_OPTION.pack(code, len(value)) + _padded(value) for code, value in options)
    return packed + _OPTION.pack(END_OF_OPTIONS, 0) if packed else b""


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) & 3)


def _whole_length(descriptor: int) -> int:
    """How many bytes of a file are whole blocks; the rest is what a killed writer left."""
    size = os.fstat(descriptor).st_size
    at, order = 0, "<" if sys.byteorder == "little" else ">"
    while at + _HEAD.size + _TRAILER.size <= size:
        head = os.pread(descriptor, 12, at)
        if head[:4] == SECTION_HEADER.to_bytes(4, "big"):  # a palindrome: any byte order
            order = "<" if head[8:12] == _MAGIC.to_bytes(4, "little") else ">"
        (length,) = struct.unpack_from(order + "I", head, 4)
        if length < _HEAD.size + _TRAILER.size or length % 4 or at + length > size:
            break
        trailer = os.pread(descriptor, _TRAILER.size, at + length - _TRAILER.size)
        if trailer != head[4:8]:
            break
        at += length
    return at
