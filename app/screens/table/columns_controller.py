"""The columns of the packet table: chosen in a dialog or with the mouse, and remembered."""

from __future__ import annotations

from collections.abc import Callable

from app.config.config_writer import Changes
from app.config.schema import TableSettings
from widgets.packets.column_choice import DEFAULT_CHOICE, ColumnChoice, column_of, heading_of
from widgets.packets.packet_table import PacketTable


class ColumnsController:
    """The columns key. `save` remembers settings of the section ``[table]``."""

    def __init__(
        self, table: PacketTable, settings: TableSettings, save: Callable[[Changes], None]
    ) -> None:
        self._table, self._save = table, save
        table.headings.choose(choice_of(settings))

    def open(self) -> None:
        """Show the list of columns; its changes take effect at once."""
        from app.screens.dialogs.columns import Columns

        headings = self._table.headings
        dialog = Columns(headings.choice, self.choose, headings.width_of)
        self._table.app.push_screen(dialog)

    def toggle_names(self) -> None:
        """Show the names of addresses, or the addresses again."""
        rows = self._table.rows
        rows.has_names = not rows.has_names
        self._table.forget_lines()
        hosts = len(rows.names.hosts)
        known = f"{hosts:,} host{'s' * (hosts != 1)} known from DNS responses"
        self._table.notify(f"names: {known}, and vendors" if rows.has_names else "addresses")

    def choose(self, choice: ColumnChoice) -> None:
        """Show other columns, and remember them."""
        self._table.headings.choose(choice)
        self.remember()

    def remember(self) -> None:
        """Save the columns that the table shows."""
        self._save(changes_of(self._table.headings.choice))


def choice_of(settings: TableSettings) -> ColumnChoice:
    """Return the columns of a configuration file, whose names were checked."""
    shown = tuple(map(column_of, settings.columns))
    spare = (one for one in map(column_of, settings.spare) if one not in shown)
    return ColumnChoice(
        shown,
        tuple(one for one in spare if isinstance(one, str)),
        {column_of(name): cells for name, cells in settings.widths.items()},
    )


def changes_of(choice: ColumnChoice) -> Changes:
    """Return the settings for these columns; a default needs none."""
    is_default = choice.shown == DEFAULT_CHOICE.shown
    return {
        "columns": None if is_default else [heading_of(column) for column in choice.shown],
        "spare": list(choice.spare) or None,
        "widths": {heading_of(column): cells for column, cells in choice.widths.items()} or None,
    }
