"""The engine: what the rest of the program sees of the worker thread (`core.engine.worker`).

Commands go in from any thread, through the loop's queue; what is so comes out as an
`EngineSnapshot`, absolute and immutable, replaced by one assignment. Packets go into the store,
which publishes for itself.

A store holds captured packets or those of one file, never both: packets of a capture begun again
go behind the earlier ones, but where a file is involved a new store takes the old one's place. Only
the worker knows what was done before what, so it is the one that does this.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from core.capture.options import CaptureOptions
from core.engine.echo_service import EchoService
from core.engine.snapshot import EngineSnapshot, EngineState, NoticeSeverity
from core.engine.worker import Worker
from core.net.event_loop import EpollLoop
from core.store.packet_store import PacketStore

__all__ = ["Engine", "EngineSnapshot", "EngineState", "NoticeSeverity"]

EVENTS_PER_WAIT = 256  # with thousands of echo clients fewer waits are needed


class Engine:
    """The worker thread, from `start` to `close`. Commands return at once, from any thread."""

    def __init__(self, store: PacketStore) -> None:
        self._loop = EpollLoop(EVENTS_PER_WAIT)
        self.echo = EchoService(self._loop, self._command)
        self._worker = Worker(store, self._loop, self._command, self.echo)
        self._thread = threading.Thread(
            target=self._worker.run, name="rawscope worker", daemon=True
        )
        self._closed = False
        self._lock = threading.Lock()  # no command comes to a loop that is closed

    def start(self) -> None:
        """Start the worker thread."""
        self._thread.start()

    def capture(self, options: CaptureOptions) -> None:
        """Capture from now on; ends a capture or the reading of a file that goes on."""
        self._command(partial(self._worker.begin_capture, options))

    def stop_capture(self) -> None:
        """End the capture, or the reading of the file; what was read so far stays."""
        self._command(self._worker.stop)

    def open_file(self, source: str | int) -> None:
        """Read a capture file in the place of what is held.

        `source` is a path, ``-`` for standard input, or a descriptor.
        """
        self._command(partial(self._worker.begin_reading, source))

    def snapshot(self) -> EngineSnapshot:
        """Return the latest published state, with what its store holds now."""
        state, store = self._worker.published
        return replace(state, packets=store.snapshot())

    @property
    def store(self) -> PacketStore:
        """The store of the latest published state; a new one after a file was opened or left."""
        return self._worker.published.store

    @property
    def failure(self) -> BaseException | None:
        """The fault of ours that ended the worker or a reading, for ``--debug``."""
        return self._worker.failure

    def close(self, timeout_s: float = 2.0) -> None:
        """End everything, leave promiscuous mode, join each thread for at most `timeout_s`."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._loop.call(self._worker.end)
            self._loop.stop()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        reading = self._worker.reading  # may have begun just now, or the worker may have crashed
        if reading is not None and reading.is_alive():
            reading.cancel()
            reading.join(timeout_s)
        if not self._thread.is_alive():
            self._loop.close()

    def _command(self, command: Callable[[], None]) -> None:
        with self._lock:
            if not self._closed:
                self._loop.call(command)
