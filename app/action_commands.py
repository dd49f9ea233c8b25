"""The actions of the keymap in the command palette: their order, their lines, and what runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.app import App
from textual.command import Hit, Hits, Provider
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.style import Style

from app.action_search import Rank, in_order, rank
from app.keymap import Action, KeyContext
from app.screens.main import MainScreen
from app.textual_bindings import key_label

TITLE_WIDTH, KEYS_WIDTH = 40, 12  # cells; the group follows
_QUIET = Style(dim=True, bold=False)
_WIDGET_OF = {
    KeyContext.LIST: "packets",
    KeyContext.TABLE: "packets",
    KeyContext.DETAIL: "detail",
    KeyContext.HEX: "hex",
    KeyContext.CLIENTS: "clients",
    KeyContext.COUNTS: "statistics-table",
    KeyContext.RATE: "time-plot",
    KeyContext.FORM: "form",
    KeyContext.RESULT: "result",
}


@dataclass(frozen=True, slots=True)
class ActionCommand:
    """An action in the palette, with its keys as the user reads them. `run` is a coroutine."""

    action: Action
    keys: str
    run: Callable[[], Any]

    @property
    def line(self) -> str:
        """The help text of the action, its keys, and its group."""
        group = self.action.group.value
        return f"{self.action.help:<{TITLE_WIDTH}}{self.keys:<{KEYS_WIDTH}}{group}"


def action_commands(
    app: App[Any], screen: Screen[Any], keys: Mapping[str, str]
) -> Iterator[ActionCommand]:
    """Yield every action that works on `screen`, in the order of the groups.

    `keys` are the remapped keys, by action name.
    """
    for action in in_order():
        if action.name != "program.palette" and _works_on(screen, action):
            shown_keys = key_label(keys.get(action.name, action.keys))
            yield ActionCommand(action, shown_keys, partial(_run, app, screen, action))


class ActionProvider(Provider):
    """Offers the actions to Textual's palette, which sorts hits by their score."""

    def __init__(
        self, screen: Screen[Any], match_style: Style | None = None, *, keys: Mapping[str, str]
    ) -> None:
        super().__init__(screen, match_style)
        self._commands = tuple(action_commands(self.app, screen, keys))

    async def discover(self) -> Hits:
        """Yield all actions in order."""
        for place, command in enumerate(self._commands):
            yield self._hit(command, -place)

    async def search(self, query: str) -> Hits:
        """Yield the actions that the words describe: the best first, equal ones in order.

        Without any, yield those whose help text has the letters of the query in this order.
        """
        found = [(rank(one.action, one.keys, query), one) for one in self._commands]
        best = [(float(value), one) for value, one in found if value is not Rank.NONE]
        if not best:
            matcher = self.matcher(query)
            found_letters = [(matcher.match(one.action.help), one) for one in self._commands]
            best = [(score, one) for score, one in found_letters if score > 0]
        for place, (score, command) in enumerate(best):
            yield self._hit(command, score - place / 1000, query)

    def _hit(self, command: ActionCommand, score: float, query: str = "") -> Hit:
        line = Content(command.line).stylize(_QUIET, TITLE_WIDTH)
        folded = command.action.help.casefold()
        for word in query.casefold().split():
            start = folded.find(word)
            if start >= 0 and self.match_style is not None:
                line = line.stylize(self.match_style, start, start + len(word))
        return Hit(score, line, command.run, text=command.action.help)


def _works_on(screen: Screen[Any], action: Action) -> bool:
    if isinstance(screen, MainScreen):
        return action.place is not KeyContext.LAB
    if action.place is KeyContext.LAB:
        from app.screens.lab import LabScreen

        return isinstance(screen, LabScreen)
    return action.place is KeyContext.PROGRAM


async def _run(app: App[Any], screen: Screen[Any], action: Action) -> None:
    """Run the action where its key is handled now; else focus its panel first."""
    target: Any = _bound(screen, action)
    if target is None and action.place is KeyContext.PROGRAM:
        target = app
    elif target is None and isinstance(screen, MainScreen):
        target = _opened(screen, action.place)
    await app.run_action(action.command, target or screen)


def _bound(screen: Screen[Any], action: Action) -> DOMNode | None:
    """Return the node that handles the action's key now, or None."""
    bound = screen.active_bindings.values()
    return next((active.node for active in bound if active.binding.id == action.name), None)


def _opened(screen: MainScreen, context: KeyContext) -> DOMNode | None:
    """Focus the panel of a context, and return the node that handles its keys."""
    for side in screen.sides.panels:
        if side.keys is context:
            screen.workspace.focus_panel(side.id)
            return screen.sides[side.id].widget
    if context is KeyContext.PANELS:
        return screen.workspace
    if context not in _WIDGET_OF:
        return None
    widget = screen.query_one(f"#{_WIDGET_OF[context]}")
    panels = screen.workspace.panel_ids
    panel = next(node.id for node in widget.ancestors_with_self if node.id in panels)
    screen.workspace.focus_panel(panel)
    widget.focus()
    return widget
