"""The echo panel with the registry's keys, and what they tell the server.

What the panel shows comes from the bridge with each scene; what the user does here goes to the
server as a command, and is seen in a later snapshot. The client under the cursor has the log.
"""

from __future__ import annotations

from app.bindings import bindings, with_keys
from app.bridge import Bridge
from app.keymap import KeyContext
from app.screens.dialogs.add_listener import AddListener
from core.echo.snapshot import EchoSnapshot
from widgets.echo.clients import EchoClients
from widgets.echo.head import EchoHead
from widgets.echo.panel import EchoPanel

UNSEEN = "lo is not captured, so packets of local clients are not in the table: i chooses it"
_FIRST = -1  # the listener that is not there yet
TALK_BYTES = 64  # what the built-in client sends at a key


class Echo(EchoPanel):
    """The panel, and the commands."""

    BINDINGS = bindings(KeyContext.ECHO)
    BORDER_TITLE = "Echo"

    def __init__(self, bridge: Bridge) -> None:
        clients = with_keys(EchoClients(id="clients"), KeyContext.CLIENTS, KeyContext.LIST)
        super().__init__(clients, id="echo")
        self._bridge = bridge
        self._awaited: int | None = None  # the listener whose built-in client is to be selected

    def on_mount(self) -> None:
        super().on_mount()
        self.watch(self.clients, "selected", self._log_client, init=False)

    def _log_client(self, client: int | None) -> None:
        if client is not None:
            self._bridge.echo.select(client)

    def show(self, snapshot: EchoSnapshot) -> None:
        self.hint = "" if self._bridge.sees_loopback or not snapshot.listeners else UNSEEN
        super().show(snapshot)
        if self._awaited == _FIRST and snapshot.listeners:
            self._awaited = snapshot.listeners[0].identifier
        self._select_awaited(snapshot)

    def _select_awaited(self, snapshot: EchoSnapshot) -> None:
        """Put the cursor on the built-in client that was told to send: its log shows it."""
        for builtin in snapshot.builtin_clients:
            if builtin.listener != self._awaited:
                continue
            row = snapshot.clients.row_of_peer(builtin.address, builtin.port, builtin.listener)
            if row is not None:
                self._awaited = None
                self.clients.select(int(snapshot.clients.identifier[row]))

    @property
    def said(self) -> EchoSnapshot:
        """The newest snapshot."""
        return self._bridge.echo.snapshot()

    async def on_echo_head_pressed(self, event: EchoHead.Pressed) -> None:
        event.stop()
        await self.run_action(event.action)

    # -- listeners ------------------------------------------------------------------------------

    def action_talk(self, listener: int | None = None) -> None:
        """Have the built-in client send; without a listener, make one of each trigger first."""
        wanted = self.listener if listener is None else listener
        if wanted is None:
            self._bridge.echo.demonstrate(TALK_BYTES)
            self._awaited = _FIRST
            return
        self._bridge.echo.talk(wanted, TALK_BYTES)
        self._awaited = wanted
        self._select_awaited(self.said)

    def action_add_listener(self) -> None:
        self.app.push_screen(AddListener(), self._add)

    def _add(self, chosen: AddListener.Choice | None) -> None:
        if chosen is not None:
            self._bridge.echo.listen(chosen.address, chosen.port, chosen.trigger)

    def action_stop_listener(self, listener: int | None = None) -> None:
        wanted = self.listener if listener is None else listener
        if wanted is not None:
            self._bridge.echo.stop_listening(wanted)

    def action_next_listener(self) -> None:
        self.next_listener()

    def action_pick_listener(self, listener: int) -> None:
        self.listener = listener

    # -- teaching switches ------------------------------------------------------------------------

    def action_budget(self, step: int) -> None:
        """A read asks for less, or more."""
        self._bridge.echo.step_budget(step)

    def action_drain(self) -> None:
        """Go round: read as the trigger needs, until EAGAIN, until a short read, once."""
        self._bridge.echo.next_drain()

    # -- the selected client -------------------------------------------------------------------

    def action_pause_client(self) -> None:
        if self.clients.selected is not None:
            self._bridge.echo.toggle_pause(self.clients.selected)

    def action_close_client(self) -> None:
        if self.clients.selected is not None:
            self._bridge.echo.close_client(self.clients.selected)
