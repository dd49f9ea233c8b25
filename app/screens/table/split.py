"""The line between the packet table and the panels below it: how many lines each has.

Without a choice of the user, the styles divide the room. A side panel needs more of it than the
detail tree does, so the line has a place of its own while one is open; both are remembered. A file
with few packets leaves to the panels the lines that the table cannot fill.
"""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.widget import Widget

from app.config.config_writer import Changes
from app.config.schema import TableSettings
from app.config.value_types import SPLIT_LEAST, SPLIT_MOST
from widgets.layout import refresh_layout

STEP = 5  # percent


class Split:
    """Divides the height of `workspace` between its `table` and its `panels`.

    `save` remembers settings of the section ``[table]``.
    """

    def __init__(
        self,
        workspace: Widget,
        table: Widget,
        panels: Widget,
        settings: TableSettings,
        save: Callable[[Changes], None],
    ) -> None:
        self._workspace, self._table, self._panels = workspace, table, panels
        self._shares = {"split": settings.split, "side_split": settings.side_split}
        self._save = save
        self._setting = "split"  # the one for the panels that are open
        self._most_lines: int | None = None
        self._is_held = False

    def arrange(self, *, has_side: bool) -> None:
        """Divide the room for the panels that are shown, with a side panel or without."""
        self._setting = "side_split" if has_side else "split"
        share = self._shares[self._setting]
        if share:
            self._table.styles.height = f"{share}fr"
            self._panels.styles.height = f"{100 - share}fr"
        elif self._table.styles.inline.has_rule("height"):
            for widget in (self._table, self._panels):
                widget.styles.clear_rule("height")
                refresh_layout(widget)
        self._bound()

    def limit(self, lines: int | None) -> None:
        """Give the table no more than `lines` lines, its heading included; None for no limit."""
        bound = None if lines is None else min(lines, self._workspace.size.height or lines)
        if bound != self._most_lines:
            self._most_lines = bound
            self._bound()

    def _bound(self) -> None:
        """Set the limit, unless the table has all of the room."""
        bound = self._most_lines if self._panels.display else None
        if bound is not None:
            self._table.styles.max_height = bound
        elif self._table.styles.inline.has_rule("max_height"):
            self._table.styles.clear_rule("max_height")
            refresh_layout(self._table)

    def move(self, steps: int) -> None:
        """Move the line by steps: down if positive, up if negative."""
        now = self._shares[self._setting] or self._lines * 100 // max(1, self._room)
        self._take(now + steps * STEP)

    @property
    def _lines(self) -> int:
        return self._table.outer_size.height

    @property
    def _room(self) -> int:
        return self._lines + self._panels.outer_size.height

    def _take(self, share: int) -> None:
        share = max(SPLIT_LEAST, min(share, SPLIT_MOST))
        if share != self._shares[self._setting] and self._panels.display and self._table.display:
            self._shares[self._setting] = share
            self.arrange(has_side=self._setting == "side_split")
            self._save({self._setting: share})

    # -- the mouse --------------------------------------------------------------------------

    def handle(self, event: events.MouseEvent) -> None:
        """Let a drag of the line move it. A click on it keeps its meaning for the tabs there."""
        if isinstance(event, events.MouseDown):
            line = self._table.region.bottom
            self._is_held = (event.button, event.screen_y) == (1, line) and self._panels.display
            if self._is_held:
                self._workspace.screen.clear_selection()  # a drag here selects no text
        elif isinstance(event, events.MouseUp):
            self._is_held = False
            self._workspace.release_mouse()
        elif self._is_held and event.screen_y != self._table.region.bottom:
            self._workspace.capture_mouse()
            lines = event.screen_y - self._table.region.y
            self._take(-(-100 * lines // max(1, self._room)))
