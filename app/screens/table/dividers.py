"""The lines between the panels that are side by side: the mouse drags them.

Without a choice of the user, the styles divide the width. Hex and the side panel each have a width
of their own, which is remembered, and hex has another one beside a side panel; the detail tree
takes the rest.
"""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.widget import Widget

from app.config.config_writer import Changes
from app.config.schema import TableSettings
from app.config.value_types import SPLIT_LEAST, SPLIT_MOST
from widgets.layout import refresh_layout

LEAST_CELLS = 20  # of each panel


class Dividers:
    """Divides the width of `panels`, of which `hex` is one.

    `save` remembers settings of the section ``[table]``.
    """

    def __init__(
        self,
        workspace: Widget,
        panels: Widget,
        hex: Widget,
        settings: TableSettings,
        save: Callable[[Changes], None],
    ) -> None:
        self._workspace, self._panels, self._hex = workspace, panels, hex
        self._shares = {
            "hex_width": settings.hex_width,
            "side_hex_width": settings.side_hex_width,
            "side_width": settings.side_width,
        }
        self._save = save
        self._held: Widget | None = None  # the panel whose left line the mouse holds

    @property
    def _visible(self) -> list[Widget]:
        return [panel for panel in self._panels.children if panel.display]

    def _setting(self, panel: Widget) -> str:
        if panel is not self._hex:
            return "side_width"
        return "hex_width" if panel is self._visible[-1] else "side_hex_width"

    def arrange(self) -> None:
        """Divide the width among the panels that are shown; the first one takes the rest."""
        first, *others = self._visible or [self._panels]
        for panel in others:
            share = self._shares[self._setting(panel)]
            if share:
                panel.styles.width = f"{share}%"
                continue
            self._clear(panel)
        self._clear(first)

    @staticmethod
    def _clear(panel: Widget) -> None:
        """Let the styles decide about the width again."""
        if panel.styles.inline.has_rule("width"):
            panel.styles.clear_rule("width")
            refresh_layout(panel)

    def handle(self, event: events.MouseEvent) -> None:
        """Let a drag of a line move it."""
        if isinstance(event, events.MouseDown):
            self._held = self._at(event.screen_x, event.screen_y) if event.button == 1 else None
            if self._held is not None:
                self._workspace.screen.clear_selection()  # a drag here selects no text
        elif isinstance(event, events.MouseUp):
            if self._held is not None:
                self._held = None
                self._workspace.release_mouse()
        elif self._held is not None and event.screen_x != self._held.region.x:
            self._workspace.capture_mouse()
            self._take(self._held, event.screen_x)

    def _at(self, x: int, y: int) -> Widget | None:
        """Return the panel whose left line is in this cell of the screen."""
        for panel in self._visible[1:]:
            region = panel.region
            if x == region.x and region.y < y < region.bottom:
                return panel
        return None

    def _take(self, panel: Widget, x: int) -> None:
        """Move the left line of a panel to a column of the screen, as far as there is room."""
        total, first = self._panels.size.width, self._visible[0]
        most = panel.size.width + first.size.width - LEAST_CELLS
        cells = max(LEAST_CELLS, min(panel.region.right - x, most))
        share = max(SPLIT_LEAST, min(-(-100 * cells // max(1, total)), SPLIT_MOST))
        setting = self._setting(panel)
        if share != self._shares[setting]:
            self._shares[setting] = share
            self.arrange()
            self._save({setting: share})
