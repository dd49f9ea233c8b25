"""One line about a recording, once all writes are over."""

from __future__ import annotations

from core.recording.state import RecordingState, RecordingStatus
from core.wire.model.text import safe


def summary(state: RecordingState) -> tuple[str, bool]:
    """Return one line about the last state of a recording; and True if it has all its packets."""
    name = safe(state.name)
    saved = f"{state.packets:,} packet{'s' * (state.packets != 1)} saved"
    lost = f"{saved}, {state.lost:,} lost"
    if state.status is RecordingStatus.FAILED:
        return f"recording stopped: {state.cause}; {lost}", False
    if state.status is RecordingStatus.RECORDING:
        return f"{name}: the disk took too long; {lost}, and those that still waited", False
    if state.lost:
        return f"{name}: the disk was too slow; {lost}", False
    return f"{saved} in {name}", True
