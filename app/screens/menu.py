"""Menus over the main screen: of a value, of a packet, and of the screen.

They offer what keys do to those who use the mouse. An action is in a menu under the name and the
key that the keymap gives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.geometry import Offset
from textual.widget import Widget

from app.keymap import BY_NAME
from app.screens.filter.filter_controller import FilterController
from app.textual_bindings import key_label

if TYPE_CHECKING:
    from app.screens.dialogs.filter_menu import FilterChoice

MORE, PALETTE = "view.menu", "program.palette"
PACKET_ACTIONS = (
    "packets.follow", "packets.color", "packets.mark", "packets.comment",
    "packets.time_reference", "", MORE,
)  # fmt: skip
"""The actions in the menu of a packet; an empty name is a line between two groups."""

FLOW_ACTIONS = ("packets.follow",)
"""The actions in the menu of a conversation."""

SCREEN_ACTIONS = (
    "packets.follow",
    "filter.edit",
    "filter.saved",
    "filter.toggle",
    "search.open",
    "search.next",
    "search.previous",
    "packets.go_to",
    "",
    "search.next_bad_checksum",
    "search.previous_bad_checksum",
    "search.next_reset",
    "search.previous_reset",
    "search.next_malformed",
    "search.previous_malformed",
    "packets.next_mark",
    "packets.previous_mark",
    "",
    "capture.interface",
    "capture.record",
    "packets.save",
    "panel.flows",
    "panel.statistics",
    "view.columns",
    "view.names",
    "view.colors",
    PALETTE,
)
"""The actions in the menu of the screen."""

_KEYS = {"packets.color": "c"}  # in menus only


class Menu:
    """Opens menus, and does what the user chooses.

    `widget` is on the main screen; `filter` is the filter that values change; `keys` are the
    remapped keys, by action name.
    """

    def __init__(self, widget: Widget, filter: FilterController, keys: Mapping[str, str]) -> None:
        self._widget, self._filter, self._keys = widget, filter, keys

    def open(
        self, title: str, choices: Sequence[FilterChoice | None], at: Offset | None = None
    ) -> None:
        """Offer choices, at a place of the screen if it is known."""
        from app.screens.dialogs.filter_menu import FilterMenu

        self._widget.app.push_screen(FilterMenu(title, choices, at), self._choose)

    def open_screen(self, at: Offset | None = None) -> None:
        """Offer the actions of the screen."""
        self.open("Menu", list(self.actions(SCREEN_ACTIONS)), at)

    def packet_actions(self) -> list[FilterChoice | None]:
        """Return the actions for the selected packet."""
        return list(self.actions(PACKET_ACTIONS))

    def flow_actions(self) -> list[FilterChoice | None]:
        """Return the actions for the selected conversation."""
        return list(self.actions(FLOW_ACTIONS))

    def actions(self, names: Sequence[str]) -> Iterator[FilterChoice | None]:
        """Yield a choice for each action."""
        from app.action_commands import action_commands
        from app.screens.dialogs.filter_menu import FilterChoice

        screen = self._widget.screen
        known = {each.action.name: each for each in action_commands(screen.app, screen, self._keys)}
        for name in names:
            if not name:
                yield None
            elif name == PALETTE:
                keys = key_label(self._keys.get(name, BY_NAME[name].keys))
                show = screen.app.action_command_palette
                yield FilterChoice(keys, BY_NAME[name].help, "", run=show)
            elif name in known:
                command = known[name]
                key = next(iter(command.keys.split()), _KEYS.get(name, ""))
                run = partial(screen.call_later, command.run)
                yield FilterChoice(key, command.action.help, "", run=run)

    def _choose(self, choice: FilterChoice | None) -> None:
        if choice is None:
            return
        if choice.run is not None:
            choice.run()
        elif choice.how:
            self._filter.combine_by(choice.expression, choice.how)
        else:
            self._widget.app.copy_to_clipboard(choice.text)
