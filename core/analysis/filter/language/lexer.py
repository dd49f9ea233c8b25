"""The words of a filter.

Theory
------
At each position the longest token wins, as in Wireshark's scanner: ``0.1`` is a number, ``0.1...7``
a number, dots, and the field ``7``; ``tcp.port-1`` is one word, since names of protocols contain
hyphens. What a word means depends on its context, so the lexer only separates words that may be
names from values that cannot (``10.0.0.0/8``, ``00:11``, ``:fc``). A leading ``.`` makes a word the
name of a field, a leading ``:`` a value. Names and keywords are case-sensitive.

Three places have tokens of their own: a quoted string, a character constant, and the text of a
range between brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from core.analysis.filter.language.errors import FilterError, TextSpan
from core.analysis.filter.language.escapes import read_character, read_string
from core.analysis.filter.language.syntax import Operator


class TokenKind(Enum):
    """The kind of a token."""

    OPERATOR = auto()  # `Token.value` is the `Operator`
    QUANTIFIER = auto()
    PUNCTUATION = auto()
    FIELD = auto()  # `value`: the name after a leading dot
    IDENTIFIER = auto()  # a word that may be a function's name
    WORD = auto()
    LITERAL = auto()  # `value`: the text without a leading colon
    NUMBER = auto()  # `value`: int or float
    STRING = auto()  # `value`: bytes
    CHARACTER = auto()  # `value`: int
    RANGE = auto()
    LAYER = auto()  # the digits after ``#``
    END = auto()


class Token(NamedTuple):
    """A token: its kind, text, place, and value (see `TokenKind`)."""

    kind: TokenKind
    text: str
    place: TextSpan
    value: object = None


OPERATORS = {
    "==": Operator.ANY_EQUAL, "eq": Operator.ANY_EQUAL, "any_eq": Operator.ANY_EQUAL,
    "!=": Operator.ALL_NOT_EQUAL, "ne": Operator.ALL_NOT_EQUAL, "all_ne": Operator.ALL_NOT_EQUAL,
    "===": Operator.ALL_EQUAL, "all_eq": Operator.ALL_EQUAL,
    "!==": Operator.ANY_NOT_EQUAL, "any_ne": Operator.ANY_NOT_EQUAL,
    ">": Operator.GREATER, "gt": Operator.GREATER,
    ">=": Operator.GREATER_EQUAL, "ge": Operator.GREATER_EQUAL,
    "<": Operator.LESS, "lt": Operator.LESS,
    "<=": Operator.LESS_EQUAL, "le": Operator.LESS_EQUAL,
    "contains": Operator.CONTAINS, "matches": Operator.MATCHES, "~": Operator.MATCHES,
    "in": Operator.IN,
    "and": Operator.AND, "&&": Operator.AND,
    "or": Operator.OR, "||": Operator.OR,
    "xor": Operator.XOR, "^^": Operator.XOR,
    "not": Operator.NOT, "!": Operator.NOT,
    "+": Operator.PLUS, "-": Operator.MINUS, "*": Operator.TIMES, "/": Operator.DIVIDE,
    "%": Operator.MODULO,
    "&": Operator.BIT_AND, "bitand": Operator.BIT_AND, "bitwise_and": Operator.BIT_AND,
}  # fmt: skip
QUANTIFIERS = ("any", "all")

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_H16 = r"[0-9a-fA-F]{1,4}"
_IPV6 = (  # the checker verifies the number of groups
    rf"(?:{_H16}(?::{_H16})*)?::(?:{_H16}:)*(?:{_IPV4}|{_H16})?|(?:{_H16}:)+(?:{_IPV4}|{_H16})"
)
_HEX2 = r"[0-9a-fA-F]{2}"
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
_FIELD = rf"{_NAME}(?:\.{_NAME})*"
_DECIMAL = r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"

# Of matches with the same length the first counts.
_PATTERNS: tuple[tuple[TokenKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (TokenKind.OPERATOR, r"===|!==|==|!=|>=|<=|&&|\|\||\^\^|[><!~+*/%&-]"),
        (TokenKind.PUNCTUATION, r"\.\.|[(){},$@]"),
        (TokenKind.LITERAL, rf"{_HEX2}(?:[:-]{_HEX2}){{5}}"),
        (TokenKind.LITERAL, rf"{_IPV4}(?:/[0-9]{{1,2}})?"),
        (TokenKind.LITERAL, rf"(?:{_IPV6})(?:/[0-9]{{1,3}})?"),
        (TokenKind.NUMBER, r"0[bBxX]?[0-9a-fA-F]+|[0-9]+"),
        (TokenKind.NUMBER, _DECIMAL),
        (TokenKind.LITERAL, r":[0-9a-fA-F]+"),
        (TokenKind.LITERAL, rf":?(?:{_HEX2}(?::{_HEX2})+|{_HEX2}:)"),
        (TokenKind.LITERAL, rf":{_HEX2}(?:-{_HEX2})+|:{_HEX2}(?:\.{_HEX2})+"),
        (TokenKind.IDENTIFIER, r"[A-Za-z_][A-Za-z0-9_]*"),
        (TokenKind.FIELD, rf"\.{_FIELD}"),
        (TokenKind.WORD, _FIELD),
        (TokenKind.LITERAL, r"[A-Za-z0-9_:][A-Za-z0-9_:/-]*(?:\.[A-Za-z0-9_:/-]+)*"),
    )
)
_SINGLE = frozenset("(){},$@")  # each is a whole token
_BLANK = re.compile(r"[ \t\r\n]*")
_QUOTE = re.compile(r'[rR]?"')
_SWAPPED = re.compile(r"=[<>!](?!=)")  # >=, <=, and != with their characters exchanged
_FOREIGN = re.compile(r"<>|\*\*|<<|>>|!>=?|!<=?|≠|≥|≤")
_MEANT = {
    "<>": "!=", "≠": "!=", "≥": ">=", "≤": "<=", "!>": "<=", "!<": ">=", "!>=": "<", "!<=": ">",
    "<<": "* 2 for each bit", ">>": "/ 2 for each bit", "**": "* for each factor",
}  # fmt: skip
"""What to write in place of operators of other languages."""
_LAYER = re.compile(r"[0-9]+")
_RANGE = re.compile(r"[^\],]+")

_HINTS = {
    "=": "; write == to compare",
    "|": "; write || or 'or'",
    "^": "; write ^^ or 'xor'",
    "[": "; a range follows a field",
    ";": "; write 'and' or 'or' between tests",
    "?": "; write a pattern in quotes after 'matches'",
    "\\": "; write an escape in quotes",
    "“": '; strings have straight quotes: "',
    "”": '; strings have straight quotes: "',
}


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a filter, then one of kind END. Raise `FilterError`."""
    at = _skip_blanks(text, 0)
    previous: Token | None = None
    while at < len(text):
        for token in _next(text, at, previous):
            yield token
            previous = token
            at = token.place.stop
        at = _skip_blanks(text, at)
    yield Token(TokenKind.END, "", TextSpan(len(text), len(text)))


def _skip_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _next(text: str, at: int, previous: Token | None) -> Iterator[Token]:
    """Yield the token at a position; with the whole range if it opens one."""
    first = text[at]
    if first in _SINGLE:
        yield Token(TokenKind.PUNCTUATION, first, TextSpan(at, at + 1))
    elif first == "[" and previous is not None:
        yield from _range(text, at)
    elif first == "#" and previous is not None:
        yield from _layer(text, at)
    elif quote := _QUOTE.match(text, at):
        value, end = read_string(text, quote.end(), is_raw=quote.end() - at == 2, opened=at)
        yield Token(TokenKind.STRING, text[at:end], TextSpan(at, end), value)
    elif first == "'":
        number, end = read_character(text, at)
        yield Token(TokenKind.CHARACTER, text[at:end], TextSpan(at, end), number)
    else:
        yield _longest(text, at)


def _longest(text: str, at: int) -> Token:
    best, kind = at, TokenKind.END
    for each, pattern in _PATTERNS:
        found = pattern.match(text, at)
        if found and found.end() > best:
            best, kind = found.end(), each
    place = TextSpan(at, best)
    if text.startswith("~=", at):
        raise FilterError(
            '"~=" is not an operator; write !== for "some differ"', TextSpan(at, at + 2)
        )
    if foreign := _FOREIGN.match(text, at):
        message = f'"{foreign[0]}" is not an operator; write {_MEANT[foreign[0]]}'
        raise FilterError(message, TextSpan(at, foreign.end()))
    if swapped := _SWAPPED.match(text, at):
        shown, right = swapped[0], swapped[0][::-1]
        message = f'"{shown}" is not an operator; write {right}'
        raise FilterError(message, TextSpan(at, swapped.end()))
    if best == at:
        raise _unexpected(text, at)
    return _classified(kind, text[at:best], place)


def _unexpected(text: str, at: int) -> FilterError:
    """Return the error of a character that begins no token."""
    first = text[at]
    shown = f'"{first}"' if first.isprintable() else repr(first)
    message = f"{shown} was unexpected in this context{_HINTS.get(first, '')}"
    is_start = first in "=|^." and at + 1 == len(text)  # of ==, ||, ^^, or the rest of a word
    return FilterError(message, TextSpan(at, at + 1), is_incomplete=is_start)


def _classified(kind: TokenKind, text: str, place: TextSpan) -> Token:
    if text in OPERATORS:
        return Token(TokenKind.OPERATOR, text, place, OPERATORS[text])
    if text in QUANTIFIERS:
        return Token(TokenKind.QUANTIFIER, text, place)
    match kind:
        case TokenKind.FIELD:
            return Token(kind, text, place, text[1:])
        case TokenKind.NUMBER:
            return _number(text, place)
        case TokenKind.LITERAL:
            is_marked = text[0] == ":" and text[1:2] != ":"
            return Token(kind, text, place, text[1:] if is_marked else text)
    return Token(kind, text, place)


def _number(text: str, place: TextSpan) -> Token:
    """Return a number, or a literal: bytes may resemble a number (``0a``, ``08``)."""
    if any(mark in text for mark in ".eE") and text[:2] not in ("0x", "0X"):
        if re.fullmatch(_DECIMAL, text):
            return Token(TokenKind.NUMBER, text, place, float(text))
        return Token(TokenKind.LITERAL, text, place, text)
    is_octal = len(text) > 1 and text[0] == "0" and text[1].isdigit()
    try:
        value = int(text, 8 if is_octal else 0)
    except ValueError:
        return Token(TokenKind.LITERAL, text, place, text)
    if value >= 1 << 64:
        return Token(TokenKind.LITERAL, text, place, text)
    return Token(TokenKind.NUMBER, text, place, value)


def _layer(text: str, at: int) -> Iterator[Token]:
    """Yield ``#`` and the number after it, or the range in brackets."""
    yield Token(TokenKind.PUNCTUATION, "#", TextSpan(at, at + 1))
    at += 1
    if at == len(text):
        message = "unexpected end of the filter; expected the number of a header after #"
        raise FilterError(message, TextSpan(at, at), is_incomplete=True)
    if text[at] == "[":
        yield from _range(text, at)
        return
    digits = _LAYER.match(text, at)
    if digits is None:
        raise FilterError(f'expected a digit or "[", not "{text[at]}"', TextSpan(at, at + 1))
    yield Token(TokenKind.LAYER, digits[0], TextSpan(at, digits.end()))


def _range(text: str, at: int) -> Iterator[Token]:
    """Yield ``[``, the texts between commas, and ``]``."""
    yield Token(TokenKind.PUNCTUATION, "[", TextSpan(at, at + 1))
    at += 1
    while at < len(text):
        if text[at] in "],":
            yield Token(TokenKind.PUNCTUATION, text[at], TextSpan(at, at + 1))
            at += 1
            if text[at - 1] == "]":
                return
            continue
        found = _RANGE.match(text, at)
        end = found.end() if found else len(text)
        yield Token(TokenKind.RANGE, text[at:end], TextSpan(at, end))
        at = end
    raise FilterError(
        "the right bracket of a range is missing", TextSpan(at, at), is_incomplete=True
    )
