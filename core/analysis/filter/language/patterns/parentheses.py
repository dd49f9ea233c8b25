"""Parentheses of regular expressions: groups, look-around, conditions, calls, and flags."""

from __future__ import annotations

import re
from typing import Protocol

from core.analysis.filter.language.patterns.cursor import Cursor
from core.analysis.filter.language.patterns.flags import CHANGE, Flags
from core.analysis.filter.language.patterns.group_numbers import GroupNumbers

_NAMED = re.compile(rb"(?:P?<([A-Za-z_]\w{0,31})>|'([A-Za-z_]\w{0,31})')")
_CALL = re.compile(rb"(?:(R)|([+-]?\d+)|(?:P>|&)([A-Za-z_]\w*))\)")
_CONDITION = re.compile(rb"\((?:([+-]?\d+)|<(\w+)>|'(\w+)'|([A-Za-z_]\w*))\)")
_LOOKS = (b"?=", b"?!", b"?<=", b"?<!")
_VERBS = {b"*F)": b"(?!)", b"*FAIL)": b"(?!)"}
_WORDED = {
    b"*pla:": b"?=", b"*positive_lookahead:": b"?=",
    b"*nla:": b"?!", b"*negative_lookahead:": b"?!",
    b"*plb:": b"?<=", b"*positive_lookbehind:": b"?<=",
    b"*nlb:": b"?<!", b"*negative_lookbehind:": b"?<!",
    b"*atomic:": b"?>",
}  # fmt: skip


class GroupBody(Protocol):
    """Reads the alternatives inside parentheses. `flags` are those at the cursor."""

    flags: Flags

    def of_group(self, start: int, *, has_same_numbers: bool = False) -> tuple[bytes, int]:
        """Return what a group holds and the number of its alternatives; pass its end.

        With `has_same_numbers`, the groups of all alternatives have the same numbers.
        """
        ...


class ParenthesisReader:
    """Reads parentheses at a cursor."""

    def __init__(self, cursor: Cursor, groups: GroupNumbers, body: GroupBody) -> None:
        self._cursor = cursor
        self._groups = groups
        self._body = body

    def read(self) -> tuple[bytes, bool]:
        """Return the parenthesis at the cursor, and True if a quantifier may follow."""
        start = self._cursor.at
        self._cursor.at += 1
        for word, mark in _WORDED.items():
            if self._cursor.take(word):
                return self._closed(b"(" + mark, start), True
        for word, verb in _VERBS.items():
            if self._cursor.take(word):
                return verb, False
        if self._cursor.next() == b"*":
            raise self._cursor.error("verbs such as (*COMMIT) are not supported", start)
        if self._cursor.next() != b"?":
            if self._body.flags.n:
                return self._closed(b"(?:", start), True
            return self._captured(b"(", None, start), True
        for mark in (*_LOOKS, b"?>", b"?:"):
            if self._cursor.take(mark):
                return self._closed(b"(" + mark, start), True
        if self._cursor.take(b"?|"):
            return self._closed(b"(?|", start, has_same_numbers=True), True
        self._cursor.at += 1
        return self._extension(start)

    def _extension(self, start: int) -> tuple[bytes, bool]:
        """Read the rest of a parenthesis that begins with a question mark."""
        named = self._cursor.match(_NAMED)
        if named is not None:
            self._cursor.at = named.end()
            name = named[1] or named[2]
            return self._captured(b"(?P<" + name + b">", name, start), True
        if self._cursor.take(b"P="):
            end = self._cursor.pattern.find(b")", self._cursor.at)
            name = self._cursor.pattern[self._cursor.at : max(end, self._cursor.at)]
            if re.fullmatch(rb"[A-Za-z_]\w*", name) is None:
                raise self._cursor.error("expected the name of a group", start)
            self._cursor.at = end + 1
            return b"\\g<" + name + b">", True
        call = self._cursor.match(_CALL)
        if call is not None:
            self._cursor.at = call.end()
            return self._groups.call(call[2], call[3], start), True
        if self._cursor.next() == b"(":
            return self._conditional(start), True
        flags = self._cursor.match(CHANGE)
        if flags is None:
            raise self._cursor.error("this kind of group is not supported", start)
        return self._with_flags(flags, start)

    def _captured(self, head: bytes, name: bytes | None, start: int) -> bytes:
        number = self._groups.begin(name, start)
        found = self._closed(head, start)
        self._groups.end(number)
        return found

    def _conditional(self, start: int) -> bytes:
        condition = self._cursor.match(_CONDITION)
        if condition is not None:
            self._cursor.at = condition.end()
            if condition[1] is not None:
                head = b"(?(%d)" % self._groups.absolute(condition[1], start)
            else:
                name = condition[2] or condition[3] or condition[4]
                if condition[4] in (b"R",) or name[:1].isdigit():
                    raise self._cursor.error("this condition is not supported", start)
                head = b"(?(" + name + b")"
        elif self._cursor.next(3).startswith((b"(?=", b"(?!", b"(?<")):
            look, _ = self.read()
            head = b"(?" + look
        else:
            raise self._cursor.error("this condition is not supported", start)
        body, branches = self._body.of_group(start)
        if branches > (1 if head == b"(?(DEFINE)" else 2):
            raise self._cursor.error("a condition has at most two alternatives", start)
        return head + body + b")"

    def _with_flags(self, found: re.Match[bytes], start: int) -> tuple[bytes, bool]:
        self._cursor.at = found.end()
        before = self._body.flags
        if found[1] and found[3] is not None:
            raise self._cursor.error("(?^ takes no hyphen", start)
        flags = before.changed(found)
        self._body.flags = flags
        changed = b"" if flags.i is before.i else b"i" if flags.i else b"-i"
        if found[4] == b")":
            return (b"(?" + changed + b")" if changed else b""), False
        group = self._closed(b"(?" + changed + b":", start)
        self._body.flags = before
        return group, True

    def _closed(self, head: bytes, start: int, *, has_same_numbers: bool = False) -> bytes:
        body, _ = self._body.of_group(start, has_same_numbers=has_same_numbers)
        return head + body + b")"
