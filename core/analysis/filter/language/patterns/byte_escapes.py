r"""Escapes of single bytes in regular expressions: ``\e``, ``\x{41}``, ``\o{101}``, ``\cA``.

The same ones stand for bytes inside and outside of sets, except for ``\b`` and for digits: outside,
``\1`` is a back reference.
"""

from __future__ import annotations

import re

_SIMPLE = {b"a": 7, b"e": 0x1B, b"f": 12, b"n": 10, b"r": 13, b"t": 9}
_HEX = re.compile(rb"x(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{0,2}))")
_OCTAL = re.compile(rb"o\{([0-7]+)\}")
_DIGITS = re.compile(rb"[0-7]{1,3}")


class PatternError(ValueError):
    """A regular expression that is wrong, or has syntax that rawscope does not have."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(f"{reason} at position {at}")


def read_byte(pattern: bytes, at: int) -> tuple[int, int] | None:
    """Return the byte that the escape after a backslash at ``at - 1`` means, and its end.

    Return None for an escape that means something else. Raise `PatternError`.
    """
    letter = pattern[at : at + 1]
    if letter in _SIMPLE:
        return _SIMPLE[letter], at + 1
    if letter == b"x" or letter == b"o":
        return _number(pattern, at)
    if letter == b"c":
        follows = pattern[at + 1 : at + 2]
        if not b" " <= follows <= b"~" or not follows:
            raise PatternError(r"\c needs a printable ASCII character after it", at - 1)
        return follows.upper()[0] ^ 0x40, at + 2
    if letter.isalnum():
        return None
    if not letter:
        raise PatternError("a backslash ends the pattern", at - 1)
    return letter[0], at + 1


def _number(pattern: bytes, at: int) -> tuple[int, int]:
    is_hex = pattern[at : at + 1] == b"x"
    found = (_HEX if is_hex else _OCTAL).match(pattern, at)
    if found is None or (is_hex and found[1] is None and pattern[at + 1 : at + 2] == b"{"):
        digits = r"hexadecimal digits, as in \x{41}" if is_hex else r"octal digits, as in \o{101}"
        raise PatternError(f"expected {digits},", at - 1)
    written = found[1] or (found[2] if is_hex else b"") or b"0"
    if len(written.lstrip(b"0")) > 3 or (code := int(written, 16 if is_hex else 8)) > 0xFF:
        raise PatternError(f"\\{found[0].decode()} is more than one byte", at - 1)
    return code, found.end()


def read_octal(pattern: bytes, at: int) -> tuple[int, int] | None:
    """Return the byte of up to three octal digits and their end; None without digits."""
    found = _DIGITS.match(pattern, at)
    if found is None:
        return None
    code = int(found[0], 8)
    if code > 0xFF:
        raise PatternError(f"\\{found[0].decode()} is more than one byte", at - 1)
    return code, found.end()
