"""What the engine says of itself: absolute, immutable values, safe to read in any thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum

from core.net.event_loop import LoopCounters
from core.store.snapshot import EMPTY_SNAPSHOT, Snapshot


class EngineState(Enum):
    """What the engine is doing."""

    IDLE = "idle"
    LIVE = "live"
    STOPPED = "stopped"
    READING = "reading"
    DONE = "done"  # the whole file was read
    FAILED = "failed"


class NoticeSeverity(StrEnum):
    """How loud the message is to be shown."""

    NONE = ""
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class EngineSnapshot:
    """What is so at one moment.

    `captured` live packets went into the store and `dropped` ones were lost in the kernel;
    their sum is `received`, less what is on its way. None of them ever decreases, but all begin
    anew with a new store. `file` is the path of what was opened, or "standard input"; `piped` says
    that it is a pipe, out of which the packets come only once. `progress` is the part of the file
    that was read, 0 to 1, None where its size is unknown. `damaged` says that the file was not
    whole; `notes` say more, one line each. `packets` is what the
    store holds, and always belongs to this state. `store_generation` grows with each new store, in
    which packet numbers mean other packets. Comparing two snapshots ignores `packets`, and `loop`,
    which counts wake-ups, also those in which nothing happened.
    """

    state: EngineState = EngineState.IDLE
    message: str = ""
    severity: NoticeSeverity = NoticeSeverity.NONE
    interfaces: tuple[str, ...] = ()
    file: str = ""
    piped: bool = False
    captured: int = 0
    received: int = 0
    dropped: int = 0
    progress: float | None = None
    damaged: bool = False
    notes: tuple[str, ...] = ()
    packets: Snapshot = field(default=EMPTY_SNAPSHOT, compare=False)
    store_generation: int = 0
    loop: LoopCounters = field(default_factory=LoopCounters, compare=False)
