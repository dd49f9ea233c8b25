"""The dialog with the saved filters: apply, rename, or delete one."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, OptionList
from textual.widgets.option_list import Option

from app.screens.dialogs.dialog import Dialog, Hint
from app.screens.dialogs.name import AskName
from app.screens.dialogs.palette import Options
from app.screens.filter.filter_error import filter_error
from app.screens.filter.saved_filters import SavedFilters
from core.analysis.filter.language.macros import Macros
from core.wire.model.text import safe
from widgets.lines.cells import cut, left

NAME_WIDTH, LINE_WIDTH = 24, 88
FRAME_WIDTH = 8  # columns beside a line: frames, padding, the scroll bar
_HINT = "enter applies the filter"
_NONE = "none yet: press ^s in the filter bar to save one"


class SavedFilterList(Dialog[str]):
    """Return the text of the filter to apply. Renaming and deleting take effect at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "step(1)", "Down"),
        Binding("k", "step(-1)", "Up"),
        Binding("r", "rename", "Rename"),
        Binding("d,delete", "delete", "Delete"),
        Binding("u", "undo", "Undo the last change"),
    ]
    title_text = "Saved filters"
    BUTTONS: ClassVar[dict[str, str]] = {  # actions, and their labels
        "apply": "Apply (enter)",
        "rename": "Rename (r)",
        "delete": "Delete (d)",
        "undo": "Undo (u)",
    }

    def __init__(self, saved: SavedFilters, macros: Macros) -> None:
        super().__init__()
        self._macros = macros
        self._saved = saved
        self._names: list[str] = []
        self._before: list[dict[str, str]] = []  # what each change replaced

    def compose_body(self) -> ComposeResult:
        yield Options(compact=True)
        yield Hint(_HINT)
        with Horizontal(classes="dialog-buttons"):
            for action, label in self.BUTTONS.items():
                button = Button(label, compact=True, name=action)
                button.can_focus = False
                yield button

    def on_mount(self) -> None:
        self._list(0)

    def _list(self, highlighted: int, words: str = "") -> None:
        """List the filters in the order of their names, and say what happened."""
        self._names = sorted(self._saved.by_name)
        room = min(LINE_WIDTH, self.app.size.width - FRAME_WIDTH)
        options = self.query_one(OptionList)
        options.clear_options()
        for name in self._names:
            line = f"{left(safe(name), NAME_WIDTH)}  {safe(self._saved.by_name[name])}"
            options.add_option(Option(Text(cut(line, room), no_wrap=True)))
        if self._names:
            options.highlighted = min(highlighted, len(self._names) - 1)
        self.query_one(Hint).show("", words or ("" if self._names else _NONE))

    @property
    def _highlighted(self) -> str | None:
        """The highlighted name; None in an empty list."""
        index = self.query_one(OptionList).highlighted
        return None if index is None else self._names[index]

    def _change(self, name: str, words: str) -> None:
        """List the filters after a change; `name` is highlighted if it is there."""
        names = sorted(self._saved.by_name)
        at = names.index(name) if name in names else self.query_one(OptionList).highlighted or 0
        self._list(at, words)

    # -- what keys and buttons do -----------------------------------------------------------

    def action_step(self, step: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_down() if step > 0 else options.action_cursor_up()

    def action_apply(self) -> None:
        """Return the filter; say what is wrong with one that is not valid anymore."""
        if (name := self._highlighted) is None:
            return
        text = self._saved.by_name[name]
        error = filter_error(text, self._macros)
        if error is None:
            self.dismiss(text)
        else:
            self.query_one(Hint).show(safe(f"column {error.column}: {error.message}"))

    def action_rename(self) -> None:
        """Ask for another name of the highlighted filter."""
        if (name := self._highlighted) is None:
            return

        def take(new: str | None) -> None:
            if new is not None and new != name:
                self._before.append(self._saved.by_name)
                self._saved.rename(name, new)
                self._change(new, f"{safe(name)} is {safe(new)} now · u restores it")

        others = self._saved.by_name.keys() - {name}
        taken = "enter replaces the filter of this name"
        self.app.push_screen(AskName("Rename the filter", others, taken, name), take)

    def action_delete(self) -> None:
        """Delete the highlighted filter."""
        if (name := self._highlighted) is not None:
            self._before.append(self._saved.by_name)
            self._saved.delete(name)
            self._change("", f"{safe(name)} is deleted · u restores it")

    def action_undo(self) -> None:
        """Take back the last change."""
        if self._before:
            before, now = self._before.pop(), self._saved.by_name
            self._saved.restore(before)
            self._change(next(iter(before.keys() - now.keys()), ""), "undone")
        else:
            self.query_one(Hint).show("", "nothing to undo")

    def on_option_list_option_selected(self) -> None:
        self.action_apply()

    async def on_button_pressed(self, event: Button.Pressed) -> None:
        await self.run_action(event.button.name or "")
