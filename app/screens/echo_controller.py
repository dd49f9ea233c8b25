"""The echo panel's commands to the server, and the link between its clients and the packets.

The panel shows the server's snapshot in each scene. A command goes to the server at once; its
effect is seen in a later snapshot. The server logs the steps of the client under the cursor.
"""

from __future__ import annotations

from textual.actions import parse
from textual.widget import Widget

from app.bridge import Bridge, Scene
from app.keymap import KeyContext
from app.screens.dialogs.add_listener import AddListener
from app.screens.filter.client_filter import ClientFilter, client_of, filter_of_client
from app.screens.filter.filter_controller import FilterController
from app.screens.side_panels import SideController
from app.screens.workspace import Workspace
from app.textual_bindings import with_keys
from core.analysis.connection import tcp_ends
from core.echo.snapshot import EchoSnapshot
from core.engine.echo_service import NO_SERVER
from core.store.selected_packet import SelectedPacket
from widgets.echo.clients import EchoClients
from widgets.echo.columns import endpoint_text
from widgets.echo.head_text import drain_text
from widgets.echo.panel import EchoPanel

UNSEEN = "lo is not captured, so packets of local clients are not in the table: i chooses it"
_FIRST = -1  # the first listener, which does not exist yet
TALK_BYTES = 64  # sent by the built-in client for each key


class EchoController(SideController):
    """The echo panel of one workspace, and the echo server behind the bridge."""

    def __init__(self, bridge: Bridge, workspace: Workspace, filter: FilterController) -> None:
        self.clients = with_keys(EchoClients(id="clients"), KeyContext.CLIENTS, KeyContext.LIST)
        self._client_filter = ClientFilter(filter)
        panel = EchoPanel(self.clients, self._client_filter.filter_soon, self._press, id="echo")
        self.panel = self.widget = with_keys(panel, KeyContext.ECHO)
        self.panel.watch(self.clients, "selected", self._log_client, init=False)
        self._bridge, self._workspace = bridge, workspace
        self._filter = filter
        self._snapshot = NO_SERVER  # of the last scene
        self._awaited: int | None = None  # select the built-in client of this listener

    # -- the scene ----------------------------------------------------------------------------

    def basis(self) -> object:
        """Return whether the panel is shown, and the client to filter for."""
        return self.panel.display, self._client_filter.wanted

    def show(self, scene: Scene) -> None:
        """Show the server if the panel is open, and offer to filter by its clients."""
        self._snapshot = snapshot = scene.echo
        self._filter.is_offered = self.panel.display
        if not self.panel.display:
            return
        self.panel.hint = "" if self._bridge.sees_loopback or not snapshot.listeners else UNSEEN
        self.panel.show(snapshot)
        self._client_filter.show(snapshot)
        if self._awaited == _FIRST and snapshot.listeners:
            self._awaited = snapshot.listeners[0].identifier
        self._select_awaited(snapshot)

    def labels(self) -> dict[str, str]:
        """Label the key that steps through the rules with the rule that it sets."""
        return {"echo.drain": f"read {drain_text(self._snapshot.switches.next_drain())}"}

    def value_of(self, view: Widget) -> tuple[str, str, str] | None:
        """Return the client under the cursor, and the filter for it; None if the client is gone."""
        client, clients = self.clients.selected, self._snapshot.clients
        row = None if client is None or view is not self.clients else clients.row(client)
        if client is None or row is None:
            return None
        return "Client", endpoint_text(*clients.peer(row)), filter_of_client(self._snapshot, client)

    def select(self, selected: SelectedPacket) -> None:
        """Move the cursor to the client that sent or received the packet.

        Leave the cursor where it is while the user moves it.
        """
        if selected.dissection is None or not self.panel.display or self.clients.has_focus:
            return
        ends = client = None
        with self._bridge.faults.guard(selected.packet.number):
            ends = tcp_ends(selected.dissection)
        if ends is not None:
            client = client_of(self._snapshot, ends)
        if client is not None:
            self.clients.select(client)

    def _log_client(self, client: int | None) -> None:
        if client is not None:
            self._bridge.echo.select(client)

    def _select_awaited(self, snapshot: EchoSnapshot) -> None:
        """Select the built-in client that sends, so that its log is shown."""
        for builtin in snapshot.builtin_clients:
            if builtin.listener != self._awaited:
                continue
            row = snapshot.clients.row_of_peer(builtin.address, builtin.port, builtin.listener)
            if row is not None:
                self._awaited = None
                self.clients.select(int(snapshot.clients.identifier[row]))

    def _press(self, action: str) -> None:
        """Run the action of a piece that the user clicked: ``talk(3)`` calls `talk`."""
        _, method, arguments = parse(action)
        getattr(self, method)(*arguments)

    # -- commands: listeners --------------------------------------------------------------------

    def talk(self, listener: int | None = None) -> None:
        """Send bytes from the built-in client to a listener; without a number, to the selected one.

        If there is no listener, add one of each trigger first.
        """
        wanted = self.panel.listener if listener is None else listener
        if wanted is None:
            self._bridge.echo.demonstrate(TALK_BYTES)
            self._awaited = _FIRST
        else:
            self._bridge.echo.talk(wanted, TALK_BYTES)
            self._awaited = wanted
            self._select_awaited(self._bridge.echo.snapshot())

    def add_listener(self) -> None:
        """Ask for address, port, and trigger, and listen there."""
        self._workspace.app.push_screen(AddListener(), self._add)

    def _add(self, chosen: AddListener.Choice | None) -> None:
        if chosen is not None:
            self._bridge.echo.listen(chosen.address, chosen.port, chosen.trigger)

    def stop_listener(self, listener: int | None = None) -> None:
        """Stop a listener; without a number, the selected one."""
        wanted = self.panel.listener if listener is None else listener
        if wanted is not None:
            self._bridge.echo.stop_listening(wanted)

    def pick_listener(self, listener: int) -> None:
        """Select a listener: the keys then act on it."""
        self.panel.listener = listener

    # -- commands: how the server reads --------------------------------------------------------

    def budget(self, step: int) -> None:
        """Read fewer bytes at a time (-1), or more (1)."""
        self._bridge.echo.step_budget(step)

    def drain(self) -> None:
        """Read in the next manner: as the trigger needs, until EAGAIN, a short read, or once."""
        self._bridge.echo.next_drain()

    # -- commands: the selected client ----------------------------------------------------------

    def pause_client(self) -> None:
        """Stop reading from the selected client, or resume."""
        if self.clients.selected is not None:
            self._bridge.echo.toggle_pause(self.clients.selected)

    def close_client(self) -> None:
        """Close the connection of the selected client."""
        if self.clients.selected is not None:
            self._bridge.echo.close_client(self.clients.selected)

    def toggle_filter(self) -> None:
        """Show only packets of the selected client; show all packets if that is so already."""
        self._client_filter.toggle(self.clients.selected)
