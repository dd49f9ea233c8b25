"""The engine's published state: absolute and immutable, for any thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from core.capture.capture_filter import CaptureFilter
from core.capture.renaming import Renaming
from core.decode.capture_statistics import CaptureStatistics
from core.net.loop_counters import LoopCounters
from core.recording.recorded_range import RecordedRange
from core.recording.state import RecordingState
from core.store.snapshot import EMPTY_SNAPSHOT, Snapshot


class EngineState(Enum):
    """The activity of the engine."""

    IDLE = "idle"
    LIVE = "live"
    STOPPED = "stopped"
    READING = "reading"
    DONE = "done"  # the whole file was read
    FAILED = "failed"


class NoticeSeverity(StrEnum):
    """The severity of the message, which decides how prominently the screen shows it."""

    NONE = ""
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class EngineSnapshot:
    """The state of the engine at one moment.

    The store took `captured` live packets, and the kernel lost `dropped` ones; their sum is
    `received`, less the packets in flight and those after the end of the capture. `statistics` has
    the latter two by the names of interfaces. None of these counts ever decreases, but all start
    again with a new store. `interfaces` and `capture_filter` are those of the capture, or of the
    last one. `file` is the path of an opened file, or "standard input"; `piped` is true for a pipe,
    whose packets cannot be read again; `followed` for a file to which another program appends.
    `progress` is the part of the file that was read, 0 to 1, None if its size is unknown. `damaged`
    is true for a file that is not whole; `notes` give details, one line each. `packets` is what the
    store of this state holds now; packets that arrived after the counts were published are in it,
    too. `store_generation` grows with each new
    store, in which packet numbers mean other packets. `renamed` are the old and new names of
    interfaces that were renamed while they were captured, oldest first. Comparing two snapshots
    ignores `packets`, and `loop`, which counts wake-ups, also those in which nothing happened.
    `recording` is the recording to files, or the last one; `recorded` are the captured packets of
    the store that recordings took.
    """

    state: EngineState = EngineState.IDLE
    message: str = ""
    severity: NoticeSeverity = NoticeSeverity.NONE
    interfaces: tuple[str, ...] = ()
    capture_filter: CaptureFilter | None = None
    file: str = ""
    piped: bool = False
    followed: bool = False
    captured: int = 0
    received: int = 0
    dropped: int = 0
    statistics: Mapping[str, CaptureStatistics] = field(default_factory=dict, hash=False)
    progress: float | None = None
    damaged: bool = False
    notes: tuple[str, ...] = ()
    packets: Snapshot = field(default=EMPTY_SNAPSHOT, compare=False)
    store_generation: int = 0
    renamed: tuple[Renaming, ...] = ()
    recording: RecordingState | None = None
    recorded: tuple[RecordedRange, ...] = ()
    loop: LoopCounters = field(default_factory=LoopCounters, compare=False)
