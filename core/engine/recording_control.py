"""The recording of the engine: which recorder gets the captured packets, and what it has done.

The worker calls all methods but `join`. A recorder that has ended by itself (complete, or failed)
is removed from the sink; its last state stays, so that the screen can show it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from core.capture.packet_sink import PacketFanOut
from core.recording.state import RecordingState, RecordingStatus

if TYPE_CHECKING:
    from core.recording.recorder import Recorder  # imported by the first recording


class RecordingControl:
    """At most one recorder gets packets; earlier ones may still write."""

    def __init__(self, sink: PacketFanOut, on_complete: Callable[[], None]) -> None:
        self._sink = sink
        self._on_complete = on_complete
        self._recorder: Recorder | None = None  # the newest
        self._all: list[Recorder] = []  # that may still write
        self._is_attached = False  # the newest gets packets
        self._recorded_earlier = 0  # packets of recorders that have ended

    def begin(self, recorder: Recorder) -> None:
        """Record with this recorder from now on."""
        self.stop()
        if self._recorder is not None:
            self._recorded_earlier = self.recorded
        self._all = [one for one in self._all if not one.join(0)]
        self._all.append(recorder)
        self._recorder = recorder
        self._sink.add(recorder)
        self._is_attached = True

    def stop(self) -> None:
        """End the recording after the packets that it has."""
        if self._recorder is not None and self._is_attached:
            self._is_attached = False
            self._sink.remove(self._recorder)
            self._recorder.stop()

    def move_to(self, sink: PacketFanOut) -> None:
        """Take packets from another sink, whose store is new."""
        if self._recorder is not None and self._is_attached:
            sink.add(self._recorder)
        self._sink = sink
        self._recorded_earlier = -self.state.packets if self.state is not None else 0

    def update(self) -> None:
        """Let go of a recorder that has ended by itself; end the capture if it is complete."""
        recorder = self._recorder
        if recorder is None or not self._is_attached:
            return
        status = recorder.state.status
        if status is not RecordingStatus.RECORDING:
            self.stop()
            if status is RecordingStatus.COMPLETE:
                self._on_complete()

    def join(self, timeout_s: float) -> None:
        """End the recording, and wait until all files are whole. For any thread, at the end."""
        end_s = time.monotonic() + timeout_s
        for recorder in self._all:
            recorder.stop()
            recorder.join(max(0.0, end_s - time.monotonic()))

    @property
    def state(self) -> RecordingState | None:
        """The state of the recording, or of the last one."""
        return self._recorder.state if self._recorder is not None else None

    @property
    def recorded(self) -> int:
        """The packets that recordings wrote since the store was new."""
        state = self.state
        return self._recorded_earlier + (state.packets if state is not None else 0)
