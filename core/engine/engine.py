"""The engine: how the rest of the program uses the worker thread (`core.engine.worker`).

Any thread gives commands, which go through the loop's queue. The worker publishes an
`EngineSnapshot`: absolute, immutable, replaced by one assignment. The store publishes its packets
itself.

A store holds captured packets or those of one file, never both. A capture that is started again
adds to the earlier packets; opening a file, or capturing after a file, replaces the store. Only the
worker knows the order of commands, so the worker replaces it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from core.capture.capture_filter import CaptureFilter
from core.capture.options import CaptureOptions
from core.engine.capture_end import NO_END, CaptureEnd
from core.engine.echo_service import EchoService
from core.engine.snapshot import EngineSnapshot
from core.engine.worker import LAST_WRITES_S, Worker
from core.net.event_loop import EpollLoop
from core.net.sockets import SocketProvider
from core.recording.state import RecordingState
from core.store.packet_store import PacketStore
from core.store.right_of_way import RightOfWay

if TYPE_CHECKING:
    from core.recording.recorder import Recorder  # imported by the first recording

EVENTS_PER_WAIT = 256  # with thousands of echo clients, fewer waits are needed


class Engine:
    """The worker thread, from `start` to `close`. Commands return at once, from any thread.

    `sockets` makes the sockets of captures. The worker claims the `right_of_way` while it handles
    captured frames.
    """

    def __init__(self, store: PacketStore, sockets: SocketProvider) -> None:
        self.right_of_way = RightOfWay()
        self._loop = EpollLoop(EVENTS_PER_WAIT)
        self.echo = EchoService(self._loop, self._command)
        self._worker = Worker(
            store, self._loop, self._command, self.echo, sockets, self.right_of_way
        )
        self._thread = threading.Thread(
            target=self._worker.run, name="rawscope worker", daemon=True
        )
        self._closed = False
        self._lock = threading.Lock()  # no command reaches a closed loop

    def start(self) -> None:
        """Start the worker thread."""
        self._thread.start()

    def capture(self, options: CaptureOptions, end: CaptureEnd = NO_END) -> None:
        """Start to capture, up to an end; end a running capture, or the reading of a file."""
        self._command(partial(self._worker.begin_capture, options, end))

    def change_filter(self, capture_filter: CaptureFilter | None) -> None:
        """Replace the filter of the running capture; captured packets stay."""
        self._command(partial(self._worker.change_filter, capture_filter))

    def stop_capture(self) -> None:
        """End the capture, or the reading of the file; its packets stay."""
        self._command(self._worker.stop)

    def record(self, recorder: Recorder) -> None:
        """Hand captured packets to a recorder from now on, and end the recording before it."""
        self._command(partial(self._worker.record, recorder))

    def stop_recording(self) -> None:
        """End the recording after the packets that have arrived."""
        self._command(self._worker.end_recording)

    def open_file(self, *sources: str | int, follows: bool = False) -> None:
        """Read a capture file, or several as one; their packets replace those in the store.

        A source is a path, ``-`` for standard input, or a descriptor. With `follows`, wait for what
        other programs append to the only file.
        """
        self._command(partial(self._worker.begin_reading, sources, follows=follows))

    def set_comments(self, number: int, comments: Sequence[str]) -> None:
        """Replace the comments on a packet of the present store."""
        self._command(partial(self.store.set_comments, number, comments))

    def snapshot(self) -> EngineSnapshot:
        """Return the latest published state, with what the store of that state holds now."""
        state, store = self._worker.published
        return replace(state, packets=store.snapshot())

    @property
    def recordings(self) -> tuple[RecordingState, ...]:
        """The recordings that wrote until now; after `close`, their last states.

        One that is still recording then did not finish within `LAST_WRITES_S`.
        """
        return self._worker.recording.states

    @property
    def store(self) -> PacketStore:
        """The store of the latest published state; a new one after a file was opened or left."""
        return self._worker.published.store

    @property
    def failure(self) -> BaseException | None:
        """The internal error that ended the worker or the reading of a file, for ``--debug``."""
        return self._worker.failure

    def close(self, timeout_s: float = 2.0) -> None:
        """End all work, leave promiscuous mode, and join each thread for at most `timeout_s`."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._loop.call(self._worker.end)
            self._loop.stop()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        reading = self._worker.reading  # it may have just started, or the worker may have failed
        if reading is not None and reading.is_alive():
            reading.cancel()
            reading.join(timeout_s)
        self._worker.recording.join(LAST_WRITES_S)
        if not self._thread.is_alive():
            self._loop.close()

    def _command(self, command: Callable[[], None]) -> None:
        with self._lock:
            if not self._closed:
                self._loop.call(command)
