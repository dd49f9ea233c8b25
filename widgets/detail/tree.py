"""The detail tree without a screen: which rows are open, which lines that makes, where a byte is.

What is open is remembered by `Row.key`, so that it carries over from packet to packet: who opened
the TCP flags once sees them in every packet. What nobody has touched yet is open as one wants it
on first sight: the network and transport headers, but not the parts of a field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.wire.present.detail import Row, Severity
from core.wire.registry import PACKET_PROTOCOLS

OPEN_AT_FIRST = frozenset(
    {"frame.stop", *(protocol.name for protocol in PACKET_PROTOCOLS if protocol.is_listed)}
)


@dataclass(frozen=True, slots=True)
class TreeLine:
    """A visible row: how deep it is, and the line of its parent."""

    row: Row
    level: int
    parent: int | None


class Expansion:
    """Which rows are open, by key."""

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
        """What is visible of these trees, from top to bottom."""
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


def path_to_byte(rows: Sequence[Row], offset: int) -> tuple[Row, ...]:
    """From the outermost row down to the one that the byte at `offset` belongs to.

    At each level the row with the fewest bytes around it is taken. A field is not entered
    where its parts say no more about the byte: they share it (flags), or are as long as
    the field itself.
    """
    holding = [row for row in rows if row.span is not None and offset in row.span]
    if not holding:
        return ()
    row = min(holding, key=_size)
    inside = path_to_byte(row.children, offset)
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
    """From the outermost row down to the one with this key; empty if there is none."""
    for row in rows:
        if row.key == key:
            return (row,)
        if below := path_to_key(row.children, key):
            return (row, *below)
    return ()


def worst(row: Row) -> Severity:
    """The worst severity in `row` and everything below it: what a closed row must show."""
    return max(row.severity, *map(worst, row.children), Severity.NONE)
