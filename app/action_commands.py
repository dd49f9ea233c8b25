"""The actions of the keymap as commands of Textual's command palette."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from textual.app import App, SystemCommand
from textual.screen import Screen

from app.keymap import ACTIONS, Action, KeyContext
from app.screens.main import MainScreen
from app.screens.side_panels import SIDE_PANELS
from app.textual_bindings import key_label

_PANEL_OF = {side.keys: side.id for side in SIDE_PANELS}


def action_commands(
    app: App[Any], screen: Screen[Any], keys: Mapping[str, str]
) -> Iterator[SystemCommand]:
    """Yield every action that works on `screen`. `keys` are the remapped keys, by action name."""
    for action in ACTIONS:
        if action.name != "program.palette" and _works_on(screen, action):
            shown_keys = key_label(keys.get(action.name, action.keys))
            run = partial(_run, app, screen, action)
            yield SystemCommand(action.help, f"{shown_keys}  {action.name}".strip(), run)


def _works_on(screen: Screen[Any], action: Action) -> bool:
    if isinstance(screen, MainScreen):
        return action.place is not KeyContext.LAB
    if action.place is KeyContext.LAB:
        from app.screens.lab import LabScreen

        return isinstance(screen, LabScreen)
    return action.place is KeyContext.PROGRAM


async def _run(app: App[Any], screen: Screen[Any], action: Action) -> None:
    """Run the action where its key would be handled; focus a side panel before its actions."""
    target: Any = screen.focused
    if action.place is KeyContext.PROGRAM:
        target = app
    elif action.place in (KeyContext.MAIN, KeyContext.LAB):
        target = screen
    elif isinstance(screen, MainScreen):
        if action.place is KeyContext.PANELS:
            target = screen.workspace
        elif action.place in _PANEL_OF:
            side = _PANEL_OF[action.place]
            screen.workspace.focus_panel(side)
            target = screen.sides[side].widget
    await app.run_action(action.command, target)
