"""Turn the actions of `app.keymap` into Textual bindings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from textual.binding import Binding, BindingsMap, BindingType
from textual.keys import format_key
from textual.widget import Widget

from app.keymap import ACTIONS, BY_NAME, KeyContext

_Widget = TypeVar("_Widget", bound=Widget)


def bindings(*contexts: KeyContext) -> list[BindingType]:
    """Return the bindings of these contexts, each under its action's name for remapping."""
    return [
        Binding(
            action.keys,
            action.command,
            action.label or action.help,
            id=action.name,
            priority=action.everywhere,
        )
        for action in ACTIONS
        if action.place in contexts and action.keys
    ]


def with_keys(widget: _Widget, *contexts: KeyContext) -> _Widget:
    """Give one widget the keys of these contexts, in place of its class's own; return it.

    The widgets of `widgets` have no keys of their own meaning: one hex view is a panel, another
    shows the bytes of a draft. Textual keeps the bindings of an instance in `_bindings`, and has
    no public way to set them.
    """
    widget._bindings = BindingsMap(bindings(*contexts))
    return widget


def add_keys(widget: _Widget, context: KeyContext) -> _Widget:
    """Give one widget the keys of a context beside its own, which they replace; return it."""
    added = BindingsMap(bindings(context)).key_to_bindings
    widget._bindings = BindingsMap.from_keys({**widget._bindings.key_to_bindings, **added})
    return widget


def first_key(name: str, remapped: Mapping[str, str]) -> str:
    """Return the first key of an action as a user reads it.

    `remapped` are the keys of the configuration file, by action name.
    """
    return key_label(remapped.get(name, BY_NAME[name].keys).split(",")[0])


def key_label(keys: str) -> str:
    """Return Textual key names as a user reads them: ``up,k`` → ``↑ k``, ``ctrl+e`` → ``^e``."""
    return " ".join(_one_key(key) for key in keys.split(",") if key)


def _one_key(key: str) -> str:
    *modifiers, name = key.split("+")
    shown = format_key(name)
    for modifier in reversed(modifiers):
        shown = f"^{shown}" if modifier == "ctrl" else f"{modifier}+{shown}"
    return shown
