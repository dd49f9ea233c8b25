"""The bridge: it turns the published state of the worker into a `Scene` for the screen.

The worker thread and the file reader publish; nothing pushes into the screen. The screen polls the
bridge at a fixed rate (`POLL_HZ`) and gets absolute state, never deltas, so a skipped scene loses
nothing and nothing queues up. Rates are differences of two absolute counts on the monotonic clock,
which steps of the wall clock do not change.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from app.saved_packets import SavedPackets, Unsaved
from core.analysis.analysis_thread import AnalysisThread
from core.analysis.color_rules.row_colors import RowColors
from core.analysis.packet_analysis import PacketAnalysis
from core.capture.capture_filter import CaptureFilter
from core.capture.options import ANY, CaptureOptions
from core.echo.snapshot import EchoSnapshot
from core.engine.engine import Engine
from core.engine.snapshot import EngineSnapshot, EngineState
from core.recording.state import RecordingState, RecordingStatus
from core.store.filtered_view import NumberRange
from core.store.heap import HeapTrimmer
from core.store.snapshot import Snapshot
from core.wire.present.faults import Faults

if TYPE_CHECKING:
    from core.analysis.programs.program_watch import ProgramWatch
    from core.recording.recorder import Recorder

MakeProgramWatch = Callable[[Callable[[], tuple[Snapshot, bool]]], "ProgramWatch"]

LOOPBACK = "lo"
POLL_HZ = 10  # also the rate of painting while following; 20 Hz cost a quarter of a processor
WINDOW_S = 1.0  # a rate is the mean over this long
HISTORY = 10  # seconds of rates in the line of the status bar


@dataclass(frozen=True, slots=True)
class Rates:
    """Packets/s of the past seconds, oldest first and the current last; bytes/s now.

    `packets` is empty while nothing is captured.
    """

    packets: tuple[float, ...] = ()
    bytes: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    """The state that one repaint needs.

    `faults` counts the packets that could not be described; `fault` describes the first, or the
    failure of an analysis.
    """

    engine: EngineSnapshot
    rates: Rates
    time_of_day: str
    echo: EchoSnapshot
    faults: int = 0
    fault: str = ""

    @property
    def packets(self) -> Snapshot:
        """The packets that the store holds."""
        return self.engine.packets

    @property
    def store_generation(self) -> int:
        """The number of stores before this one; in a new store, packet numbers start again."""
        return self.engine.store_generation


class RateMeter:
    """Computes rates from absolute counts at known times. It has no clock."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int, int]] = deque()  # seconds, packets, bytes
        self._seconds: deque[tuple[float, int]] = deque(maxlen=HISTORY)

    def sample(self, now: float, packets: int, byte_count: int) -> Rates:
        """Take the totals at `now` (monotonic seconds) and return the current rates."""
        samples = self._samples
        samples.append((now, packets, byte_count))
        while len(samples) > 2 and samples[1][0] <= now - WINDOW_S:
            samples.popleft()
        if not self._seconds or now - self._seconds[-1][0] >= 1.0:
            self._seconds.append((now, packets))
        then, old_packets, old_bytes = samples[0]
        window = max(now - then, WINDOW_S)  # a burst in the first moment has no rate yet
        past = (
            (packets - old) / (at - before)
            for (before, old), (at, packets) in pairwise(self._seconds)
        )
        return Rates((*past, (packets - old_packets) / window), (byte_count - old_bytes) / window)

    def forget(self) -> None:
        """Start again: packets counted in between were not traffic."""
        self._samples.clear()
        self._seconds.clear()


class Bridge:
    """Polls the engine for the screen, and passes commands on. UI thread only."""

    def __init__(
        self,
        engine: Engine,
        options: CaptureOptions,
        clock: Callable[[], float],
        time_of_day: Callable[[], str],
        programs: MakeProgramWatch | None = None,
    ) -> None:
        """Create the bridge; `programs` makes what finds the programs of captured packets."""
        self._engine = engine
        self._is_live = False
        self._programs = None if programs is None else programs(self._captured)
        self.echo = engine.echo
        self.right_of_way = engine.right_of_way
        if self._programs is not None:
            self._programs.pause = engine.right_of_way.pause
        self.analysis_thread = AnalysisThread(
            right_of_way=engine.right_of_way, when_idle=HeapTrimmer().trim
        )
        self.analysis = PacketAnalysis(self.analysis_thread)
        self.colors = RowColors()
        self.faults = Faults()  # counted by the widgets that show packets
        self._store_generation = engine.snapshot().store_generation
        self._saved = SavedPackets()
        self._options = options
        self._clock = clock
        self._time_of_day = time_of_day
        self._meter = RateMeter()

    def poll(self) -> Scene:
        """Return the current scene."""
        engine, echo = self._engine.snapshot(), self.echo.snapshot()
        packets = engine.packets
        if engine.store_generation != self._store_generation:
            self._store_generation = engine.store_generation
            self._meter.forget()
            self.faults.forget()
        self._is_live = engine.state is EngineState.LIVE
        if self._is_live:
            if self._programs is not None:
                self._programs.wake()
            rates = self._meter.sample(self._clock(), packets.count, packets.bytes_total)
        else:
            self._meter.forget()
            rates = Rates()
        return Scene(
            engine,
            rates,
            self._time_of_day(),
            echo,
            self.faults.count,
            self.faults.message if self.faults.count else self._trouble,
        )

    @property
    def _trouble(self) -> str:
        """One line about an analysis that does not work anymore; empty without one."""
        programs = "" if self._programs is None else self._programs.trouble
        return self.analysis.trouble or self.colors.trouble or programs

    def _captured(self) -> tuple[Snapshot, bool]:
        """Return the packets, and True while they are captured."""
        return self._engine.store.snapshot(), self._is_live

    def close(self) -> None:
        """End the threads that analyze packets."""
        if self._programs is not None:
            self._programs.close()
        self.analysis_thread.close()
        self.colors.close()

    @property
    def capturing(self) -> tuple[str, ...]:
        """The interfaces of the current capture, or of the last one."""
        return self._engine.snapshot().interfaces or self._options.interfaces

    @property
    def sees_loopback(self) -> bool:
        """True if the capture sees traffic between local programs."""
        return self.live and bool({LOOPBACK, ANY} & set(self.capturing))

    @property
    def live(self) -> bool:
        """True while packets are captured."""
        return self._engine.snapshot().state is EngineState.LIVE

    @property
    def piped(self) -> bool:
        """True if the packets in the store came out of a pipe."""
        return self._engine.snapshot().piped

    @property
    def unsaved(self) -> Unsaved:
        """The packets and comments that no file has."""
        return self._saved.unsaved(self._engine.snapshot())

    def savable(self) -> EngineSnapshot:
        """Return the state of the engine, with the packets that can be saved."""
        return self._engine.snapshot()

    def note_saved(
        self, saved: EngineSnapshot, numbers: NumberRange | None, *, keeps_comments: bool
    ) -> None:
        """Remember that packets of a state were saved, all without `numbers`."""
        self._saved.note_saved(saved, numbers, keeps_comments=keeps_comments)

    def set_comments(self, number: int, comments: Sequence[str]) -> None:
        """Replace the comments on a packet."""
        self._saved.note_comment(self._engine.snapshot(), number)
        self._engine.set_comments(number, comments)

    @property
    def capture_filter(self) -> CaptureFilter | None:
        """The filter of the current capture, or of the last one."""
        engine = self._engine.snapshot()
        return engine.capture_filter if engine.interfaces else self._options.capture_filter

    def capture(
        self, interfaces: tuple[str, ...], capture_filter: CaptureFilter | None = None
    ) -> None:
        """Capture on these interfaces; new packets follow those already captured.

        If only the filter of the running capture changes, the kernel replaces it, and no packet
        that both filters want is lost.
        """
        is_new_filter = capture_filter != self.capture_filter
        same_interfaces = set(interfaces) == set(self.capturing)
        self._options = replace(self._options, interfaces=interfaces, capture_filter=capture_filter)
        if self.live and same_interfaces and is_new_filter:
            self._engine.change_filter(capture_filter)
        else:
            self._engine.capture(self._options)

    @property
    def is_receiving(self) -> bool:
        """True while packets are captured or read."""
        return self._engine.snapshot().state in (EngineState.LIVE, EngineState.READING)

    def stop_capture(self) -> None:
        """End the capture, or the reading of a file; its packets stay."""
        self._engine.stop_capture()

    def toggle_capture(self) -> bool:
        """Stop, or restart on the same interfaces.

        Return False if the user must choose an interface first, or if the packets of a file would
        be replaced.
        """
        worker = self._engine.snapshot()
        if worker.state in (EngineState.LIVE, EngineState.READING):
            self._engine.stop_capture()
        elif self.capturing and not worker.file:
            self.capture(self.capturing, self.capture_filter)
        else:
            return False
        return True

    @property
    def has_file(self) -> bool:
        """True if the packets in the store are those of a file."""
        return bool(self._engine.snapshot().file)

    @property
    def recording(self) -> RecordingState | None:
        """The recording that runs now."""
        state = self._engine.snapshot().recording
        is_running = state is not None and state.status is RecordingStatus.RECORDING
        return state if is_running else None

    def record(self, recorder: Recorder) -> None:
        """Record the packets that are captured from now on."""
        self._engine.record(recorder)

    def stop_recording(self) -> None:
        """End the recording."""
        self._engine.stop_recording()

    def open_file(self, path: Path) -> None:
        """Read a capture file; its packets replace those in the store."""
        self._engine.open_file(str(path))
