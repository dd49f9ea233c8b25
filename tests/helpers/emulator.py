"""A terminal emulator without a window: shows what the user would see of a program's output.

It implements the sequences that this project and Textual write (VT102 and xterm: cursor, lines,
margins, SGR, alternate screen, cursor position report), and raises on any other sequence, so that
nothing is missed silently.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace

from rich.cells import split_graphemes

_SEQUENCE = re.compile(
    r"\x1b\[(?P<private>[?<>=]?)(?P<numbers>[\d;]*)(?P<middle>[ $]?)(?P<final>[A-Za-z])"
    r"|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b(?P<short>[78=>]|[()].)"
)
_MAYBE_MORE = re.compile(r"\x1b(\[[?<>=]?[\d;]*[ $]?|\][^\x07\x1b]*\x1b?|[()])?$")
_SHOWN_ON_BLANKS = {"4", "7", "9"}


@dataclass(frozen=True)
class Pen:
    """The rendition of the characters that are written."""

    attributes: frozenset[str] = frozenset()
    foreground: str = ""
    background: str = ""


@dataclass(frozen=True)
class Cell:
    """A character on the screen; the second cell of a wide one is empty."""

    text: str = " "
    pen: Pen = Pen()

    @property
    def seen(self) -> Cell:
        """Return this cell without attributes that are invisible on a blank."""
        if self.text == " " and not self.pen.attributes & _SHOWN_ON_BLANKS:
            return Cell(" ", Pen(background=self.pen.background))
        return self


class Emulator:
    """A screen of `columns` × `rows`. `answers` are the bytes that it would send."""

    def __init__(self, columns: int, rows: int) -> None:
        self.answers = b""
        self.modes: set[str] = set()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._pen = Pen()
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size; the screen becomes blank."""
        self.columns, self.rows = columns, rows
        self.x = self.y = 0
        self._top, self._bottom = 0, rows - 1
        self._lines = [self._blank() for _ in range(rows)]

    def _blank(self) -> list[Cell]:
        return [Cell()] * self.columns

    @property
    def text(self) -> list[str]:
        """Return the lines as text."""
        return ["".join(cell.text for cell in line) for line in self._lines]

    @property
    def seen(self) -> list[list[Cell]]:
        """Return all cells as the user sees them."""
        return [[cell.seen for cell in line] for line in self._lines]

    def __contains__(self, text: str) -> bool:
        return any(text in line for line in self.text)

    def feed(self, data: bytes) -> None:
        """Process bytes, which may be split anywhere."""
        text = self._held + self._decoder.decode(data)
        at = 0
        while at < len(text):
            character = text[at]
            if character == "\x1b":
                match = _SEQUENCE.match(text, at)
                if match is None:
                    if _MAYBE_MORE.match(text, at) or "\x18" in text[at:]:
                        at = text.find("\x18", at)
                        if at >= 0:
                            continue
                        self._held = text[text.rindex("\x1b") :]
                        return
                    raise ValueError(f"unknown sequence {text[at : at + 20]!r}")
                self._obey(match)
                at = match.end()
            elif character < " ":
                self._control(character)
                at += 1
            else:
                end = at
                while end < len(text) and text[end] >= " ":
                    end += 1
                self._write(text[at:end])
                at = end
        self._held = ""

    def _control(self, character: str) -> None:
        match character:
            case "\r":
                self.x = 0
            case "\n":
                self.x = 0  # the line discipline adds a return
                self.y = min(self.y + 1, self.rows - 1)
            case "\b":
                self.x = max(0, self.x - 1)

    def _write(self, text: str) -> None:
        for start, end, width in split_graphemes(text)[0]:
            line = self._lines[self.y]
            if width and self.x + width <= self.columns:
                if line[self.x].text == "":
                    line[self.x - 1] = Cell(pen=line[self.x - 1].pen)
                after = self.x + width
                if after < self.columns and line[after].text == "":
                    line[after] = Cell(pen=line[after].pen)
                line[self.x] = Cell(text[start:end], self._pen)
                for x in range(self.x + 1, after):
                    line[x] = Cell("", self._pen)
                self.x = after

    def _obey(self, match: re.Match[str]) -> None:
        if match["final"] is None:
            return
        private, final = match["private"], match["final"]
        numbers = [int(part or 0) for part in match["numbers"].split(";")]
        first = max(1, numbers[0])
        if final == "m" and not private:
            self._render(match["numbers"].split(";"))
            return
        match private + match["middle"] + final:
            case "H":
                row, column = (*numbers, 1)[:2]
                self.y = min(max(1, row), self.rows) - 1
                self.x = min(max(1, column), self.columns) - 1
            case "C":
                self.x = min(self.x + first, self.columns - 1)
            case "r":
                self._top = first - 1
                self._bottom = (numbers[1] if len(numbers) > 1 else self.rows) - 1
                self.x = self.y = 0
            case "M" | "L":
                self._move_lines(first, final == "M")
            case "J":
                self._lines = [self._blank() for _ in range(self.rows)]
            case "n":
                self.answers += f"\x1b[{self.y + 1};{self.x + 1}R".encode()
            case "?h":
                self.modes |= set(match["numbers"].split(";"))
                if "1049" in self.modes and numbers == [1049]:
                    self._lines = [self._blank() for _ in range(self.rows)]
            case "?l":
                self.modes -= set(match["numbers"].split(";"))
            case "?$p" | ">u" | "<u" | "=u":
                pass
            case unknown:
                raise ValueError(f"unknown sequence {unknown!r} in {match[0]!r}")

    def _move_lines(self, count: int, up: bool) -> None:
        if not self._top <= self.y <= self._bottom:
            return
        for _ in range(min(count, self._bottom - self.y + 1)):
            gone, new = (self.y, self._bottom) if up else (self._bottom, self.y)
            del self._lines[gone]
            self._lines.insert(new, self._blank())

    def _render(self, codes: list[str]) -> None:
        parts = iter(codes)
        for part in parts:
            number = int(part or 0)
            if number in (38, 48):
                kind = next(parts)
                color = ";".join([kind, *(next(parts) for _ in range(3 if kind == "2" else 1))])
                name = "foreground" if number == 38 else "background"
                self._pen = replace(self._pen, **{name: color})
            elif number == 0:
                self._pen = Pen()
            elif number == 39 or 30 <= number <= 37 or 90 <= number <= 97:
                self._pen = replace(self._pen, foreground="" if number == 39 else part)
            elif number == 49 or 40 <= number <= 47 or 100 <= number <= 107:
                self._pen = replace(self._pen, background="" if number == 49 else part)
            else:
                self._pen = replace(self._pen, attributes=self._pen.attributes | {part})
