"""The text of any field of one packet, read from its dissection: the columns of the packet table.

A name means the outermost occurrence, as in ``dump --fields``: the values in the first layer that
has the field, but not inside tunnels or in packets that ICMP errors quote. Several values in that
layer (options, the two addresses of ``ip.addr``) are separated by commas, as are those of stacked
tags. A field that the packet does not have is an empty text.

People read columns, and programs what ``dump`` prints. So the values of headers are those of the
detail tree here, without units: hex where Wireshark shows hex, words for flags, the beginning of
long byte strings. ``dump`` prints numbers in base 10, ``true`` and ``false``, and all bytes, as
JSON has them. The texts of frames, times, and protocols are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from core.analysis.filter.fields.address_parts import ADDRESS_PARTS, AddressPart
from core.analysis.filter.fields.catalog import CATALOG, OPTION_NAMES, SLOTS_BY_NAME
from core.analysis.filter.fields.packet_fields import (
    DATA_LENGTH,
    FLAG_TEXT,
    TRANSPORT_PAYLOADS,
)
from core.analysis.filter.values.byte_fields import options_span, payload_span
from core.analysis.filter.values.computed_values import DERIVED, tcp_flag_text
from core.analysis.filter.values.dissected import places_of
from core.analysis.frame_texts import FRAME_TEXTS
from core.analysis.packet_facts import FieldText, PacketFacts
from core.analysis.programs.fields import PROGRAM_FIELDS
from core.analysis.programs.program_table import programs_of
from core.analysis.tcp.fields import FLOW_FIELDS, FlowKind
from core.analysis.tcp.flow_index import index_of
from core.wire.model.dissection import Dissection, Layer, Verdict
from core.wire.model.field import PlacedField, Span, Value
from core.wire.model.kind import Kind
from core.wire.model.reassembly import FRAGMENT_FIELDS, REASSEMBLED_DATA
from core.wire.model.text import safe
from core.wire.present.detail import titled
from core.wire.present.record import STACKED
from core.wire.registry import PROTOCOLS

HEX_BYTES = 64  # of a byte string; the rest is not shown
_PROTOCOLS = frozenset(protocol.name for protocol in PROTOCOLS)


_LayerTexts = Callable[[Layer, Dissection], Iterator[str]]


def field_text(name: str) -> FieldText:
    """Return the function that reads a field of `CATALOG`; `KeyError` for another name.

    Its texts are safe to print.
    """
    if name in FRAME_TEXTS:
        return FRAME_TEXTS[name]
    if name in FLOW_FIELDS:
        return _of_flow(name)
    if name in FRAGMENT_FIELDS:
        return _of_fragment(name)
    if name in PROGRAM_FIELDS:
        return _of_programs(name)
    if CATALOG.find(name) is None:
        raise KeyError(name)
    return _outermost(_layer_texts(name))


def _of_flow(name: str) -> FieldText:
    """Return the texts of a field that an analysis of flows finds, as far as it is known."""
    field = FLOW_FIELDS[name]

    def text(facts: PacketFacts) -> str:
        flows = index_of(facts.snapshot).published
        return field.text(flows.values(facts.packet.number, field.protocol))

    return text


def _of_fragment(name: str) -> FieldText:
    """Return the texts of a field that a reassembly of fragments finds."""
    field = FRAGMENT_FIELDS[name]

    def text(facts: PacketFacts) -> str:
        piece = facts.dissection.piece
        if piece is None or piece.owner != field.owner:
            return ""
        numbers = field.numbers(piece, facts.packet.number)
        return ",".join("true" if field.kind == "mark" else str(each) for each in numbers)

    return text


def _of_programs(name: str) -> FieldText:
    """Return the texts of a field of the programs that own the flow, as far as it is known."""
    field = PROGRAM_FIELDS[name]

    def text(facts: PacketFacts) -> str:
        flows = index_of(facts.snapshot).published
        programs = programs_of(facts.snapshot).published
        return safe(field.text(programs.of_packet(flows, facts.packet.number)))

    return text


def is_number(name: str) -> bool:
    """Return True for a field whose texts are aligned at the right."""
    field = CATALOG.find(name)
    if field is None or (name in SLOTS_BY_NAME and field.base != 10):
        return False
    is_worded = name.endswith(".status") or name in ("frame.direction", "frame.stop.cause")
    is_duration = name.startswith("frame.time_") and name != "frame.time_utc"
    if name in FLOW_FIELDS:
        is_duration = FLOW_FIELDS[name].kind is FlowKind.DURATION
    return (field.type.is_integer and not is_worded) or is_duration


def _outermost(texts_of: _LayerTexts) -> FieldText:
    """Return a function that joins the texts of the outermost layer that has some."""

    def text(facts: PacketFacts) -> str:
        found: list[str] = []
        owner = ""
        for layer in facts.dissection.layers:
            if layer.quoted or layer.depth > 1 or owner not in ("", layer.name):
                continue
            if texts := list(texts_of(layer, facts.dissection)):
                found += texts
                owner = layer.name
                if owner not in STACKED:
                    break
        return safe(",".join(found))

    return text


def _layer_texts(name: str) -> _LayerTexts:
    """Return the function that yields the texts of a field in one layer."""
    parent, _, last = name.rpartition(".")
    if members := CATALOG.combined(name):
        return _of_slots(*members)
    if name in SLOTS_BY_NAME:
        return _of_slots(name)
    if name in ADDRESS_PARTS:
        return _of_address(ADDRESS_PARTS[name])
    if name.endswith(".checksum.status"):
        return _verdicts(parent)
    if name in DERIVED:
        return _derived(name)
    if name in _PROTOCOLS:
        return lambda layer, dissection: iter(
            (titled(layer, dissection.data),) if layer.name == name else ()
        )
    if name in OPTION_NAMES:
        return lambda layer, dissection: (
            option.label for option in layer.options if option.name == name
        )
    if name == FLAG_TEXT.name:
        return _tcp_flags
    if name == DATA_LENGTH.name:
        return lambda layer, dissection: (
            str(span.stop - span.start) for span in _data_span(layer, dissection)
        )
    if name in REASSEMBLED_DATA:
        return _hex_of(_datagram_span(REASSEMBLED_DATA[name]))
    if parent in TRANSPORT_PAYLOADS and last == "payload":
        return _hex_of(payload_span(parent))
    return _hex_of(_data_span if name in ("data", "data.data") else options_span(parent))


def _of_slots(*names: str) -> _LayerTexts:
    """Return the texts of fields of header tables or of options' tables, by place."""

    def texts(layer: Layer, dissection: Dissection) -> Iterator[str]:
        for slot, start in _places(layer, names):
            yield _text(slot, slot.read(dissection.data, start))

    return texts


def _of_address(part: AddressPart) -> _LayerTexts:
    """Return the texts of a part of addresses."""
    names = CATALOG.combined(part.source) or (part.source,)

    def texts(layer: Layer, dissection: Dissection) -> Iterator[str]:
        for slot, start in _places(layer, names):
            value = slot.read(dissection.data, start)
            size = slot.span.stop - slot.span.start
            is_short = isinstance(value, bytes) or slot.field.kind is Kind.IPV4
            yield part.text(value if is_short else int(value).to_bytes(size, "big"))

    return texts


def _places(layer: Layer, names: Sequence[str]) -> list[tuple[PlacedField, int]]:
    """Return the places of some fields in a layer, in the order of its bytes."""
    places = [place for name in names for place in places_of(layer, name)]
    return sorted(places, key=_first_bit)


def _first_bit(place: tuple[PlacedField, int]) -> int:
    slot, start = place
    return 8 * start + slot.first_bit


def _text(slot: PlacedField, value: Value) -> str:
    if isinstance(value, int) and slot.field.kind is Kind.NUMBER and slot.field.base == 10:
        return str(value)
    return slot.text(value)


def _verdicts(checksum: str) -> _LayerTexts:
    def texts(layer: Layer, dissection: Dissection) -> Iterator[str]:
        for check in layer.checks:
            if check.slot.name == checksum and check.verdict is not Verdict.NONE:
                yield check.verdict.word

    return texts


def _derived(name: str) -> _LayerTexts:
    protocol, number = DERIVED[name]

    def texts(layer: Layer, dissection: Dissection) -> Iterator[str]:
        if layer.name == protocol.name:
            value = number.value(layer, dissection)
            if value is not None:
                yield str(value)

    return texts


def _tcp_flags(layer: Layer, dissection: Dissection) -> Iterator[str]:
    flags = layer.number(dissection.data, "flags") if layer.name == "tcp" else None
    if flags is not None:
        yield tcp_flag_text(flags)


def _data_span(layer: Layer, dissection: Dissection) -> Iterator[Span]:
    """Yield the bytes that no header reads, for the innermost layer."""
    payload = dissection.payload
    if layer is dissection.layers[-1] and payload.start < payload.stop:
        yield payload


def _datagram_span(owner: str) -> Callable[[Layer, Dissection], Iterator[Span]]:
    """Return a function that yields the bytes of a reassembled datagram, for its IP header."""

    def spans(layer: Layer, dissection: Dissection) -> Iterator[Span]:
        piece = dissection.piece
        if layer.name == owner and piece is not None and piece.datagram is not None:
            yield piece.span

    return spans


def _hex_of(spans: Callable[[Layer, Dissection], Iterator[Span]]) -> _LayerTexts:
    """Return the beginning of a byte string as hex digits."""

    def texts(layer: Layer, dissection: Dissection) -> Iterator[str]:
        for span in spans(layer, dissection):
            stop = min(span.stop, span.start + HEX_BYTES)
            more = "…" if stop < span.stop else ""
            yield dissection.data[span.start : stop].hex() + more

    return texts
