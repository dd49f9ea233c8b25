"""The detail tree without a screen: which rows are open, the lines that makes, the selected field.

Open and closed rows are remembered by `Row.key`, so they carry over from packet to packet: if the
user opens the TCP flags once, every packet shows them. At first, the network and transport headers
are open, and the parts of a field are closed.

The selected field carries over by its key, too. A packet that lacks it selects the layer above it;
the field is selected again in the next packet that has it, until the user picks another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.wire.model.field import Span
from core.wire.present.detail_row import Row, Severity
from core.wire.registry import PACKET_PROTOCOLS

OPEN_AT_FIRST = frozenset(
    {"frame.stop", *(protocol.name for protocol in PACKET_PROTOCOLS if protocol.is_listed)}
)


@dataclass(frozen=True, slots=True)
class TreeLine:
    """A visible row, its depth, and the line of its parent."""

    row: Row
    level: int
    parent: int | None


class Expansion:
    """The keys of open and closed rows."""

    def __init__(self) -> None:
        self._open: dict[str, bool] = {}

    def is_open(self, row: Row) -> bool:
        """Return True if the children of `row` are shown."""
        if not row.children:
            return False
        at_first = row.is_layer and row.key.partition("#")[0] in OPEN_AT_FIRST
        return self._open.get(row.key, at_first)

    def set(self, row: Row, is_open: bool) -> None:
        """Show or hide the children of `row`, in this packet and all later ones."""
        self._open[row.key] = is_open

    def lines(self, rows: Sequence[Row]) -> list[TreeLine]:
        """Return the visible lines of these trees, from top to bottom."""
        lines: list[TreeLine] = []
        self._append(lines, rows, 0, None)
        return lines

    def _append(
        self, lines: list[TreeLine], rows: Sequence[Row], level: int, parent: int | None
    ) -> None:
        for row in rows:
            lines.append(TreeLine(row, level, parent))
            if self.is_open(row):
                self._append(lines, row.children, level + 1, len(lines) - 1)


class DetailTree:
    """The tree of one packet after another. `lines` are visible; the cursor is on line `cursor`.

    The methods that the user's keys call return False if nothing changed. Opening or closing a row
    makes a new list of `lines`.
    """

    def __init__(self) -> None:
        self.lines: list[TreeLine] = []
        self.cursor = 0
        self._rows: tuple[Row, ...] = ()
        self._expansion = Expansion()
        self._picked = ""  # key of the field that the user selected last

    @property
    def row(self) -> Row | None:
        """Return the row under the cursor."""
        return self.lines[self.cursor].row if self.lines else None

    @property
    def span(self) -> Span | None:
        """Return the bytes of the row under the cursor."""
        row = self.row
        return None if row is None else row.span

    @property
    def selects_picked(self) -> bool:
        """Return True if the cursor is on the field that the user picked, or none is picked."""
        row = self.row
        return not self._picked or (row is not None and row.key == self._picked)

    def is_open(self, line: int) -> bool:
        """Return True if the children of the row in `line` are shown."""
        return self._expansion.is_open(self.lines[line].row)

    def show(self, rows: Sequence[Row]) -> None:
        """Show the rows of another packet, with the picked field selected if it is visible."""
        self._rows = tuple(rows)
        self.lines = self._expansion.lines(self._rows)
        self.cursor = self._line_of_picked()

    def _line_of_picked(self) -> int:
        """Return the line of the picked field, or of the innermost visible row around it."""
        path = path_to_key(self._rows, self._picked)
        if not path and self._picked:
            path = path_to_key(self._rows, self._picked.partition(".")[0])
        keys = {row.key for row in path}
        found = [index for index, line in enumerate(self.lines) if line.row.key in keys]
        return found[-1] if found else 0

    def select(self, line: int) -> bool:
        """Put the cursor on a line, and pick its field for the packets to come."""
        self.cursor = line
        self._picked = self.lines[line].row.key
        return True

    def select_byte(self, offset: int, *, in_datagram: bool = False) -> bool:
        """Select the row that a byte of the frame belongs to; open the rows above it.

        With `in_datagram`, it is a byte of the datagram that the packet completes.
        """
        path = path_to_byte(self._rows, offset, in_datagram=in_datagram)
        if not path:
            return False
        for row in path[:-1]:
            self._expansion.set(row, True)
        self.lines = self._expansion.lines(self._rows)
        return self.select(next(i for i, line in enumerate(self.lines) if line.row is path[-1]))

    def toggle(self) -> bool:
        """Open the selected row, or close it."""
        row = self.row
        return row is not None and self._set_open(row, not self._expansion.is_open(row))

    def expand(self) -> bool:
        """Open the selected row; if it is open, select its first child."""
        row = self.row
        if row is None or not row.children:
            return False
        return self.select(self.cursor + 1) if self.is_open(self.cursor) else self.toggle()

    def collapse(self) -> bool:
        """Close the selected row; if it is closed, select its parent."""
        if not self.lines:
            return False
        if self.is_open(self.cursor):
            return self.toggle()
        parent = self.lines[self.cursor].parent
        return parent is not None and self.select(parent)

    def _set_open(self, row: Row, is_open: bool) -> bool:
        if not row.children:
            return False
        self._expansion.set(row, is_open)
        self.lines = self._expansion.lines(self._rows)
        return self.select(min(self.cursor, len(self.lines) - 1))


def path_to_byte(rows: Sequence[Row], offset: int, *, in_datagram: bool = False) -> tuple[Row, ...]:
    """Return the rows from the outermost down to the one that the byte at `offset` belongs to.

    At each level, take the row with the fewest bytes around the byte. Do not enter a field whose
    parts say no more about the byte: several of them share it (flags), or they are as long as the
    field itself.
    """
    holding = [
        row
        for row in rows
        if row.span is not None and offset in row.span and row.in_datagram == in_datagram
    ]
    if not holding:
        return ()
    row = min(holding, key=_size)
    inside = path_to_byte(row.children, offset, in_datagram=in_datagram)
    if inside and not row.is_layer:
        shortest = _size(inside[0])
        alike = sum(
            offset in (part.span or ()) and _size(part) == shortest for part in row.children
        )
        if alike > 1 or shortest >= _size(row):
            inside = ()
    return (row, *inside)


def _size(row: Row) -> int:
    return 0 if row.span is None else row.span.stop - row.span.start


def path_to_key(rows: Sequence[Row], key: str) -> tuple[Row, ...]:
    """Return the rows from the outermost down to the one with this key; empty if it is missing."""
    for row in rows:
        if row.key == key:
            return (row,)
        if below := path_to_key(row.children, key):
            return (row, *below)
    return ()


def worst(row: Row) -> Severity:
    """Return the worst severity in `row` and below it, which a closed row must show."""
    return max(row.severity, *map(worst, row.children), Severity.NONE)
