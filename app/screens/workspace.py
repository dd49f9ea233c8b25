"""The packet table and the panels below it: how they divide the room, and which has the focus.

From `BESIDE` columns on, detail and hex are side by side below the table; with fewer, one of them
is shown, and a line of tabs says which. An open *side panel* is beside them from `WIDE` columns on,
and is one more tab with fewer. A zoomed panel has all of the room. Nothing is mounted or removed
for that, so a resize cannot lose a selection or a scroll position.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive
from textual.widget import Widget

from app.config.config_writer import Changes
from app.config.schema import TableSettings
from app.keymap import KeyContext
from app.screens.panels import Panels, PanelTabs
from app.screens.side_panels import SidePanel
from app.screens.table.dividers import Dividers
from app.screens.table.split import Split
from app.textual_bindings import bindings, with_keys
from widgets.detail.packet_detail import PacketDetail
from widgets.packets.packet_table import PacketTable

PACKET_TABS = (("detail", "Detail"), ("hex", "Hex"))
BESIDE = 110  # columns from which detail and hex are side by side
WIDE = 140  # columns from which a side panel is beside them


class Workspace(Vertical):
    """Table, tabs, panels. `sides` are the side panels; `panel_ids` are those of all panels."""

    BLANK = True  # its children cover it: its own lines need no styles
    BINDINGS = bindings(KeyContext.PANELS)

    panel: reactive[str] = reactive("packets", init=False)  # the one that has the focus
    side: reactive[str] = reactive("", init=False)  # the side panel that is open
    zoomed: reactive[bool] = reactive(False, init=False)

    _moved_to: int | None = None  # where an eviction put the selection

    def __init__(
        self,
        sides: Sequence[SidePanel],
        settings: TableSettings,
        save: Callable[[Changes], None],
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._sides = {side.id: side for side in sides}
        self.panel_ids = ("packets", *(panel for panel, _ in PACKET_TABS), *self._sides)
        self.table = with_keys(PacketTable(id="packets"), KeyContext.TABLE, KeyContext.LIST)
        self.panels = Panels(id="panels")
        self.split = Split(self, self.table, self.panels, settings, save)
        self.dividers = Dividers(self, self.panels, self.panels.hex, settings, save)
        titles = ((side.id, side.title) for side in sides)
        self._tabs = PanelTabs((*PACKET_TABS, *titles), id="tabs")

    def compose(self) -> ComposeResult:
        yield self.table
        yield self._tabs
        yield self.panels

    def on_mount(self) -> None:
        self.watch(self.panels, "bytes_title", self._rename_bytes, init=False)

    def _rename_bytes(self, title: str) -> None:
        self._tabs.rename("hex", title)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        for node in event.widget.ancestors_with_self:
            if node.id in self.panel_ids:
                self.panel = node.id
                return

    def on_resize(self, event: events.Resize) -> None:
        self.lay_out_panels()

    def watch_panel(self) -> None:
        if self.panel != "packets":
            self._tabs.shown = self.panel
        if self.panel in self._sides:
            self.side = self.panel
        self.lay_out_panels()

    def watch_side(self) -> None:
        if not self.side and self._tabs.shown in self._sides:
            self._tabs.shown = "detail"
        self.lay_out_panels()

    def watch_zoomed(self) -> None:
        self.lay_out_panels()

    def lay_out_panels(self) -> None:
        """Show the panels for which there is room. At once, so that a panel can take the focus."""
        visible = self._visible()
        is_alone = len(visible - {"packets"}) == 1
        for name in self.panel_ids:
            for panel in self.query(f"#{name}"):  # side panels are mounted last
                panel.display = name in visible
                if panel.display:
                    panel.set_class(is_alone, "-alone")
        self.panels.display = visible != {"packets"}
        self._tabs.display = self.panels.display and not self.zoomed and len(self._tabbed()) > 1
        self._tabs.set_class(self.panel != "packets", "-focused")
        self.set_class(bool(visible & set(self._sides)), "-side")
        for name in self._sides:
            self.set_class(name in visible, f"-{name}")
        self.split.arrange(has_side=bool(visible & set(self._sides)))
        self.dividers.arrange()

    def _visible(self) -> set[str]:
        if self.zoomed:
            return {self.panel}
        shown = self._tabs.shown
        return {"packets", *next(panels for panels in self._tabbed() if shown in panels)}

    def _tabbed(self) -> list[tuple[str, ...]]:
        """Return the panels that are shown together; more than one group is behind tabs."""
        width, sides = self.size.width, ((self.side,) if self.side else ())
        if width < BESIDE:
            return [("detail",), ("hex",), *((side,) for side in self._sides)]
        if width < WIDE and sides:
            return [("detail", "hex"), sides]
        return [("detail", "hex", *sides)]

    def on_panel_tabs_tab_clicked(self, event: PanelTabs.TabClicked) -> None:
        self.focus_panel(event.panel)

    def on_packet_table_selection_evicted(self, event: PacketTable.SelectionEvicted) -> None:
        """Report the eviction of a packet that the user selected.

        The selection then moves to the oldest packet held; do not report each of those.
        """
        if event.number != self._moved_to:
            self.notify(
                f"packet {event.number:,} was removed from memory to make room", severity="warning"
            )
        self._moved_to = event.now

    def focus_panel(self, panel: str) -> None:
        """Focus a panel, and show it first if it is hidden. Do nothing before it is mounted."""
        for widget in self.query(f"#{panel}"):
            self.panel = panel
            widget.focus()

    def focus_table(self) -> bool:
        """Focus the packet table; return True."""
        self.focus_panel("packets")
        return True

    def show_packet(self, number: int) -> None:
        """Select a packet and focus the table; do nothing if the table does not hold it."""
        if self.table.select(number):
            self.zoomed = False
            self.focus_panel("packets")

    def on_packet_detail_packet_chosen(self, event: PacketDetail.PacketChosen) -> None:
        """Select the packet that a row of the detail tree leads to. The focus stays there."""
        event.stop()
        if not self.table.select(event.number):
            words = f"packet {event.number:,} is not in the table: filtered out, or removed"
            self.notify(words, severity="warning", markup=False)

    def open_side(self, side: str) -> None:
        """Focus a side panel, and zoom it if it needs all of a narrow screen."""
        self.focus_panel(side)
        if self._sides[side].fills_narrow_screens and self.size.width < BESIDE:
            self.zoomed = True

    def show_side_beside(self, side: str) -> None:
        """Show a side panel without the focus, if there is room and no other one is open."""
        if self.size.width >= WIDE and not self.side:
            self.side = side

    def action_move_panel(self, step: int) -> None:
        """Focus the next part of the panel, or the next panel, those behind tabs included."""
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
        """Return the parts of a panel that take the focus one after the other."""
        found = self.query_one(f"#{panel}").query(".part")
        return [part for part in found if part.display]

    def action_side(self, side: str) -> None:
        """Go to a side panel; from there, close it."""
        if self.panel == side:
            self.close_side()
        else:
            self.open_side(side)

    def close_side(self) -> bool:
        """Close the side panel that is open. Return False without one."""
        if not self.side:
            return False
        if self.panel == self.side:
            self.zoomed = False
            self.focus_panel("packets")
        self.side = ""
        return True

    def action_split(self, steps: int) -> None:
        self.split.move(steps)

    @on(events.MouseDown)
    @on(events.MouseMove)
    @on(events.MouseUp)
    def drag_lines(self, event: events.MouseEvent) -> None:
        """Let the mouse move the lines between the table and the panels, and between these."""
        self.split.handle(event)
        self.dividers.handle(event)

    def action_zoom(self) -> None:
        self.zoomed = not self.zoomed

    def unzoom(self) -> bool:
        """Restore the layout. Return False if no panel is zoomed."""
        was_zoomed = self.zoomed
        self.zoomed = False
        return was_zoomed
