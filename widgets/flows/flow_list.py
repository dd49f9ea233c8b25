"""The conversations or endpoints as rows, sorted by any column.

The analysis sorts: a press of a heading posts `Sorted`, and the listing that follows is in that
order.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip

from core.analysis.flows.listing import FlowListing, FlowQuestion
from core.analysis.flows.tcp_marks import TcpState
from core.analysis.names.name_table import NameTable
from widgets.flows.columns import (
    BYTES,
    RESETS,
    RETRANSMITTED,
    STATE,
    ZERO_WINDOWS,
    FlowColumn,
    columns_of,
    fixed_of,
)
from widgets.flows.flow_rows import FlowRows
from widgets.sorted.column import Sort
from widgets.sorted.column_layout import SIGN_WIDTH, ColumnLayout
from widgets.sorted.paint import cell_text, with_cursor
from widgets.sorted.sorted_list import SortedList

_COUNTED = (RETRANSMITTED, ZERO_WINDOWS, RESETS)  # highlighted if they are not 0
_ALARMING = {TcpState.RESET.word, TcpState.REFUSED.word, TcpState.HALF_OPEN.word}


class FlowList(SortedList):
    """Flows below the headings of their columns. See the module's text."""

    COMPONENT_CLASSES = {"flow-list--quiet", "flow-list--alarm"}

    DEFAULT_CSS = """
    FlowList {
        & > .flow-list--quiet { color: $text-muted; }
        & > .flow-list--alarm { color: $text-warning; text-style: bold; }
        &:nocolor > .flow-list--alarm { color: $foreground; text-style: bold; }
    }
    """

    class Sorted(Message):
        """The user chose another order."""

    def __init__(self, question: FlowQuestion, *, id: str | None = None) -> None:
        self._flows = FlowRows()
        layout = ColumnLayout(columns_of(question), fixed_of(question))
        super().__init__(self._flows, layout, Sort.first_by(BYTES), id=id)
        self._kind = _kind(question)

    @property
    def listing(self) -> FlowListing:
        """The listing that is shown."""
        return self._flows.listing

    @property
    def row(self) -> int | None:
        """The row of the selected flow in `listing`; None if it is not there."""
        return self.cursor_line

    def show(self, listing: FlowListing) -> None:
        """Show a newer listing, of the same flows or of others."""
        if listing is self.listing:
            return
        before, kind = self.cursor_line, _kind(listing.question)
        if kind != self._kind:
            self._kind, before = kind, None
            self.columns = ColumnLayout(columns_of(listing.question), fixed_of(listing.question))
            self.shift.value = 0
            self._painted.clear()
            self._flows.update(listing)
            self.selected = None
            self.scroll_to(y=0)
            self.forget_lines()
        self._flows.update(listing)
        self.update_rows(before)

    def show_names(self, names: NameTable) -> None:
        """Show these names in place of addresses."""
        if self._flows.take_names(names):
            self._painted.clear()
            self.forget_lines()

    def sort_by(self, sort: Sort[FlowColumn]) -> None:
        """Show an order that the program has chosen, without `Sorted`."""
        self._sort = sort
        self.forget_lines()

    def sort_rows(self) -> None:
        """Ask for the order: the next listing has it."""
        self.post_message(self.Sorted())

    def build_line(self, line: int) -> Strip:
        """Draw one flow."""
        texts = dict(zip(map(id, self.columns.columns), self._flows.words(line), strict=True))
        cells = [Segment(" " * SIGN_WIDTH, self.component.base)]
        for column, width in self.shown_columns:
            text = texts[id(column)]
            style = self.component.base
            if (column in _COUNTED and text != "0") or (column is STATE and text in _ALARMING):
                style = self.component("flow-list--alarm")
            elif text == "0":
                style = self.component("flow-list--quiet")
            cells.append(Segment(cell_text(column, text, width), style))
        width = self.window.width
        if line == self.cursor_line:
            return with_cursor(cells, width, self.component)
        return Strip(cells)


def _kind(question: FlowQuestion) -> tuple[object, ...]:
    """Return what decides the columns and the flows of a listing."""
    return question.level, question.endpoints, question.programs
