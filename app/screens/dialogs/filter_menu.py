"""The menu of the filters that a value on the screen gives. Imported on first use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.geometry import Offset
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from app.screens.dialogs.dialog import Dialog
from app.screens.dialogs.palette import Options
from core.wire.model.text import safe

FRAME_CELLS = 6  # a line of the frame, a blank, and a blank of the list, on both sides


@dataclass(frozen=True, slots=True)
class FilterChoice:
    """One line of the menu: its key, its name, and what choosing it gives.

    `expression` changes the filter by `how`, the name of a `Combination`; without a `how`, `text`
    is copied. `text` is what the line shows.
    """

    key: str
    name: str
    text: str
    expression: str = ""
    how: str = ""


class FilterMenu(Dialog[FilterChoice]):
    """Offer filters, with the text of each; a key, a click, or enter chooses one.

    It opens at the pointer, if `at` is its place on the screen.
    """

    def __init__(
        self, title: str, choices: Sequence[FilterChoice], at: Offset | None = None
    ) -> None:
        super().__init__()
        self.title_text = title
        self.choices = choices
        self._at = at
        width = max(len(choice.name) for choice in choices)
        self._lines = [_line(choice, width) for choice in choices]

    def compose_body(self) -> ComposeResult:
        yield Options(*(Option(line) for line in self._lines), compact=True)

    def on_mount(self) -> None:
        frame = self.query_one(".dialog")
        frame.styles.width = max(line.cell_len for line in self._lines) + FRAME_CELLS
        if self._at is not None:
            frame.absolute_offset = self._at
            frame.styles.constrain_x = frame.styles.constrain_y = "inside"

    def on_click(self, event: events.Click) -> None:
        """Close the menu if the click is beside it."""
        if not self.query_one(".dialog").region.contains_point(event.screen_offset):
            self.dismiss(None)

    def on_key(self, event: events.Key) -> None:
        """Choose the line of a key."""
        for choice in self.choices:
            if choice.key and event.character == choice.key:
                event.stop()
                self.dismiss(choice)
                return

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.choices[event.option_index])


def _line(choice: FilterChoice, width: int) -> Text:
    start = f"{choice.key:<1}  {choice.name:<{width}}  "
    return Text(start + safe(choice.text), no_wrap=True, overflow="ellipsis")
