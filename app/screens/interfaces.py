"""The interface chooser: what this machine has, several of which can be captured at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Static

from app.screens.dialog import Dialog
from core.capture.interfaces import InterfaceInfo
from core.capture.options import ANY
from core.wire.text import safe

REFRESH_S = 1.0
ADDRESSES_WIDTH = 44  # cells; an IPv4 and an IPv6 address with their prefix lengths


class Interfaces(Dialog[tuple[str, ...]]):
    """Gives the names that were chosen: those ticked, else the one under the cursor.

    `interfaces` asks the kernel, so it is called in a thread, and again once a second, since
    interfaces come and go. `current` are captured on now; the cursor starts there.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "tick", "Select"),
        Binding("j", "move(1)", "Down"),
        Binding("k", "move(-1)", "Up"),
    ]
    title_text = "Capture on"

    def __init__(
        self, interfaces: Callable[[], Sequence[InterfaceInfo]], current: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self._interfaces = interfaces
        self._found: Sequence[InterfaceInfo] = ()  # the last answer
        self._current = current
        self._ticked: set[str] = set()

    def compose_body(self) -> ComposeResult:
        yield DataTable(cursor_type="row", cell_padding=1)
        yield Static("", classes="dialog-hint", id="chosen", markup=False)
        yield Static("", classes="dialog-hint", id="trouble", markup=False)
        yield Static("space selects · enter captures", classes="dialog-hint")

    async def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for column in (" ", "Interface", "State", "Addresses", "Kind", "MTU"):
            table.add_column(column, key=column)
        await self.fill()
        table.move_cursor(row=self._first_row())
        self.set_interval(REFRESH_S, self.fill)

    async def fill(self) -> None:
        """Ask for the interfaces; where there is no answer, say why and keep those shown."""
        trouble = self.query_one("#trouble", Static)
        try:
            self._found = await asyncio.to_thread(self._interfaces)
            trouble.update("")
        except OSError as error:
            trouble.update(f"no list of interfaces: {error.strerror}; trying again")
        trouble.display = bool(trouble.content)
        self._draw()

    def _draw(self) -> None:
        """Draw the rows anew, the cursor staying on its interface."""
        table = self.query_one(DataTable)
        found = self._found
        rows = {ANY: _any_cells(found)} | {info.name: _cells(info) for info in found}
        self._ticked &= set(rows)
        under = self._under_cursor()
        table.clear()  # and the cursor with them
        for name, cells in rows.items():
            tick = "●" if name in self._ticked else "○"
            table.add_row(tick, *cells, key=name)
        if under in rows:
            table.move_cursor(row=list(rows).index(under))
        self._tell()

    def _first_row(self) -> int:
        """The row the cursor starts in: what is captured on now, else what is likely meant."""
        found = self._found
        names = [ANY, *(info.name for info in found)]
        wanted = [
            *self._current,
            *(info.name for info in found if info.running and not info.loopback),
            *(info.name for info in found if info.up),
            ANY,
        ]
        return next(names.index(name) for name in wanted if name in names)

    def _under_cursor(self) -> str:
        table = self.query_one(DataTable)
        if not table.is_valid_row_index(table.cursor_row):
            return ""
        return str(table.ordered_rows[table.cursor_row].key.value)

    def _tell(self) -> None:
        chosen = ", ".join(safe(name) for name in sorted(self._ticked))
        self.query_one("#chosen", Static).update(f"selected: {chosen}" if chosen else "")

    def action_move(self, rows: int) -> None:
        table = self.query_one(DataTable)
        table.move_cursor(row=table.cursor_row + rows)

    def action_tick(self) -> None:
        """Select or unselect the interface under the cursor; `any` stands alone."""
        name = self._under_cursor()
        if not name:
            return
        if name in self._ticked:
            self._ticked.discard(name)
        else:
            self._ticked = {ANY} if name == ANY else self._ticked - {ANY} | {name}
        self._draw()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        chosen = tuple(sorted(self._ticked)) or (str(event.row_key.value),)
        self.dismiss(chosen)


def _cells(info: InterfaceInfo) -> tuple[Text, ...]:
    state = "up" if info.up and info.running else "no link" if info.up else "down"
    addresses = _addresses(info.addresses)
    words = (safe(info.name), state, addresses, safe(info.kind))
    mtu = Text(str(info.mtu), justify="right")
    return (*(Text(word, no_wrap=True) for word in words), mtu)


def _any_cells(found: Sequence[InterfaceInfo]) -> tuple[Text, ...]:
    up = sum(info.up for info in found)
    return (Text(ANY), Text(f"{up} up"), Text("all interfaces together"), Text(""), Text(""))


def _addresses(addresses: Sequence[str]) -> str:
    """As many whole addresses as fit, and how many more there are."""
    shown = ""
    for number, address in enumerate(addresses):
        longer = f"{shown}, {address}" if shown else address
        more = f" +{len(addresses) - number}"
        if number and len(longer) > ADDRESSES_WIDTH:
            return shown + more
        shown = longer
    return shown
