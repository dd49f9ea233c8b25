"""The dialog that asks for a name to save something under."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.widgets import Input

from app.screens.dialogs.dialog import Dialog, Hint

LONGEST = 60  # characters of a name


class AskName(Dialog[str]):
    """Ask for a name; `before` is in the input. For one of `names`, the hint is `taken`.

    `taken` says what will happen.
    """

    def __init__(self, title: str, names: Iterable[str], taken: str, before: str = "") -> None:
        super().__init__()
        self.title_text = title
        self._before = before
        self._names, self._taken = frozenset(names), taken

    def compose_body(self) -> ComposeResult:
        name = Input(self._before, placeholder="name", compact=True)
        name.cursor_blink = False
        yield name
        yield Hint("enter saves it under this name")

    def on_input_changed(self, event: Input.Changed) -> None:
        name = event.value.strip()
        self.query_one(Hint).show(_problem(name), self._taken if name in self._names else "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        if name and not _problem(name):
            self.dismiss(name)


def _problem(name: str) -> str:
    """Return what is wrong with a name; empty if it is right."""
    over = len(name) - LONGEST
    return f"too long by {over}: a name has at most {LONGEST} characters" if over > 0 else ""
