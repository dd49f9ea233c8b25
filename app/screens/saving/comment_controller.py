"""Add and change the comments on the selected packet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from app.bridge import Bridge
from app.screens.filter.filter_controller import FilterController
from app.screens.workspace import Workspace
from core.store.snapshot import Snapshot


class CommentController:
    """The comments of the packets in one table. `shown` returns the snapshot in it.

    `save_key` is the key that saves packets, as the user reads it.
    """

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        filter: FilterController,
        shown: Callable[[], Snapshot],
        save_key: str,
    ) -> None:
        self._table, self._panels = workspace.table, workspace.panels
        self._bridge, self._filter, self._shown = bridge, filter, shown
        self._save_key = save_key

    def edit(self) -> None:
        """Ask for the comments on the selected packet."""
        from app.screens.dialogs.comments import EditComments

        number, shown = self._table.selected, self._shown()
        if number is None or not shown.first <= number <= shown.count:
            self._table.notify("no packet in memory is selected", severity="warning")
            return
        dialog = EditComments(number, shown.comments.get(number, ()), self._save_key)
        self._table.app.push_screen(dialog, partial(self._keep, number))

    def _keep(self, number: int, comments: tuple[str, ...] | None) -> None:
        if comments is not None and comments != self._shown().comments.get(number, ()):
            self._bridge.set_comments(number, comments)

    def show(self) -> None:
        """Show the comments of the selected packet in the tree once the store has changed them."""
        selected, shown = self._panels.selected, self._shown()
        if selected is None or selected.packet.number < shown.first:
            return
        number = selected.packet.number
        if shown.comments.get(number, ()) != selected.comments:
            self._panels.show(shown, number)
            self._table.refresh()
            self._filter.apply_again("frame.comment")
