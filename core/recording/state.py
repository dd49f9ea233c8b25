"""The published state of a recording: immutable, for any thread."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class RecordingStatus(Enum):
    """The status of a recording: it takes packets, or has ended for a reason."""

    RECORDING = "recording"
    ENDED = "ended"  # the user stopped it
    COMPLETE = "complete"  # it has as many files or bytes as the user wanted
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RecordingState:
    """The state of a recording at one moment.

    `name` is the newest file, of `size` bytes; there were `files`. `packets` were written, and
    `lost` ones were not, for lack of time or because of a failure. `cause` is one line about the
    failure.
    """

    status: RecordingStatus
    name: str
    size: int = 0
    files: int = 0
    packets: int = 0
    lost: int = 0
    cause: str = ""
