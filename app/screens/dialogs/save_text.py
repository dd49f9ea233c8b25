"""The dialog that saves a text, or other bytes, to a file. Imported on first use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.widgets import Input

from app.screens.dialogs.dialog import Confirm, Dialog, Hint, while_open
from core.files.private_file import save_private
from core.files.writing.saving import reason
from core.wire.model.text import safe

_HINT = "enter saves · only you can read the file · esc closes"


class SaveText(Dialog[Path]):
    """Ask for the name of a file, and save to it what `make` returns. Return its path.

    An existing file is replaced only after a question. What cannot be saved stays in the dialog,
    with the reason.
    """

    title_text = "Save to a file"

    def __init__(self, name: str, make: Callable[[], bytes]) -> None:
        super().__init__()
        self._name, self._make = name, make
        self._is_saving = False

    def compose_body(self) -> ComposeResult:
        path = Input(self._name, placeholder="path of a file", compact=True)
        path.cursor_blink = False
        yield path
        yield Hint(_HINT)

    def on_input_changed(self) -> None:
        self.query_one(Hint).show("")

    def on_input_submitted(self) -> None:
        self._save(replace=False)

    def _save(self, *, replace: bool) -> None:
        """Save in a thread, which may wait for a disk. While it does, save nothing else."""
        typed = self.query_one(Input).value
        if not typed.strip():
            self.query_one(Hint).show("type the path of a file")
        elif not self._is_saving:
            self._is_saving = True
            self.query_one(Hint).show("saving …")
            self.run_worker(while_open(self, self._try(typed, replace=replace)))

    async def _try(self, typed: str, *, replace: bool) -> None:
        """Save, and close the dialog; else show why not, or ask."""
        try:
            path = Path(typed).expanduser()
            await asyncio.to_thread(
                lambda: save_private(path, self._make(), replace=replace),
            )
        except FileExistsError:
            self.query_one(Hint).show("")
            question = f"{safe(typed)} exists."
            self.app.push_screen(Confirm(question, yes="Replace it", no="Keep it"), self._answered)
        except OSError as error:
            self.query_one(Hint).show(f"not saved: {reason(error)}")
        except (RuntimeError, ValueError):  # no home folder; a NUL
            self.query_one(Hint).show("not saved: this is not a path")
        else:
            if self.is_current:
                self.dismiss(path.absolute())
            else:  # a question is in front, as that whether to quit
                self.query_one(Hint).show("", f"saved to {safe(str(path.absolute()))}")
        finally:
            self._is_saving = False

    def _answered(self, is_sure: bool | None) -> None:
        if is_sure:
            self._save(replace=True)
