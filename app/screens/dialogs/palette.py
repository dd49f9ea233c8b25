"""The command palette, and lists of options, where Textual's own (8.2) can end the program.

* A page key that reaches a list before its lines are laid out, as in the palette while its hits are
  being replaced, raises `KeyError`.
* The palette's search is a worker of the application. Where it is slow, the palette can be closed
  before it ends; then it misses its list, raises `NoMatches`, and the application with it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from textual.command import CommandPalette
from textual.widgets import OptionList
from textual.worker import Worker


class Options(OptionList):
    """A list of options; a page key does nothing before its lines are laid out."""

    def action_page_down(self) -> None:
        with suppress(KeyError):
            super().action_page_down()  # type: ignore[no-untyped-call]

    def action_page_up(self) -> None:
        with suppress(KeyError):
            super().action_page_up()  # type: ignore[no-untyped-call]


class Palette(CommandPalette):
    """Textual's command palette, which cannot end the program."""

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):
            super()._action_command_list(action)

    def run_worker(self, *arguments: Any, **options: Any) -> Worker[Any]:
        """Start the search; its failure is its own."""
        return super().run_worker(*arguments, **{**options, "exit_on_error": False})
