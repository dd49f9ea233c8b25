"""All field names: those of display filters and of a packet's record.

`core.analysis.filter.fields.catalog` has what a filter can name. A record (``dump --json``,
``--fields``) has the fields of the tables, the values beside them, and a few names that no filter
has. Both follow from the protocols' records.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.types import FilterField
from core.wire.registry import PROTOCOLS

Described = tuple[str, str, str, str]  # name, width, unit, meaning

_CALCULATED = "_calculated"
_FRAME = (
    "frame.number",
    "frame.time_epoch",
    "frame.len",
    "frame.cap_len",
    "frame.interface_name",
    "frame.protocols",
)
_NOT_FILTERED: tuple[Described, ...] = (
    ("frame.stop", "", "", "Why the dissection ended early: layer, offset, reason, cause"),
    ("frame.fault", "", "", "Internal error that kept rawscope from describing the packet"),
    ("frame.raw", "", "hex", "The captured bytes"),
)


def all_fields() -> Iterator[Described]:
    """Yield every field once: the frame's, then the headers' in the order of their tables."""
    for field in CATALOG:
        yield _described(field)
        if field.name == _FRAME[-1]:
            yield from _NOT_FILTERED
        if field.name.endswith(".status"):
            name = field.name.removesuffix(".status") + _CALCULATED
            yield name, "", "", "The correct checksum, if this one is bad"


def _described(field: FilterField) -> Described:
    bits = field.width_bits
    width = f"{bits} bit{'s' * (bits != 1)}" if bits else ""
    return field.name, width, CATALOG.unit(field.name), field.meaning


def is_for_filters(name: str) -> bool:
    """Return True if only filters know a name: a record has no value for it."""
    return CATALOG.find(name) is not None and name not in known_names()


def members(name: str) -> str:
    """Return a hint with the fields of a combined one: ``; print ip.src,ip.dst``, or nothing."""
    combined = CATALOG.combined(name)
    return f"; print {','.join(combined)}" if combined else ""


def known_names() -> frozenset[str]:
    """Return the names that a packet's record may have."""
    return frozenset(_record_names())


def _record_names() -> Iterator[str]:
    yield from _FRAME
    yield from (name for name, *_ in _NOT_FILTERED)
    for protocol in PROTOCOLS:
        for table in protocol.tables:
            for slot in table.slots:
                yield slot.name
                if slot.key == "checksum":
                    yield f"{slot.name}.status"
                    yield slot.name + _CALCULATED
        if protocol.options_field:
            yield protocol.options_field
        for derived in protocol.derived:
            yield derived.name


def suggestions(name: str) -> str:
    """Return a hint for a misspelled name, such as ``; nearest: ip.ttl, ip.id``."""
    close = difflib.get_close_matches(name, sorted(known_names()), n=3)
    return f"; nearest: {', '.join(close)}" if close else "; see 'rawscope fields'"
