"""The dialog that chooses the interfaces to capture on, one, several, or all, and a filter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Button, DataTable, Input, Static

from app.screens.dialogs.dialog import Dialog, while_open
from app.screens.filter.capture_filter_field import CaptureFilterField
from core.capture.capture_filter import CaptureFilter
from core.capture.filter_compiler import CaptureFilterError
from core.capture.options import ANY
from core.net.interfaces import InterfaceInfo
from core.wire.model.text import safe

REFRESH_S = 1.0
NAMES_WIDTH = 24  # cells, of alternative names
ADDRESSES_WIDTH = 44  # cells; an IPv4 and an IPv6 address with their prefix lengths


class Rows(DataTable[Text | str]):
    """The table of interfaces. It reports clicks, which select rows as the space key does."""

    class Pressed(Message):
        """The user clicked a row."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    async def _on_click(self, event: events.Click) -> None:
        event.prevent_default()
        row = event.style.meta.get("row", -1)
        if self.is_valid_row_index(row):
            self.post_message(self.Pressed(row))


@dataclass(frozen=True, slots=True)
class CaptureChoice:
    """The names of interfaces, and the filter; None for all packets."""

    interfaces: tuple[str, ...]
    capture_filter: CaptureFilter | None


class Interfaces(Dialog[CaptureChoice]):
    """Return the selected interfaces, or the one under the cursor, and the capture filter.

    `interfaces` asks the kernel, so it is called in a thread, and again once a second, because
    interfaces come and go. The cursor starts on `current`, the interfaces of the present or last
    capture. If they are `live`, they are selected already; until the user changes that selection,
    enter on another row chooses that row.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "select", "Select"),
        Binding("j", "move(1)", "Down"),
        Binding("k", "move(-1)", "Up"),
        Binding("f", "filter", "Filter"),
        Binding("s", "session", "Leave out SSH"),
        Binding("enter", "capture", "Capture", show=False),
    ]
    title_text = "Capture on"

    def __init__(
        self,
        interfaces: Callable[[], Sequence[InterfaceInfo]],
        current: Sequence[str] = (),
        *,
        live: bool = False,
        filter_field: CaptureFilterField,
    ) -> None:
        super().__init__()
        self._filter = filter_field
        self._interfaces = interfaces
        self._found: Sequence[InterfaceInfo] = ()  # the last list
        self._current = current
        self._live = frozenset(current if live else ())
        self._selected = set(self._live)
        self._touched = False  # True once the user has changed the selection

    def compose_body(self) -> ComposeResult:
        yield Rows(cursor_type="row", cell_padding=1)
        yield Static("", classes="dialog-hint", id="trouble", markup=False)
        yield self._filter
        with Horizontal(classes="dialog-buttons"):
            yield Button("Capture", id="capture", compact=True)
            yield Static("", classes="dialog-hint", id="chosen", markup=False)
        yield Static("space selects · f filter · enter captures", classes="dialog-hint")

    async def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for column in (" ", "Interface", "State", "Addresses", "Kind", "MTU"):
            table.add_column(column, key=column)
        await self._filter.find_sessions()
        await self.fill()
        table.move_cursor(row=self._first_row())
        self.set_interval(REFRESH_S, self.fill)

    async def fill(self) -> None:
        """List the interfaces. If the kernel refuses, show why, and keep the rows."""
        trouble = self.query_one("#trouble", Static)
        try:
            self._found = await asyncio.to_thread(self._interfaces)
            trouble.update("")
        except OSError as error:
            trouble.update(f"no list of interfaces: {error.strerror}; trying again")
        trouble.display = bool(trouble.content)
        self._draw()

    def _draw(self) -> None:
        """Draw all rows again; the cursor stays on its interface."""
        table = self.query_one(DataTable)
        found = self._found
        rows = {ANY: _any_cells(found)} | {
            info.name: _cells(info, live=info.name in self._live) for info in found
        }
        self._selected &= set(rows)
        under = self._under_cursor()
        table.clear()  # this resets the cursor, too
        for name, cells in rows.items():
            mark = "●" if name in self._selected else "○"
            table.add_row(mark, *cells, key=name)
        if under in rows:
            table.move_cursor(row=list(rows).index(under))
        self._show_chosen()

    def _first_row(self) -> int:
        """Return the row for the cursor: the current interface, else one that is up."""
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

    def _chosen(self) -> tuple[str, ...]:
        """Return the interfaces that enter would capture on."""
        under = self._under_cursor()
        if self._selected and (self._touched or under in self._selected):
            return tuple(sorted(self._selected))
        return (under,) if under else ()

    def _show_chosen(self) -> None:
        chosen = ", ".join(map(safe, self._chosen()))
        self.query_one("#chosen", Static).update(f"on {chosen}" if chosen else "")
        self._filter.offer(self._chosen(), self._found)

    def action_move(self, rows: int) -> None:
        table = self.query_one(DataTable)
        table.move_cursor(row=table.cursor_row + rows)

    def action_select(self) -> None:
        """Select or unselect the interface under the cursor; ``any`` excludes all others."""
        name = self._under_cursor()
        if not name:
            return
        self._touched = True
        if name in self._selected:
            self._selected.discard(name)
        else:
            self._selected = {ANY} if name == ANY else self._selected - {ANY} | {name}
        self._draw()

    def on_rows_pressed(self, event: Rows.Pressed) -> None:
        self.query_one(Rows).move_cursor(row=event.row)
        self.action_select()

    def on_data_table_row_highlighted(self) -> None:
        self._show_chosen()

    def on_data_table_row_selected(self) -> None:
        self._capture()

    def on_button_pressed(self) -> None:
        self._capture()

    def on_input_submitted(self) -> None:
        self._capture()

    def action_capture(self) -> None:
        self._capture()

    def action_filter(self) -> None:
        """Put the cursor into the filter."""
        self._filter.query_one(Input).focus()

    def action_session(self) -> None:
        """Leave out the user's SSH sessions, or capture them."""
        self._filter.toggle_session()

    def _capture(self) -> None:
        """Return the choice, at once or when the filter is checked; stay if the filter is wrong."""
        if self._filter.is_checked:
            self._dismiss_with_choice()
        else:
            self.run_worker(while_open(self, self._capture_when_checked()))

    async def _capture_when_checked(self) -> None:
        await self._filter.check()
        if self._filter.is_checked:
            self._dismiss_with_choice()

    def _dismiss_with_choice(self) -> None:
        chosen = self._chosen()
        try:
            capture_filter = self._filter.result
        except CaptureFilterError:
            self.action_filter()  # the field says what is wrong
            return
        if chosen and self.is_active:
            self.dismiss(CaptureChoice(chosen, capture_filter))


def _cells(info: InterfaceInfo, *, live: bool) -> tuple[Text, ...]:
    state = "up" if info.up and info.running else "no link" if info.up else "down"
    state = "● live" if live else state
    addresses = _as_fits(info.addresses, ADDRESSES_WIDTH)
    words = (_names(info), state, addresses, safe(info.kind))
    mtu = Text(str(info.mtu), justify="right")
    return (*(Text(word, no_wrap=True) for word in words), mtu)


def _any_cells(found: Sequence[InterfaceInfo]) -> tuple[Text, ...]:
    up = sum(info.up for info in found)
    return (Text(ANY), Text(f"{up} up"), Text("all interfaces together"), Text(""), Text(""))


def _names(info: InterfaceInfo) -> str:
    """Return the name, with the alternative names in parentheses."""
    name, others = safe(info.name), [safe(other) for other in info.alternative_names]
    return f"{name} ({_as_fits(others, NAMES_WIDTH)})" if others else name


def _as_fits(words: Sequence[str], width: int) -> str:
    """Join as many whole words as fit into `width` cells, and append how many are left out."""
    shown = ""
    for number, word in enumerate(words):
        longer = f"{shown}, {word}" if shown else word
        more = f" +{len(words) - number}"
        if number and len(longer) > width:
            return shown + more
        shown = longer
    return shown
