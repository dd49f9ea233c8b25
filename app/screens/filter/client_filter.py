"""Show only the packets of an echo client, by an ordinary display filter.

A connection is identified by both of its ends: the client's address and port, and the listener
that accepted it, because one client port may be connected to two listeners. The snapshot does not
contain stopped listeners; then the client's end alone decides.

A client that the user moves to is filtered for with the next scene, not at once: while a key is
held, every client that the cursor passes would cost a filter of the whole store.
"""

from __future__ import annotations

from app.screens.filter.filter_controller import FilterController
from core.analysis.connection import End
from core.analysis.filter.value_expression import connection_expression
from core.echo.snapshot import EchoSnapshot, ListenerInfo
from core.engine.echo_service import NO_SERVER

GONE = "the client is gone, and with it the ports of its connection"
_WILDCARDS = ("0.0.0.0", "::")


def filter_of_client(echo: EchoSnapshot, client: int) -> str:
    """Return the filter for a client's packets; empty if the client is gone."""
    row = echo.clients.row(client)
    if row is None:
        return ""
    info, own = _listener_of(echo, row), ("", 0)
    if info is not None:
        own = "" if info.address in _WILDCARDS else info.address, info.port
    return connection_expression("tcp", echo.clients.peer(row), own)


def client_of(echo: EchoSnapshot, ends: tuple[End, End]) -> int | None:
    """Return the client whose connection has these ends, in either order; None if none has."""
    stopped = None
    for peer, own in (ends, ends[::-1]):
        for row in reversed(echo.clients.rows_of_peer(*peer).tolist()):
            info = _listener_of(echo, row)
            if info is None:
                stopped = stopped if stopped is not None else row
            elif info.port == own[1] and info.address in (*_WILDCARDS, own[0]):
                return int(echo.clients.identifier[row])
    return None if stopped is None else int(echo.clients.identifier[stopped])


def _listener_of(echo: EchoSnapshot, row: int) -> ListenerInfo | None:
    """Return the listener that accepted the client of a row; None if it was stopped."""
    identifier = int(echo.clients.listener[row])
    return next((info for info in echo.listeners if info.identifier == identifier), None)


class ClientFilter:
    """Sets the filter of the table to the clients of the echo server."""

    def __init__(self, filter: FilterController) -> None:
        self.wanted: int | None = None  # the client to filter for with the next scene
        self._filter = filter
        self._echo = NO_SERVER  # of the last scene

    def filter_soon(self, client: int) -> None:
        """Filter for a client with the next scene."""
        self.wanted = client

    def show(self, echo: EchoSnapshot) -> None:
        """Filter for the client that the user wants, unless it is gone."""
        self._echo = echo
        wanted, self.wanted = self.wanted, None
        if wanted is not None:
            self._apply(filter_of_client(echo, wanted))

    def toggle(self, client: int | None) -> None:
        """Filter for a client now; show all packets if they are filtered for it already."""
        self.wanted = None
        text = "" if client is None else filter_of_client(self._echo, client)
        if client is not None and not text:
            self._filter.bar.notify(GONE, severity="warning")
        elif text and text == self._filter.text and self._filter.is_on:
            self._filter.clear()
        else:
            self._apply(text)

    def _apply(self, text: str) -> None:
        if text and (text != self._filter.text or not self._filter.is_on):
            self._filter.apply(text)
