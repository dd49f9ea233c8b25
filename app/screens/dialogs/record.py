"""The dialog that asks for the file of a recording. Imported on first use."""

from __future__ import annotations

from pathlib import Path

from app.screens.saving.new_file_dialog import NewFileDialog
from core.recording.plan import RecordingPlan
from core.recording.recorder import Recorder


class RecordTo(NewFileDialog[Recorder]):
    """Create the file of a recording. Return its recorder."""

    title_text = "Record to a file"
    hint_text = "enter records · .pcap: classic pcap · .gz, .zst compress"
    failure = "cannot record"

    def create(self, path: Path, *, replace: bool) -> Recorder:
        """Implement `NewFileDialog.create`."""
        return Recorder(RecordingPlan(path, replace=replace))

    def came_late(self, result: Recorder) -> None:
        """End the recording, unless a question covers the dialog, which then returns it."""
        if self in self.app.screen_stack:
            self.dismiss(result)
        else:
            result.stop()
