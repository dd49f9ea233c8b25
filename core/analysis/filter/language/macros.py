"""Macros: names for parts of filters that the user writes often.

A macro is a text with places for arguments, ``$1`` … ``$9``. A filter uses it as
``$name(one, two)``, ``${name:one;two}``, or ``${name;one;two}``; one without arguments also as
``${name}``. The text replaces the use before the filter is parsed, as in Wireshark, so brackets
around it have to be written. Arguments and texts may use other macros. ``$ip.src`` and
``${ip.src}`` are references to fields, unless a macro has that name.

The user defines macros in the configuration file. A caller that compiles a filter passes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from core.analysis.filter.language.errors import FilterError, TextSpan, nearest

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""The names of macros."""

MOST_NESTED = 31
MOST_USES = 1000  # of macros in one
MOST_CHARACTERS = 1 << 16  # of an expanded filter

_USE = re.compile(rf"\$(?:(?P<call>{NAME.pattern})\(|\{{(?P<name>{NAME.pattern})(?P<mark>[:;}}]))")
_PLAIN = re.compile(r"[^$\"']+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_CHARACTER = re.compile(r"'(?:[^'\\]|\\.)*'?")
_ARGUMENT = re.compile(r"\$([1-9])")
_CLOSING = {"(": ")", "[": "]", "{": "}"}

Macros = Mapping[str, str]
"""The texts of macros by name; each name matches `NAME`."""

NO_MACROS: Macros = MappingProxyType({})


class _Piece(NamedTuple):
    """A part of an expanded text: where it ends there, and the part of the filter it stands for.

    `macro` is the name of the macro that it came from, empty for the filter's own text.
    """

    stop: int
    place: TextSpan
    macro: str


class Expansion(NamedTuple):
    """A filter with the texts of its macros in their places."""

    text: str
    pieces: tuple[_Piece, ...] = ()

    def located(self, error: FilterError) -> FilterError:
        """Return an error about the expanded text as one about the filter that the user wrote."""
        if not self.pieces:
            return error
        start, macro = self._place(error.place.start, error.place.start)
        stop, _ = self._place(max(error.place.stop - 1, error.place.start), error.place.start)
        if macro:
            message = f"in the macro {macro}: {error.message}"
            return FilterError(message, start)
        end = stop.stop if error.place.stop > error.place.start else start.start
        place = TextSpan(start.start, max(start.start, end))
        return FilterError(error.message, place, is_incomplete=error.is_incomplete)

    def _place(self, at: int, first: int) -> tuple[TextSpan, str]:
        """Return the place in the filter of a character of the expanded text, and its macro."""
        begin = 0
        for piece in self.pieces:
            if at < piece.stop or piece is self.pieces[-1]:
                if piece.macro:
                    return piece.place, piece.macro
                start = min(piece.place.start + at - begin, piece.place.stop)
                return TextSpan(start, min(start + 1, piece.place.stop)), ""
            begin = piece.stop
        raise AssertionError("an expansion has a piece")


def expand(text: str, macros: Macros) -> Expansion:
    """Return a filter with its macros replaced. Raise `FilterError` for a wrong use of one."""
    if "$" not in text:
        return Expansion(text)
    parts: list[str] = []
    pieces: list[_Piece] = []
    size, expander = 0, _Expander(macros)
    for place, macro, part in _parts(text, macros):
        new = expander.expanded(part, macro, place) if macro else part
        size += len(new)
        if size > MOST_CHARACTERS and macro:
            raise FilterError("the filter with its macros is too long", place)
        parts.append(new)
        pieces.append(_Piece(size, place, macro))
    return Expansion("".join(parts), tuple(pieces))


class _Expander:
    """Replaces macros in the texts of macros, a limited number of times."""

    def __init__(self, macros: Macros) -> None:
        self._macros = macros
        self._uses = 0

    def expanded(self, text: str, macro: str, place: TextSpan, depth: int = 1) -> str:
        """Return the text of a macro with the macros in it replaced."""
        self._uses += 1
        if depth > MOST_NESTED or self._uses > MOST_USES:
            raise FilterError("the macros use each other too often", place)
        try:
            parts = list(_parts(text, self._macros))
        except FilterError as error:
            raise FilterError(f"in the macro {macro}: {error.message}", place) from None
        whole = "".join(
            self.expanded(part, name, place, depth + 1) if name else part for _, name, part in parts
        )
        if len(whole) > MOST_CHARACTERS:
            raise FilterError("the filter with its macros is too long", place)
        return whole


def _parts(text: str, macros: Macros) -> Iterator[tuple[TextSpan, str, str]]:
    """Yield parts of a filter: place, the name of a macro, and its text with the arguments in it.

    Parts without a macro have an empty name, and their own text.
    """
    at = begun = 0
    while at < len(text):
        use = _USE.match(text, at)
        name = (use["call"] or use["name"]) if use else ""
        is_reference = use is not None and use["mark"] == "}" and name not in macros
        if use is None or is_reference:
            at = _after(text, at)
            continue
        if at > begun:
            yield TextSpan(begun, at), "", text[begun:at]
        arguments, end = _arguments(text, use)
        yield TextSpan(at, end), name, _filled(name, arguments, TextSpan(at, end), macros)
        at = begun = end
    if begun < len(text):
        yield TextSpan(begun, len(text)), "", text[begun:]


def _after(text: str, at: int) -> int:
    """Return the end of plain text, or of a string or character, in which macros mean nothing."""
    for pattern in (_PLAIN, _STRING, _CHARACTER):
        if (found := pattern.match(text, at)) is not None:
            return found.end()
    return at + 1


def _arguments(text: str, use: re.Match[str]) -> tuple[list[str], int]:
    """Return the arguments of a macro, and the end of its use."""
    if use["mark"] == "}":
        return [], use.end()
    separator, closing = (",", ")") if use["call"] else (";", "}")
    found, begun, at = [], use.end(), use.end()
    open_brackets: list[str] = []
    while at < len(text):
        character = text[at]
        if open_brackets and character == open_brackets[-1]:
            open_brackets.pop()
        elif not open_brackets and character in (separator, closing):
            found.append(text[begun:at].strip())
            begun = at + 1
            if character == closing:
                return ([] if found == [""] else found), at + 1
        elif character in _CLOSING:
            open_brackets.append(_CLOSING[character])
        elif character in "\"'":
            at = _after(text, at)
            continue
        at += 1
    message = f"the {closing} after the arguments of a macro is missing"
    raise FilterError(message, TextSpan(use.start(), len(text)), is_incomplete=True)


def _filled(name: str, arguments: list[str], place: TextSpan, macros: Macros) -> str:
    """Return the text of a macro with its arguments."""
    if name not in macros:
        hint = nearest(name, macros) or "; [macros] in the configuration file defines them"
        raise FilterError(f'"{name}" is not a macro{hint}', place)
    text = macros[name]
    wanted = max((int(number) for number in _ARGUMENT.findall(text)), default=0)
    if len(arguments) != wanted:
        words = f"{wanted} argument{'s' * (wanted != 1)}"
        raise FilterError(f"the macro {name} takes {words}, not {len(arguments)}", place)
    return _ARGUMENT.sub(lambda found: arguments[int(found[1]) - 1], text)
