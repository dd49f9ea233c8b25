"""Reading a capture file into the store, in a thread of its own.

The reader gives batches; they are appended one by one, so the first rows can be shown long before
the last is read. Between two batches the thread gives way (`time.sleep(0)`), or keys would wait for
it. Results are plain attributes that only this thread writes; `on_end` is called once, at
the end, in this thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import numpy as np

from core.files.cancellation import Cancellation
from core.files.formats import FileError
from core.files.reader import CaptureReader, open_capture
from core.store.packet_store import PacketStore
from core.wire.text import safe


class FileReading(threading.Thread):
    """One file on its way into the store. `source` as in `open_capture`.

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
        base = self._store.snapshot().count
        numbers: list[int] = []  # of the file's interfaces in the store
        commented = 0
        for batch in reader.batches():
            if self._cancellation.cancelled:
                return
            for interface in reader.interfaces[len(numbers) :]:
                numbers.append(self._store.add_interface(interface))  # noqa: PERF401 (grows)
            in_store = np.array(numbers, np.uint16)[batch.interface]
            self._store.append(replace(batch, interface=in_store))
            commented = self._add_comments(reader, base, commented)
            self._look(reader)
            time.sleep(0)

    def _add_comments(self, reader: CaptureReader, base: int, done: int) -> int:
        """Hand on the comments that came since; returns how many packets' are done."""
        new = list(islice(reader.comments.items(), done, None))
        for index, texts in new:
            for text in texts:
                self._store.add_comment(base + index + 1, text)
        return done + len(new)

    def _look(self, reader: CaptureReader) -> None:
        self.progress = reader.position / reader.size if reader.size else None
        self.notes = tuple(reader.notes)
        self.damaged = reader.damaged
