"""Text in terminal cells: a character takes none, one, or two of them.

All code that aligns columns uses these functions. ASCII text, which is nearly all text, is sliced;
other text is measured.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, chop_cells, set_cell_size

ELLIPSIS = "…"
_NUMERIC_ADDRESS = re.compile(r"[0-9.]+|[0-9a-f]*:[0-9a-f:.]*")


def width_of(text: str) -> int:
    """Return the number of cells that `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, width: int) -> str:
    """Return `text` in at most `width` cells; an ellipsis replaces what does not fit."""
    if width_of(text) <= width:
        return text
    if width <= 0:
        return ""
    if text.isascii():
        return text[: width - 1] + ELLIPSIS
    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def left(text: str, width: int) -> str:
    """Return `text` in exactly `width` cells, aligned left."""
    text = cut(text, width)
    return text + " " * (width - width_of(text))


def right(text: str, width: int) -> str:
    """Return `text` in exactly `width` cells, aligned right, as numbers are."""
    text = cut(text, width)
    return " " * (width - width_of(text)) + text


def without(text: str, cells: int) -> str:
    """Return `text` without its first `cells` cells."""
    if cells <= 0:
        return text
    if text.isascii():
        return text[cells:]
    pieces = chop_cells(text, cells)
    return text[len(pieces[0]) :] if pieces else ""


def is_numeric_address(text: str) -> bool:
    """Return True for the text of an IP or a MAC address, False for a name."""
    return _NUMERIC_ADDRESS.fullmatch(text) is not None


def shorten_address(address: str, width: int) -> str:
    """Return an address in at most `width` cells, never cut inside a group.

    An IPv6 address that is too long loses whole groups from its middle:
    ``2001:db8:85a3::8a2e:370:7334`` in 20 cells is ``2001:db8:…:370:7334``.
    """
    if width_of(address) <= width:
        return address
    groups = address.split(":")
    if len(groups) < 3:
        return cut(address, width)
    short = ELLIPSIS
    for kept in range(2, len(groups)):
        head, tail = groups[: (kept + 1) // 2], groups[len(groups) - kept // 2 :]
        longer = ":".join([*head, ELLIPSIS, *tail])
        if len(longer) > width:
            break
        short = longer
    return cut(short, width)
