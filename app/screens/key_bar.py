"""The bottom line: the keys that work in the focused panel.

It shows the keys of `app.keymap` that are bound at the moment, so it follows the focus, remapped
keys, and disabled actions. Entries are in the order of the keymap; those that do not fit are left
out from the end, except for quit, for help, which shows the rest, and for `escape` while it has a
label: where letters are text, it is the only key that leads out. One widget paints one line: a
change of focus repaints it and mounts nothing.
"""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from app.keymap import ACTIONS
from app.textual_bindings import key_label

_ALWAYS = ("panel.close", "program.quit", "program.help")
_GAP = 2
_CHARACTERS = {"slash": "/", "backslash": "\\", "minus": "-", "plus": "+"}
"""Those that `textual.keys.key_to_character` does not know by Textual's own names of the keys."""


class KeyBar(Widget):
    """One line of ``key label`` pairs. A click on a pair presses its key."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key", "key-bar--label"}
    ALLOW_SELECT = False

    labels: reactive[dict[str, str]] = reactive({})
    """Labels that depend on the state, by action name: ``{"view.pause": "resume"}``."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_updated)

    def _bindings_updated(self, _: Screen[object]) -> None:
        self.refresh()

    def entries(self) -> list[tuple[str, str, str]]:
        """Return ``(key, key as shown, label)`` of all entries that fit, in order."""
        keys: dict[str, str] = {}
        for key, active in self.screen.active_bindings.items():
            if active.binding.id and active.enabled and not self._is_text(key):
                keys.setdefault(active.binding.id, key)
        found = {
            action.name: (keys[action.name], key_label(keys[action.name]), label)
            for action in ACTIONS
            if action.name in keys and (label := self.labels.get(action.name, action.label))
        }
        last = [found.pop(name) for name in _ALWAYS if name in found]
        room = self.size.width - sum(_width(entry) for entry in last)
        fitting = []
        for entry in found.values():
            room -= _width(entry)
            if room < 0:
                break
            fitting.append(entry)
        return fitting + last

    def _is_text(self, key: str) -> bool:
        """Return True for a key that the focused widget takes as a character."""
        focused, character = self.screen.focused, _CHARACTERS.get(key)
        return (
            focused is not None
            and character is not None
            and focused.check_consume_key(key, character)
        )

    def render(self) -> Text:
        key_style = self.get_component_rich_style("key-bar--key")
        label_style = self.get_component_rich_style("key-bar--label")
        line = Text(no_wrap=True, end="")
        for _, shown, label in self.entries():
            line.append(f" {shown}", key_style)
            line.append(f" {label}" + " " * (_GAP - 1), label_style)
        return line

    def on_click(self, event: events.Click) -> None:
        x = event.x
        for entry in self.entries():
            x -= _width(entry)
            if x < 0:
                self.app.simulate_key(entry[0])
                return


def _width(entry: tuple[str, str, str]) -> int:
    _, shown, label = entry
    return len(shown) + 1 + len(label) + _GAP
