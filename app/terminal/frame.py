"""The frame: the cells that a terminal shows, those that it should show, and the difference.

Textual writes each line that may have changed, whole and with all its colors: 33 kB a second for a
table that follows ten packets a second at 80×24. The frame keeps both screens and writes only the
differences.

* `take` stores Textual's updates at any time, and `difference` writes them later. The terminal
  skips frames that it has no time for; the next difference leads to the newest one.
* The terminal itself scrolls a list that scrolled (`app.terminal.scroll`).
* Phrases are written whole: cells of one style between two blanks and the next two. A screen
  reader that listens to a terminal's output then hears words, not the digits that changed.
* After a character whose width terminals disagree about, the cursor is positioned again.
* After `forget`, the next difference paints every cell.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from app.terminal.cells import (
    BLANK,
    CONTINUED,
    FIRST_CLUSTER,
    GLYPH_MASK,
    STYLE_SHIFT,
    UNKNOWN,
    Alphabet,
    Cells,
    CellStyle,
)
from app.terminal.scroll import find_scroll

Mask = NDArray[np.bool_]


class TerminalFrame:
    """The cells that a terminal shows, and those that it should show."""

    def __init__(self, color_system: ColorSystem) -> None:
        self._alphabet = Alphabet(color_system)
        self.resize(0, 0)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in cells."""
        height, width = self._wanted.shape
        return width, height

    def resize(self, width: int, height: int) -> None:
        """Start again at this size, with the terminal's cells and the wanted cells unknown."""
        self._wanted: Cells = np.full((height, width), UNKNOWN)
        self._shown: Cells = self._wanted.copy()

    def forget(self) -> None:
        """Assume that the terminal may show anything."""
        self._shown.fill(UNKNOWN)

    # -- updates from Textual -------------------------------------------------------------

    def take(self, update: CompositorUpdate) -> None:
        """Store Textual's update. Raise `TypeError` for an unknown kind of update."""
        match update:
            case LayoutUpdate():
                for y, line in enumerate(update.strips, update.region.y):
                    x = update.region.x
                    for strip in line:
                        self._put(x, y, strip)
                        x += strip.cell_length
            case ChopsUpdate():
                for y, first, last in update.spans:
                    self._put_chops(y, first, last, update)
            case _:
                raise TypeError(f"cannot draw {update!r}")

    def _put_chops(self, y: int, first: int, last: int, update: ChopsUpdate) -> None:
        """Select and crop chops as `ChopsUpdate.render_segments` does."""
        for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if chop is None or x > last or end <= first:
                continue
            if x < first or end > last:
                chop = chop.crop(0, min(end, last) - x)
            self._put(x, y, chop)

    def _put(self, x: int, y: int, strip: Strip) -> None:
        height, width = self._wanted.shape
        cells = self._alphabet.cells(strip)[: max(0, width - x)]
        if y >= height or not len(cells):
            return
        line, end = self._wanted[y], x + len(cells)
        if x and line[x] & GLYPH_MASK == CONTINUED:  # half of a wide character remains
            line[x - 1] = self._alphabet.blank_like(line[x - 1])
        if end < width and line[end] & GLYPH_MASK == CONTINUED:
            line[end] = self._alphabet.blank_like(line[end])
        line[x:end] = cells

    # -- output -----------------------------------------------------------------------------

    def difference(self) -> str:
        """Return the output that changes the shown cells to the wanted ones; count it as shown."""
        parts: list[str] = []
        if not (rows := self._changed_rows()).size:
            return ""
        if rows.size > 3 and (scroll := find_scroll(self._shown, self._wanted)) is not None:
            parts.append(scroll.sequence)
            scroll.apply(self._shown)
            rows = self._changed_rows()
        parts += self._pieces(rows)
        self._shown[rows] = self._wanted[rows]
        return "".join(parts)

    def _changed_rows(self) -> NDArray[np.intp]:
        changed = (self._wanted != self._shown) & (self._wanted != UNKNOWN)
        return np.flatnonzero(changed.any(axis=1))

    def _pieces(self, rows: NDArray[np.intp]) -> list[str]:
        """Return the changed phrases of these rows, in pieces of one style each."""
        wanted = self._wanted[rows]
        known = wanted != UNKNOWN
        glyphs = np.where(known, wanted & GLYPH_MASK, np.uint64(BLANK))
        numbers = self._style_numbers(wanted, glyphs)
        continued = glyphs == CONTINUED
        doubtful = continued | (glyphs >= FIRST_CLUSTER)  # may have another width
        painted = _phrases((wanted != self._shown[rows]) & known, glyphs == BLANK, numbers) & known
        starts = painted.copy()
        goes_on = painted[:, :-1] & (numbers[:, 1:] == numbers[:, :-1]) & ~doubtful[:, :-1]
        starts[:, 1:] &= ~(goes_on | continued[:, 1:])
        ends = painted.copy()
        ends[:, :-1] &= starts[:, 1:] | ~painted[:, 1:]
        pen = _Pen(rows, wanted.shape[1], self._alphabet.text(glyphs.ravel()))
        first, last = np.flatnonzero(starts), np.flatnonzero(ends)
        for start, end, number, in_doubt in zip(
            first.tolist(),
            last.tolist(),
            numbers.ravel()[first].tolist(),
            doubtful.ravel()[last].tolist(),
            strict=True,
        ):
            pen.write(start, end + 1, self._alphabet.styles[number], in_doubt)
        return pen.parts

    def _style_numbers(self, cells: Cells, glyphs: Cells) -> NDArray[np.intp]:
        """Return the style of every cell; a blank may take the style of the word before it.

        It does if both styles look the same on a blank. The terminal then keeps its foreground from
        word to word.
        """
        numbers = np.where(cells == UNKNOWN, 0, cells >> STYLE_SHIFT).astype(np.intp)
        words = np.where(glyphs == BLANK, 0, np.arange(cells.shape[1]))
        before = np.take_along_axis(numbers, np.maximum.accumulate(words, axis=1), axis=1)
        on_blank = np.array(self._alphabet.on_blank, np.intp)
        return np.where((glyphs == BLANK) & (on_blank[before] == numbers), before, numbers)


class _Pen:
    """Writes pieces of some rows of the screen. Cells are numbered across all rows."""

    def __init__(self, rows: NDArray[np.intp], width: int, texts: Sequence[str]) -> None:
        self.parts: list[str] = []
        self._rows, self._width, self._texts = rows.tolist(), width, texts
        self._style: CellStyle | None = None
        self._at = -1  # the cell of the cursor, or -1 if that is not certain

    def write(self, start: int, end: int, style: CellStyle, in_doubt: bool) -> None:
        """Write cells in one style; if `in_doubt`, the cursor may end elsewhere."""
        if start != self._at:
            row, column = divmod(start, self._width)
            if 0 <= self._at < start and self._at // self._width == row:
                self.parts.append(f"\x1b[{start - self._at}C")
            else:
                self.parts.append(f"\x1b[{self._rows[row] + 1};{column + 1}H")
        self.parts.append(style.after(self._style))
        self.parts.append("".join(self._texts[start:end]))
        self._style = style
        self._at = -1 if in_doubt or end % self._width == 0 else end


def _phrases(changed: Mask, blank: Mask, styles: NDArray[np.intp]) -> Mask:
    """Return `changed`, extended to whole phrases and the blank after each.

    A phrase is a run of cells of one style without two blanks in a row.
    """
    apart = np.zeros_like(blank)
    apart[:, 1:] = blank[:, 1:] & blank[:, :-1]
    apart[:, :-1] |= apart[:, 1:]
    starts = np.ones_like(blank)
    starts[:, 1:] = (apart[:, 1:] != apart[:, :-1]) | (styles[:, 1:] != styles[:, :-1])
    at = np.flatnonzero(starts)
    any_changed = np.logical_or.reduceat(changed.ravel(), at)
    lengths = np.diff(at, append=changed.size)
    whole = changed | np.repeat(any_changed, lengths).reshape(changed.shape) & ~apart
    ends = whole[:, :-1] & ~apart[:, :-1] & blank[:, 1:] & (styles[:, 1:] == styles[:, :-1])
    whole[:, 1:] |= ends
    return whole
