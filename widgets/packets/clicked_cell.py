"""The cell of the packet table that the user clicked last. No drawing, no Textual."""

from __future__ import annotations

from widgets.lines.cells import width_of
from widgets.packets.column_choice import Column, ColumnName
from widgets.packets.columns import TableLayout
from widgets.packets.packet_rows import PacketRows


class ClickedCell:
    """A packet and a column; none before the first click."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._column: Column | None = None

    def column_of(self, number: int | None) -> Column | None:
        """Return the column in which the user clicked a packet last; None for other packets."""
        return self._column if number == self._number else None

    def click(
        self, rows: PacketRows, line: int, x: int, layout: TableLayout, selected: int | None
    ) -> None:
        """Remember the cell in cell `x` of the screen; `selected` is the packet under the cursor.

        In its row, whole addresses push the other columns to the right.
        """
        number = self._number = rows[line]
        if number != selected or rows.is_evicted(number):
            self._column = layout.column_at(x)
            return
        row, self._column = rows.read(line), None
        addresses: dict[Column, str] = {
            ColumnName.SOURCE: row.source,
            ColumnName.DESTINATION: row.destination,
        }
        for column in layout.columns:
            extra = max(0, width_of(addresses.get(column.name, "")) - column.width)
            if column.start <= x <= column.stop + extra:
                self._column = column.name
                return
            x -= extra
