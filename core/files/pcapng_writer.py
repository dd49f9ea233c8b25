"""Append packets to a pcapng file; a file cut off anywhere lacks only its last block.

Several processes may write to one file at the same time. `flush` appends whole blocks while it
holds a lock on the file (flock(2)). A writer begins its own section in this host's byte order, and
begins another one after another process has written, because interface numbers belong to a section
(draft-ietf-opsawg-pcapng §4.1).

A killed process may leave half a block, and a section after it would be unreadable. So the writer
cuts off the half block first, under the lock. It cuts nothing else: it refuses a file that is
damaged in another way, or that does not begin with a section header of this application. A whole
last block has the same length at both ends; only if that check fails does the writer walk the file
from its beginning.

Times are in nanoseconds. Only the owner can read the file, which `core.files.private_folder` opens.

The writer fills the block headers of a whole batch by columns, so that the audit of sent packets
does not slow the sending.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from core.files.pcapng import INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, SECTION_HEADER
from core.files.pcapng_ends import SHB_USERAPPL, ends_with_whole_block, has_header_of, whole_length
from core.files.pcapng_options import (
    COMMENT,
    END_OF_OPTIONS,
    EPB_FLAGS,
    IF_DESCRIPTION,
    IF_NAME,
    IF_TSRESOL,
)
from core.files.pcapng_packets import ENHANCED_PACKET
from core.files.private_folder import PrivateFolder, lock, write_all

_MAGIC = 0x1A2B3C4D
_NANOSECONDS = 9  # if_tsresol: 10^-9 s
_UNKNOWN_LENGTH = 0xFFFF_FFFF_FFFF_FFFF
_FLAGS_KEPT = 0x0FFF  # the bits of PacketFlag that belong to epb_flags
_HEAD = struct.Struct("=II")
_TRAILER = struct.Struct("=I")
_OPTION = struct.Struct("=HH")
_STATISTICS = struct.Struct("=III")  # interface, time high, time low
_ENHANCED = struct.Struct("=IIIII")  # interface, time high, time low, captured, original
_GATHERED = 1 << 20  # pending bytes that cause a flush
_LONGEST_OPTION = 0xFFFC

_WRITTEN = (SECTION_HEADER, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, ENHANCED_PACKET)
_EPB_FIXED = _HEAD.size + _ENHANCED.size
_EPB_WORDS = np.dtype("=u4")


class PcapngWriter:
    """A writer that appends to one file. A context manager that flushes at the end.

    Raises `OSError` if the file cannot be written.
    """

    def __init__(self, path: Path, application: str = "rawscope") -> None:
        self._path = path
        with PrivateFolder(path.parent) as folder:
            self._descriptor = folder.append_to(path.name)
        self._application = application.encode()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        body = struct.pack("=IHHQ", _MAGIC, 1, 0, _UNKNOWN_LENGTH)
        body += _options(((SHB_USERAPPL, self._application),))
        self._section = [_block(SECTION_HEADER, body)]  # followed by the interfaces
        self._begun = 0  # blocks of `_section` that are in the file
        self._end = -1  # of the file after this writer's last write
        self._before = (0, -1)  # `_begun` and `_end` before that
        self._packets_at = -1  # the position of the first packet of the last write
        try:
            with self._locked():
                self._repair()
        except BaseException:
            os.close(self._descriptor)
            raise

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
        """Describe an interface and return its number in this section."""
        options = [(IF_NAME, name.encode("utf-8", "surrogateescape"))] if name else []
        if description:
            options.append((IF_DESCRIPTION, description.encode()))
        options.append((IF_TSRESOL, bytes((_NANOSECONDS,))))
        body = struct.pack("=HxxI", link_type, snap_length)
        self._section.append(_block(INTERFACE_DESCRIPTION, body + _options(options)))
        return len(self._section) - 2

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
        """Write one packet. Of `flags` (`PacketFlag` bits), those of ``epb_flags`` are kept."""
        high, low = divmod(timestamp_ns, 1 << 32)
        original = len(data) if original_length is None else original_length
        options = [(COMMENT, _comment(comment)) for comment in comments]
        if flags & _FLAGS_KEPT:
            options.append((EPB_FLAGS, struct.pack("=I", flags & _FLAGS_KEPT)))
        body = _ENHANCED.pack(interface, high, low, len(data), original)
        self._queue(_block(ENHANCED_PACKET, body + _padded(data) + _options(options)))

    def remark(self, interface: int, timestamp_ns: int, comment: str) -> None:
        """Write a comment that belongs to no packet.

        It is stored in an Interface Statistics Block (§4.6), which packet readers skip.
        """
        high, low = divmod(timestamp_ns, 1 << 32)
        options = _options(((COMMENT, _comment(comment)),))
        self._queue(_block(INTERFACE_STATISTICS, _STATISTICS.pack(interface, high, low) + options))

    def write_many(
        self,
        data: NDArray[np.uint8],
        offset: NDArray[np.int64],
        captured: NDArray[np.int64],
        timestamp_ns: NDArray[np.int64],
        flags: int = 0,
        interface: int = 0,
    ) -> None:
        """Write many whole packets at once, each ``data[offset : offset + captured]``.

        The arrays have the shape (n,).
        """
        if not len(offset):
            return
        options = np.frombuffer(_flags_option(flags), _EPB_WORDS)
        room = captured + (-captured & 3)
        length = _record_bytes(captured)
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
        source, target = data.data, out.data  # slice by slice: faster than gathering bytes
        ends = zip((start + _EPB_FIXED).tolist(), offset.tolist(), captured.tolist(), strict=True)
        for to, place, size in ends:
            target[to : to + size] = source[place : place + size]
        self._queue(out.tobytes())

    def flush(self) -> None:
        """Append all pending blocks, or none of them. Raises `OSError`."""
        if not self._pending:
            return  # so no section is empty
        with self._locked():
            if os.fstat(self._descriptor).st_size != self._end:
                self._repair()
            blocks = b"".join((*self._section[self._begun :], *self._pending))
            end = self._end + len(blocks)
            self._before, self._packets_at = (self._begun, self._end), end - self._pending_bytes
            try:
                write_all(self._descriptor, blocks)
            except BaseException:
                os.ftruncate(self._descriptor, self._end)
                raise
            finally:
                self._pending.clear()
                self._pending_bytes = 0
            self._begun, self._end = len(self._section), end

    def remove_last(self, captured: NDArray[np.int64]) -> bool:
        """Remove the last packets of the last flush, written by `write_many`.

        `captured` (n,) are their lengths. Return False, and leave the file as it is, if another
        process has written since. Raises `OSError`.
        """
        size = int(_record_bytes(captured).sum())
        with self._locked():
            if os.fstat(self._descriptor).st_size != self._end:
                return False
            end = self._end - size
            if end <= self._packets_at:  # no section is left empty
                self._begun, end = self._before
            os.ftruncate(self._descriptor, end)
            self._end = end
        return True

    def close(self) -> None:
        """Flush and close the file."""
        try:
            self.flush()
        finally:
            os.close(self._descriptor)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock that keeps other writers out."""
        lock(self._descriptor, str(self._path))
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _repair(self) -> None:
        """Cut off half a block of a killed writer, and begin a section. Raises `OSError`."""
        size = os.fstat(self._descriptor).st_size
        end = size
        if not has_header_of(self._descriptor, self._section[0], self._application):
            application = self._application.decode()
            what = f"not written by {application}, so rawscope does not append to it; move it away"
            raise OSError(errno.EILSEQ, what, str(self._path))
        if not ends_with_whole_block(self._descriptor, size, _WRITTEN):
            end, is_cut = whole_length(self._descriptor, size)
            if not is_cut:
                what = f"damaged at byte {end:,}, so rawscope does not append to it; move it away"
                raise OSError(errno.EILSEQ, what, str(self._path))
            os.ftruncate(self._descriptor, end)
        self._begun, self._end = 0, end

    def _queue(self, blocks: bytes) -> None:
        self._pending.append(blocks)
        self._pending_bytes += len(blocks)
        if self._pending_bytes >= _GATHERED:
            self.flush()


def _options(options: Iterable[tuple[int, bytes]]) -> bytes:
    packed = b"".join(_OPTION.pack(code, len(value)) + _padded(value) for code, value in options)
    return packed + _OPTION.pack(END_OF_OPTIONS, 0) if packed else b""


def _flags_option(flags: int) -> bytes:
    return _options(((EPB_FLAGS, struct.pack("=I", flags & _FLAGS_KEPT)),))


def _record_bytes(captured: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sizes of the blocks that `write_many` makes of packets of these lengths, (n,)."""
    return _EPB_FIXED + captured + (-captured & 3) + len(_flags_option(0)) + _TRAILER.size


def _comment(text: str) -> bytes:
    """Encode a comment as UTF-8 (§3.5.1); lone surrogates become escape sequences."""
    encoded = text.encode("utf-8", "backslashreplace")[:_LONGEST_OPTION]
    return encoded.decode("utf-8", "ignore").encode()  # drops half a character at the cut


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) & 3)


def _block(kind: int, body: bytes) -> bytes:
    length = _HEAD.size + len(body) + _TRAILER.size
    return _HEAD.pack(kind, length) + body + _TRAILER.pack(length)
