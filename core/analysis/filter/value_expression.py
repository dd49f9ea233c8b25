"""The filters that the screen offers: for a row of the detail tree, a table cell, a conversation.

Each expression is Wireshark's, compares one field with the value that the packet has, and passes
that packet. Any occurrence of the field may have the value, as in every filter: a row of an inner
header gives the same expression as one of the outer header.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import numpy as np

from core.analysis.connection import End
from core.analysis.filter.fields.catalog import CATALOG, OPTION_NAMES
from core.analysis.filter.types import (
    ADDRESS_BYTES,
    FieldValues,
    FilterField,
    FilterType,
    Spans,
)
from core.wire.application import payload_info
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Value
from core.wire.model.kind import ipv4_text, ipv6_text, mac_text
from core.wire.present.detail_row import Row
from core.wire.present.summary import shown_addresses

_T = FilterType
COMPARED_BYTES = 32
"""The most bytes that an expression compares; of a longer payload, it compares the first ones."""


# -- a field and its value -----------------------------------------------------------------


def field_expression(name: str, raw: Value | str | None) -> str | None:
    """Return ``tcp.srcport == 443`` for a field of the catalog; None for a name it does not have.

    `raw` is a value of the field as `core.wire.present.detail.Row` has it: a number (nanoseconds
    for times), bytes, or a string, which may be one of the field's words. Without a value the
    expression is the name alone, which passes packets that have the header or option.
    """
    field = CATALOG.find(name)
    if field is None:
        return None
    if raw is None:
        return name
    if isinstance(raw, bytes) and len(raw) > COMPARED_BYTES:
        return f"{name}[0:{COMPARED_BYTES}] == {bytes_literal(raw[:COMPARED_BYTES])}"
    return f"{name} == {_literal(field, raw)}"


def _literal(field: FilterField, raw: Value | str) -> str:
    if isinstance(raw, str):
        return string_literal(raw)
    if field.type in _ADDRESSES:
        data = raw if isinstance(raw, bytes) else raw.to_bytes(ADDRESS_BYTES[field.type], "big")
        return _ADDRESSES[field.type](data)
    if isinstance(raw, bytes):
        return bytes_literal(raw)
    if field.type is _T.BYTES:
        return bytes_literal(raw.to_bytes(-(-field.width_bits // 8), "big"))
    if field.type is _T.BOOLEAN:
        return "1" if raw else "0"
    if field.type.is_time:
        return f"{Decimal(raw).scaleb(-9):.9f}"
    return f"0x{raw:x}" if field.base == 16 else str(raw)


_ADDRESSES: Mapping[FilterType, Callable[[bytes], str]] = {
    _T.ETHER: mac_text,
    _T.EUI64: mac_text,
    _T.IPV4: ipv4_text,
    _T.IPV6: ipv6_text,
}


def bytes_literal(data: bytes) -> str:
    """Return ``48:65:6c`` for bytes, ``48:`` for one byte, and an empty string for none."""
    return data.hex(":") + (":" if len(data) == 1 else "") if data else '""'


_ESCAPES = {'"': '\\"', "\\": "\\\\"}


def string_literal(text: str) -> str:
    """Return a text in quotes; a character that cannot be printed becomes ``\\xNN`` per byte."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode(errors="surrogateescape"))


# -- what the screen shows -------------------------------------------------------------------


def row_expression(row: Row) -> str | None:
    """Return the expression of a row of the detail tree; None if filters have no name for it."""
    return field_expression(row.field, row.raw)


def first_value_expression(values: FieldValues, name: str) -> str | None:
    """Return ``name == value`` for the first, outermost value of a field; None if it has no value.

    `values` are those of one packet. A combined field (``ip.addr``) has its first member's value,
    and the name of a header or an option no value.
    """
    field = CATALOG.find(name)
    if field is None:
        return None
    found = values.occurrences(name).values
    if not len(found):
        return None
    if field.type is _T.PROTOCOL or name in OPTION_NAMES:
        return name
    if isinstance(found, Spans):
        return field_expression(name, found.data[found.starts[0] : found.ends[0]].tobytes())
    first = found[0]
    if isinstance(first, np.ndarray):
        return field_expression(name, first.tobytes())
    return field_expression(name, first if isinstance(first, str) else int(first))


def address_expressions(dissection: Dissection) -> tuple[str | None, str | None]:
    """Return the expressions of the source and the destination that the table shows."""
    layer, keys = shown_addresses(dissection)
    source, destination = (
        None if layer is None else _of_layer(layer, dissection.data, key) for key in keys
    )
    return source, destination


def _of_layer(layer: Layer, data: bytes, key: str) -> str | None:
    slot = next((table[key] for table in layer.tables if key in table), None)
    value = layer.value(data, key)
    return None if slot is None or value is None else field_expression(slot.name, value)


def protocol_expression(dissection: Dissection) -> str | None:
    """Return the expression of the protocol that the table shows; None without a header."""
    layer = _innermost(dissection)
    if layer is None:
        return None
    application = payload_info.describe(dissection, layer)
    return field_expression(layer.name if application is None else application.name.lower(), None)


def _innermost(dissection: Dissection) -> Layer | None:
    return next((layer for layer in reversed(dissection.layers) if not layer.quoted), None)


# -- conversations -----------------------------------------------------------------------------


def packet_conversation(dissection: Dissection) -> str | None:
    """Return the expression of the innermost conversation of a packet, in both directions.

    It is that of two ports with their addresses, else that of two IP addresses, else that of the
    two addresses of a link header; None if the packet has none of them. Packets that ICMP errors
    quote do not count.
    """
    ports = ""
    for layer in reversed(dissection.layers):
        if layer.quoted:
            continue
        if not ports and CATALOG.combined(f"{layer.name}.port"):
            ports = _conversation_of(layer, dissection.data, "port")
        elif found := _conversation_of(layer, dissection.data, "addr"):
            return f"{found} and {ports}" if ports else found
    return None


def _conversation_of(layer: Layer, data: bytes, part: str) -> str:
    """Return the expression of both addresses or ports of a header; empty if it lacks one."""
    members = CATALOG.combined(f"{layer.name}.{part}")
    values = [layer.number(data, name.removeprefix(f"{layer.name}.")) for name in members]
    if not members or None in values:
        return ""
    return pair_expression(
        layer.name, part, *(_literal_of(members[0], value or 0) for value in values)
    )


def connection_expression(protocol: str, one: End, other: End) -> str:
    """Return the expression of all packets between two ends: ``ip.addr == … and tcp.port == …``.

    `protocol` is ``tcp``, ``udp``, or ``sctp``. An empty address and port 0 match any; a zone
    (``%eth0``) does not matter.
    """
    addresses = [end[0].partition("%")[0] for end in (one, other)]
    networks = ["ipv6" if ":" in address else "ip" for address in addresses]
    ports = [str(end[1] or "") for end in (one, other)]
    if networks[0] == networks[1]:
        parts = [pair_expression(networks[0], "addr", *addresses)]
    else:
        parts = [
            f"{network}.addr == {address}"
            for network, address in zip(networks, addresses, strict=True)
            if address
        ]
    parts.append(pair_expression(protocol, "port", *ports))
    return " and ".join(part for part in parts if part) or protocol


_SIDES = {"addr": ("src", "dst"), "port": ("srcport", "dstport")}


def pair_expression(protocol: str, part: str, one: str, other: str) -> str:
    """Return the expression of packets that have both values, one on each side.

    With equal values it names the sides, because one side alone would pass otherwise.
    """
    names = [f"{protocol}.{part}"] * 2
    if one == other:
        names = [f"{protocol}.{side}" for side in _SIDES[part]]
    pairs = zip(names, (one, other), strict=True)
    return " and ".join(f"{name} == {value}" for name, value in pairs if value)


def _literal_of(name: str, value: int) -> str:
    field = CATALOG.find(name)
    assert field is not None  # a member of a combined field is in the catalog
    return _literal(field, value)
