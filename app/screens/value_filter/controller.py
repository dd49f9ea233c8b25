"""Filters from what is on the screen: a cell of the table, a row of the tree, a conversation.

A key in the table is for the cell that the user clicked last, if its packet is still selected;
otherwise a menu asks for the value. The right button opens a menu with everything that a value
gives: filters, the packet's conversation, the text itself, and actions for the packet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Offset

from app.screens.filter.filter_controller import FilterController
from app.screens.menu import Menu
from app.screens.side_panels import SidePanels
from app.screens.workspace import Workspace
from core.store.snapshot import Snapshot
from widgets.lines.cursor_view import CursorView
from widgets.packets.column_choice import Column, ColumnName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.screens.dialogs.filter_menu import FilterChoice
    from app.screens.value_filter.choices import ScreenValue

TIME_DECIMALS = 6  # of a copied time
NO_PACKET = "no packet in memory is selected"
NO_NAME = "filters have no name for this value"
NO_CONVERSATION = "the packet does not have two addresses"


class ValueFilterController:
    """The keys and the menu that filter for a value. `filter` is the filter that they change.

    `shown` returns the snapshot in the table.
    """

    def __init__(
        self,
        workspace: Workspace,
        sides: SidePanels,
        filter: FilterController,
        menu: Menu,
        shown: Callable[[], Snapshot],
    ) -> None:
        self._workspace, self._sides, self._filter = workspace, sides, filter
        self._menu, self._shown = menu, shown
        self._table, self._panels = workspace.table, workspace.panels

    # -- keys ----------------------------------------------------------------------------------

    def of_row(self, how: str) -> None:
        """Change the filter by the selected row of the detail tree; `how` names a `Combination`."""
        value = self._row()
        if value is None:
            self._report(NO_PACKET)
        elif value.expression is None:
            self._report(NO_NAME)
        else:
            self._filter.combine_by(value.expression, how)

    def of_cell(self, how: str) -> None:
        """Change the filter by the cell that the user clicked; without one, ask for the value."""
        values = self._cells()
        if not values:
            self._report(NO_PACKET)
            return
        clicked = self._clicked(values)
        if clicked is not None and clicked.expression is not None:
            self._filter.combine_by(clicked.expression, how)
            return
        from app.screens.value_filter.choices import values_menu

        offered = [*values.values(), *filter(None, [self._conversation()])]
        title, choices = values_menu(offered, how, self._current, self._filter.macros)
        if choices:
            self._menu.open(title, choices)
        else:
            self._report(NO_NAME)

    def of_conversation(self) -> None:
        """Show only the conversation of the selected packet."""
        value = self._conversation()
        if value is None:
            self._report(NO_PACKET)
        elif value.expression is None:
            self._report(NO_CONVERSATION)
        else:
            self._filter.combine_by(value.expression, "REPLACE")

    # -- the right button --------------------------------------------------------------------------

    def open_menu(self, view: CursorView, at: Offset) -> None:
        """Offer what the value under the cursor of a list gives, at a place of the screen."""
        value, conversation = None, self._conversation()
        if view is self._table and (values := self._cells()):
            value = self._clicked(values) or values[ColumnName.INFO]
        elif view in (self._panels.detail, self._panels.hex):
            value = self._row()
        elif (of_side := self._sides.value_of(view)) is not None:
            value, conversation = self._value(*of_side), None
        if value is None:
            return
        from app.screens.value_filter.choices import value_menu

        choices: list[FilterChoice | None] = [
            *value_menu(value, conversation, self._current, self._filter.macros)
        ]
        if conversation is not None:
            choices += [None, *self._menu.packet_actions()]
        elif self._sides.offers_stream(view):
            choices += [None, *self._menu.flow_actions()]
        if choices:
            self._menu.open(value.name, choices, at)
        else:
            self._report(NO_NAME)

    # -- values ----------------------------------------------------------------------------------

    def _value(self, name: str, text: str, expression: str) -> ScreenValue:
        from app.screens.value_filter.choices import ScreenValue

        return ScreenValue(name, text, expression)

    def _row(self) -> ScreenValue | None:
        """Return the value of the selected row of the detail tree."""
        from app.screens.value_filter.choices import row_value

        row = self._panels.detail.selected_row
        return None if row is None else row_value(row)

    def _cells(self) -> Mapping[Column, ScreenValue]:
        """Return the values of the selected packet in the table; none without one."""
        from app.screens.value_filter.choices import cell_values
        from core.analysis.filter.packet_filter import values_of_packet
        from core.analysis.tcp.flow_index import index_of

        selected, line = self._panels.selected, self._table.cursor_line
        if selected is None or line is None:
            return {}
        if not self._table.rows.is_evicted(selected.packet.number):
            number = selected.packet.number
            with self._panels.guard(number):
                fields = values_of_packet(self._shown(), number)
                rows = self._table.rows
                time_format = self._table.time_format
                time = rows.time_text(line, time_format, TIME_DECIMALS, with_date=True)
                known = index_of(self._shown()).published.through >= number
                row = rows.read(line)
                return cell_values(selected, fields, row, time, are_flows_known=known)
        return {}

    def _clicked(self, values: Mapping[Column, ScreenValue]) -> ScreenValue | None:
        column = self._table.clicked.column_of(self._table.selected)
        return None if column is None else values.get(column)

    def _conversation(self) -> ScreenValue | None:
        from app.screens.value_filter.choices import conversation_value

        selected = self._panels.selected
        if selected is not None:
            with self._panels.guard(selected.packet.number):
                return conversation_value(selected)
        return None

    @property
    def _current(self) -> str:
        """Return the filter that a value is combined with."""
        return self._filter.text if self._filter.is_on else ""

    def _report(self, words: str) -> None:
        self._workspace.notify(words, severity="warning")
