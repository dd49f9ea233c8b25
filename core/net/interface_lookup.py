"""Find the one interface that the user means: by name, alternative name, or number.

Every command and option that takes an interface uses this module. A name takes precedence over a
number, as in tcpdump(1): an interface named ``3`` is found before the one with index 3. The number
is the kernel's interface index, which ``rawscope interfaces`` and ``ip link`` show; the number of
``tcpdump -D`` is a position in its own list instead. Callers continue with the name of the link
that they get, not with the text that the user typed.

The kernel looks up a single link. Only an error lists all links.
"""

from __future__ import annotations

import difflib

from core.net.netlink import LinkMessage, dump_links, get_link, get_link_named
from core.wire.model.text import safe

LIST_COMMAND = "rawscope interfaces"
_ALL_NAMED = 5  # interfaces; the error names all of them if there are no more
_NEAREST = 3  # similar ones that it names if there are more
_LARGEST_INDEX = 2**31 - 1  # an int, linux/rtnetlink.h
_MOST_DIGITS = len(str(_LARGEST_INDEX))


class UnknownInterfaceError(Exception):
    """The interface does not exist. The text is one short line that says how to find one."""


def find_interface(text: str) -> LinkMessage | None:
    """Return the link that `text` names, or None. Raises OSError if netlink fails."""
    found = get_link_named(text)
    if found is None and (index := _interface_index(text)):
        found = get_link(index)
    return found


def _interface_index(text: str) -> int:
    """Return the interface index that `text` spells, or 0 if it spells none.

    `int` raises ValueError for more than 4,300 digits, so the length is checked first.
    """
    digits = text.lstrip("0")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _MOST_DIGITS:
        return 0
    index = int(digits)
    return index if index <= _LARGEST_INDEX else 0


def require_interface(text: str) -> LinkMessage:
    """Return the link that `text` names. Raises `UnknownInterfaceError`."""
    found = find_interface(text)
    if found is None:
        raise UnknownInterfaceError(unknown_interface(text, dump_links()))
    return found


def unknown_interface(text: str, links: list[LinkMessage]) -> str:
    """Return the error for an interface that is not among `links`.

    It is short for any number of links: it names all of a few, else the most similar ones, and the
    command that lists them.
    """
    message = f"there is no interface {safe(text)!r}"
    names = [name for link in links for name in (link.name, *link.alternative_names)]
    if len(names) <= _ALL_NAMED:
        return f"{message}; there are: {', '.join(map(safe, names)) or 'none'}"
    near = difflib.get_close_matches(text, names, _NEAREST)
    if near:
        message += f"; similar: {', '.join(map(safe, near))}"
    return f"{message}; there are {len(links):,}: '{LIST_COMMAND}' lists them"
