"""The flows panel: choices above, the list, and one line about the flow under the cursor.

It shows listings and reports what the user did; it analyzes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from core.wire.model.text import safe
from widgets.flows.flow_list import FlowList
from widgets.flows.head_text import FlowsState, flow_text, head_lines
from widgets.lines.pieces import Piece, Pieces, PieceStyle


class FlowsPanel(Vertical):
    """The flows at one moment. See the module's text.

    It calls `on_press` with the action of a choice that the user clicks, `on_text` with the text
    that selects flows whenever it changes, and `on_sort` when the user chooses another order.
    """

    DEFAULT_CSS = """
    FlowsPanel {
        & > Input { display: none; width: 1fr; padding: 0 1; background: $panel; }
        & > Input:focus { background: $surface; }
        &.-selecting > Input { display: block; }
        & > #flow-line { height: 1; }
    }
    """

    def __init__(
        self,
        flows: FlowList,
        on_press: Callable[[str], None],
        on_text: Callable[[str], None],
        on_sort: Callable[[], None],
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._on_press, self._on_text, self._on_sort = on_press, on_text, on_sort
        self.flows = flows
        self.head = Pieces()
        self.line = Pieces(id="flow-line")
        self.text = Input(placeholder="addresses, ports, or a state", compact=True, id="flow-text")
        self._state: FlowsState | None = None

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.text
        yield self.flows
        yield self.line

    def on_mount(self) -> None:
        self.watch(self.flows, "selected", self._show_line, init=False)

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to the list of flows."""
        self.flows.focus(scroll_visible)
        return self

    def show(self, state: FlowsState) -> None:
        """Show a newer state."""
        self._state = state
        self.flows.show(state.listing)
        self._draw()

    def _draw(self) -> None:
        if self._state is not None and self.size.width:
            self.head.set_lines(head_lines(self._state, self.size.width))
            self._show_line()

    def _show_line(self) -> None:
        words = safe(flow_text(self.flows.listing, self.flows.row))
        self.line.set_lines(((Piece(f" {words}", PieceStyle.QUIET),),))

    def on_resize(self, event: events.Resize) -> None:
        self._draw()

    # -- the text that selects flows -----------------------------------------------------

    def edit_text(self) -> None:
        """Let the user type a text that selects flows."""
        self.add_class("-selecting")
        self.text.focus()

    def clear_text(self) -> bool:
        """Show all flows again. Return False if no text selects some."""
        if not self.has_class("-selecting"):
            return False
        had_focus = self.text.has_focus
        self.text.value = ""
        self.remove_class("-selecting")
        if had_focus:
            self.flows.focus()
        return True

    @on(Input.Changed)
    def report_text(self, event: Input.Changed) -> None:
        """Report the text."""
        event.stop()
        self._on_text(event.value)

    @on(Input.Submitted)
    def leave_text(self, event: Input.Submitted) -> None:
        """Go to the flows that the text selects; without one, hide the line."""
        event.stop()
        if event.value:
            self.flows.focus()
        else:
            self.clear_text()

    def on_flow_list_sorted(self, event: FlowList.Sorted) -> None:
        event.stop()
        self._on_sort()

    def on_pieces_pressed(self, event: Pieces.Pressed) -> None:
        event.stop()
        self._on_press(event.action)
