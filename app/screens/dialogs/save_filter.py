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
        name = Input(placeholder="name", compact=True)
        name.cursor_blink = False
        yield name
        yield Hint("enter saves it under this name")

    def on_input_changed(self, event: Input.Changed) -> None:
        name = event.value.strip()
        usual = "enter replaces the filter of this name" if name in self._names else ""
        self.query_one(Hint).show(_problem(name), usual)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        if name and not _problem(name):
            self.dismiss(name)


def _problem(name: str) -> str:
    """Return what is wrong with a name; empty if it is right."""
    return f"a name has at most {LONGEST} characters" if len(name) > LONGEST else ""
