"""Record captured packets in a thread of its own.

The capturing thread hands each batch to `append`, which puts it into a bounded backlog and returns;
the packets are in the memory of the store, which does not change. The recorder's thread turns
batches into the bytes of a file and writes them. If the disk is slower than the capture for longer
than the backlog allows, packets are lost to the recording, not to the screen, and counted. If a
write fails, the recording ends and the capture continues.

Both threads run at the same time: almost all of their work is in numpy and in system calls, which
release the interpreter.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from core.decode.batch import Batch, CaptureInterface
from core.recording.backlog import Backlog
from core.recording.file_series import FileSeries, RecordingError
from core.recording.interface_counts import NO_STATISTICS
from core.recording.plan import RecordingPlan
from core.recording.state import RecordingState, RecordingStatus
from core.store.interface_numbers import InterfaceNumbers
from core.wire.model.text import safe

BACKLOG_BYTES = 128 << 20  # over two seconds of small frames at 300,000 a second
_TICK_S = 0.25


class Recorder:
    """A `PacketSink` that writes files. Raises `OSError` if the first one cannot be created.

    Other threads read `state`. `clock` counts seconds. The owner sets `has_begun` once a capture
    runs: a file for which no capture ever ran is removed at the end. It also replaces `statistics`,
    those of the capture by the names of interfaces, which go to the end of each file.
    """

    def __init__(
        self,
        plan: RecordingPlan,
        clock: Callable[[], float] = time.monotonic,
        backlog_bytes: int = BACKLOG_BYTES,
    ) -> None:
        self._series = FileSeries(plan, clock)
        self._backlog = Backlog(backlog_bytes)
        self._numbers = InterfaceNumbers()
        self.has_begun = False
        self.statistics = NO_STATISTICS
        self._latest = self._state(RecordingStatus.RECORDING)
        self._thread = threading.Thread(target=self._run, name="rawscope recorder", daemon=True)
        self._thread.start()

    @property
    def state(self) -> RecordingState:
        """The present state.

        After a failure, each read counts the losses again: a batch may arrive while the recording
        ends.
        """
        latest = self._latest
        if latest.status is not RecordingStatus.FAILED:
            return latest
        return replace(latest, lost=self.taken - latest.packets)

    @property
    def taken(self) -> int:
        """The packets that `append` took: written, waiting, or lost."""
        return self._backlog.packets_in + self._backlog.refused

    def add_interface(self, interface: CaptureInterface) -> int:
        """Register an interface; return its number. One that was registered keeps its number."""
        known = self._numbers.interfaces
        return known.index(interface) if interface in known else self._numbers.add(interface)

    def append(self, batch: Batch) -> None:
        """Record packets soon. Does nothing after the end of the recording."""
        if self.state.status is RecordingStatus.RECORDING:
            self._backlog.put(batch)

    def stop(self) -> None:
        """End the recording after the packets that it has taken."""
        self._backlog.end()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until the last file is whole and closed. Return False if that takes longer."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._record()
            if self._series.packets or self._numbers.interfaces or self.has_begun:
                self._series.close()
            else:
                self._series.cancel()
        except RecordingError as error:
            self._fail(str(error))
        except Exception as error:  # internal: end the recording, not the capture
            self._fail(f"internal error: {type(error).__name__}: {safe(str(error))}")
        else:
            complete = self._series.is_complete
            status = RecordingStatus.COMPLETE if complete else RecordingStatus.ENDED
            self._latest = self._state(status)
        self._backlog.discard()

    def _record(self) -> None:
        """Write until the end of the backlog, or until the recording is complete."""
        while not self._series.is_complete:
            batch = self._backlog.take(_TICK_S)
            self._series.statistics = self.statistics
            self._series.describe(self._numbers.interfaces)
            if batch is not None:
                self._series.tally.add(batch.interface)
                self._series.write(batch, self._numbers.interfaces)
            elif self._backlog.has_ended:
                return
            self._series.keep_up()
            self._latest = self._state(RecordingStatus.RECORDING)

    def _fail(self, cause: str) -> None:
        self._series.abandon()
        self._latest = self._state(RecordingStatus.FAILED, cause)

    def _state(self, status: RecordingStatus, cause: str = "") -> RecordingState:
        series, lost = self._series, self._backlog.refused
        packets = series.saved if status is RecordingStatus.FAILED else series.packets
        return RecordingState(status, series.name, series.size, series.files, packets, lost, cause)
