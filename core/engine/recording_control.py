"""The recording of the engine: which recorder gets the captured packets, and what it has done.

The worker calls all methods but `join` and `states`. A recorder that has ended by itself (complete,
or failed) is removed from the sink; its last state stays, so that the screen can show it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.capture.packet_sink import PacketFanOut
from core.capture.session import LONGEST_S
from core.decode.capture_statistics import CaptureStatistics, since
from core.recording.recorded_range import RecordedRange
from core.recording.state import RecordingState, RecordingStatus
from core.store.packet_store import PacketStore

if TYPE_CHECKING:
    from core.recording.recorder import Recorder  # imported by the first recording


@dataclass(slots=True)
class _Share:
    """The packets of the store that a recorder gets, from number `first` on.

    `first` is less than 1 if it took packets before the store was new. `last` is None until it is
    removed from the sink. `unwanted` is the newest packet at the end of the capture that a complete
    recording ended.
    """

    recorder: Recorder
    first: int
    last: int | None = None
    unwanted: int = 0

    def range(self) -> RecordedRange:
        state = self.recorder.state
        last = self.last
        if state.status in (RecordingStatus.FAILED, RecordingStatus.COMPLETE):
            last = self.first + state.packets + state.lost - 1
        return RecordedRange(self.first, last, state.lost, self.unwanted)


class RecordingControl:
    """At most one recorder gets packets; earlier ones may still write.

    `sink` hands packets to `store`, and to the recorder. `statistics` returns the totals of all
    captures by the names of interfaces.
    """

    def __init__(
        self,
        sink: PacketFanOut,
        store: PacketStore,
        on_complete: Callable[[], None],
        statistics: Callable[[], Mapping[str, CaptureStatistics]] = dict,
    ) -> None:
        self._sink, self._store = sink, store
        self._statistics = statistics
        self._before: Mapping[str, CaptureStatistics] = {}  # of the recording
        self._on_complete = on_complete
        self._recorder: Recorder | None = None  # the newest
        self._all: list[Recorder] = []  # that may still write
        self._is_attached = False  # the newest gets packets
        self._shares: list[_Share] = []  # of the store, oldest first
        self._is_read: Callable[[], bool] | None = None  # the recording ends when this is true
        self._latest_end_s = 0.0

    def begin(self, recorder: Recorder) -> None:
        """Record with this recorder from now on."""
        self.stop()
        self._all = [one for one in self._all if not one.join(0)]
        self._all.append(recorder)
        self._recorder = recorder
        self._before = dict(self._statistics())
        self._sink.add(recorder)
        self._is_attached = True
        self._shares.append(_Share(recorder, self._store.snapshot().count + 1))

    def stop_after(self, is_read: Callable[[], bool]) -> None:
        """End the recording once all packets were read that had arrived, or after `LONGEST_S`."""
        if self._is_attached and self._is_read is None:
            self._is_read = is_read
            self._latest_end_s = time.monotonic() + LONGEST_S
        self.settle()

    def settle(self) -> None:
        """End a recording whose last packets were read. Call this after each batch."""
        if self._is_read is None:
            return
        if self._is_read() or time.monotonic() >= self._latest_end_s:
            self.stop()

    def stop(self) -> None:
        """End the recording after the packets that it has."""
        self._is_read = None
        if self._recorder is not None and self._is_attached:
            self._is_attached = False
            self._count(self._recorder)
            self._sink.remove(self._recorder)
            self._recorder.stop()
            self._shares[-1].last = self._store.snapshot().count

    def move_to(self, sink: PacketFanOut, store: PacketStore) -> None:
        """Take packets from another sink, whose store is new."""
        self._shares.clear()
        if self._recorder is not None and self._is_attached:
            sink.add(self._recorder)
            self._shares.append(_Share(self._recorder, 1 - self._recorder.taken))
        self._sink, self._store = sink, store

    def update(self) -> None:
        """Let go of a recorder that has ended by itself; end the capture if it is complete."""
        recorder = self._recorder
        self.settle()
        if recorder is None or not self._is_attached:
            return
        self._count(recorder)
        status = recorder.state.status
        if status is not RecordingStatus.RECORDING:
            self.stop()
            if status is RecordingStatus.COMPLETE:
                self._on_complete()
                self._shares[-1].unwanted = self._store.snapshot().count

    def capture_begins(self) -> None:
        """Keep the file of the recording, even if no packet arrives."""
        if self._recorder is not None and self._is_attached:
            self._recorder.has_begun = True

    def _count(self, recorder: Recorder) -> None:
        recorder.statistics = since(self._statistics(), self._before)

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
    def states(self) -> tuple[RecordingState, ...]:
        """The states of the recordings that wrote until now; after `join`, their last ones."""
        return tuple(recorder.state for recorder in self._all)

    @property
    def recorded(self) -> tuple[RecordedRange, ...]:
        """The packets of the store that recordings took."""
        return tuple(share.range() for share in self._shares)
