"""What comes from the wire or a file, made safe to print.

A terminal obeys control characters: ESC starts sequences that move the cursor, retitle the
window or answer back; the C1 set (U+0080–U+009F) does the same in one character. Bidirectional
controls reorder what is read (Unicode TR 9), invisible and unassigned ones hide in it, and a
lone surrogate cannot be encoded. Each is shown as an escape instead, so nothing vanishes:
``\\x1b`` is what was there.
"""

from __future__ import annotations

import unicodedata

_DOT = ord("·")  # one byte in Latin-1
_PRINTED = bytes(byte if 0x20 <= byte < 0x7F else _DOT for byte in range(256))
_ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe(text: str) -> str:
    """`text` with control, format, private, unassigned and surrogate characters escaped.

    Backslashes stay as they are. Combining marks stay where they follow something.
    """
    if text.isprintable():  # Python's notion is stricter: it leaves out odd spaces as well
        return text
    return "".join(_safe_character(character) for character in text)


def safe_bytes(data: bytes) -> str:
    """UTF-8 bytes as safe text; invalid bytes are shown as ``\\xff``."""
    return safe(data.decode("utf-8", "backslashreplace"))


def ascii_text(data: bytes) -> str:
    """One character a byte, as beside a hex dump: printable ASCII is itself, all else a dot.

    For bytes that nobody knows to be text: whatever they spell, nothing combines or turns round.
    """
    return data.translate(_PRINTED).decode("latin-1")


def _safe_character(character: str) -> str:
    if unicodedata.category(character) not in _ESCAPED_CATEGORIES:
        return character
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
