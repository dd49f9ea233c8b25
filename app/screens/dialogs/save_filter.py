"""The dialog that asks for the name of a display filter."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.widgets import Input

from app.screens.dialogs.dialog import Dialog, Hint

LONGEST = 40  # characters of a name


class SaveFilter(Dialog[str]):
    """Ask for the name to save a filter under; `names` are those of the saved filters."""

    title_text = "Save the filter"

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__()
        self._names = frozenset(names)

    def compose_body(self) -> ComposeResult:
        name = Input(placeholder="name", compact=True, max_length=LONGEST)
        name.cursor_blink = False
        yield name
        yield Hint("enter saves it under this name")

    def on_input_changed(self, event: Input.Changed) -> None:
        is_taken = event.value.strip() in self._names
        self.query_one(Hint).show("", "enter replaces the filter of this name" if is_taken else "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if name := event.value.strip():
            self.dismiss(name)
