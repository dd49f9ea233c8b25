"""A line of text that the user edits: the text, and the cursor in it.

This is not a widget: a form of sixty fields draws sixty lines and edits one of them, without sixty
input widgets. Keys are Textual key names and do what they do in a shell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_WORD_LEFT = re.compile(r"\w*\W*$")
_WORD_RIGHT = re.compile(r"\w*\W*")


class LineEditor:
    """A text and a cursor. `cursor` is the index of the next character, 0 to the length of `text`.

    While the whole text is `selected`, inserting replaces it, an erasing key erases all of it, and
    moving the cursor deselects it.
    """

    def __init__(self, text: str = "", *, selected: bool = False) -> None:
        self.text = text
        self.cursor = len(text)
        self.selected = selected and bool(text)

    def insert(self, text: str) -> None:
        """Insert `text` at the cursor."""
        if self.selected:
            self._erase_all()
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)

    def press(self, key: str) -> bool:
        """Do what a key does. Return False if it is not an editing key."""
        act = _KEYS.get(key)
        if act is None:
            return False
        if self.selected and key in _ERASING:
            self._erase_all()
        else:
            self.selected = False
            act(self)
        return True

    def go_to(self, cursor: int) -> None:
        """Move the cursor, at most to either end."""
        self.selected = False
        self.cursor = max(0, min(cursor, len(self.text)))

    def _erase_all(self) -> None:
        self.text, self.cursor, self.selected = "", 0, False

    def _erase_to(self, cursor: int) -> None:
        """Erase the text between the cursor and `cursor`."""
        start, stop = sorted((self.cursor, max(0, min(cursor, len(self.text)))))
        self.text = self.text[:start] + self.text[stop:]
        self.cursor = start

    def _word_left(self) -> int:
        found = _WORD_LEFT.search(self.text[: self.cursor])
        return found.start() if found else 0

    def _word_right(self) -> int:
        found = _WORD_RIGHT.match(self.text, self.cursor)
        return found.end() if found else len(self.text)


_ERASING = frozenset({"backspace", "delete", "ctrl+w", "ctrl+u", "ctrl+k"})
_KEYS: Mapping[str, Callable[[LineEditor], None]] = {
    "left": lambda line: line.go_to(line.cursor - 1),
    "right": lambda line: line.go_to(line.cursor + 1),
    "home": lambda line: line.go_to(0),
    "ctrl+a": lambda line: line.go_to(0),
    "end": lambda line: line.go_to(len(line.text)),
    "ctrl+left": lambda line: line.go_to(line._word_left()),
    "ctrl+right": lambda line: line.go_to(line._word_right()),
    "backspace": lambda line: line._erase_to(line.cursor - 1),
    "delete": lambda line: line._erase_to(line.cursor + 1),
    "ctrl+w": lambda line: line._erase_to(line._word_left()),
    "ctrl+u": lambda line: line._erase_to(0),
    "ctrl+k": lambda line: line._erase_to(len(line.text)),
}
