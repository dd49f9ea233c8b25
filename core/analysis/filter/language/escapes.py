r"""Quoted strings and character constants.

``"…"`` knows the escapes of C: ``\" \\ \' \a \b \f \n \r \t \v``, ``\NNN`` octal, ``\xNN``, and
``\uNNNN`` and ``\UNNNNNNNN`` for code points that cannot be written otherwise. ``r"…"`` keeps
backslashes, so that a regular expression can be written as it is; ``\"`` does not end it. A
character constant is one byte: ``'c'``, ``'\n'``, ``'\x1b'``.
"""

from __future__ import annotations

import re

from core.analysis.filter.language.errors import FilterError, TextSpan

_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, '"': 34}
_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9a-fA-F]{1,2})"
    r"|u(?P<short>[0-9a-fA-F]{0,4})|U(?P<long>[0-9a-fA-F]{0,8})|(?P<one>.))",
    re.DOTALL,
)
_PLAIN = re.compile(r'[^\\"]+')
_WRITTEN_PLAINLY = 0xA0  # code points below this have no \u escape, except for these
_EXCEPTIONS = (0x24, 0x40, 0x60)


def read_string(text: str, at: int, *, is_raw: bool, opened: int) -> tuple[bytes, int]:
    """Return the bytes of a string whose text begins at `at`, and the end of its closing quote.

    `opened` is the position of the opening quote. Raise `FilterError`.
    """
    value = bytearray()
    while at < len(text):
        if text[at] == '"':
            return bytes(value), at + 1
        if text[at] == "\\":
            escape = _ESCAPE.match(text, at)
            if escape is None:  # a backslash at the end
                break
            value += escape[0].encode() if is_raw else _escaped(escape)
            at = escape.end()
        else:
            plain = _PLAIN.match(text, at)
            end = plain.end() if plain else len(text)
            value += text[at:end].encode(errors="surrogateescape")
            at = end
    message = "the closing quote of a string is missing"
    raise FilterError(message, TextSpan(opened, len(text)), is_incomplete=True)


def read_character(text: str, opened: int) -> tuple[int, int]:
    """Return the number of a character constant, and the end of its closing quote."""
    end = opened + 1
    while end < len(text) and text[end] != "'":
        end += 2 if text[end] == "\\" else 1
    if end >= len(text):
        message = "the closing quote of a character is missing"
        raise FilterError(message, TextSpan(opened, len(text)), is_incomplete=True)
    place = TextSpan(opened, end + 1)
    body = text[opened + 1 : end]
    if not body:
        raise FilterError("expected a character between the quotes", place)
    escape = _ESCAPE.fullmatch(body)
    if escape is not None:
        return _character_escape(escape, body, place), end + 1
    if len(body) > 1 or body == "\\":
        raise FilterError(f"'{body}' is not one character; strings have double quotes", place)
    if not " " <= body <= "~":
        raise FilterError(f"'{body}' is not an ASCII character", place)
    return ord(body), end + 1


def _character_escape(escape: re.Match[str], body: str, place: TextSpan) -> int:
    try:
        value = _code_point(escape) if escape["short"] or escape["long"] else _byte(escape)
    except FilterError as error:
        raise FilterError(f"'{body}' is not a character: {error}", place) from None
    return value


def _escaped(escape: re.Match[str]) -> bytes:
    if escape["short"] is not None or escape["long"] is not None:
        return chr(_code_point(escape)).encode()
    return bytes((_byte(escape),))


def _byte(escape: re.Match[str]) -> int:
    place = TextSpan(*escape.span())
    if escape["octal"]:
        value = int(escape["octal"], 8)
        if value > 255:
            raise FilterError(f"{escape[0]} is larger than 255", place)
        return value
    if escape["hex"]:
        return int(escape["hex"], 16)
    one = escape["one"] or ""
    if one not in _SIMPLE:
        advice = f'write \\\\{one}, or a raw string: r"…"'
        raise FilterError(f"{escape[0]} is not an escape; {advice}", place)
    return _SIMPLE[one]


def _code_point(escape: re.Match[str]) -> int:
    place = TextSpan(*escape.span())
    digits, width = (escape["short"], 4) if escape["short"] is not None else (escape["long"], 8)
    if digits is None or len(digits) != width:
        raise FilterError(f"{escape[0]} is not an escape; it takes {width} digits", place)
    value = int(digits, 16)
    is_plain = value < _WRITTEN_PLAINLY and value not in _EXCEPTIONS
    if is_plain or 0xD800 <= value <= 0xDFFF or value > 0x10FFFF:
        advice = f"; write \\x{value:02x}" if value < 0x80 else ""
        raise FilterError(f"{escape[0]} is not a character{advice}", place)
    return value
