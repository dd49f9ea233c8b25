"""The main screen: what it is made of, and what its keys do.

It polls the bridge and shows what it got. *Paused* means that it keeps the packets it shows
and only counts the ones that came since; the capture goes on. Layout is a matter of style
classes: the width and height classes of Textual's breakpoints, ``-show-PANEL`` for the tab
in view where there is room for one panel only, ``-zoom-PANEL`` for the one that has it all.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Static

from app.actions import Place, bindings
from app.bridge import POLL_HZ, Bridge, Scene
from app.screens.banner import Banner
from app.screens.copying import choices
from app.screens.dialog import Copy, GoTo
from app.screens.key_bar import KeyBar
from app.screens.panels import Panels, PanelTabs
from core.engine import State
from widgets.packet_table import PacketTable
from widgets.status_bar import StatusBar

PANELS = ("packets", "detail", "hex")
WIDE = 140  # columns from which detail and hex stand side by side
SMALLEST = (40, 10)  # columns and lines below which nothing sensible fits


class Packets(PacketTable, inherit_bindings=False):
    """The packet table with the registry's keys."""

    BINDINGS = bindings(Place.TABLE, Place.LIST)


class TooSmall(Static):
    """Stands in for everything while the terminal is too small."""

    def on_resize(self) -> None:
        columns, lines = self.screen.size
        self.update(f"{columns}×{lines} is too small:\nrawscope needs {SMALLEST[0]}×{SMALLEST[1]}")


class MainScreen(Screen[None]):
    """The status bar, the table, the panels and the key bar."""

    BINDINGS = bindings(Place.MAIN)
    AUTO_FOCUS = "#packets"
    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-thin"), (SMALLEST[0], "-narrow"), (WIDE, "-wide")]
    VERTICAL_BREAKPOINTS: ClassVar = [(0, "-flat"), (SMALLEST[1], "-low"), (30, "-high")]

    paused: reactive[bool] = reactive(False, init=False)
    panel: reactive[str] = reactive("packets", init=False)  # the one that has the focus
    zoomed: reactive[bool] = reactive(False, init=False)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.bridge = bridge
        self.scene = bridge.poll()  # the newest
        self.shown = self.scene.packets  # what the table shows: older while paused

    def compose(self) -> ComposeResult:
        yield StatusBar(id="status")
        yield Banner(id="banner")
        yield Packets(id="packets")
        yield PanelTabs(id="tabs")
        yield Panels(id="panels")
        yield KeyBar(id="keys")
        yield TooSmall(id="too-small")

    def on_mount(self) -> None:
        self.add_class("-show-detail")
        self.watch(self.table, "selected", self._selected, init=False)
        self._show(self.scene)
        self.set_interval(1 / POLL_HZ, self._poll)

    @property
    def table(self) -> Packets:
        """The packet table."""
        return self.query_one(Packets)

    @property
    def panels(self) -> Panels:
        """Detail and hex of the selected packet."""
        return self.query_one(Panels)

    # -- what is so, onto the screen ----------------------------------------------------

    def _poll(self) -> None:
        self._show(self.bridge.poll())

    def _show(self, scene: Scene) -> None:
        self.scene = scene
        if not self.paused and (scene.packets is not self.shown or not self.table.is_filled):
            self._show_packets()
        arrived = scene.packets.count - self.shown.count if self.paused else 0
        self.query_one(StatusBar).show(status_line(scene, arrived))
        self.query_one(Banner).show(scene.message, scene.severity)
        self.query_one(KeyBar).labels = {
            "view.pause": "resume" if self.paused else "pause",
            "capture.toggle": "stop" if scene.engine.state is State.LIVE else "start",
        }

    def _selected(self, number: int | None) -> None:
        self.panels.show(self.shown, number)

    def watch_paused(self) -> None:
        self._show(self.scene)

    # -- panels --------------------------------------------------------------------------

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget.id in PANELS:
            self.panel = event.widget.id

    def watch_panel(self) -> None:
        if self.panel != "packets":
            self.query_one(PanelTabs).shown = self.panel
            for name in PANELS[1:]:
                self.set_class(name == self.panel, f"-show-{name}")
        self.watch_zoomed()

    def watch_zoomed(self) -> None:
        for name in PANELS:
            self.set_class(self.zoomed and name == self.panel, f"-zoom-{name}")

    def on_panel_tabs_picked(self, event: PanelTabs.Picked) -> None:
        self.action_focus_panel(event.panel)

    def action_focus_panel(self, panel: str) -> None:
        self.panel = panel  # first, so that a hidden panel is there to take the focus
        self.query_one(f"#{panel}").focus()

    def action_move_panel(self, step: int) -> None:
        self.action_focus_panel(PANELS[(PANELS.index(self.panel) + step) % len(PANELS)])

    def action_zoom(self) -> None:
        self.zoomed = not self.zoomed

    def action_close(self) -> None:
        if self.zoomed:
            self.zoomed = False
        elif not self.query_one(Banner).close():
            self.action_focus_panel("packets")

    # -- packets -------------------------------------------------------------------------

    def action_pause(self) -> None:
        self.paused = not self.paused

    def action_on_table(self, method: str) -> None:
        """What the table can do, from every panel."""
        getattr(self.table, method)()

    def action_go_to(self) -> None:
        if self.shown.count >= self.shown.first:
            self.app.push_screen(GoTo(self.shown.first, self.shown.count), self._go_to)

    def _go_to(self, number: int | None) -> None:
        if number is not None:
            self.table.select(number)

    def action_copy(self) -> None:
        found = choices(self.panel, self.table, self.panels)
        if found:
            self.app.push_screen(Copy(found), self._copy)

    def _copy(self, text: str | None) -> None:
        if text is not None:
            self.app.copy_to_clipboard(text)
            self.notify(f"{len(text):,} characters to the clipboard", title="Copied", timeout=3)
