"""The dialogs for the columns of the packet table: their list, and the fields to add."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, OptionList
from textual.widgets.option_list import Option

from app.screens.dialogs.dialog import Dialog, Hint
from app.screens.dialogs.palette import Options
from core.analysis.filter.fields.catalog import CATALOG
from core.wire.model.text import safe
from widgets.lines.cells import cut, left
from widgets.packets.column_choice import (
    DEFAULT_CHOICE,
    Column,
    ColumnChoice,
    ColumnName,
    heading_of,
)

NAME_WIDTH = 26
LINE_WIDTH = 70
FRAME_WIDTH = 8  # columns beside a line: frames, padding, the scroll bar
HINT = "space shows or hides"
OFFERED = 200  # more fields than anybody scrolls through

MEANINGS = {
    ColumnName.NUMBER: "Number of the packet, from 1",
    ColumnName.TIME: "Time; t changes its format",
    ColumnName.INTERFACE: "Only with several interfaces",
    ColumnName.SOURCE: "Source address",
    ColumnName.DESTINATION: "Destination address",
    ColumnName.PROTOCOL: "Innermost protocol",
    ColumnName.LENGTH: "Length on the wire, in bytes",
    ColumnName.INFO: "The packet in words; takes the rest",
}


def meaning_of(column: Column) -> str:
    """Return the meaning of a column or field."""
    if isinstance(column, ColumnName):
        return MEANINGS[column]
    field = CATALOG.find(column)
    return field.meaning if field else ""


class Columns(Dialog[None]):
    """The list of columns. `changed` is called with each new choice.

    `width_of` returns the width of a column in the table, or None if the table does not show it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "step(1)", "Down"),
        Binding("k", "step(-1)", "Up"),
        Binding("space", "show_or_hide", "Show or hide"),
        Binding("K,ctrl+up", "move(-1)", "Move to the left"),
        Binding("J,ctrl+down", "move(1)", "Move to the right"),
        Binding("minus", "resize(-1)", "Narrower"),
        Binding("plus,equals_sign", "resize(1)", "Wider"),
        Binding("w", "fit", "As wide as its texts"),
        Binding("a", "add", "Add a field"),
        Binding("d,delete", "remove", "Remove a field"),
        Binding("r", "restore", "Restore the default"),
    ]
    title_text = "Columns"

    def __init__(
        self,
        choice: ColumnChoice,
        changed: Callable[[ColumnChoice], None],
        width_of: Callable[[Column], int | None],
    ) -> None:
        super().__init__()
        self._choice, self._changed, self._width_of = choice, changed, width_of
        self._entries: list[tuple[Column, bool]] = []  # and if it is shown
        self._added = ""  # the field that was added just now

    def compose_body(self) -> ComposeResult:
        yield Options(compact=True)
        yield Hint(HINT)
        with Horizontal(classes="dialog-buttons"):
            yield Button("Earlier (K)", id="move-earlier", compact=True)
            yield Button("Later (J)", id="move-later", compact=True)
            yield Button("Narrower (-)", id="narrower", compact=True)
            yield Button("Wider (+)", id="wider", compact=True)
        with Horizontal(classes="dialog-buttons"):
            yield Button("Fit (w)", id="fit", compact=True)
            yield Button("Add a field (a)", id="add", compact=True)
            yield Button("Remove (d)", id="remove", compact=True)
            yield Button("Default (r)", id="restore", compact=True)

    def on_mount(self) -> None:
        self._take(self._choice)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        actions: dict[str, Callable[[], None]] = {
            "move-earlier": partial(self.action_move, -1),
            "move-later": partial(self.action_move, 1),
            "narrower": partial(self.action_resize, -1),
            "wider": partial(self.action_resize, 1),
            "fit": self.action_fit,
            "add": self.action_add,
            "remove": self.action_remove,
            "restore": self.action_restore,
        }
        self.query_one(OptionList).focus()
        actions[event.button.id or ""]()

    def on_option_list_option_selected(self) -> None:
        """Show or hide the column, but not the one that the last ``enter`` has added."""
        added, self._added = self._added, ""
        if self._highlighted[1] == (added, True):
            self.query_one(Hint).show("", f"{added} is shown; {HINT} it")
        else:
            self.action_show_or_hide()

    # -- what keys and buttons do -----------------------------------------------------------

    def action_step(self, step: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_down() if step > 0 else options.action_cursor_up()

    def action_show_or_hide(self) -> None:
        """Show the column, or hide it."""
        index, (column, is_shown) = self._highlighted
        if is_shown and sum(shown for _, shown in self._entries) == 1:
            self._refuse("the table needs at least one column")
            return
        self._entries[index] = column, not is_shown
        self._apply(index)

    def action_move(self, step: int) -> None:
        """Exchange the column with its neighbor."""
        index, entry = self._highlighted
        if 0 <= index + step < len(self._entries):
            self._entries[index], self._entries[index + step] = self._entries[index + step], entry
            self._apply(index + step)

    def action_resize(self, step: int) -> None:
        """Make the column wider or narrower by cells."""
        index, (column, is_shown) = self._highlighted
        width = self._choice.widths.get(column) or self._width_of(column)
        if column is ColumnName.INFO:
            self._refuse("Info takes the rest of the line")
        elif not is_shown or width is None:
            self._refuse("the table does not show this column now")
        else:
            self._choice = self._choice.resized(column, width + step)
            self._apply(index)

    def action_fit(self) -> None:
        """Let the column be as wide as its texts again."""
        index, (column, _) = self._highlighted
        self._choice = self._choice.resized(column, None)
        self._apply(index)

    def action_add(self) -> None:
        """Ask for a field, and show it in a column after the highlighted one."""
        self.app.push_screen(AddColumn(), self._add)

    def _add(self, name: str | None) -> None:
        if name is None:
            return
        index, (column, _) = self._highlighted
        kept = [entry for entry in self._entries[: index + 1] if entry[0] != name]
        if column is ColumnName.INFO:
            kept.pop()
        rest = [entry for entry in self._entries if entry not in kept and entry[0] != name]
        self._entries = [*kept, (name, True), *rest]
        self._apply(len(kept))
        self._added = name

    def action_remove(self) -> None:
        """Remove a field from the list."""
        index, (column, is_shown) = self._highlighted
        if isinstance(column, ColumnName):
            self._refuse("built-in columns can be hidden, not removed: press space")
        elif is_shown and sum(shown for _, shown in self._entries) == 1:
            self._refuse("the table needs at least one column")
        else:
            del self._entries[index]
            self._apply(min(index, len(self._entries) - 1))

    def action_restore(self) -> None:
        """Show the default columns; fields stay in the list."""
        fields = tuple(column for column, _ in self._entries if isinstance(column, str))
        self._choice = ColumnChoice(DEFAULT_CHOICE.shown, fields)
        self._take(self._choice)
        self._changed(self._choice)

    # -- the list ---------------------------------------------------------------------------

    @property
    def _highlighted(self) -> tuple[int, tuple[Column, bool]]:
        index = self.query_one(OptionList).highlighted or 0
        return index, self._entries[index]

    def _take(self, choice: ColumnChoice) -> None:
        """List the columns of a choice: the shown ones, then the others."""
        self._entries = [(column, True) for column in choice.shown]
        self._entries += [(column, False) for column in choice.hidden]
        self._list(0)

    def _apply(self, highlighted: int) -> None:
        """Show the columns as the list has them."""
        self._added = ""
        self._choice = self._choice.with_entries(self._entries)
        self._changed(self._choice)
        self._list(highlighted)

    def _list(self, highlighted: int) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(Text(line, no_wrap=True)) for line in self._lines())
        options.highlighted = highlighted
        self.query_one(Hint).show("")

    def _lines(self) -> Iterator[str]:
        room = min(LINE_WIDTH, self.app.size.width - FRAME_WIDTH)
        for column, is_shown in self._entries:
            box, name = "[x]" if is_shown else "[ ]", left(heading_of(column), NAME_WIDTH)
            cells = self._choice.widths.get(column, "")
            yield cut(f"{box} {name} {cells:>3}  {safe(meaning_of(column))}", room)

    def _refuse(self, words: str) -> None:
        self.query_one(Hint).show(words)


class AddColumn(Dialog[str]):
    """Ask for the name of a field, and offer those that contain what the user types."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", "Up", priority=True),
        Binding("down", "step(1)", "Down", priority=True),
    ]
    title_text = "Add a column"

    def compose_body(self) -> ComposeResult:
        name = Input(placeholder="a field, such as ip.ttl, or a word: window", compact=True)
        name.cursor_blink = False
        yield name
        yield Options(compact=True)
        yield Hint("enter adds the field · ↑ ↓ choose")

    def on_mount(self) -> None:
        self._offer("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._offer(event.value.strip())

    def on_input_submitted(self) -> None:
        option = self.query_one(OptionList).highlighted_option
        if option is not None and option.id is not None:
            self.dismiss(option.id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def on_click(self, event: events.Click) -> None:
        self.query_one(Input).focus()

    def action_step(self, step: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_down() if step > 0 else options.action_cursor_up()

    def _offer(self, text: str) -> None:
        found = matching_fields(text)[:OFFERED]
        room = min(LINE_WIDTH, self.app.size.width - FRAME_WIDTH)
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(
                Text(cut(f"{name:<{NAME_WIDTH}} {safe(meaning_of(name))}", room), no_wrap=True),
                id=name,
            )
            for name in found
        )
        options.highlighted = 0 if found else None
        self.query_one(Hint).show("" if found else f"no field has {safe(text)!r} in its name")


def matching_fields(text: str) -> list[str]:
    """Return the fields for a text: names that begin with it, that contain it, then meanings.

    Names of Wireshark's own (``_ws.…``) are last in each group.
    """
    wanted = text.lower()
    ranked: list[tuple[int, str]] = []
    for field in CATALOG:
        at = field.name.lower().find(wanted)
        if at >= 0:
            rank = 1 if at else int(len(field.name) > len(wanted)) - 1
        elif wanted in field.meaning.lower():
            rank = 2
        else:
            continue
        ranked.append((rank, field.name))
    ranked.sort(key=lambda each: (each[0], each[1].startswith("_"), each[1]))
    return [name for _, name in ranked]
