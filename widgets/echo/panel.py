"""The echo panel: listeners and switches above, clients in the middle, the log of one client below.

It shows a snapshot and reports what the user did; it sends nothing to a server. Where the panel is
low, the clients keep their room: the head drops lines and the log is hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive

from core.echo.snapshot import EchoSnapshot
from widgets.echo.clients import EchoClients
from widgets.echo.columns import condition_of, explanation
from widgets.echo.head import EchoHead
from widgets.echo.log import NOTHING, EchoLog
from widgets.lines.pieces import Pieces
from widgets.sorted.sorted_list import SortedList

CLIENTS_LEAST = 3  # lines with the heading, which the clients always have
LOG_FROM = 12  # lines of the panel from which the log is shown
LOG_SHARE = 4  # the log has one line in so many


class EchoPanel(Vertical):
    """The echo server at one moment. See the module's text.

    It calls `on_pick` with a client that the user moves to, and `on_press` with the action of a
    piece of the head that the user clicks.
    """

    listener: reactive[int | None] = reactive(None)  # the one that keys act on
    hint: reactive[str] = reactive("", init=False)  # a sentence under the head

    def __init__(
        self,
        clients: EchoClients,
        on_pick: Callable[[int], None],
        on_press: Callable[[str], None],
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._on_pick, self._on_press = on_pick, on_press
        self.clients = clients
        self.head = EchoHead()
        self.log_view = EchoLog()
        self._snapshot: EchoSnapshot | None = None
        self._known: list[int] = []  # listeners

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.clients
        yield self.log_view

    def on_mount(self) -> None:
        self.watch(self.clients, "selected", self._show_log, init=False)

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to the list of clients."""
        self.clients.focus(scroll_visible)
        return self

    def show(self, snapshot: EchoSnapshot) -> None:
        """Show a newer snapshot; one that is shown already costs nothing."""
        last, self._snapshot = self._snapshot, snapshot
        if last is None or last.taken_s != snapshot.taken_s:
            self._draw(snapshot)

    def _draw(self, snapshot: EchoSnapshot) -> None:
        self._pick_listener([info.identifier for info in snapshot.listeners])
        height = self.size.height
        room = max(1, height - CLIENTS_LEAST - self._log_height())
        self.head.show(snapshot, self.listener, room, self.hint)
        self.clients.show(snapshot)
        self._show_log()

    def _show_log(self) -> None:
        """Show the selected client's log; empty until the server knows the selection."""
        if (snapshot := self._snapshot) is not None:
            client = self.clients.selected
            mine = snapshot.selected == client
            nothing = NOTHING if client is not None else ""
            entries = snapshot.log if mine else ()
            self.log_view.show(self._log_title(snapshot), entries, nothing)

    def _pick_listener(self, known: list[int]) -> None:
        """Keep the current listener, except for a new one; take the first if it is closed."""
        before, self._known = self._known, known
        if self.listener not in known:
            picked = known[0] if known else None
        elif known[-1] not in before:
            picked = known[-1]
        else:
            return
        self.set_reactive(EchoPanel.listener, picked)

    def _log_height(self) -> int:
        height = self.size.height
        return height // LOG_SHARE + 1 if height >= LOG_FROM else 0

    def _log_title(self, snapshot: EchoSnapshot) -> str:
        client = self.clients.selected
        if client is None:
            return ""
        row = snapshot.clients.row(client)
        if row is None:
            return "this client is closed"
        word = condition_of(snapshot.clients, row).word
        return f"{word}: {explanation(snapshot.clients, row)}"

    def on_resize(self) -> None:
        """Share the lines among head, clients, and log."""
        log_height = self._log_height()
        self.log_view.display = log_height > 0
        self.log_view.styles.height = log_height
        if self._snapshot is not None:
            self._draw(self._snapshot)

    def watch_hint(self) -> None:
        if self._snapshot is not None:
            self._draw(self._snapshot)

    def watch_listener(self) -> None:
        if self._snapshot is not None:
            self._draw(self._snapshot)

    def next_listener(self) -> None:
        """Let the keys act on the next listener."""
        if self._snapshot is not None and self._snapshot.listeners:
            known = [info.identifier for info in self._snapshot.listeners]
            at = known.index(self.listener) if self.listener in known else -1
            self.listener = known[(at + 1) % len(known)]

    def on_sorted_list_picked(self, event: SortedList.Picked) -> None:
        event.stop()
        self._on_pick(event.id)

    def on_pieces_pressed(self, event: Pieces.Pressed) -> None:
        event.stop()
        self._on_press(event.action)
