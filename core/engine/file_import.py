"""Read a capture file into the store, in a thread of its own.

The reader yields chunks, and each is stored as it comes, so the first rows appear long before the
last packet is read. Between two chunks the thread yields the processor (`time.sleep(0)`), or keys
would wait for it. Only this thread writes the attributes that hold results; it calls `on_end` once,
at its end.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np

from core.files.cancellation import Cancellation
from core.files.chunks import iter_chunks
from core.files.formats import FileError
from core.files.merging import open_captures
from core.files.packet_reader import PacketReader
from core.store.packet_store import PacketStore
from core.wire.model.text import safe


class FileReading(threading.Thread):
    """The import of files. `sources` are what `open_captures` takes; several become one capture.

    ``label``     the path, or "standard input" for a descriptor; the first of several
    ``piped``     True for a pipe or the like, whose packets cannot be read again
    ``followed``  True if the reader waits for what other programs append to the file
    ``progress``  the part that was read, 0 to 1; None if the size is unknown
    ``notes``     the reader's remarks, one line each
    ``damaged``   True if the file is not whole; the packets before the damage are in the store
    ``error``     one line if the file cannot be read at all
    ``failure``   the internal error that ended the import, for ``--debug``
    """

    def __init__(
        self,
        store: PacketStore,
        sources: Sequence[str | int],
        on_end: Callable[[FileReading], None],
        *,
        follows: bool = False,
    ) -> None:
        super().__init__(name="rawscope reader", daemon=True)  # a silent pipe blocks no exit
        self.sources = tuple(sources)
        self.label = _label(self.sources)
        self.piped = any(map(_is_piped, self.sources))
        self.followed = follows
        self.progress: float | None = None
        self.notes: tuple[str, ...] = ()
        self.damaged = False
        self.error = ""
        self.failure: BaseException | None = None
        self._store = store
        self._on_end = on_end
        self._cancellation = Cancellation()

    def cancel(self) -> None:
        """Store nothing more, and end every wait for a pipe."""
        self._cancellation.cancel()

    def run(self) -> None:
        """Read to the end. The body of the thread."""
        try:
            reader = open_captures(self.sources, self._cancellation, follows=self.followed)
            with closing(reader):
                self._read(reader)
                self._publish(reader)
        except FileError as error:
            self.error = str(error)
        except Exception as failure:
            self.failure = failure
            self.error = f"reading failed ({type(failure).__name__}: {safe(str(failure))})"
        self._cancellation.close()
        self._on_end(self)

    def _read(self, reader: PacketReader) -> None:
        numbers = np.zeros(0, np.uint16)  # of the file's interfaces in the store
        kept = 0  # blocks
        for chunk in iter_chunks(reader):
            if self._cancellation.canceled:
                return
            added = self._store.add_interfaces(reader.interfaces[len(numbers) :])
            numbers = np.append(numbers, np.array(added, np.uint16))
            self._store.append_chunk(replace(chunk, interface=numbers[chunk.interface]))
            blocks = reader.blocks[kept:]
            self._store.add_blocks(blocks)
            kept += len(blocks)
            self._publish(reader)
            time.sleep(0)
        self._store.add_interfaces(reader.interfaces[len(numbers) :])  # after the last packet
        self._store.add_blocks(reader.blocks[kept:])

    def _publish(self, reader: PacketReader) -> None:
        self.progress = reader.position / reader.size if reader.size else None
        self.notes = tuple(reader.notes)
        self.damaged = reader.damaged


def _label(sources: Sequence[str | int]) -> str:
    names = [
        each if isinstance(each, str) and each != "-" else "standard input" for each in sources
    ]
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]


def _is_piped(source: str | int) -> bool:
    try:
        mode = os.stat(0 if source == "-" else source).st_mode
    except OSError:  # `open_capture` reports why
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)
