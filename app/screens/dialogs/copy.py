"""The dialog that chooses a text to copy to the clipboard. Imported on first use."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from app.screens.dialogs.dialog import Dialog
from app.screens.dialogs.palette import Options
from core.wire.model.text import safe


class Copy(Dialog[str]):
    """Ask which text to copy; show the start of each."""

    title_text = "Copy"

    def __init__(self, choices: list[tuple[str, str]]) -> None:
        """Create the dialog for `choices`, ``(name, text)``, the likeliest first."""
        super().__init__()
        self._choices = choices

    def compose_body(self) -> ComposeResult:
        width = max(len(name) for name, _ in self._choices)
        yield Options(
            *(
                Option(
                    Text(f"{name:<{width}}  {_preview(text)}", no_wrap=True, overflow="ellipsis")
                )
                for name, text in self._choices
            ),
            compact=True,
        )
        yield Static("enter copies · esc closes", classes="dialog-hint")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index][1])


def _preview(text: str) -> str:
    line = safe(" ".join(text.split()))
    return line if len(line) <= 48 else line[:47] + "…"
