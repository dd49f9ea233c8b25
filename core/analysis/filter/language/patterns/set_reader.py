"""The reader of a set in a regular expression: from its left bracket to the right one."""

from __future__ import annotations

import re

from core.analysis.filter.language.patterns.byte_escapes import PatternError, read_byte, read_octal
from core.analysis.filter.language.patterns.byte_sets import (
    CLASSES,
    Bytes,
    category,
    posix_class,
    written_set,
)

_POSIX = re.compile(rb"\[([:.=])((?:(?!\1\]|\\|\]).)*)\1\]", re.DOTALL)
_CATEGORY = re.compile(rb"[pP](?:\{([^}]*)\}|([A-Za-z]))")


class SetReader:
    """Reads one set that begins at ``pattern[at]``. `ignores_case` and `skips_blanks` are flags."""

    def __init__(self, pattern: bytes, at: int, *, ignores_case: bool, skips_blanks: bool) -> None:
        self._pattern = pattern
        self._start = self._at = at
        self._ignores_case = ignores_case
        self._skips_blanks = skips_blanks
        self._is_quoted = False
        self._members: set[int] = set()

    def read(self) -> tuple[bytes, int]:
        """Return the set as a pattern, and the position after it. Raise `PatternError`."""
        self._at += 1
        is_negated = self._pattern[self._at : self._at + 1] == b"^"
        self._at += is_negated
        is_first = True
        while True:
            self._skip()
            if not is_first and not self._is_quoted and self._is(b"]"):
                break
            self._range(is_first=is_first)
            is_first = False
        return written_set(self._members, is_negated=is_negated), self._at + 1

    def _is(self, text: bytes) -> bool:
        self._skip()
        if self._at >= len(self._pattern):
            raise PatternError("the right bracket of a set is missing", self._start)
        return self._pattern.startswith(text, self._at)

    def _skip(self) -> None:
        r"""Pass over ``\Q``, ``\E``, and, with the flag xx, blanks."""
        while True:
            mark = b"\\E" if self._is_quoted else b"\\Q"
            if self._pattern.startswith(mark, self._at):
                self._is_quoted = not self._is_quoted
                self._at += 2
            elif not self._is_quoted and self._pattern.startswith(b"\\E", self._at):
                self._at += 2
            elif (
                self._skips_blanks
                and not self._is_quoted
                and self._pattern[self._at : self._at + 1] in (b" ", b"\t")
            ):
                self._at += 1
            else:
                return

    def _range(self, *, is_first: bool) -> None:
        """Read one byte or class, or a range of bytes."""
        start = self._at
        low = self._item(is_first=is_first)
        if self._is_quoted or not self._is(b"-") or self._is_last_hyphen():
            self._members |= low if isinstance(low, frozenset) else {low}
            return
        self._at += 1
        high = self._item(is_first=True)
        if isinstance(low, frozenset) or isinstance(high, frozenset):
            raise PatternError("a class cannot be the end of a range", start)
        if high < low:
            raise PatternError("the range of a set ends before its start", start)
        self._members |= set(range(low, high + 1))

    def _is_last_hyphen(self) -> bool:
        before = self._at, self._is_quoted
        self._at += 1
        is_last = not self._is_quoted and self._is(b"]")
        self._at, self._is_quoted = before
        return is_last

    def _item(self, *, is_first: bool) -> int | Bytes:
        """Return the next byte, or the bytes of a class."""
        self._skip()
        if not is_first or self._at >= len(self._pattern):
            self._is(b"")  # raises at the end
        if self._is_quoted:
            self._at += 1
            return self._pattern[self._at - 1]
        if self._pattern.startswith(b"\\", self._at):
            return self._escape()
        posix = _POSIX.match(self._pattern, self._at)
        if posix is not None:
            members = None
            if posix[1] == b":":
                members = posix_class(posix[2], ignores_case=self._ignores_case)
            if members is None:
                raise PatternError(
                    f"there is no class {posix[0].decode(errors='replace')}", self._at
                )
            self._at = posix.end()
            return members
        self._at += 1
        return self._pattern[self._at - 1]

    def _escape(self) -> int | Bytes:
        at = self._at + 1
        letter = self._pattern[at : at + 1]
        if letter in CLASSES:
            self._at = at + 1
            return CLASSES[letter]
        if letter in (b"p", b"P"):
            members, self._at = read_category(self._pattern, at)
            return members
        found = (8, at + 1) if letter == b"b" else read_octal(self._pattern, at)
        if found is None and letter in (b"8", b"9"):
            found = letter[0], at + 1
        found = found or read_byte(self._pattern, at)
        if found is None:
            raise PatternError(f"\\{letter.decode()} has no meaning in a set", self._at)
        code, self._at = found
        return code


def read_category(pattern: bytes, at: int) -> tuple[Bytes, int]:
    r"""Return the bytes of ``p{Lu}`` or ``P{Lu}`` after a backslash, and its end."""
    found = _CATEGORY.match(pattern, at)
    name = b"" if found is None else found[1] if found[1] is not None else found[2]
    members = category(name)
    if found is None or members is None:
        raise PatternError(r"\p takes a general category here, as in \p{Lu}", at - 1)
    is_negated = pattern[at : at + 1] == b"P"
    return (frozenset(range(256)) - members if is_negated else members), found.end()
