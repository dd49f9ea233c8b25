"""One packet as JSON has it: flat Wireshark names (PRODUCT.md, "Command line").

Only the outermost network header and what it carries have plain names, so that one name means one
value; deeper layers are in the detail tree. A packet has a field if it has the layer and all bytes
of the field were captured. Numbers are numbers, flags booleans, addresses strings, byte strings
lower-case hex.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TypeAlias

from core.wire.model.dissection import Cause, Check, Dissection, Layer, Verdict
from core.wire.model.field import JsonValue
from core.wire.model.table import HeaderTable
from core.wire.present.fragment_rows import fragment_keys
from core.wire.registry import PROTOCOLS

Json: TypeAlias = JsonValue | list[JsonValue] | dict[str, JsonValue]

LISTED = frozenset(protocol.name for protocol in PROTOCOLS if protocol.is_listed)
STACKED = frozenset(protocol.name for protocol in PROTOCOLS if protocol.is_stacked)
DERIVED = {protocol.name: protocol.derived for protocol in PROTOCOLS if protocol.derived}
OPTION_KEYS = {
    protocol.name: protocol.options_field for protocol in PROTOCOLS if protocol.has_options_field
}
PAYLOAD_KEYS = {"tcp": "tcp.payload", "udp": "udp.payload"}
"""Layers whose captured payload has a key of its own, beside ``data``."""


def record(dissection: Dissection, found: dict[str, Json] | None = None) -> dict[str, Json]:
    """Return the packet's keys, from ``frame.protocols`` to ``frame.stop``, added to `found`.

    Those of a fragment need the packet's number, which `found` has as ``frame.number``.
    """
    if found is None:
        found = {}
    found["frame.protocols"] = protocols(dissection)
    seen: set[str] = set()
    for layer in dissection.layers:
        if layer.depth > 1 or layer.quoted:
            continue
        if layer.name in STACKED:
            _append_tag(found, layer, dissection.data)
        elif layer.name not in seen:
            seen.add(layer.name)
            _add_layer(found, layer, dissection)
            if dissection.piece is not None and dissection.piece.owner == layer.name:
                number = found.get("frame.number")
                found |= fragment_keys(dissection.piece, number if isinstance(number, int) else 0)
    if payload := dissection.data[dissection.payload.start : dissection.payload.stop]:
        found["data"] = payload.hex()
    if dissection.stop is not None:
        stop = dissection.stop
        cause = "truncated" if stop.cause is Cause.TRUNCATED else "malformed"
        found["frame.stop"] = {
            "layer": stop.layer,
            "offset": stop.offset,
            "reason": stop.reason,
            "cause": cause,
        }
    return found


def protocols(dissection: Dissection) -> str:
    """Return ``eth:vlan:ip:tcp``: the listed layers, outermost first, and ``data`` for the rest."""
    names = [layer.name for layer in dissection.layers if layer.name in LISTED]
    if dissection.payload.stop > dissection.payload.start:
        names.append("data")
    return ":".join(names)


def _add_layer(found: dict[str, Json], layer: Layer, dissection: Dissection) -> None:
    for table in layer.tables:
        values = _values(layer, table, dissection.data)
        for check in layer.checks:  # the verdict comes right after the field
            if check.slot.table is table:
                found.update(islice(values, table.slots.index(check.slot) + 1))
                if check.slot.name in found:
                    _add_check(found, check)
        found.update(values)
    if layer.name in OPTION_KEYS and layer.options_span is not None:
        span = layer.options_span
        if span.stop <= layer.captured:
            found[OPTION_KEYS[layer.name]] = dissection.data[span.start : span.stop].hex()
    for option in layer.options:
        for inside in option.values:
            _gather(found, inside.slot.name, inside.slot.json(inside.value))
    for derived in DERIVED.get(layer.name, ()):
        value = derived.value(layer, dissection)
        if value is not None:
            found[derived.name] = value
    if layer.name in PAYLOAD_KEYS and layer.is_complete:
        start = layer.offset + layer.header_length
        if start < layer.captured:
            found[PAYLOAD_KEYS[layer.name]] = dissection.data[start : layer.captured].hex()


def _values(layer: Layer, table: HeaderTable, data: bytes) -> Iterator[tuple[str, JsonValue]]:
    """Return the name and value of each captured field of one of the layer's tables."""
    if layer.is_whole(table):
        return zip(table.names, table.json_values(data, layer.offset), strict=True)
    held = (slot for slot in table.slots if layer.holds(slot))
    return ((slot.name, slot.json(slot.read(data, layer.offset))) for slot in held)


def _add_check(found: dict[str, Json], check: Check) -> None:
    if check.verdict is Verdict.NONE:
        return
    found[f"{check.slot.name}.status"] = check.verdict.word
    if check.verdict is Verdict.BAD and check.expected is not None:
        found[f"{check.slot.name}_calculated"] = check.expected


def _gather(found: dict[str, Json], name: str, value: JsonValue) -> None:
    """Add an option's value; the second of one name makes it a list."""
    before = found.get(name)
    if before is None:
        found[name] = value
    elif isinstance(before, list):
        before.append(value)
    elif not isinstance(before, dict):
        found[name] = [before, value]


def _append_tag(found: dict[str, Json], layer: Layer, data: bytes) -> None:
    """Add each field of a tag to a list, outermost first, because tags stack."""
    for slot, value in layer.fields(data):
        tags = found.setdefault(slot.name, [])
        if isinstance(tags, list):
            tags.append(slot.json(value))
