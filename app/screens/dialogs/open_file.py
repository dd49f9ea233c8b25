"""The dialog that opens a capture file. Imported on first use, because that takes 60 ms."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import BindingType
from textual.widgets import Button, Input, Select
from textual_fspicker import FileOpen, Filters
from textual_fspicker.base_dialog import Dialog as Frame
from textual_fspicker.icons import Icons
from textual_fspicker.parts import DirectoryNavigation
from textual_fspicker.suggest_path import SuggestPath

from app.screens.dialogs.dialog import CTRL_C

ENDINGS = (".pcap", ".pcapng", ".cap", ".dmp", ".gz", ".zst")
HINT = "enter opens · tab list · esc closes"


class PathCompletion(SuggestPath):
    """Complete paths; return None where the picker's own completion raises.

    The picker uses the typed text as a glob pattern: ``a**`` is not a pattern, and a name of more
    than 255 bytes is an error. Either would end the program.
    """

    async def get_suggestion(self, value: str) -> str | None:
        try:
            return await super().get_suggestion(value)
        except (OSError, ValueError):
            return None


class OpenFile(FileOpen):
    """The file picker. The path input has the focus; tab goes to the list."""

    BINDINGS: ClassVar[list[BindingType]] = [CTRL_C]

    def on_mount(self) -> None:
        self.query_one(Frame).border_subtitle = HINT
        path = self.query_one(Input)
        path.placeholder = "path of a file"
        path.cursor_blink = False
        path.suggester = PathCompletion()
        self.call_next(path.focus)  # after the picker's own handler, which focuses the list

    @on(Select.Changed)
    def show_files(self, event: Select.Changed) -> None:
        """Apply a filter without moving the focus; Textual reports the first filter, too."""
        event.prevent_default()
        if self._filters is not None and isinstance(event.value, int):
            self.query_one(DirectoryNavigation).file_filter = self._filters[event.value]

    @on(Input.Submitted)
    @on(Button.Pressed, "#select")
    def confirm(self, event: Input.Submitted | Button.Pressed) -> None:
        """Open the file, or show why that path cannot be opened."""
        event.prevent_default()  # this replaces the picker's own handler
        try:
            self._confirm_file(event)
        except OSError as error:
            self._set_error(error.strerror or "no such file")
        except (ValueError, RuntimeError):  # a NUL; a loop of symbolic links
            self._set_error("not a path")

    def _set_error(self, message: str = "") -> None:
        super()._set_error(message or HINT)
        self.query_one(Frame).set_class(bool(message), "-wrong")


def open_dialog() -> FileOpen:
    """Return the dialog: it starts in the working directory and lists capture files."""
    Icons.set_picker(_sign)
    return OpenFile(
        Path.cwd(),
        "Open a capture file",
        filters=Filters(("captures", _is_capture), ("all files", _is_any)),
    )


def _sign(path: str | Path) -> Text:
    """Return a sign that every terminal font has, unlike the picker's emoji."""
    return Text("▸" if Path(path).is_dir() else " ")


def _is_capture(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS


def _is_any(path: Path) -> bool:
    return True
