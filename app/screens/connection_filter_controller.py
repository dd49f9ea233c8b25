"""Filter the packet table by the connection of an echo client.

A client that the user moves to is filtered for with the next scene, not at once: while a key is
held, every client that the cursor passes would cost a filter of the whole store.
"""

from __future__ import annotations

from collections.abc import Callable

from app.screens.connection_filter import ConnectionFilter, ConnectionFilterLine, of_client
from core.analysis.packet_analysis import PacketAnalysis
from core.echo.snapshot import EchoSnapshot
from core.engine.echo_service import NO_SERVER
from core.store.snapshot import Snapshot
from widgets.packets.packet_table import PacketTable


class ConnectionFilterController:
    """The filter of one table, and the line above it that names the client.

    `is_offered` is true while the clients are shown: the line then also says that all packets are
    shown, so that a click on a client moves no row away from under the pointer. `analysis` filters;
    `show_table` shows what it has found.
    """

    def __init__(
        self,
        table: PacketTable,
        line: ConnectionFilterLine,
        analysis: PacketAnalysis,
        show_table: Callable[[], None],
    ) -> None:
        self.current: ConnectionFilter | None = None
        self.is_offered = False
        self._table, self._line = table, line
        self._analysis, self._show_table = analysis, show_table
        self._wanted: int | None = None  # the client to filter for with the next scene
        self._echo = NO_SERVER  # of the last scene
        self._held = 0  # packets in the last snapshot that the table got

    def basis(self) -> object:
        """Return everything besides the scene that `show` depends on."""
        return self.current, self._wanted, self.is_offered

    def filter_soon(self, client: int) -> None:
        """Filter for a client with the next scene."""
        self._wanted = client

    def toggle(self, client: int | None) -> None:
        """Filter for a client now; show all packets if it is the current one."""
        if self.current is not None and self.current.client == client:
            self.clear()
        else:
            self._wanted = client
            self._update()

    def clear(self) -> bool:
        """Show all packets. Return False if they are shown already."""
        if self.current is None:
            return False
        self._set(None)
        self._update()
        return True

    def show(self, echo: EchoSnapshot, shown: Snapshot) -> None:
        """Filter for the client that the user wants, and update the counts."""
        self._echo, self._held = echo, shown.count - shown.evicted
        self._update()

    def _update(self) -> None:
        wanted, self._wanted = self._wanted, None
        found = None if wanted is None else of_client(self._echo, wanted)
        if found is not None:
            self._set(found)
        if not self._analysis.is_filtering:  # the filter failed: all packets are shown
            self.current = None
        name = "" if self.current is None else self.current.name
        self._line.display = bool(name) or (self.is_offered and self._table.display)
        progress = self._analysis.latest.progress
        self._line.show(name, self._table.rows.held_count, self._held, progress)

    def _set(self, current: ConnectionFilter | None) -> None:
        if current != self.current:
            self.current = current
            self._analysis.keep_only(None if current is None else current.connection)
            self._show_table()
