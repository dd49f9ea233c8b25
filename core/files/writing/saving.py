"""Save packets of a store to a new file: all of them or, with an error, nothing.

The file has another name until it is whole. Saving takes any time, so it runs in a thread of the
caller's; another thread reads its progress and may cancel it.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import FileBlock
from core.decode.chunk import Chunk
from core.files.private_file import NewFile
from core.files.writing.encoder import ChunkRows, Encoder, InterfaceCounts
from core.files.writing.packet_remarks import add_remark
from core.files.writing.packing import packer_of, refuse_unwritten
from core.files.writing.pcap_encoder import PcapEncoder
from core.files.writing.pcapng_encoder import PcapngEncoder
from core.store.filtered_view import NumberRange
from core.store.packet_remark import PacketRemark
from core.store.snapshot import Snapshot
from core.wire.model.text import safe

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class SaveRequest:
    """What to save, and where. Without `numbers`, save all packets.

    Decryption secrets are left out unless `keeps_secrets`. `counts` are written after the packets
    of a pcapng file. `remarks` returns what some of the packets get besides their own comments and
    options, by number. `names` returns blocks with names that the source does not have.
    """

    path: Path
    snapshot: Snapshot
    numbers: NumberRange | None = None
    is_classic: bool = False
    keeps_secrets: bool = False
    counts: Sequence[InterfaceCounts] = ()
    remarks: Callable[[NumberRange | None], Mapping[int, PacketRemark]] | None = None
    names: Callable[[], Sequence[FileBlock]] | None = None


class SaveProgress:
    """The state of a save, for another thread: `part` from 0 to 1, and `saved` packets."""

    def __init__(self) -> None:
        self.part = 0.0
        self.saved = 0
        self.canceled = False

    def cancel(self) -> None:
        """End the save soon, without a file."""
        self.canceled = True


class CanceledError(Exception):
    """The user canceled the save."""


def save(request: SaveRequest, progress: SaveProgress, *, replace: bool = False) -> None:
    """Write the file. Without `replace`, raise FileExistsError if there is a file of that name.

    Raise `OSError`, `CannotWriteError`, or `CanceledError`; then nothing was written.
    """
    snapshot = request.snapshot
    encoder = _encoder(request)
    comments: dict[int, Sequence[str]] = {**_copy(snapshot.comments)}
    options = _copy(snapshot.options)
    if request.remarks is not None and not request.is_classic:
        for number, remark in request.remarks(request.numbers).items():
            add_remark(comments, options, number, remark)
    commented, optioned = _sorted_keys(comments), _sorted_keys(options)
    with NewCapture(request.path, replace=replace) as file:
        for index, chunk in enumerate(snapshot.chunks):
            part = ChunkRows(
                chunk,
                _rows(chunk, request.numbers),
                _of_chunk(chunk, comments, commented),
                _of_chunk(chunk, options, optioned),
            )
            for piece in encoder.encode(part):
                if progress.canceled:
                    raise CanceledError
                file.write(piece)
            progress.saved += len(part.rows)
            progress.part = (index + 1) / len(snapshot.chunks)
        for piece in encoder.finish():
            file.write(piece)
        file.commit()


class NewCapture:
    """A `NewFile` that is compressed as its name says. Raises `OSError`."""

    def __init__(self, path: Path, *, replace: bool = False) -> None:
        refuse_unwritten(path.name)
        self._file = NewFile(path, replace=replace)
        self._packer = packer_of(path.name)

    def write(self, content: bytes | memoryview) -> None:
        """Write all of `content`."""
        self._file.write(self._packer.pack(content))

    def commit(self) -> None:
        """Give the file its name."""
        self._file.write(self._packer.finish())
        self._file.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; remove it if it was not committed."""
        self._file.close()


def reason(error: OSError) -> str:
    """Return why a file was not written, with the next step, in one line that is safe to print."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            words = "the disk is full: free some space, or choose another folder"
        case errno.EROFS:
            words = "the disk is read-only: choose another folder"
        case errno.EACCES:
            words = "permission denied: choose another folder"
        case errno.ENOENT | errno.ENOTDIR:
            words = "there is no such folder: create it, or choose another"
        case errno.ENAMETOOLONG:
            words = "the name is too long: choose a shorter one"
        case _:
            words = error.strerror or str(error)
    return safe(words)


def _encoder(request: SaveRequest) -> Encoder:
    snapshot = request.snapshot
    if request.is_classic:
        return PcapEncoder(snapshot.interfaces, is_final=True)
    is_whole = request.numbers is None and not snapshot.evicted
    return PcapngEncoder(
        snapshot.interfaces,
        snapshot.blocks,
        keeps_secrets=request.keeps_secrets,
        is_whole=is_whole,
        counts=request.counts,
        added=() if request.names is None else request.names(),
    )


def _rows(chunk: Chunk, numbers: NumberRange | None) -> NDArray[np.int64]:
    if numbers is None:
        return np.arange(len(chunk))
    return numbers.between(chunk.first, chunk.last) - chunk.first


def _copy(by_number: Mapping[int, Value]) -> dict[int, Value]:
    """Return a copy of what the store may change meanwhile."""
    while True:
        try:
            return dict(by_number)
        except RuntimeError:  # it changed its size
            continue


def _sorted_keys(by_number: Mapping[int, object]) -> NDArray[np.int64]:
    return np.array(sorted(by_number), np.int64)


def _of_chunk(
    chunk: Chunk, by_number: Mapping[int, Value], numbers: NDArray[np.int64]
) -> dict[int, Value]:
    """Return what belongs to the packets of a chunk, by row; `numbers` are the sorted keys."""
    start, stop = np.searchsorted(numbers, (chunk.first, chunk.last + 1))
    return {number - chunk.first: by_number[number] for number in numbers[start:stop].tolist()}
