"""Open and read any capture file or stream, including damaged ones.

The reader is the shell around parts without I/O: `core.files.sources` provides bytes, `formats`
recognizes them, `compression` unpacks them, and `pcap` and `pcapng` find the packets. The reader
owns the descriptor and decides what an end of the input means.

* Opening a file that is not a capture raises `FileError`, before anything is shown.
* A capture that is damaged yields all packets before the fault, then a note; `damaged` is set.
* Regular files are mapped, and may grow while they are read: bytes that were appended before the
  reader reaches the end are read too. A deleted file stays mapped.
* Pipes, standard input, and compressed files are streams; see `Stream`.

If another process truncates a mapped file, the kernel answers accesses to the lost pages with
SIGBUS. `core.files.sources.mapping` handles that.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from core.decode.batch import Batch, CaptureInterface, FileBlock
from core.files.cancellation import Cancellation
from core.files.formats import (
    MAGIC_BYTES,
    FileError,
    RefusalError,
    compression_of,
    format_of,
    refusal,
)
from core.files.pcap import PcapParser
from core.files.pcapng import PcapngParser
from core.files.sources.growing_file import GrowingFile
from core.files.sources.source import ByteSource, MappedFile, Stream
from core.files.step import SPAN_BYTES, Parser, Step, join_batches
from core.wire.model.text import safe

_HEAD_BYTES = 64  # enough to recognize any format, and text
_PROBE_BYTES = 1 << 20  # three records of the greatest length
_FIRST_BATCH = 1_000  # packets: the first rows appear at once
_BATCH = 1 << 16
_STEPS = 256  # parser steps for one batch: some 50 ms


class CaptureReader:
    """A reader of one capture. Use it as a context manager; one thread iterates.

    `interfaces` grows as descriptions are read; batches index it. `format` is ``"pcap"`` or
    ``"pcapng"``, `compression` ``""``, ``"gzip"`` or ``"zstd"``.
    """

    def __init__(
        self,
        name: str,
        descriptor: int,
        owned: bool,
        cancellation: Cancellation | None,
        growing: GrowingFile | None = None,
    ) -> None:
        """Use `open_capture` instead. Raises `RefusalError` or `OSError`."""
        self.name = name
        self.damaged = False
        self._descriptor = descriptor
        self._owned = owned
        self._closed = False
        self._cancellation = cancellation
        self._notes: list[str] = []
        self._position = 0
        self._packets = 0
        self.compression, self._source = _source(descriptor, cancellation, growing)
        try:
            self._parser = self._open_parser()
            self._position = self._parser.header_length
        except RefusalError:
            self._source.close()
            raise

    def _open_parser(self) -> Parser:
        source = self._source
        has_records = isinstance(source, MappedFile)
        if isinstance(source, Stream):
            source.more(0, _HEAD_BYTES)
            if source.is_file:
                has_records = True
                source.more(0, _PROBE_BYTES)
        head = bytes(source.window[:_HEAD_BYTES])
        if source.fault() and not head:
            raise RefusalError(f"{source.fault()}; fetch or copy the file again")
        match format_of(head) if len(head) >= MAGIC_BYTES else "":
            case "pcap":
                return PcapParser(source.window, has_records)
            case "pcapng":
                return PcapngParser(source.window)
        raise refusal(head, self.compression)

    @property
    def format(self) -> str:
        """``"pcap"`` or ``"pcapng"``."""
        return self._parser.format

    @property
    def interfaces(self) -> Sequence[CaptureInterface]:
        """The interfaces described up to now, which `Batch.interface` indexes.

        Their names are those of the file, not yet safe to print.
        """
        return self._parser.interfaces

    @property
    def blocks(self) -> Sequence[FileBlock]:
        """The other blocks read up to now, which a copy of the file should have, too."""
        return self._parser.blocks

    @property
    def notes(self) -> Sequence[str]:
        """The warnings up to now, one line each, safe to print."""
        notes = [*self._parser.notes, *self._notes]
        if remark := self._source.remark():
            notes.append(remark)
        return [f"{self.name}: {safe(note)}" for note in notes]

    @property
    def size(self) -> int | None:
        """The size of the input in bytes, compressed as it is; None for a pipe."""
        return self._source.size

    @property
    def position(self) -> int:
        """The number of input bytes processed, for a progress bar with `size`."""
        return self._source.progress(self._position)

    def batches(self) -> Iterator[Batch]:
        """Yield all packets in file order, in stable batches, beginning with a small one.

        Never raises for content: see `notes` and `damaged`. Waits for a pipe that is silent.
        """
        source, limit = self._source, _FIRST_BATCH
        while not source.lost():
            if self._cancellation is not None and self._cancellation.canceled:
                return None
            batch, step = self._gather(limit)
            if batch is not None:
                limit = _BATCH
                self._packets += len(batch)
                yield batch
            if step.fault:
                return self._damage(step.fault)
            if step.needed:
                position = source.more(step.stop, step.needed)
                if position is None:
                    return self._end(step)
                self._position = position
        self._damage(source.lost())
        return None

    def _gather(self, limit: int) -> tuple[Batch | None, Step]:
        """Return the next packets of the window, at most `limit`, and the last step.

        Interfaces and sections between packets end a step, but not a batch: a file may have one
        before every packet, and each batch has a fixed cost.
        """
        source, begin = self._source, self._position
        batches: list[Batch] = []
        for _ in range(_STEPS):
            step = self._parser.parse(source.window, self._position, limit, source.origin)
            self._position = step.stop
            if step.batch is not None and len(step.batch):
                batches.append(step.batch)
                limit -= len(step.batch)
            full = limit == 0 or step.stop - begin >= SPAN_BYTES
            if full or step.fault or step.needed:
                break
        return join_batches(batches) if batches else None, step

    def _end(self, step: Step) -> None:
        """Process the end of the input; report damage if it came inside a block or record."""
        if self._source.lost():
            self._damage(self._source.lost())
            return
        available = len(self._source.window) - self._position
        where = f"cut short at byte {self._source.origin + self._position}"
        if self._source.fault():
            self._damage(self._source.fault())
        if step.zeros:
            packed = ", unpacked," if self.compression else ""
            self._damage(
                f"the last {step.zeros + available:,} bytes{packed} are zeros: "
                "the file was not written to its end (power loss?)"
            )
        elif available > 0 or (available == 0 and step.inside):
            self._damage(f"{where}: the next record needs {step.needed} bytes and has {available}")
        elif available < 0:
            self._damage(f"{where}: the block before it is {-available} bytes longer than the file")

    def _damage(self, fault: str) -> None:
        self.damaged = True
        count = f"{self._packets:,} packet{'' if self._packets == 1 else 's'}"
        self._notes.append(f"{fault}; {count} before it can be read")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the descriptor. Batches stay valid."""
        if not self._closed:
            self._closed = True
            self._source.close()
            if self._owned:
                os.close(self._descriptor)


def open_capture(
    source: str | Path | int, cancellation: Cancellation | None = None, *, follows: bool = False
) -> CaptureReader:
    """Return a reader for a path, ``"-"`` (standard input), or a descriptor.

    The caller keeps a descriptor that it passes. `cancellation` ends every wait for a silent pipe,
    also the one for its first bytes, as if the pipe had ended. With `follows`, a regular file has
    no end either: the reader waits for what is appended. Raises `FileError`, with one line
    for the user, if the input cannot be opened or is not a capture.
    """
    name = _name(source)
    descriptor = -1
    try:
        descriptor = _open(source)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise RefusalError("it is a directory; name a capture file in it")
        growing = None
        if follows and stat.S_ISREG(os.fstat(descriptor).st_mode) and not isinstance(source, int):
            growing = GrowingFile(descriptor, Path(source), cancellation)
        return CaptureReader(name, descriptor, _is_path(source), cancellation, growing)
    except (OSError, RefusalError) as error:
        if descriptor >= 0 and _is_path(source):
            os.close(descriptor)
        reason = str(error) if isinstance(error, RefusalError) else _system_reason(error)
        raise FileError(f"cannot read {name}: {safe(reason)}") from error


def _is_path(source: str | Path | int) -> bool:
    return not isinstance(source, int) and str(source) != "-"


def _name(source: str | Path | int) -> str:
    if isinstance(source, int):
        return f"descriptor {source}"
    return safe(str(source)) if _is_path(source) else "standard input"


def _open(source: str | Path | int) -> int:
    if isinstance(source, int):
        return source
    if not _is_path(source):
        return 0
    # Without O_NONBLOCK, opening a FIFO would wait for a writer where nothing can cancel it.
    return os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)


def _system_reason(error: OSError) -> str:
    match error.errno:
        case errno.ENOENT:
            return "no such file; check the path"
        case errno.EACCES | errno.EPERM:
            return "permission denied; ask its owner for read access, or copy it with sudo"
        case _:
            return f"{error.strerror}; check that it is a readable capture file"


def _source(
    descriptor: int, cancellation: Cancellation | None, growing: GrowingFile | None
) -> tuple[str, ByteSource]:
    """Return the compression of the input, and the source of its bytes."""
    is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    if is_file and growing is None and os.lseek(descriptor, 0, os.SEEK_CUR) == 0:
        compression = compression_of(os.pread(descriptor, MAGIC_BYTES, 0))
        if not compression:
            return "", MappedFile(descriptor)
    stream = Stream(descriptor, cancellation, growing)
    return stream.begin(), stream
