"""The main screen: packets, the forge, and the echo server, whose clients' packets they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

from textual.reactive import reactive
from textual.widget import Widget

from app.bindings import bindings
from app.bridge import Bridge, Scene
from app.keymap import KeyContext
from app.screens.connection_filter import (
    ConnectionFilter,
    ConnectionFilterLine,
    client_of,
    of_client,
)
from app.screens.forging import ForgingScreen
from core.analysis.connection import tcp_ends

if TYPE_CHECKING:
    from app.screens.echo import Echo
    from core.forge.service import ForgeService
    from widgets.echo.clients import EchoClients


class MainScreen(ForgingScreen):
    """All of it. A client that is picked keeps the table to its packets, and a packet that is
    selected is followed to its client."""

    BINDINGS = bindings(KeyContext.MAIN)

    only: reactive[ConnectionFilter | None] = reactive(
        None, repaint=False, init=False
    )  # whose packets

    def __init__(self, bridge: Bridge, make_forger: Callable[[], ForgeService]) -> None:
        super().__init__(bridge, make_forger)
        self._picked: int | None = None  # the client whose packets to show from the next scene on

    def compose_sides(self) -> Iterable[Widget]:
        from app.screens.echo import Echo  # with the other side panels

        return (*super().compose_sides(), Echo(self.bridge))

    @property
    def echo(self) -> Echo:
        """The echo panel."""
        return cast("Echo", self.query_one("#echo"))

    def show_sides(self, scene: Scene) -> None:
        if self.echo.display:
            self.echo.show(scene.echo)
        super().show_sides(scene)
        self._keep_only_picked(scene)

    def basis(self, scene: Scene) -> tuple[object, ...]:
        is_shown = self.has_sides and self.echo.display
        return (*super().basis(scene), self.only, self._picked, is_shown)

    def show_selected(self, number: int | None) -> None:
        super().show_selected(number)
        selected = self.panels.selected
        dissection = None if selected is None else selected.dissection
        if number is None or dissection is None or self.table.follow:
            return
        if not self.has_sides or not self.echo.display or self.echo.clients.has_focus:
            return
        ends = None
        with self.bridge.faults.guard(number):
            ends = tcp_ends(dissection)
        client = None if ends is None else client_of(self.scene.echo, ends)
        if client is not None:
            self.echo.clients.select(client)

    def action_close(self) -> None:
        if self.only is not None and not self.workspace.zoomed and not self.forge.is_sending:
            self._show_all()
        else:
            super().action_close()

    def _show_all(self) -> None:
        self.only = None
        self.show(self.scene)

    def on_echo_clients_picked(self, event: EchoClients.Picked) -> None:
        """Shown from the next scene on: a key that is held would filter for every client."""
        self._picked = event.client

    def _keep_only_picked(self, scene: Scene) -> None:
        picked, self._picked = self._picked, None
        if picked is not None and (only := of_client(scene.echo, picked)) is not None:
            self.only = only
        held = self.shown.count - self.shown.evicted
        name = "" if self.only is None else self.only.name
        line = self.query_one(ConnectionFilterLine)
        line.display = self.only is not None or (self.echo.display and self.table.display)
        line.show(name, self.table.rows.held_count, held)

    def watch_only(self) -> None:
        self.table.keep_only(None if self.only is None else self.only.connection)

    def on_connection_filter_line_left(self) -> None:
        self._show_all()

    def action_only_client(self) -> None:
        """Only the packets of the client under the cursor; of all again, if it is the one."""
        client = self.echo.clients.selected
        if self.only is not None and self.only.client == client:
            self.only = None
        else:
            self._picked = client
        self.show(self.scene)
