"""A packet as a scapy expression: ``IP(dst="10.0.0.9")/TCP(dport=80, flags="S")``.

The expression leaves out the fields that rawscope computed, because scapy computes them too. It has
every other field, since some have another default in scapy (TCP's window). A layer that scapy
writes in another way, and all bytes behind it, are written as raw bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.forge.compose.evaluation import Evaluation
from core.wire.encode.build import Built, BuiltField
from core.wire.model.field import Field, Value
from core.wire.model.kind import Kind, address_text
from core.wire.model.other_tools import ScapyLayer, ScapyOptions
from core.wire.registry import PROTOCOLS

_LAYERS = {
    protocol.name: (protocol.tables[0], protocol.tools.scapy)
    for protocol in PROTOCOLS
    if protocol.tools.scapy is not None
}
_NEXT = frozenset(  # full names of the fields that name the next layer
    f"{protocol.name}.{key}"
    for protocol in PROTOCOLS
    for key, rule in protocol.computed.items()
    if rule.names_next
)


def expression(evaluation: Evaluation) -> str:
    """Return the packet as one expression, to be used after ``from scapy.all import *``."""
    built = evaluation.built
    if built is None:
        return ""
    written: list[str] = []
    end = 0
    for index, place in enumerate(built.places):
        layer = _layer_of(place, built)
        if layer is None:
            break
        following = built.places[index + 1] if index + 1 < len(built.places) else None
        next_is_known = following is not None and _layer_of(following, built) is not None
        written.append(_text(place, layer, built.data, next_is_known=next_is_known))
        end = place.offset + place.length
    rest = built.data[end:]
    if rest:
        written.append(f"Raw({rest!r})")
    return "/".join(written)


def _layer_of(place: BuiltField, built: Built) -> ScapyLayer | None:
    """Return scapy's layer for a header, or None if scapy would write other bytes."""
    table, layer = _LAYERS.get(place.header.name, (None, None))
    if layer is None or place.header.tables[0] is not table:
        return None
    if layer.when is not None and place.values[layer.when[0]] not in layer.when[1]:
        return None
    if not layer.carries_payload and place.offset + place.length < built.payload.stop:
        return None
    has_body = place.body.stop > place.body.start
    return None if has_body and layer.options is ScapyOptions.NONE else layer


def _text(place: BuiltField, layer: ScapyLayer, data: bytes, *, next_is_known: bool) -> str:
    """Return one layer. It names the next layer if that one is raw bytes for scapy."""
    arguments = []
    for key, name in layer.arguments.items():
        if key not in place.values:
            continue  # in a table that this header does not have
        slot = place.header.slot(key)
        if key in place.computed and (next_is_known or slot.name not in _NEXT):
            continue
        if key in layer.unless_zero and not place.values[key]:
            continue
        value = _value(slot.field, place.values[key])
        arguments.append(f"{name}=[{value}]" if key in layer.lists else f"{name}={value}")
    body = data[place.body.start : place.body.stop]
    if body:
        arguments.append(f"options={_WRITERS[layer.options](body)}")
    return f"{layer.name}({', '.join(arguments)})"


def _value(field: Field, value: Value) -> str:
    """Return a value as Python; scapy takes the number in the header, in the units of the field."""
    if isinstance(value, bytes):
        return repr(value)
    if field.kind in (Kind.MAC, Kind.IPV4, Kind.IPV6):
        return f'"{address_text(field.kind, value)}"'
    return str(value // field.unit)


def _raw_option(body: bytes) -> str:
    return f"[IPOption({body!r})]"


def _option_pairs(body: bytes) -> str:
    """Return scapy's list of (number, bytes), from which it makes the same bytes."""
    written = []
    at = 0
    while at < len(body):
        if body[at] in (0, 1):
            written.append(f'("{"EOL" if body[at] == 0 else "NOP"}", None)')
            at += 1
            continue
        length = body[at + 1] if at + 1 < len(body) else 0
        if length < 2 or at + length > len(body):
            break
        written.append(f"({body[at]}, {body[at + 2 : at + length]!r})")
        at += length
    return f"[{', '.join(written)}]"


_WRITERS: Mapping[ScapyOptions, Callable[[bytes], str]] = {
    ScapyOptions.RAW: _raw_option,
    ScapyOptions.PAIRS: _option_pairs,
}
