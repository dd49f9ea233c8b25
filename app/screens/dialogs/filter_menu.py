"""A menu: the filters that a value on the screen gives, and actions. Imported on first use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.geometry import Offset
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from app.screens.dialogs.dialog import Dialog
from app.screens.dialogs.palette import Options
from app.textual_bindings import key_label
from core.wire.model.text import safe

FRAME_CELLS = 6  # a line of the frame, a blank, and a blank of the list, on both sides


@dataclass(frozen=True, slots=True)
class FilterChoice:
    """One line of the menu: its key, its name, and what choosing it gives.

    `expression` changes the filter by `how`, the name of a `Combination`; `run` is called instead,
    if it is set; without both, `text` is copied. `text` is what the line shows. `style` is that of
    the name.
    """

    key: str
    name: str
    text: str
    expression: str = ""
    how: str = ""
    run: Callable[[], object] | None = None
    style: Style | None = None


class FilterMenu(Dialog[FilterChoice]):
    """Offer filters, with the text of each, and actions; a key, a click, or enter chooses one.

    It opens at the pointer, if `at` is its place on the screen. None in `choices` is a line between
    two groups.
    """

    def __init__(
        self, title: str, choices: Sequence[FilterChoice | None], at: Offset | None = None
    ) -> None:
        super().__init__()
        self.title_text = title
        self.choices = [choice for choice in choices if choice is not None]
        self._at = at
        key = max(len(choice.key) for choice in self.choices)
        name = max((len(each.name) for each in self.choices if each.text), default=0)
        self._lines = [_line(choice, key, name) for choice in self.choices]
        lines = iter(self._lines)
        self._content = [None if each is None else Option(next(lines)) for each in choices]

    def compose_body(self) -> ComposeResult:
        yield Options(*self._content, compact=True)

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
            if choice.key and choice.key in (event.character, key_label(event.key)):
                event.stop()
                self.dismiss(choice)
                return

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.choices[event.option_index])


def _line(choice: FilterChoice, key_width: int, name_width: int) -> Text:
    """Return a line; the texts are below each other."""
    line = Text(f"{choice.key:<{key_width}}  ", no_wrap=True, overflow="ellipsis")
    name = f"{choice.name:<{name_width}}" if choice.text else choice.name
    line.append(name, choice.style)
    return line.append(f"  {safe(choice.text)}" if choice.text else "  ")
