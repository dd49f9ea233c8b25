"""All field names of a packet's record, for ``--fields`` and ``rawscope fields``.

The names come from the header tables. This module adds only names that are in no header: the
properties of the frame, and values computed from a header.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from core.wire.model.field import Kind, PlacedField
from core.wire.registry import slots

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


COMPUTED: Mapping[str, tuple[Described, ...]] = {  # listed after the header field of this name
    "tcp.urgent_pointer": (
        ("tcp.options", "", "hex", "The bytes of the options"),
        ("tcp.len", "", "bytes", "Length of the payload"),
    ),
    "ip.dst": (("ip.options", "", "hex", "The bytes of the options"),),
}


def all_fields() -> Iterator[Described]:
    """Yield every field once: the frame's, then the headers' in the order of their tables."""
    yield from FRAME
    seen: set[str] = set()
    for slot in slots():
        name = slot.name
        if name in seen:
            continue
        seen.add(name)
        bits = slot.field.bits
        yield name, f"{bits} bit{'s' * (bits != 1)}", _unit(slot), slot.field.label
        if slot.key == "checksum":
            yield f"{name}.status", "", "", "Verdict: good, bad, offloaded, …"
            yield f"{name}_calculated", "", "", "The correct checksum, if this one is bad"
        yield from COMPUTED.get(name, ())


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
