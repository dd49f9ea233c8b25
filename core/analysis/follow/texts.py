"""Bytes of a stream as safe text, in which no byte takes more than one terminal cell.

Binary data has letters outside of ASCII by accident: two random bytes are often a character of
UTF-8. So such letters are shown only in a line that is text as a whole, or in a run of at least
`RUN` characters of text. Combining marks and characters that are written from right to left are
never shown: among others, they would move the characters beside them. Each character that is not
shown is one dot, so the place of a byte in the text does not depend on the bytes behind it.
"""

from __future__ import annotations

import re
import unicodedata

from core.wire.model.text import is_hidden, is_stacked

DOT = "·"  # a control character, or a byte that is not text
RUN = 8  # characters; random bytes have a run of this length once in some thousand bytes

_INVALID = "\ufffd"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})  # Bidi_Class, Unicode TR 9; controls are hidden
_NOT_ASCII = re.compile(r"[^ -~]")
_TEXT = re.compile(rf"[^{_INVALID}]+")


def line_text(data: bytes) -> str:
    """Return UTF-8 bytes as text for one line, without the line end.

    A tab is a space. What a terminal would obey or hide is a dot, and so are invalid bytes and
    letters that are not part of a text; see the module.
    """
    if data.endswith(b"\n"):
        data = data[:-2] if data.endswith(b"\r\n") else data[:-1]
    return shown_text(data)


def shown_text(data: bytes) -> str:
    """Return UTF-8 bytes as text for one line; see `line_text`."""
    text = data.decode("utf-8", "replace").replace("\t", " ")
    text = _NOT_ASCII.sub(_shown, text)
    if _INVALID in text:
        text = _TEXT.sub(_run, text).replace(_INVALID, DOT)
    return text


def _shown(match: re.Match[str]) -> str:
    """Return a character, a dot for one that would move others, or the sign of another byte."""
    character = match[0]
    if is_stacked(character) or unicodedata.bidirectional(character) in _RIGHT_TO_LEFT:
        return DOT
    return _INVALID if is_hidden(character) else character


def _run(match: re.Match[str]) -> str:
    """Return text between bytes that are not, without the letters of a short one."""
    text = match[0]
    return text if len(text) >= RUN else _NOT_ASCII.sub(DOT, text)
