"""The command palette and option lists, without two defects of Textual 8.2 that end the program.

* A page key raises `KeyError` if it reaches a list before its lines are laid out. The palette is in
  that state while it replaces its hits.
* The palette's search is a worker of the application. If the user closes the palette while the
  search runs, the search does not find the list and raises `NoMatches`, which ends the application.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.command import CommandPalette
from textual.widgets import OptionList
from textual.worker import Worker

from app.screens.dialogs.dialog import CTRL_C


class Options(OptionList):
    """A list of options that ignores page keys until its lines are laid out."""

    def action_page_down(self) -> None:
        with suppress(KeyError):
            super().action_page_down()  # type: ignore[no-untyped-call]

    def action_page_up(self) -> None:
        with suppress(KeyError):
            super().action_page_up()  # type: ignore[no-untyped-call]


class Palette(CommandPalette):
    """Textual's command palette, whose errors do not end the program."""

    BINDINGS: ClassVar[list[BindingType]] = [CTRL_C]

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):
            super()._action_command_list(action)

    def run_worker(self, *arguments: Any, **options: Any) -> Worker[Any]:
        """Start the search as a worker whose error does not end the application."""
        return super().run_worker(*arguments, **{**options, "exit_on_error": False})
