"""The groups of a regular expression: numbers, names, and which of them have ended."""

from __future__ import annotations

from core.analysis.filter.language.patterns.cursor import Cursor


class GroupNumbers:
    """The groups that were read. `count` is the number of the last one."""

    def __init__(self, cursor: Cursor) -> None:
        self.count = 0
        self._cursor = cursor
        self._names: dict[bytes, int] = {}
        self._ended: set[int] = set()

    def begin(self, name: bytes | None, start: int) -> int:
        """Return the number of the next group. Raise `PatternError` for a name that is taken."""
        self.count += 1
        if name is not None:
            if name in self._names:
                raise self._cursor.error(f"two groups have the name {name.decode()}", start)
            self._names[name] = self.count
        return self.count

    def end(self, number: int) -> None:
        """Note that a group has ended: others may call it."""
        self._ended.add(number)

    def absolute(self, number: bytes, start: int) -> int:
        """Return a number, which may be relative to the groups read before."""
        value = int(number[:9])
        if number[:1] == b"-":
            value += self.count + 1
        elif number[:1] == b"+":
            value += self.count
        if value < 1:
            raise self._cursor.error("there is no such group", start)
        return value

    def call(self, number: bytes | None, name: bytes | None, start: int) -> bytes:
        """Return the call of a group. No group calls itself: that might never end."""
        group = 0  # the whole pattern
        if name is not None:
            group = self._names.get(name, 0)
        elif number is not None and number != b"0":
            group = self.absolute(number, start)
        if group not in self._ended:
            raise self._cursor.error("only a group that ends before it can be called here", start)
        return b"(?%d)" % group
