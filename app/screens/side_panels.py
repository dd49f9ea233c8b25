"""The panels at the side of the main screen: the list of them, and what the screen asks of each.

To add a panel, write a `SideController` in a module of its own and add a `SidePanel` to
`SIDE_PANELS`. Layout, tabs, palette, and `escape` follow from the list; the keys are declared in
`app.keymap`.

The side panels are mounted after the first rows are painted: the user does not see them at the
start, and to import, mount, and style them takes as long as everything else. Therefore
`SidePanel.make` imports the controller, and the `KeyQueue` holds back keys until all panels exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual.widget import Widget

from app.keymap import KeyContext

if TYPE_CHECKING:
    from app.bridge import Scene
    from app.monitor import Monitor
    from app.screens.main import MainScreen
    from core.store.selected_packet import SelectedPacket

MOUNT_AFTER_POLLS = 3  # even if no row has appeared by then
MOUNT_DELAY_S = 0.02  # leaves the first rows time to be painted


class SideController:
    """The commands of one side panel. `widget` shows it; these methods do nothing by default.

    Keys call further methods by name: see `MainScreen.action_call`.
    """

    widget: Widget
    lists_streams = False  # `offered_stream` decides which stream is followed from the panel

    def basis(self) -> object:
        """Return everything besides the scene that `show` depends on."""
        return None

    def show(self, scene: Scene) -> None:
        """Show a scene, also if the panel is hidden."""

    def select(self, selected: SelectedPacket) -> None:
        """Take the packet that the user selected."""

    def labels(self) -> dict[str, str]:
        """Return key bar labels that depend on the state of the panel, by action name."""
        return {}

    def copy_choices(self) -> list[tuple[str, str]] | None:
        """Return ``(name, text)`` of what the panel offers to copy; None for the packet's."""
        return None

    def instead_of(self, path: str) -> Callable[[], object] | None:
        """Return what replaces a method of the screen while the panel has the focus; or None."""
        return None

    def offered_stream(self) -> tuple[str, int] | None:
        """Return protocol and number of the stream under the cursor of the panel; or None."""
        return None

    def value_of(self, view: Widget) -> tuple[str, str, str] | None:
        """Return the name, the text, and the filter of what the cursor of a list is on; or None."""
        return None

    def close(self) -> bool:
        """End the activity that `escape` ends first. Return False if nothing is active."""
        return False


@dataclass(frozen=True, slots=True)
class SidePanel:
    """A side panel before it is mounted.

    `id` names the widget, the style class, and the controller; `keys` is the context of its keys.
    `make` creates the controller. A panel that `fills_narrow_screens` is zoomed when it is opened
    on a screen with room for one panel besides the table.
    """

    id: str
    title: str
    keys: KeyContext
    make: Callable[[MainScreen], SideController]
    fills_narrow_screens: bool = False


def _make_forge(screen: MainScreen) -> SideController:
    from app.screens.forge.controller import ForgeController

    service = cast("Monitor", screen.app).forge_service
    return ForgeController(service, screen.workspace)


def _make_echo(screen: MainScreen) -> SideController:
    from app.screens.echo_controller import EchoController

    return EchoController(screen.bridge, screen.workspace, screen.filter)


def _make_statistics(screen: MainScreen) -> SideController:
    from app.screens.statistics.controller import StatisticsController

    return StatisticsController(screen.bridge, screen.table.rows, screen.filter)


def _make_flows(screen: MainScreen) -> SideController:
    from app.screens.flows.controller import FlowsController

    return FlowsController(screen.bridge, screen.workspace, screen.filter)


def _make_stream(screen: MainScreen) -> SideController:
    from app.screens.follow.controller import StreamController

    return StreamController(screen)


SIDE_PANELS = (
    SidePanel("forge", "Forge", KeyContext.FORGE, _make_forge, fills_narrow_screens=True),
    SidePanel("echo", "Echo", KeyContext.ECHO, _make_echo),
    SidePanel("flows", "Flows", KeyContext.FLOWS, _make_flows),
    SidePanel("stream", "Stream", KeyContext.STREAM, _make_stream, fills_narrow_screens=True),
    SidePanel("statistics", "Stats", KeyContext.STATISTICS, _make_statistics),
)


class SidePanels:
    """The side panels of one main screen, `panels`: none exists until `mount`, then all do."""

    def __init__(self, screen: MainScreen, panels: Sequence[SidePanel]) -> None:
        self._screen = screen
        self.panels = panels
        self._controllers: dict[str, SideController] = {}
        self._polls_left = MOUNT_AFTER_POLLS

    @property
    def are_mounted(self) -> bool:
        """True once all panels are mounted."""
        return bool(self._controllers)

    def get(self, id: str) -> SideController | None:
        """Return the controller of a panel; None for another id, and before `mount`."""
        return self._controllers.get(id)

    def __getitem__(self, id: str) -> SideController:
        return self._controllers[id]

    def mount_soon(self, *, has_rows: bool) -> None:
        """Schedule `mount`, once, when rows are shown or after some polls."""
        if self._polls_left > 0:
            self._polls_left = 0 if has_rows else self._polls_left - 1
            if not self._polls_left:
                self._screen.set_timer(MOUNT_DELAY_S, self.mount)

    async def mount(self) -> None:
        """Mount the panels, show the scene in them, and post `MainScreen.Ready`.

        Ignore errors while the program exits: it removes widgets one after the other, and some
        that the panels need may be gone.
        """
        screen = self._screen
        try:
            made = {side.id: side.make(screen) for side in self.panels}
            for side in self.panels:
                made[side.id].widget.add_class("side-panel")
                made[side.id].widget.border_title = side.title
            await screen.panels.mount(*(controller.widget for controller in made.values()))
            self._controllers = made
            screen.workspace.lay_out_panels()
            screen.filter.prepare()
            screen.show(screen.scene)
        except Exception:
            self._controllers = {}
            if screen.app.is_running and not screen.app._exit:
                raise
        else:
            screen.post_message(screen.Ready())

    def basis(self) -> tuple[object, ...]:
        """Return everything besides the scene that `show` depends on."""
        return tuple(controller.basis() for controller in self._controllers.values())

    def show(self, scene: Scene) -> None:
        """Show a scene in every panel."""
        for controller in self._controllers.values():
            controller.show(scene)

    def select(self, selected: SelectedPacket) -> None:
        """Report the packet that the user selected to every panel."""
        for controller in self._controllers.values():
            controller.select(selected)

    def labels(self) -> dict[str, str]:
        """Return the key bar labels of all panels, by action name."""
        labels: dict[str, str] = {}
        for controller in self._controllers.values():
            labels |= controller.labels()
        return labels

    def value_of(self, view: Widget) -> tuple[str, str, str] | None:
        """Return the value under the cursor of a panel's list, from the panel that has one."""
        found = (controller.value_of(view) for controller in self._controllers.values())
        return next(filter(None, found), None)

    def offers_stream(self, view: Widget) -> bool:
        """Return True for a list whose cursor is on a conversation that can be followed."""
        return any(
            controller.lists_streams
            and controller.value_of(view) is not None
            and controller.offered_stream() is not None
            for controller in self._controllers.values()
        )

    def close(self) -> bool:
        """End one panel's activity, as `escape` does first. Return False if nothing is active."""
        return any(controller.close() for controller in self._controllers.values())
