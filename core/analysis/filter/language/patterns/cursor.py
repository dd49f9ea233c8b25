"""A position in the text of a regular expression, which its readers share."""

from __future__ import annotations

import re

from core.analysis.filter.language.patterns.byte_escapes import PatternError


class Cursor:
    """The position `at` in a pattern."""

    def __init__(self, pattern: bytes) -> None:
        self.pattern = pattern
        self.at = 0

    def next(self, size: int = 1) -> bytes:
        """Return the next bytes, fewer at the end."""
        return self.pattern[self.at : self.at + size]

    def at_end(self) -> bool:
        """Return True if no byte is left."""
        return self.at >= len(self.pattern)

    def match(self, expression: re.Pattern[bytes], ahead: int = 0) -> re.Match[bytes] | None:
        """Match an expression at the position, or some bytes ahead of it."""
        return expression.match(self.pattern, self.at + ahead)

    def take(self, text: bytes) -> bool:
        """Go past these bytes if they are next. Return False if they are not."""
        if not self.pattern.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def error(self, reason: str, at: int | None = None) -> PatternError:
        """Return the error of a place, by default the current one."""
        return PatternError(reason, self.at if at is None else at)
