"""The selected packet: its detail tree and its bytes, linked both ways, and the side panels.

On a wide screen they are side by side; on a narrow one, a line of tabs says which one is shown.
The handler that sees the selection change calls `Panels.show` directly: a message in between would
paint the panels one screen refresh later (34 ms instead of 7 ms were measured).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from app.keymap import KeyContext
from app.textual_bindings import with_keys
from core.analysis.names.name_index import names_of
from core.analysis.names.name_table import NameTable
from core.analysis.names.tree_rows import with_name_rows
from core.analysis.packet_analysis import AnalyzedPackets
from core.analysis.programs.owners import FlowOwners
from core.analysis.programs.program_table import ProgramTable, programs_of
from core.analysis.programs.tree_rows import with_program_rows
from core.analysis.reassembly.fragment_index import NO_FRAGMENTS, fragment_index_of
from core.analysis.tcp.flow_index import index_of
from core.analysis.tcp.flow_table import FlowTable
from core.analysis.tcp.tree_rows import with_flow_rows
from core.store.selected_packet import SelectedPacket, select_packet
from core.store.snapshot import Snapshot
from core.wire.model.field import Span
from core.wire.present.faults import Faults
from widgets.detail.packet_detail import PacketDetail
from widgets.hex.hex_view import HexView

HEX_TITLE, DATAGRAM_TITLE = "Hex", "Reassembled datagram"


class Panels(Horizontal):
    """Detail and bytes of one packet. The side panels are mounted into it, too."""

    BLANK = True
    selected: SelectedPacket | None = None

    bytes_title: reactive[str] = reactive(HEX_TITLE, repaint=False, init=False)
    """The title of the bytes that the hex view shows."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.faults = Faults()
        self._plain: SelectedPacket | None = None  # without what flows and programs tell
        self._known: tuple[bool, FlowOwners, int] | None = None  # what they told
        self._fragments = NO_FRAGMENTS  # of the store of the packet
        self.detail = with_keys(PacketDetail(id="detail"), KeyContext.DETAIL, KeyContext.LIST)
        self.hex = with_keys(HexView(id="hex"), KeyContext.HEX, KeyContext.LIST)

    def compose(self) -> ComposeResult:
        self.detail.border_title = "Detail"
        yield self.detail
        self.hex.border_title = self.bytes_title
        yield self.hex

    def on_mount(self) -> None:
        self.watch(self.detail, "selected_span", self._highlight, init=False)

    def watch_bytes_title(self) -> None:
        self.hex.border_title = self.bytes_title

    def show(self, snapshot: Snapshot, number: int | None) -> None:
        """Show packet `number` of `snapshot`, or nothing if the store evicted it."""
        self._fragments = fragment_index_of(snapshot).published
        selected = None
        if number is not None:
            piece = self._fragments.piece(number)
            selected = select_packet(snapshot, number, self.faults, piece)
        self._plain, self._known = selected, None
        if selected is None:
            self.selected = None
            self.detail.show(())
            self.hex.show(b"")
        else:
            self.selected = selected
            self._add_rows(
                index_of(snapshot).published,
                programs_of(snapshot).published,
                names_of(snapshot).published,
            )
            self.show_frame()
            self.detail.show(self.selected.rows)

    def show_frame(self) -> None:
        """Show the bytes of the frame, and not those of a datagram that the packet completes."""
        if self.selected is not None:
            packet = self.selected.packet
            self.bytes_title = HEX_TITLE
            self.hex.show(packet.data, packet.original_length)

    @property
    def shown_bytes(self) -> bytes:
        """The bytes that the hex view shows: of the frame, or of a reassembled datagram."""
        return self.hex.dump.data

    def show_analysis(self, snapshot: Snapshot, analyzed: AnalyzedPackets) -> None:
        """Add what analyses tell about the packet, once it is known."""
        if self.selected is None:
            return
        number = self.selected.packet.number
        is_held = snapshot.first <= number <= snapshot.count
        if is_held and self._fragments.piece(number) != self.selected.piece:
            self.show(snapshot, number)
        elif is_held and self._add_rows(analyzed.flows, analyzed.programs, analyzed.names):
            self.detail.show(self.selected.rows)

    def _add_rows(self, flows: FlowTable, programs: ProgramTable, names: NameTable) -> bool:
        """Add rows about flows and programs, and names. Return True if they changed."""
        assert self._plain is not None
        number = self._plain.packet.number
        known = (flows.through >= number, programs.of_packet(flows, number), names.version)
        if known == self._known:
            return False
        self._known = known
        rows = with_program_rows(self._plain.rows, known[1])
        if known[0]:
            rows = with_flow_rows(rows, flows, number)
        self.selected = replace(self._plain, rows=with_name_rows(rows, names))
        return True

    def guard(self, number: int) -> AbstractContextManager[None]:
        """Catch internal errors in what a key does with packet `number`; count and show them."""
        return self.faults.guard(number, lambda words: self.notify(words, severity="error"))

    def _highlight(self, span: Span | None) -> None:
        """Show the bytes of the selected row, and those around them."""
        row, selected = self.detail.selected_row, self.selected
        piece = None if selected is None else selected.piece
        if row is None or not row.in_datagram or piece is None or piece.datagram is None:
            if row is None or span is not None:
                self.show_frame()
        else:
            self.bytes_title = DATAGRAM_TITLE
            self.hex.show(piece.datagram)
        self.hex.highlight(span)

    def on_hex_view_byte_selected(self, event: HexView.ByteSelected) -> None:
        event.stop()
        row = self.detail.selected_row
        self.detail.select_byte(event.offset, in_datagram=row is not None and row.in_datagram)


class PanelTabs(Widget):
    """The line above the panels where only one of them is shown; a click chooses one.

    `tabs` are ``(panel, title)``.
    """

    COMPONENT_CLASSES = {"panel-tabs--tab", "panel-tabs--shown", "panel-tabs--line"}
    ALLOW_SELECT = False

    shown: reactive[str] = reactive("detail")

    class TabClicked(Message):
        """The user clicked a tab."""

        def __init__(self, panel: str) -> None:
            super().__init__()
            self.panel = panel

    def __init__(self, tabs: Sequence[tuple[str, str]], id: str | None = None) -> None:
        super().__init__(id=id)
        self._tabs = tabs

    def rename(self, panel: str, title: str) -> None:
        """Change the title of a panel."""
        self._tabs = [(name, title if name == panel else old) for name, old in self._tabs]
        self.refresh()

    def render(self) -> Text:
        line_style = self.get_component_rich_style("panel-tabs--line")
        line = Text("─", line_style, no_wrap=True, end="")
        for panel, title in self._tabs:
            name = "shown" if panel == self.shown else "tab"
            line.append(f" {title} ", self.get_component_rich_style(f"panel-tabs--{name}"))
            line.append("─", line_style)
        line.append("─" * max(0, self.size.width - line.cell_len), line_style)
        return line

    def on_click(self, event: events.Click) -> None:
        x = event.x - 1
        for panel, title in self._tabs:
            if 0 <= x < len(title) + 2:
                self.post_message(self.TabClicked(panel))
            x -= len(title) + 3
