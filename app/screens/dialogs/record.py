"""The dialog that asks for the file of a recording. Imported on first use."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.app import ComposeResult
from textual.widgets import Input

from app.screens.dialogs.dialog import Confirm, Dialog, Hint, while_open
from core.files.writing.saving import reason
from core.recording.plan import RecordingPlan
from core.recording.recorder import Recorder
from core.wire.model.text import safe

_HINT = "enter records · .pcap: classic pcap · .gz, .zst compress"


class RecordTo(Dialog[Recorder]):
    """Ask for the name of a file, and create it. Return its recorder.

    An existing file is replaced only after a question. What cannot be created stays in the dialog,
    with the reason.
    """

    title_text = "Record to a file"

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._is_creating = False

    def compose_body(self) -> ComposeResult:
        path = Input(self._name, placeholder="path of a file", compact=True)
        path.cursor_blink = False
        yield path
        yield Hint(_HINT)

    def on_input_changed(self) -> None:
        self.query_one(Hint).show("")

    def on_input_submitted(self) -> None:
        self._create(replace=False)

    def _create(self, *, replace: bool) -> None:
        """Create the file in a thread, which may wait for a disk."""
        typed = self.query_one(Input).value
        if not typed.strip():
            self.query_one(Hint).show("type the path of a file")
        elif not self._is_creating:
            self._is_creating = True
            self.run_worker(while_open(self, self._try(typed, replace=replace)))

    async def _try(self, typed: str, *, replace: bool) -> None:
        """Create the file, and close the dialog; else show why not, or ask."""
        try:
            plan = RecordingPlan(Path(typed).expanduser(), replace=replace)
            recorder = await asyncio.to_thread(Recorder, plan)
        except FileExistsError:
            question = f"{safe(typed)} exists."
            self.app.push_screen(Confirm(question, yes="Replace it", no="Keep it"), self._answered)
        except OSError as error:
            self.query_one(Hint).show(f"cannot record: {reason(error)}")
        except (RuntimeError, ValueError):  # no home folder; a NUL
            self.query_one(Hint).show("cannot record: this is not a path")
        else:
            if self not in self.app.screen_stack:  # closed meanwhile
                recorder.stop()
            else:
                self.dismiss(recorder)
        finally:
            self._is_creating = False

    def _answered(self, is_sure: bool | None) -> None:
        if is_sure:
            self._create(replace=True)
