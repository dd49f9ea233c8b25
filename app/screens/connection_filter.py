"""The filter for the packets of one echo client, and the line that names the client.

A connection is identified by both of its ends: the client's address and port, and the listener
that accepted it, because one client port may be connected to two listeners. The snapshot does not
contain stopped listeners; then the client's end alone decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from core.analysis.connection import Connection, End
from core.echo.snapshot import EchoSnapshot, ListenerInfo
from core.wire.model.text import safe
from widgets.echo.columns import endpoint_text

_WILDCARDS = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class ConnectionFilter:
    """A client and its connection. `name` is the client's endpoint as text."""

    client: int
    name: str
    connection: Connection


def of_client(echo: EchoSnapshot, client: int) -> ConnectionFilter | None:
    """Return the filter for a client's packets; None if the client is gone."""
    row = echo.clients.row(client)
    if row is None:
        return None
    info, own = _listener_of(echo, row), ("", 0)
    if info is not None:
        own = "" if info.address in _WILDCARDS else info.address, info.port
    peer = echo.clients.peer(row)
    return ConnectionFilter(client, endpoint_text(*peer), Connection(peer, own))


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


class ConnectionFilterLine(Widget):
    """The line that names the client whose packets the table shows; a click shows all packets.

    It appears together with the clients, so that a click on a client does not shift the rows under
    the pointer.
    """

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    ConnectionFilterLine {
        display: none;
        height: 1;
        padding: 0 1;
        color: $text-accent;
        background: $accent-muted;
        &.-all { color: $text-muted; background: $panel; }
    }
    """

    name_shown: reactive[str] = reactive("")
    counts: reactive[tuple[int, int]] = reactive((0, 0))
    progress: reactive[float | None] = reactive(None)

    class Cleared(Message):
        """Posted when a click asks for all packets again."""

    def show(self, name: str, shown: int, held: int, progress: float | None = None) -> None:
        """Name the client and count its packets; no name for all packets.

        `progress` is the part of the packets that a new filter has seen, 0 to 1.
        """
        self.set_class(not name, "-all")
        self.name_shown, self.counts, self.progress = name, (shown, held), progress

    def render(self) -> Text:
        shown, held = self.counts
        message = "all packets; move to a client to see only its packets"
        if self.name_shown:
            message = f"only packets of client {safe(self.name_shown)} (esc shows all)"
        count = f"{shown:,} of {held:,}"
        if self.progress is not None:
            message = f"looking for packets of client {safe(self.name_shown)} (esc cancels)"
            count = f"{int(self.progress * 100)}%"
        gap = max(2, self.size.width - len(message) - len(count))
        return Text(f"{message}{' ' * gap}{count}", no_wrap=True, overflow="ellipsis")

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Cleared())
