"""Bytes as filters write them, in hexadecimal digits."""

from __future__ import annotations

import re

_COLONS = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2})*:?")
_DIGITS = re.compile(r"((?:[0-9a-fA-F]{2}){1,2}|[0-9a-fA-F](?=[.-]|$))[.-]?")


def hex_bytes(text: str) -> bytes | None:
    """Return the bytes of ``00:1b``, ``00-1b``, ``00.1b``, ``001b``, or ``001b.0c4e``; or None.

    Beside colons, each byte has two digits. Hyphens and dots may stand after any byte, and a digit
    before one or at the end is a byte alone: ``abc`` is ``ab:0c``.
    """
    if ":" in text:
        return bytes.fromhex(text.replace(":", "")) if _COLONS.fullmatch(text) else None
    data, at = bytearray(), 0
    while at < len(text):
        found = _DIGITS.match(text, at)
        if found is None:
            return None
        data += bytes.fromhex(found[1].zfill(2))
        at = found.end()
    return bytes(data) or None
