"""The main screen: status bar, packet table, panels, and key bar.

The screen polls the bridge and shows the scene that it gets. While it is *paused*, it keeps the
rows that it shows and counts the packets that arrive; the capture continues. Packets that the store
evicts are gone for the paused view, too, or the program would need the memory of two stores. Their
rows stay in place, say so, and are counted; the selected packet was copied and stays.

The screen only connects parts, each with a file of its own: `Workspace` divides the room, the
controllers carry out what keys ask for, and `SidePanels` holds the panels at the side. A key calls
a method of a part by name (`action_call`); `escape` asks a list of things that it can close.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter

from textual.app import ComposeResult
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Static

from app.bridge import POLL_HZ, Bridge, Scene
from app.clipboard import ClipboardAccess
from app.config.config_writer import Changes
from app.config.filter_history import FilterHistory
from app.config.schema import Config
from app.gc_policy import GcPolicy
from app.keymap import KeyContext
from app.screens.banner import Banner
from app.screens.capture_controller import CaptureController
from app.screens.color_controller import ColorController
from app.screens.copy_controller import CopyController
from app.screens.dialogs.too_small import SMALLEST, TooSmall
from app.screens.filter.filter_controller import FilterController
from app.screens.filter.saved_controller import SavedFiltersController
from app.screens.filter.saved_filters import SavedFilters
from app.screens.go_to_controller import GoToController
from app.screens.key_bar import KeyBar
from app.screens.menu import Menu
from app.screens.record_controller import RecordController
from app.screens.saving.comment_controller import CommentController
from app.screens.saving.save_controller import SaveController
from app.screens.search_controller import SearchController
from app.screens.search_line import SearchLine
from app.screens.side_panels import SidePanel, SidePanels
from app.screens.status import message_of, status_line, why_empty
from app.screens.table.columns_controller import ColumnsController
from app.screens.value_filter.controller import ValueFilterController
from app.screens.workspace import BESIDE, WIDE, Workspace
from app.terminal.dirty_compositor import DirtyCompositor
from app.textual_bindings import bindings, first_key
from core.analysis.programs.program_table import programs_of
from core.engine.snapshot import EngineState
from widgets.lines.cursor_view import CursorView
from widgets.packets.headings import Headings
from widgets.status.bar import StatusBar

RECEIVING = (EngineState.LIVE, EngineState.READING)
TICKS_BELOW_DIALOG = 5  # for each scene: two scenes a second


class MainScreen(Screen[None]):
    """The packets and, beside them, `side_panels`."""

    BLANK = True  # the workspace covers it
    AUTO_FOCUS = "#packets"
    BINDINGS = bindings(KeyContext.MAIN)
    HORIZONTAL_BREAKPOINTS = [
        (0, "-thin"),
        (SMALLEST[0], "-narrow"),
        (BESIDE, "-beside"),
        (WIDE, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (SMALLEST[1], "-high")]

    paused: reactive[bool] = reactive(False, repaint=False, init=False)

    class Ready(Message):
        """The screen is complete: every key has the part that it acts on."""

    def __init__(
        self,
        bridge: Bridge,
        capture: CaptureController,
        side_panels: Sequence[SidePanel],
        clipboard: ClipboardAccess,
        config: Config,
        save: Callable[[str, Changes], None],
        history: FilterHistory,
    ) -> None:
        """Create the screen. `config` are the user's settings; `save` changes some of a section."""
        super().__init__()
        self._compositor = DirtyCompositor()
        self.bridge = bridge
        self.scene = bridge.poll()  # the newest
        self.shown = self.scene.packets  # in the table: older than the scene while paused
        self._paused_first = 0  # the lowest packet number when the view was paused
        self._message = ""  # the last that the banner showed
        self._basis: tuple[object, ...] = ()  # of the last `show`
        self._gc_policy = GcPolicy()
        self._ticks = 0
        self.banner = Banner(id="banner")
        self.workspace = Workspace(
            side_panels, config.table, partial(save, "table"), id="workspace"
        )
        self.table, self.panels = self.workspace.table, self.workspace.panels
        self.capture = capture
        saved = SavedFilters(config.filters, partial(save, "filters"))
        self.filter = FilterController(
            self.table,
            bridge.analysis,
            history,
            saved,
            lambda: self.shown,
            self._show_table,
            self._label_keys,
            config.macros,
        )
        self.saved = SavedFiltersController(
            saved, self.filter.bar, self.filter.accept, config.macros
        )
        bridge.colors.macros = config.macros
        bridge.colors.rules = config.colors.rules
        self.menu = Menu(self.workspace, self.filter, config.keys)
        self.coloring = ColorController(
            self.workspace, bridge.colors, partial(save, "colors"), self.menu
        )
        self.recording = RecordController(self, bridge)
        self.columns = ColumnsController(self.table, config.table, partial(save, "table"))
        self._search_line = SearchLine(id="search")
        self.search = SearchController(
            self.workspace, self._search_line, bridge, lambda: self.shown, config.macros
        )
        self.go_to = GoToController(self.table, bridge, lambda: self.shown)
        self.sides = SidePanels(self, side_panels)
        self.values = ValueFilterController(
            self.workspace, self.sides, self.filter, self.menu, lambda: self.shown
        )
        self.saver = SaveController(self.table, bridge)
        self.capture.saver = self.saver
        save_key = first_key("packets.save", config.keys)
        self.comments = CommentController(
            self.workspace, bridge, self.filter, lambda: self.shown, save_key
        )
        self.copier = CopyController(
            self.workspace, self.sides, bridge.faults, lambda: self.shown, clipboard
        )

    def compose(self) -> ComposeResult:
        # Textual sets these at the first resize, when all widgets are styled: it would then style
        # all of them again.
        width, height = self.app.size
        self.add_class(
            _class_at(width, self.HORIZONTAL_BREAKPOINTS),
            _class_at(height, self.VERTICAL_BREAKPOINTS),
        )
        yield StatusBar(id="status")
        yield self.banner
        yield self.filter.bar
        yield self.workspace
        yield self._search_line
        yield KeyBar(id="keys")
        yield Static(id="empty", markup=False)
        yield self.filter.hints
        yield TooSmall(id="too-small")

    def on_mount(self) -> None:
        self.table.rows.describe_with(self.bridge.faults)
        self.panels.faults = self.bridge.faults
        self.watch(self.table, "selected", self._show_selected, init=False)
        self.watch(self.workspace, "zoomed", self._show_panel, init=False)
        self.watch(self.workspace, "panel", self._show_panel, init=False)
        self.call_after_refresh(self.poll)  # when the table knows its size
        self.set_interval(1 / POLL_HZ, self._tick)

    def on_unmount(self) -> None:
        self._gc_policy.close()

    def _tick(self) -> None:
        """Show the newest scene, unless the terminal still paints an older one.

        Below a dialog, Textual draws and tints the whole screen again for each, so it is shown less
        often there.
        """
        self._ticks += 1
        is_due = self.is_active or self._ticks % TICKS_BELOW_DIALOG == 0
        if is_due and getattr(self.app, "may_follow", True):
            self.poll()
        quiet = self.is_active and self.sides.are_mounted
        typing = getattr(self.app, "is_typing", False)
        self._gc_policy.tick(len(self.scene.echo.clients), quiet=quiet, typing=typing)

    def _show_panel(self) -> None:
        """Show the scene with the panels that are open now: the next key is for what they show."""
        self.show(self.scene)

    # -- the scene ----------------------------------------------------------------------------

    def poll(self) -> None:
        """Show the newest scene if anything in it is new."""
        scene = self.bridge.poll()
        basis = self._basis_of(scene)  # as of before `show`: its own changes are shown once more
        if basis != self._basis:
            self._basis = basis
            self.show(scene)
        if self.bridge.colors.has_late_colors():
            self.table.refresh()
        self.sides.mount_soon(has_rows=bool(self.shown.count))

    def _basis_of(self, scene: Scene) -> tuple[object, ...]:
        """Return everything that `show` depends on; while it stays equal, nothing is new.

        The time of day is part of it, so every scene is shown once a second.
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
            self.bridge.analysis.version,
            programs_of(scene.packets).published,
            self.paused,
            workspace.zoomed,
            workspace.side,
            workspace.panel,
            self.table.display,
            self.table.selected is None,
            self.filter.basis(),
            self.search.basis(),
            self.go_to.basis(),
            self.sides.basis(),
        )

    def show(self, scene: Scene) -> None:
        """Show a scene; it may be the one that is shown already."""
        before, self.scene = self.scene, scene
        if scene.engine.state is not before.engine.state:
            self.refresh_bindings()
        self._show_packets(scene, is_new_store=scene.store_generation != before.store_generation)
        self.sides.show(scene)
        self.filter.show()
        self.comments.show()
        self.search.show(scene.store_generation)
        self.recording.show(scene.engine.recording)
        self.go_to.show(scene.store_generation)
        paused = (self._paused_first, self.shown) if self.paused else None
        behind = self.bridge.analysis.behind(self.shown)
        self.query_one(StatusBar).show(status_line(scene, paused, behind))
        self._show_message(scene)
        empty = self.query_one("#empty", Static)
        words = self.filter.why_empty() if self.shown.count else why_empty(scene)
        empty.display = bool(words) and self.table.display
        if empty.content != words:
            empty.update(words)
        self._label_keys()

    def _show_packets(self, scene: Scene, *, is_new_store: bool) -> None:
        if is_new_store:
            self.set_reactive(MainScreen.paused, False)
        if self.paused:
            self.shown = self.shown.without_evicted(scene.packets)
        else:
            self.shown = scene.packets  # before the table, which may move its selection
        if is_new_store:
            self.table.clear()
        engine = scene.engine
        is_file = bool(engine.file) and not engine.piped and not engine.followed
        if not self.table.rows.has_begun:  # follow live packets, show a file from its start
            self.table.follow = not is_file
        self._show_table()
        self.workspace.split.limit(self.shown.count + 1 if is_file and self.shown.count else None)

    def _show_table(self) -> None:
        """Show what is known of the packets in the table."""
        scene = self.scene
        analyzed = self.bridge.analysis.update(
            self.shown, scene.store_generation, from_file=bool(scene.engine.file)
        )
        if self.paused:
            self.table.hold(self.shown, analyzed)
        else:
            self.table.show(self.shown, analyzed)
        self.panels.show_analysis(self.shown, analyzed)

    def _show_selected(self, number: int | None) -> None:
        """Show the packet under the cursor."""
        self.panels.show(self.shown, number)
        if self.panels.selected is not None and not self.table.follow:
            self.sides.select(self.panels.selected)

    def _show_message(self, scene: Scene) -> None:
        """Show a new message in the banner; one that the user closed does not come back."""
        message, severity = message_of(scene)
        if message != self._message:
            self._message = message
            self.banner.show(message, severity)

    def _label_keys(self) -> None:
        """Label the keys whose meaning depends on the state."""
        self.query_one(KeyBar).labels = {
            "view.pause": "resume" if self.paused else "pause",
            "capture.toggle": _toggle_label(self.scene),
            "panel.zoom": "unzoom" if self.workspace.zoomed else "zoom",
            **({"panel.close": "cancel"} if self.filter.bar.is_editing else {}),
            **self.sides.labels(),
        }

    def watch_paused(self) -> None:
        self._paused_first = self.shown.first
        self.show(self.scene)

    # -- keys ------------------------------------------------------------------------------------

    def action_call(self, path: str, *arguments: object) -> None:
        """Call a method of a part: ``forge.send``, ``table.toggle_mark``."""
        self.part_method(path)(*arguments)

    def part_method(self, path: str) -> Callable[..., object]:
        """Return the method that a key names: of a side panel's controller, or of an attribute.

        The side panel that has the focus may replace it.
        """
        focused = self.sides.get(self.workspace.panel)
        if focused is not None and (instead := focused.instead_of(path)) is not None:
            return instead
        part, _, method = path.partition(".")
        found: Callable[..., object] = attrgetter(method)(
            self.sides.get(part) or getattr(self, part)
        )
        return found

    def action_close(self) -> None:
        """Close the first thing that is open; go to the table if nothing is."""
        closers = (
            self.filter.leave,
            self.sides.close,
            self.search.close,
            self.workspace.unzoom,
            self.workspace.close_side,
            self.filter.clear,
            self.banner.close,
            self.workspace.focus_table,
        )
        any(close() for close in closers)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return False for a pause while no packets arrive."""
        return action != "pause" or self.paused or self.scene.engine.state in RECEIVING

    def action_pause(self) -> None:
        self.paused = not self.paused

    def on_status_bar_part_clicked(self) -> None:
        self.recording.toggle()

    def on_search_line_clicked(self, event: SearchLine.Clicked) -> None:
        self.part_method(f"search.{event.method}")()

    def on_headings_changed(self) -> None:
        self.columns.remember()

    def on_headings_link_clicked(self, event: Headings.LinkClicked) -> None:
        if event.word == "filter":
            self.filter.edit()
        else:
            self.menu.open_screen(event.at)

    def on_headings_list_requested(self) -> None:
        self.columns.open()

    def on_cursor_view_menu_requested(self, event: CursorView.MenuRequested) -> None:
        self.values.open_menu(event.view, event.at)


def _class_at(cells: int, breakpoints: list[tuple[int, str]]) -> str:
    """Return the class of the last breakpoint that is not above `cells`."""
    return max(pair for pair in breakpoints if pair[0] <= cells)[1]


def _toggle_label(scene: Scene) -> str:
    """Return the label of ^e: over a file, it asks for an interface."""
    if scene.engine.state in RECEIVING:
        return "stop"
    return "capture" if scene.engine.file else "start"
