"""The columns that the user chose for the packet table. No drawing, no Textual.

A column is one of the built-in ones (`ColumnName`), or the name of a field that display filters
know, such as ``ip.ttl``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeAlias

WIDTH_LEAST, WIDTH_MOST = 1, 200  # cells


class ColumnName(Enum):
    """The built-in columns. The value is the heading."""

    NUMBER = "No."
    TIME = "Time"
    INTERFACE = "Interface"
    SOURCE = "Source"
    DESTINATION = "Destination"
    PROTOCOL = "Proto"
    LENGTH = "Len"
    INFO = "Info"


Column: TypeAlias = ColumnName | str

BUILT_IN = tuple(ColumnName)
BY_HEADING: Mapping[str, ColumnName] = {column.value: column for column in BUILT_IN}


def heading_of(column: Column) -> str:
    """Return the heading of a column: a word, or the name of the field."""
    return column.value if isinstance(column, ColumnName) else column


def short_heading(column: Column, width: int) -> str:
    """Return the heading of a column, without the first parts of a field's name if it is too long.

    ``tcp.window_size_value`` in 18 cells is ``window_size_value``.
    """
    text = heading_of(column)
    while isinstance(column, str) and len(text) > width and "." in text:
        text = text.partition(".")[2]
    return text


def column_of(heading: str) -> Column:
    """Return the column with a heading. Raise `KeyError` if no column or field has that name."""
    if heading in BY_HEADING:
        return BY_HEADING[heading]
    from core.analysis.filter.fields.catalog import CATALOG  # only with such a column

    if CATALOG.find(heading) is None:
        raise KeyError(heading)
    return heading


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """The columns from left to right, and the widths in cells that the user set.

    A column without a width is as wide as its texts; Info takes the rest of the line. `spare` are
    fields that the user keeps at hand and does not show. `newest` is the field that the user showed
    last, which the table does not leave out; it is not remembered.
    """

    shown: tuple[Column, ...] = BUILT_IN
    spare: tuple[str, ...] = ()
    widths: Mapping[Column, int] = field(default_factory=dict)
    newest: str = field(default="", compare=False)

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns that show a field."""
        return tuple(column for column in self.shown if isinstance(column, str))

    @property
    def hidden(self) -> tuple[Column, ...]:
        """The columns that can be shown: built-in ones, then spare fields."""
        return (*(each for each in BUILT_IN if each not in self.shown), *self.spare)

    def moved(self, column: Column, index: int) -> ColumnChoice:
        """Return the choice with a shown column at a place from 0."""
        others = [each for each in self.shown if each is not column and each != column]
        others.insert(index, column)
        return replace(self, shown=tuple(others))

    def resized(self, column: Column, cells: int | None) -> ColumnChoice:
        """Return the choice with a width for a column, or none."""
        widths = {each: width for each, width in self.widths.items() if each != column}
        if cells is not None:
            widths[column] = max(WIDTH_LEAST, min(cells, WIDTH_MOST))
        return replace(self, widths=widths)

    def with_entries(self, entries: Sequence[tuple[Column, bool]]) -> ColumnChoice:
        """Return the choice of these columns, from left to right, each shown or not."""
        columns = [column for column, _ in entries]
        shown = tuple(column for column, is_shown in entries if is_shown)
        new = [each for each in shown if isinstance(each, str) and each not in self.shown]
        return ColumnChoice(
            shown,
            tuple(each for each, is_shown in entries if not is_shown and isinstance(each, str)),
            {each: width for each, width in self.widths.items() if each in columns},
            new[-1] if new else self.newest,
        )

    @property
    def protected(self) -> str | None:
        """The field that the table does not leave out: the newest, or the only one beside Info."""
        if self.newest in self.shown:
            return self.newest
        is_only = len(self.fields) == 1 and ColumnName.INFO in self.shown
        return self.fields[0] if is_only else None


DEFAULT_CHOICE = ColumnChoice()
