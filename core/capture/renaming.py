"""New names of interfaces while they are captured (``ip link set eth0 name wan0``)."""

from __future__ import annotations

from collections.abc import Sequence

Renaming = tuple[str, str]  # the old and the new name of an interface


def current_name(name: str, renamed: Sequence[Renaming]) -> str:
    """Return the present name of an interface; `renamed` lists all changes, oldest first."""
    for old, new in renamed:
        name = new if name == old else name
    return name
