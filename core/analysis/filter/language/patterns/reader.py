r"""The translation of PCRE2's regular expressions, which Wireshark has, to those of `regex`.

Both have Perl's syntax and differ in its corners: `regex` reads ``x{e}`` as a fuzzy match, ``\v``
as one byte, and ``\Z`` as the very end, and does not know ``\e``, ``\h``, ``\R``, or ``\K``. So a
pattern is read here as PCRE2 reads it, in bytes and without UTF, and written with the few
constructs that both have in common. Sets are computed (`byte_sets`). The flags but ``i`` are
resolved; a change of ``i`` is written again in each alternative after it.
"""

from __future__ import annotations

import re

from core.analysis.filter.language.patterns.byte_escapes import PatternError, read_byte, read_octal
from core.analysis.filter.language.patterns.byte_sets import ALL, CLASSES, written_byte, written_set
from core.analysis.filter.language.patterns.cursor import Cursor
from core.analysis.filter.language.patterns.flags import Flags
from core.analysis.filter.language.patterns.group_numbers import GroupNumbers
from core.analysis.filter.language.patterns.parentheses import ParenthesisReader
from core.analysis.filter.language.patterns.set_reader import SetReader, read_category

DEPTH = 40
"""The most groups inside each other."""
MOST_COST = 100_000
"""The most parts of a pattern, where those of a group count once more for each repetition.

`regex` needs up to 3 µs to compile each.
"""

LINE_START = rb"(?:\A|(?<=\n)(?!\Z))"
LINE_END = rb"(?=\n|\Z)"

_MOST_REPEATS = 65_535
_QUANTIFIER = re.compile(rb"([*+?]|\{(\d+)(?:,(\d*))?\})([+?]?)")
_BACK = re.compile(
    rb"g(?:\{([+-]?\d+)\}|([+-]?\d+)|\{([A-Za-z_]\w*)\})|k(?:<(\w+)>|'(\w+)'|\{(\w+)\})"
)
_CALL_ESCAPE = re.compile(rb"g(?:<([+-]?\d+)>|'([+-]?\d+)'|<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')")
_POSIX = re.compile(rb"\[([:.=])[a-zA-Z^]*\1\]")
_COMMENT = re.compile(rb"\(\?(?:#[^)]*|C\d*)\)")  # and a callout, which does nothing
_ANCHORS = {
    b"A": rb"\A", b"G": rb"\A", b"z": rb"\Z", b"Z": rb"(?=\n?\Z)", b"b": rb"\b", b"B": rb"\B",
    b"K": b"",  # where the match begins does not matter here
}  # fmt: skip
_ANY = written_set(ALL)
_BREAK = rb"(?>\r\n|[\x0a-\x0d\x85])"


class PatternReader:
    """Reads one pattern. `groups` is their number in a first reading, on which ``\\10`` depends."""

    def __init__(self, pattern: bytes, groups: int = 0) -> None:
        self.flags = Flags()
        self._cursor = Cursor(pattern)
        self._groups = GroupNumbers(self._cursor)
        self._parentheses = ParenthesisReader(self._cursor, self._groups, self)
        self._known = groups
        self._depth = 0
        self._cost = 0

    @property
    def groups(self) -> int:
        """The number of groups that were read."""
        return self._groups.count

    def read(self) -> bytes:
        """Return the pattern as `regex` reads it. Raise `PatternError`."""
        found, _ = self._alternatives()
        if self._cursor.at < len(self._cursor.pattern):
            raise PatternError("a right parenthesis has no left one", self._cursor.at)
        return found

    # -- alternatives and their items ------------------------------------------------------

    def _alternatives(self, *, has_same_numbers: bool = False) -> tuple[bytes, int]:
        """Read up to a right parenthesis or the end; return the pattern and its branches."""
        before, first, most = self.flags, self._groups.count, self._groups.count
        parts = [self._branch()]
        while self._cursor.take(b"|"):
            most = max(most, self._groups.count)
            if has_same_numbers:
                self._groups.count = first
            changed = b"(?i)" if self.flags.i else b"(?-i)"
            parts.append((changed if self.flags.i is not before.i else b"") + self._branch())
        self._groups.count = max(most, self._groups.count)
        self.flags = before
        return b"|".join(parts), len(parts)

    def _branch(self) -> bytes:
        items: list[bytes] = []
        can_repeat, before = False, self._cost
        while self._cursor.at < len(self._cursor.pattern) and self._cursor.next() not in (
            b"|",
            b")",
        ):
            if self._skip():
                continue
            if self._cursor.take(b"\\Q"):
                items += self._quoted()
                can_repeat = can_repeat or bool(items)
                continue
            quantifier = self._cursor.match(_QUANTIFIER)
            if quantifier is None:
                before = self._cost
                item, can_repeat = self._item()
                items.append(item)
                self._count(1)
                continue
            if not can_repeat:
                raise self._cursor.error("a quantifier follows nothing that can be repeated")
            items[-1] = self._repeated(items[-1], quantifier)
            most = max(int(quantifier[2] or 1), int(quantifier[3] or 1))
            self._count((self._cost - before) * most)
            can_repeat = False
        return b"".join(items)

    def _count(self, cost: int) -> None:
        self._cost += cost
        if self._cost > MOST_COST:
            raise self._cursor.error("too many repeated groups are inside each other")

    def _skip(self) -> bool:
        r"""Pass over ``\E``, comments, and, with the flag x, blanks."""
        if self._cursor.take(b"\\E"):
            return True
        comment = self._cursor.match(_COMMENT)
        if comment is not None:
            self._cursor.at = comment.end()
            return True
        if not self.flags.x or self._cursor.next() not in b" \t\n\v\f\r#":
            return False
        if self._cursor.next() == b"#":
            end = self._cursor.pattern.find(b"\n", self._cursor.at)
            self._cursor.at = len(self._cursor.pattern) if end < 0 else end
        else:
            self._cursor.at += 1
        return True

    def _quoted(self) -> list[bytes]:
        cursor = self._cursor
        end = cursor.pattern.find(b"\\E", cursor.at)
        stop = len(cursor.pattern) if end < 0 else end
        text = cursor.pattern[cursor.at : stop]
        cursor.at = stop if end < 0 else end + 2
        return list(map(written_byte, text))

    def _repeated(self, item: bytes, found: re.Match[bytes]) -> bytes:
        if found[2] is not None:
            bounds = [int(each) for each in (found[2], found[3]) if each]
            if max(map(len, (found[2], found[3] or b""))) > 5 or max(bounds) > _MOST_REPEATS:
                raise self._cursor.error(f"a quantifier is at most {_MOST_REPEATS}")
            if bounds[-1] < bounds[0]:
                raise self._cursor.error("the numbers of a quantifier are in the wrong order")
        self._cursor.at = found.end()
        how = found[4]
        if self.flags.U and how != b"+":
            how = b"" if how else b"?"
        is_single = len(item) == 1 or item[:1] in b"[(" or (item[:1] == b"\\" and len(item) < 5)
        return (item if is_single else b"(?:" + item + b")") + found[1] + how

    def _item(self) -> tuple[bytes, bool]:
        """Return the next item, and True if a quantifier may follow."""
        first = self._cursor.next()
        if first == b"(":
            return self._parentheses.read()
        if first == b"\\":
            return self._escape()
        if first == b"[":
            return self._set(), True
        self._cursor.at += 1
        match first:
            case b".":
                return (_ANY if self.flags.s else b"."), True
            case b"^":
                return (LINE_START if self.flags.m else b"^"), False
            case b"$":
                return (LINE_END if self.flags.m else b"$"), False
        return written_byte(first[0]), True

    def _set(self) -> bytes:
        if self._cursor.match(_POSIX):
            raise self._cursor.error("a class such as [:alpha:] belongs into a set: [[:alpha:]]")
        for mark, look in ((b"[[:<:]]", rb"\b(?=\w)"), (b"[[:>:]]", rb"\b(?<=\w)")):
            if self._cursor.take(mark):
                return look
        reader = SetReader(
            self._cursor.pattern,
            self._cursor.at,
            ignores_case=self.flags.i,
            skips_blanks=self.flags.xx,
        )
        found, self._cursor.at = reader.read()
        return found

    # -- escapes -----------------------------------------------------------------------------

    def _escape(self) -> tuple[bytes, bool]:
        start, letter = (
            self._cursor.at,
            self._cursor.pattern[self._cursor.at + 1 : self._cursor.at + 2],
        )
        self._cursor.at += 1
        if letter in CLASSES:
            self._cursor.at += 1
            return (b"\\" + letter if letter in b"dDsSwW" else written_set(CLASSES[letter])), True
        if letter in _ANCHORS:
            self._cursor.at += 1
            return _ANCHORS[letter], False
        if letter in (b"R", b"X", b"C", b"N"):
            return self._special(letter), True
        if letter in (b"p", b"P"):
            members, self._cursor.at = read_category(self._cursor.pattern, self._cursor.at)
            return b"(?-i:" + written_set(members) + b")", True
        if letter in (b"g", b"k") or letter.isdigit():
            return self._reference(letter), True
        found = read_byte(self._cursor.pattern, self._cursor.at)
        if found is None:
            raise self._cursor.error(f"the escape \\{letter.decode()} is not supported", start)
        code, self._cursor.at = found
        return written_byte(code), True

    def _special(self, letter: bytes) -> bytes:
        self._cursor.at += 1
        match letter:
            case b"R":
                return _BREAK
            case b"X":
                return rb"(?>\r\n|[\x00-\xff])"
            case b"C":
                return _ANY
        if self._cursor.next() == b"{" and self._cursor.match(_QUANTIFIER) is None:
            raise self._cursor.error(r"\N{…} is not supported")
        return rb"[^\x0a]"

    def _reference(self, letter: bytes) -> bytes:
        start = self._cursor.at - 1
        if letter.isdigit():
            return self._number(start)
        call = self._cursor.match(_CALL_ESCAPE)
        if call is not None:
            self._cursor.at = call.end()
            return self._groups.call(call[1] or call[2], call[3] or call[4], start)
        found = self._cursor.match(_BACK)
        if found is None:
            raise self._cursor.error(f"expected a group after \\{letter.decode()}", start)
        self._cursor.at = found.end()
        number = found[1] or found[2]
        if number is not None:
            return b"\\g<%d>" % self._groups.absolute(number, start)
        name = next(each for each in found.groups() if each)
        return b"\\g<" + name + b">"

    def _number(self, start: int) -> bytes:
        r"""Read ``\1`` as a reference, ``\101`` as octal digits."""
        digits = re.compile(rb"\d+").match(self._cursor.pattern, self._cursor.at)
        assert digits is not None
        number = int(digits[0][:9])
        if digits[0][:1] != b"0" and (number < 10 or number <= self._known):
            self._cursor.at = digits.end()
            return b"\\g<%d>" % number
        octal = read_octal(self._cursor.pattern, self._cursor.at)
        if octal is None:  # \8 or \9
            self._cursor.at += 1
            return written_byte(self._cursor.pattern[self._cursor.at - 1])
        code, self._cursor.at = octal
        return written_byte(code)

    # -- groups --------------------------------------------------------------------------------

    def of_group(self, start: int, *, has_same_numbers: bool = False) -> tuple[bytes, int]:
        """Read what a group holds, and its right parenthesis; see `GroupBody`."""
        self._depth += 1
        if self._depth > DEPTH:
            raise self._cursor.error(f"more than {DEPTH} groups are inside each other", start)
        found = self._alternatives(has_same_numbers=has_same_numbers)
        self._depth -= 1
        if not self._cursor.take(b")"):
            raise self._cursor.error("a right parenthesis is missing", start)
        return found
