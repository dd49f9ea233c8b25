"""All names of fields: those of display filters, and those that only a packet's record has.

``--fields`` and ``--json`` take all of them. `core.analysis.filter.fields.catalog` has what a
filter can name; a record has some values beside these. Both follow from the protocols' records.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.fields.packet_fields import COLUMNS
from core.analysis.filter.types import FilterField

Described = tuple[str, str, str, str]  # name, width, unit, meaning

CALCULATED = "_calculated"
JSON_COLUMNS = {name: COLUMNS[name] for name in ("_ws.col.protocol", "_ws.col.info")}
"""The columns of the packet table that ``--json`` has without ``--fields``."""

_MOST_NEAR = 3
_LAST_OF_FRAME = "frame.protocols"
_NOT_FILTERED: tuple[Described, ...] = (
    ("frame.stop", "", "", "Why the dissection ended early: layer, offset, reason, cause"),
    ("frame.fault", "", "", "Internal error that kept rawscope from describing the packet"),
    ("frame.raw", "", "hex", "The captured bytes"),
)


def all_fields() -> Iterator[Described]:
    """Yield every field once: the frame's, then the headers' in the order of their tables."""
    for field in CATALOG:
        yield _described(field)
        if field.name == _LAST_OF_FRAME:
            yield from _NOT_FILTERED
        if field.name.endswith(".checksum.status"):
            name = field.name.removesuffix(".status") + CALCULATED
            yield name, "", "", "The correct checksum, if this one is bad"


def _described(field: FilterField) -> Described:
    bits = field.width_bits
    width = f"{bits} bit{'s' * (bits != 1)}" if bits else ""
    return field.name, width, CATALOG.unit(field.name), field.meaning


def known_names() -> frozenset[str]:
    """Return the names of all fields."""
    return frozenset(name for name, *_ in all_fields())


def is_filtered(name: str) -> bool:
    """Return True if a display filter knows a name."""
    return CATALOG.find(name) is not None


def suggestions(name: str) -> str:
    """Return a hint for a misspelled name, such as ``; nearest: ip.ttl, ip.id``."""
    names, wanted = sorted(known_names()), name.lower()
    close = difflib.get_close_matches(wanted, names, n=_MOST_NEAR)
    close = close or [each for each in names if wanted in each.lower()][:_MOST_NEAR]
    if close:
        return f"; nearest: {', '.join(close)}"
    return "; no name is similar; 'rawscope fields' lists all"
