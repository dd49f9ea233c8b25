"""Reading a capture file into the store, in a thread of its own.

The reader gives batches; they are appended one by one, so the first rows can be shown long before
the last is read. Between two batches the thread gives way (`time.sleep(0)`), or keys would wait for
it. Results are plain attributes that only this thread writes; `on_end` is called once, at
the end, in this thread.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from core.files.cancellation import Cancellation
from core.files.chunks import iter_chunks
from core.files.formats import FileError
from core.files.reader import CaptureReader, open_capture
from core.store.packet_store import PacketStore
from core.wire.model.text import safe


class FileReading(threading.Thread):
    """One file on its way into the store. `source` as in `open_capture`.

    ``label``     the path, or "standard input" for a descriptor
    ``piped``     it is a pipe, or the like: what was read does not come again
    ``progress``  the part that was read, 0 to 1; None where the size is unknown
    ``notes``     the reader's remarks so far, one line each
    ``damaged``   the file was not whole; the packets before the damage are in the store
    ``error``     one line if it cannot be read at all
    ``failure``   a fault of ours that ended the reading, for --debug
    """

    def __init__(
        self,
        store: PacketStore,
        source: str | int,
        on_end: Callable[[FileReading], None],
    ) -> None:
        super().__init__(name="rawscope reader", daemon=True)  # a silent pipe must not hold us
        self.source = source
        self.label = source if isinstance(source, str) and source != "-" else "standard input"
        self.piped = _is_piped(source)
        self.progress: float | None = None
        self.notes: tuple[str, ...] = ()
        self.damaged = False
        self.error = ""
        self.failure: BaseException | None = None
        self._store = store
        self._on_end = on_end
        self._cancellation = Cancellation()

    def cancel(self) -> None:
        """Append nothing more, and end every wait for a pipe."""
        self._cancellation.cancel()

    def run(self) -> None:
        """Read to the end. Called by `start`."""
        try:
            with open_capture(self.source, self._cancellation) as reader:
                self._read(reader)
                self._look(reader)
        except FileError as error:
            self.error = str(error)
        except Exception as failure:
            self.failure = failure
            self.error = f"reading failed ({type(failure).__name__}: {safe(str(failure))})"
        self._cancellation.close()
        self._on_end(self)

    def _read(self, reader: CaptureReader) -> None:
        numbers = np.zeros(0, np.uint16)  # of the file's interfaces in the store
        for chunk in iter_chunks(reader):
            if self._cancellation.canceled:
                return
            added = self._store.add_interfaces(reader.interfaces[len(numbers) :])
            numbers = np.append(numbers, np.array(added, np.uint16))
            self._store.append_chunk(replace(chunk, interface=numbers[chunk.interface]))
            self._look(reader)
            time.sleep(0)

    def _look(self, reader: CaptureReader) -> None:
        self.progress = reader.position / reader.size if reader.size else None
        self.notes = tuple(reader.notes)
        self.damaged = reader.damaged


def _is_piped(source: str | int) -> bool:
    try:
        mode = os.stat(0 if source == "-" else source).st_mode
    except OSError:  # `open_capture` tells why
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)
