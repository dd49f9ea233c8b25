"""The cell of each byte in a hex dump, for drawing and for clicks.

::

    0010  00 3c 12 67 40 00 40 06  28 a7 7f 00 00 01 7f 00   ·<·g@·@·(·······
    offset  hex, 32, 16, 8 or 4 per row                      the same as text
"""

from __future__ import annotations

from dataclasses import dataclass

SHAPES = ((32, 2), (16, 2), (8, 2), (8, 1), (4, 2))  # bytes per row, cells between the three parts
GROUP = 8  # bytes between two wider gaps


@dataclass(frozen=True, slots=True)
class HexLayout:
    """A row: `digits` of the offset, `per_row` bytes, `gap` cells between the three parts."""

    digits: int
    per_row: int
    gap: int = 2

    @property
    def hex_start(self) -> int:
        """Return the cell of the first hex digit."""
        return self.digits + self.gap

    @property
    def text_start(self) -> int:
        """Return the cell of the first character."""
        return self.hex_cell(self.per_row - 1) + 2 + self.gap

    @property
    def width(self) -> int:
        """Return the cells of a full row."""
        return self.text_start + self.per_row

    def hex_cell(self, index: int) -> int:
        """Return the first cell of byte `index` of a row."""
        return self.hex_start + index * 3 + index // GROUP

    def index_at(self, x: int) -> int:
        """Return the byte of a row at cell `x`; outside of both parts, the nearest one."""
        if x >= self.text_start:
            return min(x - self.text_start, self.per_row - 1)
        for index in range(self.per_row - 1, 0, -1):
            if x >= self.hex_cell(index):
                return index
        return 0


def choose_hex_layout(length: int, width: int) -> HexLayout:
    """Return the layout with the most bytes per row that fits `width` cells; for `length` bytes."""
    digits = max(4, len(f"{max(0, length - 1):x}"))
    for per_row, gap in SHAPES:
        layout = HexLayout(digits, per_row, gap)
        if layout.width <= width:
            return layout
    return layout
