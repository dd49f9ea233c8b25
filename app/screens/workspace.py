"""The packet table and the panels below it: who gets how much of the room, and who the focus.

From `BESIDE` columns on, the table has detail and hex side by side below it; with fewer, one of
the two, and a line of tabs says which. A *side panel* that is open stands beside them from `WIDE`
columns on, and is one more tab with fewer. A zoomed panel has all the room. Nothing is mounted
or taken down for that, so a resize cannot lose a selection or a scroll position.
"""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive
from textual.widget import Widget

from app.bindings import bindings, with_keys
from app.keymap import KeyContext
from app.screens.connection_filter import ConnectionFilterLine
from app.screens.panels import Panels, PanelTabs
from widgets.packets.packet_table import PacketTable

MAIN_PANELS = ("packets", "detail", "hex")
SIDES = ("forge", "echo")
PANELS = MAIN_PANELS + SIDES
BESIDE = 110  # columns from which detail and hex stand side by side
WIDE = 140  # columns from which a side panel stands beside them


class Workspace(Vertical):
    """Table, tabs, panels."""

    BLANK = True  # what is in it covers it: its own lines need no styles
    BINDINGS = bindings(KeyContext.PANELS)

    panel: reactive[str] = reactive("packets", init=False)  # the one that has the focus
    side: reactive[str] = reactive("", init=False)  # the side panel that is open
    zoomed: reactive[bool] = reactive(False, init=False)

    _moved_to: int | None = None  # where an eviction put the selection

    def compose(self) -> ComposeResult:
        yield ConnectionFilterLine(id="only")
        yield with_keys(PacketTable(id="packets"), KeyContext.TABLE, KeyContext.LIST)
        yield PanelTabs(id="tabs")
        yield Panels(id="panels")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        for node in event.widget.ancestors_with_self:
            if node.id in PANELS:
                self.panel = node.id
                return

    def on_resize(self, event: events.Resize) -> None:
        self.lay_out_panels()

    def watch_panel(self) -> None:
        if self.panel != "packets":
            self.query_one(PanelTabs).shown = self.panel
        if self.panel in SIDES:
            self.side = self.panel
        self.lay_out_panels()

    def watch_side(self) -> None:
        tabs = self.query_one(PanelTabs)
        if not self.side and tabs.shown in SIDES:
            tabs.shown = "detail"
        self.lay_out_panels()

    def watch_zoomed(self) -> None:
        self.lay_out_panels()

    def lay_out_panels(self) -> None:
        """Show the panels there is room for. At once, so that a panel can take the focus."""
        tabs, visible = self.query_one(PanelTabs), self._visible()
        is_alone = len(visible - {"packets"}) == 1
        for name in PANELS:
            for panel in self.query(f"#{name}"):  # side panels are mounted last
                panel.display = name in visible
                if panel.display:
                    panel.set_class(is_alone, "-alone")
        panels = self.query_one(Panels)
        panels.display = visible != {"packets"}
        tabs.display = panels.display and not self.zoomed and len(self._tabbed()) > 1
        tabs.set_class(self.panel != "packets", "-focused")
        self.set_class(bool(visible & set(SIDES)), "-side")
        self.set_class("forge" in visible, "-forging")

    def _visible(self) -> set[str]:
        if self.zoomed:
            return {self.panel}
        shown = self.query_one(PanelTabs).shown
        return {"packets", *next(panels for panels in self._tabbed() if shown in panels)}

    def _tabbed(self) -> list[tuple[str, ...]]:
        """What is shown together below the table; more than one of these are behind tabs."""
        width, sides = self.size.width, ((self.side,) if self.side else ())
        if width < BESIDE:
            return [("detail",), ("hex",), *((side,) for side in SIDES)]
        if width < WIDE and sides:
            return [("detail", "hex"), sides]
        return [("detail", "hex", *sides)]

    def on_panel_tabs_picked(self, event: PanelTabs.Picked) -> None:
        self.focus_panel(event.panel)

    def on_packet_table_selection_evicted(self, event: PacketTable.SelectionEvicted) -> None:
        """Say it once for what the user selected, not for every packet that follows it out."""
        if event.number != self._moved_to:
            self.notify(
                f"packet {event.number:,} was dropped from memory to make room", severity="warning"
            )
        self._moved_to = event.now

    def focus_panel(self, panel: str) -> None:
        """Go to a panel, and show it first if it is hidden. Do nothing before it is mounted."""
        for widget in self.query(f"#{panel}"):
            self.panel = panel
            widget.focus()

    def action_move_panel(self, step: int) -> None:
        """The next panel of those that are there, tabs included; of the forge each part."""
        parts = self._parts(self.panel)
        here = next((i for i, part in enumerate(parts) if part.has_focus), len(parts))
        if 0 <= here + step < len(parts):
            parts[here + step].focus()
            return
        there = ["packets", *(panel for panels in self._tabbed() for panel in panels)]
        self.focus_panel(there[(there.index(self.panel) + step) % len(there)])
        if step < 0 and (parts := self._parts(self.panel)):
            parts[-1].focus()

    def _parts(self, panel: str) -> list[Widget]:
        """What is in a panel for keys to go to one after the other."""
        found = self.query_one(f"#{panel}").query(".part")
        return [part for part in found if part.display]

    def action_side(self, side: str) -> None:
        """Go to a side panel; from there, close it."""
        if self.panel != side:
            self.focus_panel(side)
            return
        self.zoomed = False
        self.focus_panel("packets")
        self.side = ""

    def action_zoom(self) -> None:
        self.zoomed = not self.zoomed
