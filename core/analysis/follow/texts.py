"""Bytes of a stream as safe text, in which no byte takes more than one terminal cell."""

from __future__ import annotations

from core.wire.model.text import is_plain, rewrite

DOT = "·"  # a control character, or a byte that is not text


def line_text(data: bytes) -> str:
    """Return UTF-8 bytes as text for one line, without the line end.

    A tab is a space. What a terminal would obey or hide is a dot, and so are invalid bytes.
    """
    if data.endswith(b"\n"):
        data = data[:-2] if data.endswith(b"\r\n") else data[:-1]
    return shown_text(data)


def shown_text(data: bytes) -> str:
    """Return UTF-8 bytes as text for one line; see `line_text`."""
    text = data.decode("utf-8", "replace").replace("\t", " ").replace("\ufffd", DOT)
    return text if is_plain(text) else rewrite(text, lambda _: DOT)[0]
