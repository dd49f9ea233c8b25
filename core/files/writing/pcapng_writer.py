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

`core.files.writing.packet_blocks` makes the blocks of a whole batch by columns, so that the audit
of sent packets does not slow the sending.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch, CaptureInterface
from core.files.kept_blocks import SECTION_HEADER
from core.files.pcapng import INTERFACE_DESCRIPTION, INTERFACE_STATISTICS
from core.files.pcapng_options import SHB_USERAPPL, packed_option
from core.files.pcapng_packets import ENHANCED_PACKET
from core.files.private_folder import PrivateFolder, lock, write_all
from core.files.writing.packet_blocks import packet_blocks, packet_layout
from core.files.writing.pcapng_blocks import (
    comment_options,
    interface_description,
    section_header,
    statistics_block,
)
from core.files.writing.pcapng_ends import ends_with_whole_block, has_header_of, whole_length

_GATHERED = 1 << 20  # pending bytes that cause a flush

_WRITTEN = (SECTION_HEADER, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, ENHANCED_PACKET)


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
        header = section_header(packed_option(SHB_USERAPPL, self._application))
        self._section = [header]  # followed by the interfaces
        self._begun = 0  # blocks of `_section` that are in the file
        self._end = -1  # of the file after this writer's last write
        self._before = (0, -1)  # `_begun` and `_end` before that
        self._flags = 0  # of the packets of the last `write_many`
        self._packets_at = -1  # the position of the first packet of the last write
        try:
            with self._locked():
                self._repair()
        except BaseException:
            os.close(self._descriptor)
            raise

    def add_interface(
        self, name: str, link_type: int, snap_length: int = 0, description: str = ""
    ) -> int:
        """Describe an interface and return its number in this section."""
        interface = CaptureInterface(name, link_type, snap_length, description)
        self._section.append(interface_description(interface))
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
        original = len(data) if original_length is None else original_length
        frame = Batch(
            data=np.frombuffer(data, np.uint8),
            offset=np.zeros(1, np.int64),
            captured=np.array([len(data)], np.uint32),
            original=np.array([original], np.uint32),
            timestamp_ns=np.array([timestamp_ns], np.int64),
            interface=np.array([interface], np.uint16),
            flags=np.array([flags], np.uint16),
        )
        packed = comment_options(comments)
        self._queue(packet_blocks(frame, options={0: packed} if packed else None).tobytes())

    def remark(self, interface: int, timestamp_ns: int, comment: str) -> None:
        """Write a comment that belongs to no packet.

        It is stored in an Interface Statistics Block (§4.6), which packet readers skip.
        """
        self._queue(statistics_block(interface, timestamp_ns, comment=comment))

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
        count = len(offset)
        frames = Batch(
            data=data,
            offset=offset,
            captured=captured.astype(np.uint32),
            original=captured.astype(np.uint32),
            timestamp_ns=timestamp_ns,
            interface=np.full(count, interface, np.uint16),
            flags=np.full(count, flags, np.uint16),
        )
        self._queue(packet_blocks(frames).tobytes())
        self._flags = flags

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
        flags = np.full(len(captured), self._flags, np.uint16)
        size = packet_layout(captured, flags).total
        with self._locked():
            if os.fstat(self._descriptor).st_size != self._end:
                return False
            end = self._end - size
            if end <= self._packets_at:  # no section is left empty
                self._begun, end = self._before
            os.ftruncate(self._descriptor, end)
            self._end = end
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

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
