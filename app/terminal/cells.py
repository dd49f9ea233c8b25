"""Convert painted lines to arrays of numbers, *cells*, so that numpy can compare two screens.

A cell is one unsigned 64-bit number: the glyph in the low half, the style in the high half.

* A glyph is a code point. A grapheme of several code points has a number above all code
  points; the second cell of a wide grapheme is `CONTINUED`.
* A style is the index of a `CellStyle`: the SGR parameters (ECMA-48 §8.3.117) that draw it. On a
  blank only the background is visible, unless the style draws a line there, so all blanks of
  one background are equal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from widgets.lines.recent_values import RecentValues

Cells = NDArray[np.uint64]

STYLE_SHIFT = np.uint64(32)
GLYPH_MASK = np.uint64(0xFFFFFFFF)
CONTINUED = 0  # not a character: the screen filter removes NUL
FIRST_CLUSTER = 0x110000
UNKNOWN = np.uint64(0xFFFFFFFFFFFFFFFF)
BLANK = ord(" ")

_KEPT_STRIPS, _KEPT_STYLES = 256, 2048
_MOST_CLUSTERS = 10_000  # packets choose them; further ones show only their first character
# Latin, Greek, Cyrillic, dashes, arrows, boxes and shapes, braille: a cell each, on all terminals.
_ONE_CELL_EACH = re.compile(
    "[ -~\xa0-\xac\xae-\u02ff\u0370-\u0482"
    "\u2010-\u2027\u2190-\u21ff\u23ce\u2500-\u25fc\u2800-\u28ff]*"
)
_SGR = re.compile(r"\x1b\[([\d;]*)m")
_SEEN_ON_BLANKS = frozenset({"4", "7", "9", "21", "53"})  # lines, and reverse video


@dataclass(frozen=True, slots=True)
class CellStyle:
    """SGR parameters, one per attribute; an empty string is the terminal's default."""

    attributes: str = ""
    foreground: str = ""
    background: str = ""

    def after(self, before: CellStyle | None) -> str:
        """Return the shortest SGR sequence from style `before` (None: unknown) to this one."""
        if before == self:
            return ""
        if before is None or before.attributes != self.attributes:
            parts = ["0", self.attributes, self.foreground, self.background]
        else:
            parts = []
            if before.foreground != self.foreground:
                parts.append(self.foreground or "39")
            if before.background != self.background:
                parts.append(self.background or "49")
        return f"\x1b[{';'.join(part for part in parts if part)}m"

    @property
    def on_blank(self) -> CellStyle:
        """The style of a blank in this style."""
        if _SEEN_ON_BLANKS.isdisjoint(self.attributes.split(";")):
            return CellStyle(background=self.background)
        return self


def parse_style(codes: str) -> CellStyle:
    """Split SGR parameters such as ``1;38;2;10;20;30;40``."""
    attributes: list[str] = []
    foreground = background = ""
    parts = iter(codes.split(";") if codes else ())
    for part in parts:
        number = int(part)
        if number in (38, 48):
            kind = next(parts)
            count = 3 if kind == "2" else 1
            part = ";".join((part, kind, *(next(parts) for _ in range(count))))
        if number // 10 in (3, 9):
            foreground = "" if number == 39 else part
        elif number // 10 in (4, 10):
            background = "" if number == 49 else part
        else:
            attributes.append(part)
    return CellStyle(";".join(attributes), foreground, background)


class Alphabet:
    """Assigns numbers to all painted glyphs and styles, and converts strips to cells."""

    def __init__(self, color_system: ColorSystem) -> None:
        self._color_system = color_system
        self.styles: list[CellStyle] = [CellStyle()]
        self.on_blank: list[int] = [0]  # style number → the number of its `CellStyle.on_blank`
        self._numbers: dict[CellStyle, int] = {CellStyle(): 0}
        self._styles: LRUCache[Style, int] = LRUCache(_KEPT_STYLES)
        self._clusters: dict[str, int] = {}
        self._clusters_by_number: list[str] = []
        self._strips: RecentValues[int, tuple[Strip, Cells]] = RecentValues(_KEPT_STRIPS)

    def cells(self, strip: Strip) -> Cells:
        """Return the cells of a strip. They are cached: a line that scrolls is the same strip."""
        kept = self._strips.get(id(strip))
        if kept is not None and kept[0] is strip:
            return kept[1]
        segments = [(text, style) for text, style, _ in strip]
        glyphs, lengths = self._glyphs([text for text, _ in segments])
        numbers = [0 if style is None else self._style_number(style) for _, style in segments]
        on_blank = [self.on_blank[number] for number in numbers]
        styles = np.repeat(np.array([numbers, on_blank], np.uint64) << STYLE_SHIFT, lengths, axis=1)
        cells: Cells = glyphs | np.where(glyphs == BLANK, styles[1], styles[0])
        self._strips.put(id(strip), (strip, cells))
        return cells

    def blank_like(self, cell: np.uint64) -> np.uint64:
        """Return a blank in the style of a cell."""
        return np.uint64(self.on_blank[int(cell >> STYLE_SHIFT)] << 32 | BLANK)

    def _style_number(self, style: Style) -> int:
        number = self._styles.get(style)
        if number is None:
            match = _SGR.match(style.render("x", color_system=self._color_system))
            number = self._styles[style] = self._number(parse_style(match[1] if match else ""))
        return number

    def _number(self, style: CellStyle) -> int:
        number = self._numbers.get(style)
        if number is None:
            number = self._numbers[style] = len(self.styles)
            self.styles.append(style)
            self.on_blank.append(number)
            self.on_blank[number] = self._number(style.on_blank)
        return number

    def _glyphs(self, texts: list[str]) -> tuple[Cells, list[int]]:
        """Return the glyphs of these texts in succession, and the number of cells of each."""
        line = "".join(texts)
        if _ONE_CELL_EACH.fullmatch(line):
            codes = np.frombuffer(line.encode("utf-32-le"), "<u4").astype(np.uint64)
            return codes, [len(text) for text in texts]
        numbers: list[int] = []
        lengths = []
        for text in texts:
            before = len(numbers)
            for start, end, width in split_graphemes(text)[0]:
                if width:
                    single = end - start == 1
                    numbers.append(ord(text[start]) if single else self._cluster(text[start:end]))
                    numbers += [CONTINUED] * (width - 1)
            lengths.append(len(numbers) - before)
        return np.array(numbers, np.uint64), lengths

    def _cluster(self, text: str) -> int:
        if len(self._clusters) >= _MOST_CLUSTERS and text not in self._clusters:
            return ord(text[0])
        number = self._clusters.setdefault(text, FIRST_CLUSTER + len(self._clusters))
        if number - FIRST_CLUSTER == len(self._clusters_by_number):
            self._clusters_by_number.append(text)
        return number

    def text(self, glyphs: Cells) -> Sequence[str]:
        """Return the text of each cell; that of a continued cell is empty."""
        if glyphs.max() < FIRST_CLUSTER and glyphs.min() != CONTINUED:
            return glyphs.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
        return [
            "" if number == CONTINUED
            else chr(number) if number < FIRST_CLUSTER
            else self._clusters_by_number[number - FIRST_CLUSTER]
            for number in glyphs.tolist()
        ]  # fmt: skip
