"""The packet table and the panels below it: who gets how much of the room, and who the focus.

From `BESIDE` columns on, the table has detail and hex side by side below it; with fewer, one of
the two, and a line of tabs says which. A zoomed panel has all the room. Nothing is mounted
or taken down for that, so a resize cannot lose a selection or a scroll position.
"""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive

from app.actions import Place, bindings
from app.screens.panels import Panels, PanelTabs
from widgets.packet_table import PacketTable

PANELS = ("packets", "detail", "hex")
BESIDE = 110  # columns from which detail and hex stand side by side


class Packets(PacketTable, inherit_bindings=False):
    """The packet table with the registry's keys."""

    BINDINGS = bindings(Place.TABLE, Place.LIST)


class Workspace(Vertical):
    """Table, tabs, panels."""

    BINDINGS = bindings(Place.PANELS)

    panel: reactive[str] = reactive("packets", init=False)  # the one that has the focus
    zoomed: reactive[bool] = reactive(False, init=False)

    _moved_to: int | None = None  # where an eviction put the selection

    def compose(self) -> ComposeResult:
        yield Packets(id="packets")
        yield PanelTabs(id="tabs")
        yield Panels(id="panels")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget.id in PANELS:
            self.panel = event.widget.id

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def watch_panel(self) -> None:
        if self.panel != "packets":
            self.query_one(PanelTabs).shown = self.panel
        self._arrange()

    def watch_zoomed(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Show the panels there is room for. At once, so that a panel can take the focus."""
        tabs = self.query_one(PanelTabs)
        if self.zoomed:
            visible = {self.panel}
        elif self.size.width >= BESIDE:
            visible = set(PANELS)
        else:
            visible = {"packets", tabs.shown}
        for name in PANELS:
            panel = self.query_one(f"#{name}")
            panel.display = name in visible
            panel.set_class(len(visible) == 1, "-alone")
        panels = self.query_one(Panels)
        panels.display = visible != {"packets"}
        tabs.display = panels.display and self.size.width < BESIDE
        tabs.set_class(self.panel != "packets", "-focused")

    def on_panel_tabs_picked(self, event: PanelTabs.Picked) -> None:
        self.focus_panel(event.panel)

    def on_packet_table_selection_evicted(self, event: PacketTable.SelectionEvicted) -> None:
        """Say it once for what a person selected, not for every packet that follows it out."""
        if event.number != self._moved_to:
            self.notify(
                f"packet {event.number:,} was dropped from memory to make room", severity="warning"
            )
        self._moved_to = event.now

    def focus_panel(self, panel: str) -> None:
        """Go to a panel, and show it first if it is hidden."""
        self.panel = panel
        self.query_one(f"#{panel}").focus()

    def action_move_panel(self, step: int) -> None:
        self.focus_panel(PANELS[(PANELS.index(self.panel) + step) % len(PANELS)])

    def action_zoom(self) -> None:
        self.zoomed = not self.zoomed
