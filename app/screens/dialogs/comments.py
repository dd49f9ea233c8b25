"""The dialog that edits the comments on a packet. Imported on first use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input

from app.screens.dialogs.dialog import Dialog, Hint
from core.wire.model.text import safe

MOST = 8  # comments that can be edited; further ones stay as they are
_HINT = "enter keeps it · an empty line removes it · after closing, {save_key} saves"


class EditComments(Dialog[tuple[str, ...]]):
    """Ask for the comments on a packet, one on each line. Return all of them.

    A comment that the user did not change stays as it is, with the characters that the line cannot
    show.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "keep", "Keep"),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, number: int, comments: Sequence[str], save_key: str) -> None:
        super().__init__()
        self._save_key = save_key
        self.title_text = f"Comment on packet {number:,}"
        self._before, self._rest = tuple(comments[:MOST]), tuple(comments[MOST:])

    def compose_body(self) -> ComposeResult:
        for comment in (*map(safe, self._before), *("",) * (len(self._before) < MOST)):
            line = Input(comment, placeholder="new comment", compact=True)
            line.cursor_blink = False
            yield line
        with Horizontal(classes="dialog-buttons"):
            yield Button("Keep", compact=True)
        yield Hint(_HINT.format(save_key=self._save_key))

    def on_mount(self) -> None:
        self.query(Input).first().focus()

    def on_input_submitted(self) -> None:
        self.action_keep()

    def on_button_pressed(self) -> None:
        self.action_keep()

    def action_keep(self) -> None:
        """Return the comments."""
        kept = []
        for index, line in enumerate(self.query(Input)):
            before = self._before[index] if index < len(self._before) else ""
            kept.append(before if line.value == safe(before) else line.value.strip())
        self.dismiss((*(comment for comment in kept if comment), *self._rest))
