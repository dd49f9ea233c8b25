"""Payload as the user types it: text with escapes, ``hex:…``, or ``@FILE``.

The bytes of files come from `core.forge.compose.payload_file`.

Escapes are those of C and Python strings: ``\\n \\r \\t \\0 \\\\ \\xNN``; other text is UTF-8. A
payload that begins with ``@`` or ``hex:`` itself is written ``\\x40…`` or in hex.
"""

from __future__ import annotations

import re

from core.forge.compose.payload_file import LONGEST, NO_FILES, TOO_LONG, FileContents
from core.wire.encode.options_text import HEX, hex_bytes
from core.wire.encode.value_text import TextError

_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.|$)", re.DOTALL)
_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0", b"\\": b"\\", b"a": b"\a"}
_BACK = {0x5C: "\\\\", 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x00: "\\0"}


def parse_payload(text: str, files: FileContents = NO_FILES) -> bytes | None:
    """Return the bytes that `text` means, or None for an ``@FILE`` that `files` does not contain.

    Raises `TextError`.
    """
    if text.startswith("@"):
        content = files.get(text[1:])
        if content is not None and content.error:
            raise TextError(content.error)
        return content.data if content is not None else None
    if text.lower().startswith(HEX):
        return _bounded(hex_bytes(text))
    try:
        encoded = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        character = ascii(text[error.start])[1:-1]
        raise TextError(f"{character}: half a character; bytes are written \\xNN") from None
    return _bounded(_ESCAPE.sub(_escaped, encoded))


def payload_text(data: bytes) -> str:
    """Return bytes as `parse_payload` takes them: text if all of it is printable, else hex."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        return HEX + data.hex()
    if not all(0x20 <= byte < 0x7F or byte in _BACK for byte in data):
        return HEX + data.hex()
    if data.count(0) > len(data) // 4:
        return HEX + data.hex()
    escaped = text.translate(_BACK)
    if escaped.startswith("@"):
        return "\\x40" + escaped[1:]
    return HEX + data.hex() if escaped.lower().startswith(HEX) else escaped


def _escaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    if code.startswith(b"x") and len(code) == 3:
        return bytes.fromhex(code[1:].decode())
    if code not in _SIMPLE:
        shown = code.decode("utf-8", "replace")
        raise TextError(f"\\{shown}: not an escape; there are \\n \\r \\t \\0 \\a \\\\ \\xNN")
    return _SIMPLE[code]


def _bounded(data: bytes) -> bytes:
    if len(data) > LONGEST:
        raise TextError(TOO_LONG)
    return data
