"""The main screen: what it is made of, and what its keys do.

It polls the bridge and shows what it got. *Paused* means that it keeps the packets it shows
and only counts the ones that came since; the capture goes on. How the panels share the room
is the workspace's business.
"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Static

from app.actions import Place, bindings
from app.bridge import POLL_HZ, Bridge, Scene
from app.forging import Forger
from app.screens.banner import Banner
from app.screens.copying import choices, recipe_choices
from app.screens.dialog import Copy, GoTo
from app.screens.echo import Echo
from app.screens.forge import ForgePanel
from app.screens.forge_parts import held_of, why_blind
from app.screens.key_bar import KeyBar
from app.screens.only import Only, OnlyLine, client_of, of_client
from app.screens.panels import Panels
from app.screens.status import message_of, status_line, why_empty
from app.screens.too_small import SMALLEST, TooSmall
from app.screens.workspace import BESIDE, WIDE, Packets, Workspace
from core.capture.options import ANY
from core.engine import State
from core.forge.evaluation import evaluate
from core.forge.from_packet import draft_of
from core.store.connection import tcp_ends
from widgets.echo_clients import EchoClients
from widgets.packet_row import RowReader
from widgets.status_bar import StatusBar


class MainScreen(Screen[None]):
    """The status bar, the table, the panels and the key bar."""

    BLANK = True  # as the workspace
    BINDINGS = bindings(Place.MAIN)
    AUTO_FOCUS = "#packets"
    HORIZONTAL_BREAKPOINTS = [
        (0, "-thin"),
        (SMALLEST[0], "-narrow"),
        (BESIDE, "-beside"),
        (WIDE, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (SMALLEST[1], "-high")]

    paused: reactive[bool] = reactive(False, init=False)
    only: reactive[Only | None] = reactive(None, init=False)  # whose packets the table shows

    def __init__(self, bridge: Bridge, forger: Forger) -> None:
        super().__init__()
        self.bridge = bridge
        self.forger = forger
        self.scene = bridge.poll()  # the newest
        self.shown = self.scene.packets  # what the table shows: older while paused
        self._told = ""
        self._picked: int | None = None  # the client whose packets to show from the next scene on

    def compose(self) -> ComposeResult:
        yield StatusBar(id="status")
        yield Banner(id="banner")
        sides = ForgePanel(self.forger, id="forge"), Echo(self.bridge)
        yield Workspace(*sides, id="workspace")
        yield KeyBar(id="keys")
        yield Static(id="empty", markup=False)
        yield TooSmall(id="too-small")

    def on_mount(self) -> None:
        self.watch(self.table, "selected", self._selected, init=False)
        self.call_after_refresh(self.poll)  # when the table knows its size
        self.set_interval(1 / POLL_HZ, self.poll)

    @property
    def workspace(self) -> Workspace:
        """The table and the panels."""
        return self.query_one(Workspace)

    @property
    def table(self) -> Packets:
        """The packet table."""
        return self.query_one(Packets)

    @property
    def panels(self) -> Panels:
        """Detail and hex of the selected packet."""
        return self.query_one(Panels)

    @property
    def echo(self) -> Echo:
        """The echo panel."""
        return self.query_one(Echo)

    @property
    def forge(self) -> ForgePanel:
        """The forge panel."""
        return self.query_one(ForgePanel)

    def poll(self) -> None:
        """Show what is so now."""
        self._show(self.bridge.poll())

    def _show(self, scene: Scene) -> None:
        turned, before, self.scene = scene.turn != self.scene.turn, self.scene, scene
        if scene.engine.state is not before.engine.state:
            self.refresh_bindings()
        if turned:
            self.set_reactive(MainScreen.paused, False)
        if not self.paused:
            self.shown = scene.packets  # before the table, whose selection may move by it
        if turned:
            self.table.clear()
        if self.table.selected is None:  # what comes live is followed, a file is not
            self.table.follow = scene.engine.piped or not scene.engine.file
        if not self.paused:
            self.table.show(self.shown)
        if self.echo.display:
            self.echo.show(scene.echo)
        self._show_forge(scene)
        self._keep_only_picked(scene)
        paused_at = self.shown.count if self.paused else None
        self.query_one(StatusBar).show(status_line(scene, paused_at))
        self._tell(scene)
        empty, words = self.query_one("#empty", Static), why_empty(scene)
        empty.display = not self.shown.count and self.table.display
        if empty.content != words:
            empty.update(words)
        self.query_one(KeyBar).labels = {
            "view.pause": "resume" if self.paused else "pause",
            "capture.toggle": _toggle_label(scene),
            "panel.zoom": "unzoom" if self.workspace.zoomed else "zoom",
            "panel.close": "stop sending" if self.forge.is_sending else "",
        }

    def _show_forge(self, scene: Scene) -> None:
        """What is on its way, and what was found of it among the packets."""
        blind = why_blind(scene.engine, self.forger.scene().report.interface)
        self.forger.follow(scene.packets, scene.turn, blind)
        forging = self.forger.scene()
        captured = scene.engine.interfaces if scene.engine.state is State.LIVE else ()
        self.forge.captured = captured[0] if len(captured) == 1 and captured[0] != ANY else ""
        self.table.ours = forging.ours
        self.forge.show(forging)

    def _tell(self, scene: Scene) -> None:
        """Show what a person must know; what was read and closed does not come back."""
        message, severity = message_of(scene)
        if message != self._told:
            self._told = message
            self.query_one(Banner).show(message, severity)

    def _selected(self, number: int | None) -> None:
        self.panels.show(self.shown, number)
        dissection = self.panels.dissection
        if dissection is None or self.table.follow or not self.echo.display:
            return
        if self.workspace.panel != "echo" and (ends := tcp_ends(dissection)) is not None:
            client = client_of(self.scene.echo, ends)
            if client is not None:
                self.echo.clients.select(client)

    # -- the packets of one client ------------------------------------------------------------

    def on_echo_clients_picked(self, event: EchoClients.Picked) -> None:
        """Shown from the next scene on: a key that is held would filter for every client."""
        self._picked = event.client

    def _keep_only_picked(self, scene: Scene) -> None:
        picked, self._picked = self._picked, None
        if picked is not None and (only := of_client(scene.echo, picked)) is not None:
            self.only = only
        held = self.shown.count - self.shown.evicted
        name = "" if self.only is None else self.only.name
        self.query_one(OnlyLine).show(name, self.table.line_count, held)

    def watch_only(self) -> None:
        self.table.keep_only(None if self.only is None else self.only.connection)

    def on_only_line_left(self) -> None:
        self.only = None
        self._show(self.scene)

    def action_only_client(self) -> None:
        """Only the packets of the client under the cursor; of all again, if it is the one."""
        client = self.echo.clients.selected
        if self.only is not None and self.only.client == client:
            self.only = None
        else:
            self._picked = client
        self._show(self.scene)

    def watch_paused(self) -> None:
        self._show(self.scene)

    # -- what the keys do -------------------------------------------------------------------

    def action_focus_panel(self, panel: str) -> None:
        self.workspace.focus_panel(panel)

    def action_close(self) -> None:
        banner = self.query_one(Banner)
        if self.forge.stop():
            return
        if self.workspace.zoomed:
            self.workspace.zoomed = False
        elif self.only is not None:
            self.only = None
            self._show(self.scene)
        elif banner.message:
            banner.show("")
        else:
            self.workspace.focus_panel("packets")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to pause where nothing comes."""
        coming = self.scene.engine.state in (State.LIVE, State.READING)
        return action != "pause" or self.paused or coming

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

    # -- forging ------------------------------------------------------------------------------

    def action_forge(self) -> None:
        """Fill the form from the selected packet; without one, go to the form as it is."""
        if self.panels.packet is not None and self.panels.dissection is not None:
            live = "" if self.scene.engine.file else self.panels.packet.interface.name
            filled = draft_of(self.panels.dissection)
            self.forge.fill(held_of(filled, live), "; ".join(filled.notes))
        self._go_to_forge()

    def action_show_forge(self) -> None:
        """Go to the form as it is; from there, close it."""
        if self.workspace.panel == "forge":
            self.workspace.action_side("forge")
        else:
            self._go_to_forge()

    def _go_to_forge(self) -> None:
        """Where there is little room, the forge has all of it."""
        self.workspace.focus_panel("forge")
        if self.workspace.size.width < WIDE:
            self.workspace.zoomed = True

    def action_resend(self) -> None:
        """Send the selected packet again: verbatim, if it was captured with its link header."""
        packet, dissection = self.panels.packet, self.panels.dissection
        if packet is not None and dissection is not None:
            self.forge.resend(packet, dissection, live=not self.scene.engine.file)
            if self.workspace.size.width >= WIDE and not self.workspace.side:
                self.workspace.side = "forge"

    def action_stop_sending(self) -> None:
        self.forge.stop()

    def on_forge_panel_packet_wanted(self, event: ForgePanel.PacketWanted) -> None:
        if self.table.select(event.number):
            self.workspace.zoomed = False
            self.workspace.focus_panel("packets")

    def action_copy(self) -> None:
        packet, dissection = self.panels.packet, self.panels.dissection
        if self.workspace.panel == "forge":
            found = recipe_choices(self.forge.evaluation, self.forge.interface)
            self.app.push_screen(Copy(found), self._copy)
        elif packet is not None and dissection is not None:
            row = RowReader().row(self.shown, packet.number)
            detail, hex_view = self.panels.detail, self.panels.hex
            found = choices(
                self.workspace.panel, row, packet.data, detail.selected_row, hex_view.highlighted
            )
            found += recipe_choices(evaluate(draft_of(dissection).draft), packet.interface.name)
            self.app.push_screen(Copy(found), self._copy)

    def _copy(self, text: str | None) -> None:
        if text is not None:
            self.app.copy_to_clipboard(text)
            self.notify(f"{len(text):,} characters to the clipboard", title="Copied", timeout=3)


def _toggle_label(scene: Scene) -> str:
    """What ^e does: over a file it asks on what to capture."""
    if scene.engine.state in (State.LIVE, State.READING):
        return "stop"
    return "capture" if scene.engine.file else "start"
