"""Encode text for a terminal or a file that cannot show every character.

rawscope uses signs outside of ASCII (``→ ✓ ● ↗`` and the lines of boxes). Most of them have no
encoding under a locale such as ISO-8859-1, or with ``PYTHONIOENCODING=ascii``. Each sign then
becomes one ASCII character, so columns stay in place; the words beside it carry the meaning.
Another character, such as a letter of a file name, becomes an escape like ``\\xe9``, which keeps
its value.

`SIGNS` is the name of an error handler for `str.encode` that does this. `screen_bytes` encodes what
the monitor paints, in which every character must keep its width.
"""

from __future__ import annotations

import codecs
import unicodedata
from typing import TextIO

SIGNS = "rawscope.signs"

# What the program prints or paints, except for the lines of boxes and the dots of plots.
_ASCII = {
    pair[0]: pair[1]
    for pair in (
        "→>", "←<", "↑^", "↓v", "↗^", "⏎E", "‹<", "›>", "–-", "—-", "−-", "…~", "·.", "•*", "×x",
        "µu", "§S", "≥>", "≤<", "✓+", "✗x", "◌o", "●*", "○o", "⭘o", "‖=", "■#", "◆@", "▸>", "▾v",
        "▶>", "▼v", "▲^", "◀<", "▁_", "▂_", "▃-", "▄-", "▅=", "▆=", "▇+", "▔-", "▎|", "▊|", "▌|",
        "≠!", "▐|", "▏|", "▕|", "░:", "“\"", "”\"", "‘'", "’'", "¶;", "⇄=", "\ufffd?",
    )
}  # fmt: skip


def ascii_sign(character: str) -> str:
    """Return one ASCII character for a sign of the program, or an empty text for anything else."""
    code = ord(character)
    if sign := _ASCII.get(character):
        return sign
    if 0x2500 <= code <= 0x257F:
        line = unicodedata.name(character).rsplit(" ", 1)[-1]
        is_corner = " AND " in unicodedata.name(character)
        return "+" if is_corner else {"HORIZONTAL": "-", "VERTICAL": "|"}.get(line, "+")
    if 0x2580 <= code <= 0x259F:
        return "#"
    if 0x2800 <= code <= 0x28FF:  # braille dots, of which plots are made
        return "." if code > 0x2800 else " "
    return ""


def screen_bytes(text: str, encoding: str) -> bytes:
    """Encode text with escape sequences for a terminal. Each character keeps its width.

    Anything but UTF-8 becomes ASCII: the terminal would read a byte above 0x7F as the beginning of
    a character, as a control, or as a character of two cells, which depends on the encoding.
    """
    if is_utf8(encoding):
        return text.encode(errors="replace")
    if text.isascii():
        return text.encode("ascii")
    return "".join(
        one if one.isascii() else ascii_sign(one) or "?" * _width(one) for one in text
    ).encode("ascii")


def encoding_of(stream: TextIO | None) -> str:
    """Return the encoding of a standard stream; UTF-8 for one that is closed."""
    return getattr(stream, "encoding", None) or "utf-8"


def is_utf8(encoding: str) -> bool:
    """Return True for any spelling of UTF-8."""
    try:
        return codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        return False


def _width(character: str) -> int:
    """Return the number of cells of a character that is not ASCII."""
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _replace_signs(error: UnicodeError) -> tuple[str | bytes, int]:
    """Handle an encoding error: write signs in ASCII, and escape other characters."""
    if not isinstance(error, UnicodeEncodeError):
        return codecs.backslashreplace_errors(error)
    found = error.object[error.start : error.end]
    shown = "".join(
        ascii_sign(one) or one.encode("ascii", "backslashreplace").decode() for one in found
    )
    return shown, error.end


codecs.register_error(SIGNS, _replace_signs)
