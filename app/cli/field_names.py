"""All field names of a packet's record, for ``--fields`` and ``rawscope fields``.

The names come from the protocols' records: the fields of their tables, and the values beside the
fields. This module adds only the properties of the frame.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from core.wire.model.field import PlacedField
from core.wire.model.kind import Kind
from core.wire.protocol import Protocol
from core.wire.registry import PROTOCOLS

Described = tuple[str, str, str, str]  # name, width, unit, meaning

FRAME: tuple[Described, ...] = (
    ("frame.number", "", "", "Number in the capture, from 1"),
    ("frame.time_epoch", "", "s", "Time of capture since 1970-01-01 UTC, 9 decimals"),
    ("frame.len", "", "bytes", "Length on the wire"),
    ("frame.cap_len", "", "bytes", "Captured length"),
    ("frame.interface_name", "", "", "Interface that captured it"),
    ("frame.protocols", "", "", "Dissected layers, outermost first"),
    ("frame.stop", "", "", "Why the dissection ended early: layer, offset, reason, cause"),
    ("frame.fault", "", "", "Internal error that kept rawscope from describing the packet"),
    ("frame.raw", "", "hex", "The captured bytes"),
)


def all_fields() -> Iterator[Described]:
    """Yield every field once: the frame's, then the headers' in the order of their tables."""
    yield from FRAME
    seen: set[str] = set()
    for protocol in PROTOCOLS:
        for table in protocol.tables:
            for slot in table.slots:
                if slot.name not in seen:
                    seen.add(slot.name)
                    yield from _of_slot(slot)
            if table is protocol.tables[0]:
                yield from _beside_fields(protocol)


def _of_slot(slot: PlacedField) -> Iterator[Described]:
    """Yield a header field, and the verdict on it if it is a checksum."""
    name, bits = slot.name, slot.field.bits
    yield name, f"{bits} bit{'s' * (bits != 1)}", _unit(slot), slot.field.label
    if slot.key == "checksum":
        yield f"{name}.status", "", "", "Verdict: good, bad, offloaded, …"
        yield f"{name}_calculated", "", "", "The correct checksum, if this one is bad"


def _beside_fields(protocol: Protocol) -> Iterator[Described]:
    """Yield the names that a protocol's record adds to those of its tables."""
    if protocol.options_field:
        yield protocol.options_field, "", "hex", "The bytes of the options"
    for derived in protocol.derived:
        yield derived.name, "", derived.suffix, derived.label


def known_names() -> frozenset[str]:
    """Return the names of all fields."""
    return frozenset(row[0] for row in all_fields())


def suggestions(name: str) -> str:
    """Return a hint for a misspelled name, such as ``; nearest: ip.ttl, ip.id``."""
    close = difflib.get_close_matches(name, sorted(known_names()), n=3)
    return f"; nearest: {', '.join(close)}" if close else "; see 'rawscope fields'"


def _unit(slot: PlacedField) -> str:
    kind = slot.field.kind
    if kind is Kind.FLAG:
        return "true or false"
    return slot.field.suffix if kind is Kind.NUMBER else str(kind.value)
