"""The texts of the status bar, the banner, and an empty table, for a scene."""

from __future__ import annotations

from pathlib import PurePath

from app.bridge import Scene
from core.engine.snapshot import EngineSnapshot, EngineState, NoticeSeverity
from core.recording.state import RecordingStatus
from core.store.snapshot import Snapshot
from core.wire.link.link_types import unread_text
from core.wire.model.text import safe
from widgets.status.line import RecordingLine, StatusLine, StatusState

_STATES = {
    EngineState.IDLE: StatusState.IDLE,
    EngineState.LIVE: StatusState.LIVE,
    EngineState.STOPPED: StatusState.STOPPED,
    EngineState.READING: StatusState.READING,
    EngineState.DONE: StatusState.DONE,
    EngineState.FAILED: StatusState.FAILED,
}


def status_line(
    scene: Scene, paused: tuple[int, Snapshot] | None = None, behind: int = 0
) -> StatusLine:
    """Return the contents of the status bar.

    `paused` is the snapshot that a paused view shows, after the lowest packet number at the pause.
    The flows of the last `behind` packets are not analyzed yet.
    """
    worker, packets = scene.engine, scene.packets
    first, shown = paused or (packets.first, packets)
    return StatusLine(
        state=_STATES[worker.state] if paused is None else StatusState.PAUSED,
        source=_source(scene),
        packets=packets.count,
        rates=scene.rates.packets,
        bytes_per_s=scene.rates.bytes,
        dropped=worker.dropped,
        evicted=packets.evicted,
        arrived=packets.count - shown.count,
        lost=shown.first - first,
        progress=worker.progress,
        clock=scene.time_of_day,
        capture_filter=_filter_in_force(worker),
        faults=scene.faults,
        recording=_recording(scene),
        behind=behind,
    )


def _filter_in_force(worker: EngineSnapshot) -> str:
    if worker.state is not EngineState.LIVE or worker.capture_filter is None:
        return ""
    return worker.capture_filter.label


def _recording(scene: Scene) -> RecordingLine | None:
    """Return the recording, unless the user ended it."""
    state = scene.engine.recording
    if state is None or state.status not in (RecordingStatus.RECORDING, RecordingStatus.FAILED):
        return None
    has_failed = state.status is RecordingStatus.FAILED
    return RecordingLine(state.name, state.size, state.lost, has_failed)


def _source(scene: Scene) -> str:
    """Return the name of the file, or of the interfaces."""
    worker = scene.engine
    return PurePath(worker.file).name if worker.file else ", ".join(worker.interfaces)


def message_of(scene: Scene) -> tuple[str, NoticeSeverity]:
    """Return the message for the banner and its severity.

    In order: the failure of the recording, unless the worker failed; the worker's message; the
    first packet that rawscope failed to describe; the worker's last note; the link types that
    rawscope cannot read. Empty without any of these.
    """
    worker = scene.engine
    failure = _recording_failure(scene)
    if failure and worker.severity is not NoticeSeverity.ERROR:
        return failure, NoticeSeverity.ERROR
    if worker.message:
        return worker.message, worker.severity
    if scene.fault:
        return scene.fault, NoticeSeverity.ERROR
    if worker.notes:
        return worker.notes[-1], NoticeSeverity.WARNING
    unread = unread_text(interface.link_type for interface in scene.packets.interfaces)
    return unread, NoticeSeverity.WARNING if unread else NoticeSeverity.NONE


def _recording_failure(scene: Scene) -> str:
    """Return one line about a recording that failed: its file, the cause, and the counts."""
    state = scene.engine.recording
    if state is None or state.status is not RecordingStatus.FAILED:
        return ""
    goes_on = "; the capture continues" if scene.engine.state is EngineState.LIVE else ""
    return (
        f"recording stopped: {state.cause}; {state.packets:,} packets saved, {state.lost:,} lost"
        f"{goes_on}"
    )


def why_empty(scene: Scene) -> str:
    """Return the text for a table without packets."""
    match scene.engine.state:
        case EngineState.LIVE:
            return safe(f"waiting for the first packet on {', '.join(scene.engine.interfaces)}")
        case EngineState.READING:
            return "reading"
        case EngineState.DONE:
            return "the file holds no packets"
        case _:
            return "no packets: choose an interface, or open a file"
