"""Scroll in the terminal, so that lines that only moved need not be written again.

The terminal deletes or inserts lines inside a scrolling region (DECSTBM, DL, IL of the VT102),
which all terminals and the Linux console support. Whole lines of the screen move, so text next to a
list moves, too, and must be written again. A scroll is used only if it saves more cells than that
costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.terminal.cells import UNKNOWN, Cells

FARTHEST = 8  # lines; a list that moved farther is painted again
FEWEST_LINES = 3  # that must have moved unchanged
FEWEST_CELLS = 120  # saved, to justify the 20 bytes of a scroll and the terminal's work

_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio (Knuth, TAOCP 6.4)


@dataclass(frozen=True, slots=True)
class Scroll:
    """A move of lines `top` to `bottom` (from 0, both included) up by `lines`; down if negative."""

    top: int
    bottom: int
    lines: int

    @property
    def sequence(self) -> str:
        """The escape sequence. It moves the cursor, and resets the margins."""
        command = f"{self.lines}M" if self.lines > 0 else f"{-self.lines}L"
        top = self.top + 1
        return f"\x1b[{top};{self.bottom + 1}r\x1b[{top};1H\x1b[{command}\x1b[r"

    def apply(self, shown: Cells) -> None:
        """Move the lines of `shown`; the lines that scroll in become unknown."""
        part = shown[self.top : self.bottom + 1]
        if self.lines > 0:
            part[: -self.lines] = part[self.lines :].copy()
            part[-self.lines :] = UNKNOWN
        else:
            part[-self.lines :] = part[: self.lines].copy()
            part[: -self.lines] = UNKNOWN


def find_scroll(shown: Cells, wanted: Cells) -> Scroll | None:
    """Return the scroll that most moved lines share, or None if it saves too little."""
    width = wanted.shape[1]
    changed = np.count_nonzero(wanted != shown, axis=1)
    by = _moved_by(_hashes(shown, width), _hashes(wanted, width), changed > 0)
    if by == 0:
        return None
    lines = abs(by)
    new, old = (wanted[:-lines], shown[lines:]) if by > 0 else (wanted[lines:], shown[:-lines])
    before = changed[:-lines] if by > 0 else changed[lines:]
    top, last, gain = _best_stretch(before - np.count_nonzero(new != old, axis=1))
    bottom = last + lines
    coming = slice(last + 1, bottom + 1) if by > 0 else slice(top, top + lines)
    gain -= int((width - changed[coming]).sum())
    return Scroll(top, bottom, by) if gain > FEWEST_CELLS else None


def _hashes(cells: Cells, width: int) -> Cells:
    """Return a hash of each line; equal hashes count as equal lines."""
    factors = np.arange(1, width + 1, dtype=np.uint64) * _ODD | np.uint64(1)
    hashes: Cells = (cells * factors).sum(axis=1, dtype=np.uint64)  # wraps
    return hashes


def _moved_by(shown: Cells, wanted: Cells, changed: NDArray[np.bool_]) -> int:
    """Return by how many lines most changed lines moved up (negative: down); 0 if too few."""
    best, most = 0, FEWEST_LINES - 1
    for lines in range(1, min(FARTHEST, len(shown) - 1) + 1):
        up = int(np.count_nonzero((wanted[:-lines] == shown[lines:]) & changed[:-lines]))
        down = int(np.count_nonzero((wanted[lines:] == shown[:-lines]) & changed[lines:]))
        if max(up, down) > most:
            best, most = (lines, up) if up >= down else (-lines, down)
    return best


def _best_stretch(gains: NDArray[np.intp]) -> tuple[int, int, int]:
    """Return first index, last index and sum of the slice with the greatest sum (Kadane)."""
    best, start, total = (0, 0, 0), 0, 0
    for at, gain in enumerate(gains.tolist()):
        if total <= 0:
            start, total = at, 0
        total += gain
        if total > best[2]:
            best = start, at, total
    return best
