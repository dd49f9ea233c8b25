"""The dialog that chooses a text to copy to the clipboard or a file. Imported on first use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, OptionList
from textual.widgets.option_list import Option

from app.clipboard import UNKNOWN_ACCESS, ClipboardAccess
from app.screens.dialogs.dialog import Dialog, Hint
from app.screens.dialogs.palette import Options
from core.wire.model.text import safe


@dataclass(frozen=True, slots=True)
class CopyChoice:
    """The chosen text and its name in the dialog. `to_file` is False for the clipboard."""

    name: str
    text: str
    to_file: bool


class Copy(Dialog[CopyChoice]):
    """Ask which text to copy, and where to; show the start of each."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "change_target", "File or clipboard")]
    title_text = "Copy"

    def __init__(
        self, choices: list[tuple[str, str]], access: ClipboardAccess = UNKNOWN_ACCESS
    ) -> None:
        """Create the dialog for `choices`, ``(name, text)``, the likeliest first."""
        super().__init__()
        self.choices = choices
        self._access = access
        self._to_file = bool(access.refusal)

    def compose_body(self) -> ComposeResult:
        width = max(len(name) for name, _ in self.choices)
        yield Options(
            *(
                Option(
                    Text(f"{name:<{width}}  {_preview(text)}", no_wrap=True, overflow="ellipsis")
                )
                for name, text in self.choices
            ),
            compact=True,
        )
        yield Hint("")
        with Horizontal(classes="dialog-buttons"):
            yield Button("", id="target", compact=True)

    def on_mount(self) -> None:
        self._show_target()

    def action_change_target(self) -> None:
        """Change from the clipboard to a file, or back if there is a clipboard."""
        self._to_file = bool(self._access.refusal) or not self._to_file
        self._show_target()

    def _show_target(self) -> None:
        if not self._to_file:
            hint = f"enter sends it to the terminal's clipboard (OSC 52); {self._access.doubt}"
        elif self._access.refusal:
            hint = f"{self._access.refusal}: enter saves to a file"
        else:
            hint = "enter saves it to a file"
        self.query_one(Hint).show("", hint)
        self.query_one("#target", Button).label = (
            "To the clipboard instead (s)" if self._to_file else "To a file instead (s)"
        )
        self.query_one("#target", Button).display = not self._access.refusal

    def on_button_pressed(self) -> None:
        self.action_change_target()
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        name, text = self.choices[event.option_index]
        self.dismiss(CopyChoice(name, text, self._to_file))


def _preview(text: str) -> str:
    line = safe(" ".join(text.split()))
    return line if len(line) <= 48 else line[:47] + "…"
