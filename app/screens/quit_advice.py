"""The answer to ctrl+c, which copies selected text and does not quit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.screen import ModalScreen, Screen

from app.screens.key_bar import KeyBar
from app.textual_bindings import first_key, key_label

_QUIT, _LEAVE = "program.quit", "program.leave"  # the second works in dialogs and inputs, too
_ENDING = ("panel.close", "lab.leave")  # they have a label while they end something
_WORDS = {"back": "go back", "cancel": "cancel the run"}


def quit_advice(screen: Screen[Any], remapped: Mapping[str, str]) -> str:
    """Return which keys quit the program, or end what runs, in the present state of the screen.

    `remapped` are the keys of the configuration file, by action name.
    """
    keys: dict[str, str] = {}
    for key, active in screen.active_bindings.items():
        keys.setdefault(active.binding.id or active.binding.action, key)
    quit_key = key_label(keys[_QUIT]) if _QUIT in keys else first_key(_LEAVE, remapped)
    advice = [f"{quit_key} to quit"]
    for bar in screen.query(KeyBar):
        advice += [
            f"{key_label(keys[name])} to {_WORDS.get(label, label)}"
            for name in _ENDING
            if name in keys and (label := bar.labels.get(name))
        ]
    if isinstance(screen, ModalScreen) and "escape" in {*screen.active_bindings}:
        advice.append("esc to close this window")
    return f"Press {', or '.join(advice)}. ctrl+c copies selected text."
