"""Facts about the bytes that a regular expression matches, found without running it.

Most patterns of users are literal text, or contain some (``user=\\w+``, ``get|post``), which a
column search finds in all packets at once (`byte_search`). A pattern whose matches depend on their
own bytes alone, and not on what lies around them, can search many packets in one call.

`shape_of` reads the plain part of the syntax: characters, sets, groups, alternatives, quantifiers,
anchors. It does not judge any other pattern (look-around, back references, possessive quantifiers,
flags inside): `UNKNOWN_SHAPE` is always a safe answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.analysis.filter.language.patterns.reader import LINE_END, LINE_START

MOST_LITERALS = 8
MOST_BYTES = 64  # of a repeated text


@dataclass(frozen=True, slots=True)
class PatternShape:
    """The known facts about a pattern.

    ``literal``      the bytes that it is, in the case of letters that the pattern has; else None
    ``required``     every match contains one of these, in any case of letters; empty if unknown
    ``ignores_case`` the case of letters does not matter
    ``is_local``     whether bytes match does not depend on those around them
    ``is_quick``     the time of a search grows at most with the square of the length
    """

    literal: bytes | None = None
    required: tuple[bytes, ...] = ()
    ignores_case: bool = True
    is_local: bool = False
    is_quick: bool = False


UNKNOWN_SHAPE = PatternShape()

_FLAGS = re.compile(rb"\(\?(?P<on>[ims]*)(?:-(?P<off>i))?\)")
_TOKEN = re.compile(
    rb"(?P<quantifier>(?P<least>[?*+]|\{\d+(?P<range>,\d*)?\})\??(?!\+))"
    rb"|(?P<anchor>[\^$]|\\[bBA]|" + re.escape(LINE_START) + rb"|" + re.escape(LINE_END) + rb")"
    rb"|(?P<set>\.|\\[dDsSwW]|\[\^?\]?(?:\\.|\[:\^?[a-zA-Z]+:\]|[^\]\\])*\])"
    rb"|\\x(?P<hex>[0-9a-fA-F]{2})"
    rb"|\\(?P<escaped>[^a-zA-Z0-9\x80-\xff])"
    rb"|(?P<character>[^\\^$.|?*+()\[\]{}\x80-\xff])"
    rb"|(?P<open>\((?:\?:|(?![?*])))"
    rb"|(?P<close>\))"
    rb"|(?P<bar>\|)",
    re.DOTALL,
)


class _UnknownError(Exception):
    """The pattern has a part that is not read here."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a pattern: `literal` and `required` are as in `PatternShape`."""

    literal: bytes | None
    required: tuple[bytes, ...]


def shape_of(pattern: bytes) -> PatternShape:
    """Return the shape of a pattern that is valid and ignores case unless it says otherwise."""
    at, ignores_case = 0, True
    while (flags := _FLAGS.match(pattern, at)) is not None:
        at = flags.end()
        ignores_case = flags["off"] is None and (ignores_case or b"i" in flags["on"])
    try:
        reader = _Reader(pattern, at)
        part = reader.read()
    except _UnknownError:
        return PatternShape(ignores_case=ignores_case)
    return PatternShape(
        part.literal if reader.is_local else None,
        part.required,
        ignores_case,
        reader.is_local,
        reader.is_quick,
    )


class _Reader:
    """Reads a pattern by recursive descent."""

    def __init__(self, pattern: bytes, at: int) -> None:
        self._tokens = _tokens(pattern, at)
        self._token: re.Match[bytes] | None = None
        self._variable = 0
        self.is_local = True
        self.is_quick = True
        self._advance()

    def read(self) -> _Part:
        """Return the whole pattern."""
        part = self._alternatives()
        if self._token is not None:
            raise _UnknownError  # a parenthesis too many
        return part

    def _advance(self) -> None:
        self._token = next(self._tokens, None)

    def _is(self, *kinds: str) -> bool:
        return self._token is not None and self._token.lastgroup in kinds

    def _alternatives(self) -> _Part:
        parts = [self._sequence()]
        while self._is("bar"):
            self._advance()
            parts.append(self._sequence())
        if len(parts) == 1:
            return parts[0]
        required = tuple(each for part in parts for each in part.required)
        is_known = all(part.required for part in parts) and len(required) <= MOST_LITERALS
        return _Part(None, required if is_known else ())

    def _sequence(self) -> _Part:
        run = b""
        found: list[tuple[bytes, ...]] = []
        is_literal = True
        while self._token is not None and not self._is("bar", "close"):
            part, is_group = self._item()
            least, is_fixed = self._quantifier(is_group=is_group)
            if part.literal is not None and least and is_fixed:
                if len(part.literal) * least > MOST_BYTES:
                    raise _UnknownError
                run += part.literal * least
                continue
            is_literal = False
            if part.literal is not None and least:
                found.append((run + part.literal,))
            else:
                found += [(run,), part.required if least else ()]
            run = b""
        found.append((run,))
        best = max(found, key=_worth)
        return _Part(run if is_literal else None, best if all(best) else ())

    def _item(self) -> tuple[_Part, bool]:
        """Return the next character, set, anchor, or group; True for a group."""
        token = self._token
        assert token is not None
        self._advance()
        match token.lastgroup:
            case "character" | "escaped" as kind:
                return _literal(token[kind]), False
            case "hex":
                byte = bytes.fromhex(token["hex"].decode())
                return (_literal(byte) if byte.isascii() else _Part(None, ())), False
            case "set":
                return _Part(None, ()), False
            case "anchor" if not self._is("quantifier"):
                self.is_local = False
                return _Part(None, ()), False
            case "open":
                part = self._alternatives()
                if not self._is("close"):
                    raise _UnknownError
                self._advance()
                return part, True
        raise _UnknownError

    def _quantifier(self, *, is_group: bool) -> tuple[int, bool]:
        """Return how often the last item occurs at least, and True if never more often."""
        token = self._token
        if token is None or token.lastgroup != "quantifier":
            return 1, True
        self._advance()
        if self._is("quantifier"):
            raise _UnknownError
        text = token["least"]
        is_fixed = text.startswith(b"{") and token["range"] is None
        self._variable += not is_fixed
        if is_group or self._variable > 1:
            self.is_quick = False
        if text.startswith(b"{"):
            least = int(re.sub(rb"\D.*", b"", text[1:]))
            return min(least, 1) if not is_fixed else least, is_fixed
        return int(text == b"+"), False


def _tokens(pattern: bytes, at: int) -> Iterator[re.Match[bytes]]:
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            raise _UnknownError
        yield token
        at = token.end()


def _literal(text: bytes) -> _Part:
    return _Part(text, (text,))


def _worth(literals: tuple[bytes, ...]) -> tuple[int, int]:
    """Order sets of literals by how rare their hits are."""
    return min(map(len, literals), default=0), -len(literals)
