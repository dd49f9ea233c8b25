"""The screen of packets: status bar, table, panels and key bar, and what its keys do.

It polls the bridge and shows what it got. *Paused* means that it keeps the rows it shows and only
counts the packets that came since; the capture goes on. What the store evicts meanwhile is gone for
the paused view too, or there would be two stores' worth of memory: such a row stays in its place,
says so, and is counted; detail and bytes of the selected packet stay. How the panels share the room
is the workspace's business. What stands at the side is not known here: `app.screens.main` adds it.

The side panels are mounted once the first rows are painted: nobody sees them at the start, and
importing, mounting and styling them takes as long as all the rest. Keys that are typed
meanwhile wait in the `KeyQueue`.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from app.bridge import POLL_HZ, Bridge, Scene
from app.gc_policy import GcPolicy
from app.screens.banner import Banner
from app.screens.dialogs.too_small import SMALLEST, TooSmall
from app.screens.key_bar import KeyBar
from app.screens.panels import Panels
from app.screens.status import message_of, status_line, why_empty
from app.screens.workspace import BESIDE, WIDE, Workspace
from core.engine.engine import EngineState
from widgets.packets.packet_table import PacketTable
from widgets.status.bar import StatusBar

SIDES_AFTER_POLLS = 3  # even when no row has come by then
SIDES_DELAY_S = 0.02  # leaves the first rows time to be painted


class PacketScreen(Screen[None]):
    """The status bar, the table, the panels and the key bar."""

    BLANK = True  # as the workspace
    AUTO_FOCUS = "#packets"
    HORIZONTAL_BREAKPOINTS = [
        (0, "-thin"),
        (SMALLEST[0], "-narrow"),
        (BESIDE, "-beside"),
        (WIDE, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (SMALLEST[1], "-high")]

    paused: reactive[bool] = reactive(False, repaint=False, init=False)
    has_sides = False  # the side panels are mounted
    _polls_to_sides = SIDES_AFTER_POLLS

    class Ready(Message):
        """The screen is complete and every key has what it acts on."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.bridge = bridge
        self.scene = bridge.poll()  # the newest
        self.shown = self.scene.packets  # what the table shows: older while paused
        self._paused_first = 0  # the lowest number held when the view was paused
        self._told = ""
        self._basis: tuple[object, ...] = ()  # of what is shown
        self._settling = GcPolicy()

    def compose(self) -> ComposeResult:
        # Textual sets these at the first resize, after all is styled: everything is styled again.
        width, height = self.app.size
        self.add_class(
            _class_at(width, self.HORIZONTAL_BREAKPOINTS),
            _class_at(height, self.VERTICAL_BREAKPOINTS),
        )
        yield StatusBar(id="status")
        yield Banner(id="banner")
        yield Workspace(id="workspace")
        yield KeyBar(id="keys")
        yield Static(id="empty", markup=False)
        yield TooSmall(id="too-small")

    def compose_sides(self) -> Iterable[Widget]:
        """Return the panels at the side."""
        return ()

    def on_mount(self) -> None:
        self.table.rows.describe_with(self.bridge.faults)
        self.panels.faults = self.bridge.faults
        self.watch(self.table, "selected", self.show_selected, init=False)
        self.watch(self.workspace, "zoomed", self._label_keys, init=False)
        self.call_after_refresh(self.poll)  # when the table knows its size
        self.set_interval(1 / POLL_HZ, self._tick)

    def on_unmount(self) -> None:
        self._settling.close()

    def _tick(self) -> None:
        """Show the newest scene, unless the terminal still paints an older one."""
        if getattr(self.app, "may_follow", True):
            self.poll()
        quiet = self.is_active and self.has_sides
        self._settling.tick(len(self.scene.echo.clients), quiet=quiet)

    async def mount_sides(self) -> None:
        """Mount the side panels; tell the application when that is done.

        While the program is being left, widgets go one after the other: what is missed then is no
        fault.
        """
        try:
            await self.panels.mount(*self.compose_sides())
            self.has_sides = True
            self.workspace.lay_out_panels()
            self.show(self.scene)
        except Exception:
            self.has_sides = False
            if self.app.is_running and not self.app._exit:
                raise
        else:
            self.post_message(self.Ready())

    def _mount_sides_soon(self) -> None:
        """Schedule `mount_sides` once, as soon as rows are there or some polls have passed."""
        if self._polls_to_sides > 0:
            self._polls_to_sides = 0 if self.shown.count else self._polls_to_sides - 1
            if not self._polls_to_sides:
                self.set_timer(SIDES_DELAY_S, self.mount_sides)

    @property
    def workspace(self) -> Workspace:
        """The table and the panels."""
        return self.query_one(Workspace)

    @property
    def table(self) -> PacketTable:
        """The packet table."""
        return self.query_one(PacketTable)

    @property
    def panels(self) -> Panels:
        """Detail and hex of the selected packet."""
        return self.query_one(Panels)

    # -- what it shows ------------------------------------------------------------------------

    def poll(self) -> None:
        """Show the newest scene, if there is anything new in it."""
        scene = self.bridge.poll()
        basis = self.basis(scene)  # as it is before: what `show` changes is looked at once more
        if basis != self._basis:
            self._basis = basis
            self.show(scene)
        self._mount_sides_soon()

    def basis(self, scene: Scene) -> tuple[object, ...]:
        """Return all that `show` depends on: while it stays equal, there is nothing to show.

        The time of day is in it, so that every scene is shown once a second.
        """
        workspace = self.workspace
        return (
            scene.engine,
            scene.packets,
            scene.rates,
            scene.time_of_day,
            scene.echo,
            scene.store_generation,
            scene.faults,
            scene.fault,
            self.paused,
            self.has_sides,
            workspace.zoomed,
            workspace.side,
            workspace.panel,
            self.table.display,
            self.table.selected is None,
        )

    def show(self, scene: Scene) -> None:
        """Show a scene; it may be the one that is shown."""
        before, self.scene = self.scene, scene
        is_new_store = scene.store_generation != before.store_generation
        if scene.engine.state is not before.engine.state:
            self.refresh_bindings()
        if is_new_store:
            self.set_reactive(PacketScreen.paused, False)
        if self.paused:
            self.shown = self.shown.without_evicted(scene.packets)
        else:
            self.shown = scene.packets  # before the table, whose selection may move by it
        if is_new_store:
            self.table.clear()
        if self.table.selected is None:  # what comes live is followed, a file is not
            self.table.follow = scene.engine.piped or not scene.engine.file
        if self.paused:
            self.table.hold(self.shown)
        else:
            self.table.show(self.shown)
        if self.has_sides:
            self.show_sides(scene)
        paused = (self._paused_first, self.shown) if self.paused else None
        self.query_one(StatusBar).show(status_line(scene, paused))
        self._tell(scene)
        empty, words = self.query_one("#empty", Static), why_empty(scene)
        empty.display = not self.shown.count and self.table.display
        if empty.content != words:
            empty.update(words)
        self._label_keys()

    def show_sides(self, scene: Scene) -> None:
        """Show the scene in the panels at the side."""

    def show_selected(self, number: int | None) -> None:
        """Show the packet under the cursor."""
        self.panels.show(self.shown, number)

    def _label_keys(self) -> None:
        self.query_one(KeyBar).labels = self.key_labels(self.scene)

    def key_labels(self, scene: Scene) -> dict[str, str]:
        """What keys are called whose name depends on what is so."""
        return {
            "view.pause": "resume" if self.paused else "pause",
            "capture.toggle": _toggle_label(scene),
            "panel.zoom": "unzoom" if self.workspace.zoomed else "zoom",
        }

    def _tell(self, scene: Scene) -> None:
        """Show what the user must know; what was read and closed does not come back."""
        message, severity = message_of(scene)
        if message != self._told:
            self._told = message
            self.query_one(Banner).show(message, severity)

    def watch_paused(self) -> None:
        self._paused_first = self.shown.first
        self.show(self.scene)

    # -- what the keys do -------------------------------------------------------------------

    def action_focus_panel(self, panel: str) -> None:
        self.workspace.focus_panel(panel)

    def action_close(self) -> None:
        banner = self.query_one(Banner)
        if self.workspace.zoomed:
            self.workspace.zoomed = False
        elif banner.message:
            banner.show("")
        else:
            self.workspace.focus_panel("packets")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to pause where nothing comes."""
        coming = self.scene.engine.state in (EngineState.LIVE, EngineState.READING)
        return action != "pause" or self.paused or coming

    def action_pause(self) -> None:
        self.paused = not self.paused

    def action_on_table(self, method: str, *arguments: object) -> None:
        """Call a method of the table, from every panel."""
        getattr(self.table, method)(*arguments)

    def action_go_to(self) -> None:
        from app.screens.dialogs.dialog import GoTo

        if self.shown.count >= self.shown.first:
            self.app.push_screen(GoTo(self.shown.first, self.shown.count), self._go_to)

    def _go_to(self, number: int | None) -> None:
        if number is not None:
            self.table.select(number)


def _class_at(cells: int, breakpoints: list[tuple[int, str]]) -> str:
    """Return the class of the last breakpoint that is not above `cells`."""
    return max(pair for pair in breakpoints if pair[0] <= cells)[1]


def _toggle_label(scene: Scene) -> str:
    """What ^e does: over a file it asks on what to capture."""
    if scene.engine.state in (EngineState.LIVE, EngineState.READING):
        return "stop"
    return "capture" if scene.engine.file else "start"
