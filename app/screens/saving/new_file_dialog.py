"""The base of dialogs that ask for the name of a file, and create it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.app import ComposeResult
from textual.widgets import Input

from app.screens.dialogs.dialog import Confirm, Dialog, Hint, Result, while_open
from core.files.writing.saving import reason
from core.wire.model.text import safe


class NewFileDialog(Dialog[Result]):
    """Ask for the path of a file, and return what `create` makes of it.

    An existing file is replaced only after a question. What cannot be created stays in the dialog,
    with the reason after the words `failure`.
    """

    hint_text = ""
    failure = "not saved"

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._is_creating = False

    def create(self, path: Path, *, replace: bool) -> Result:
        """Create the file; called in a thread, which may wait for a disk.

        Raises FileExistsError, `OSError`, or ValueError for what is not a path.
        """
        raise NotImplementedError

    def came_late(self, result: Result) -> None:
        """Take a file that was created after the dialog was closed or covered by a question."""

    def compose_body(self) -> ComposeResult:
        path = Input(self._name, placeholder="path of a file", compact=True)
        path.cursor_blink = False
        yield path
        yield Hint(self.hint_text)

    def on_input_changed(self) -> None:
        self.query_one(Hint).show("")

    def on_input_submitted(self) -> None:
        self._create(replace=False)

    def _create(self, *, replace: bool) -> None:
        """Create the file. While that lasts, create no other."""
        typed = self.query_one(Input).value
        if not typed.strip():
            self.query_one(Hint).show("type the path of a file")
        elif not self._is_creating:
            self._is_creating = True
            self.query_one(Hint).show("", "creating the file …")
            self.run_worker(while_open(self, self._try(typed, replace=replace)))

    async def _try(self, typed: str, *, replace: bool) -> None:
        """Create the file, and close the dialog; else show why not, or ask."""
        try:
            path = Path(typed).expanduser()
            result = await asyncio.to_thread(self.create, path, replace=replace)
        except FileExistsError:
            self.query_one(Hint).show("")
            question = f"{safe(typed)} exists."
            self.app.push_screen(Confirm(question, yes="Replace it", no="Keep it"), self._answered)
        except OSError as error:
            self.query_one(Hint).show(f"{self.failure}: {reason(error)}")
        except (RuntimeError, ValueError):  # no home folder; a NUL
            self.query_one(Hint).show(f"{self.failure}: this is not a path")
        else:
            if self.is_current:
                self.dismiss(result)
            else:
                self.came_late(result)
        finally:
            self._is_creating = False

    def _answered(self, is_sure: bool | None) -> None:
        if is_sure:
            self._create(replace=True)
