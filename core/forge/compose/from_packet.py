"""Turn a captured packet into a draft, which fills the form.

A computed field stays open if the packet has the value that would be computed, so that it follows
other changes; if the packet has another value (a wrong checksum, a wrong length), that value is
typed. A checksum that the kernel had not filled in yet stays open: the captured value is not the
one that was sent. Flags are typed one by one.

Layers that a draft cannot express become payload, together with all that follows them. A header
that the capture added (Linux cooked, BSD loopback) is not part of the packet and is omitted.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.forge.compose.draft import PAYLOAD, TRAILER, Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.layer_kinds import KINDS
from core.forge.compose.payload_text import payload_text
from core.forge.values import SendMethod
from core.wire.encode.build import Built, DoesNotFitError, build
from core.wire.encode.options_text import options_text
from core.wire.encode.value_text import typed
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import Dissection, Verdict
from core.wire.model.field import PlacedField, Span
from core.wire.model.packet_parts import Header, Parts, parts_of
from core.wire.protocol import LayerKind
from core.wire.registry import PROTOCOLS

_IP = {protocol.name for protocol in PROTOCOLS if protocol.has_pseudo_header}
_CAPTURE_HEADERS = {protocol.name for protocol in PROTOCOLS if protocol.is_capture_header}


@dataclass(frozen=True, slots=True)
class Filled:
    """The draft, the captured bytes that it describes, and notes for the user."""

    draft: Draft
    data: bytes
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resent:
    """The bytes that send a packet again, and the send method that takes them.

    If the packet cannot be sent there, `refusal` is one sentence that says why.
    """

    data: bytes
    method: SendMethod
    notes: tuple[str, ...] = ()
    refusal: str = ""


def draft_of(dissection: Dissection) -> Filled:
    """Return the draft that builds the packet's bytes again."""
    notes: list[str] = []
    data = dissection.data
    if len(data) < dissection.original_length:
        missing = dissection.original_length - len(data)
        notes.append(f"the capture cut {missing} bytes off; only the captured bytes are used")
    parts = parts_of(dissection)
    headers = list(parts.headers)
    if headers and headers[0].name in _CAPTURE_HEADERS:
        left_out = headers.pop(0)
        data = data[left_out.tables[-1].stop + len(left_out.body) :]
        notes.append(f"the {left_out.tables[0].title} header was the capture's and is left out")
    known: list[tuple[LayerKind, Header]] = []
    offset = 0
    for header in headers:
        found = _as_known(header)
        if found is None or (not known and found[0].place not in (0, 2)):
            notes.append(f"the {header.tables[0].title} header and everything after it are payload")
            break
        offset += header.tables[-1].stop + len(header.body)
        known.append(found)
    stop = len(data) - len(parts.trailer)
    whole = Parts(tuple(header for _, header in known), data[offset:stop], parts.trailer)
    if _offloaded(dissection):
        notes.append("rawscope computed the offloaded checksum")
    return Filled(_draft(known, whole, _offloaded(dissection)), data, tuple(notes))


def resent(dissection: Dissection, link_type: int, verbatim: SendMethod | None) -> Resent:
    """Return the packet as it was captured, with offloaded checksums filled in.

    `verbatim` is the method that sends verbatim on the chosen interface (LINK or PACKET); None lets
    the route decide. PACKET takes the IP packet out of the frame. Without `verbatim`, or if an
    Ethernet interface is to send a packet that was captured without an Ethernet header, the packet
    is sent through the IP stack.
    """
    filled = draft_of(dissection)
    data, notes = filled.data, filled.notes
    if _offloaded(dissection):
        data = evaluate(filled.draft).data or data
    if not data:
        return Resent(data, SendMethod.IP, refusal="there are no bytes to send")
    if verbatim is SendMethod.LINK and is_frame(dissection, link_type):
        return Resent(data, SendMethod.LINK, notes)
    method = SendMethod.PACKET if verbatim is SendMethod.PACKET else SendMethod.IP
    span = _ip_packet(dissection)
    if span is None:
        words = "has no IP packet, and nothing else can be sent without a link header"
        return Resent(data, method, refusal=f"the frame {words}")
    removed = len(dissection.data) - len(data)  # a header of the capture
    return Resent(data[span.start - removed : span.stop - removed], method, notes)


def is_frame(dissection: Dissection, link_type: int) -> bool:
    """Return True if the packet is sent again as a frame, by an Ethernet interface.

    That is every Ethernet frame, except for IPv4 on the loopback: there the IP stack would drop a
    frame (`core.forge.review.loopback_rules`), so the packet is sent through it.
    """
    return link_type == LinkType.ETHERNET and not _is_on_loopback(dissection)


def _ip_packet(dissection: Dissection) -> Span | None:
    """Return the captured bytes of the outermost IP packet, or None.

    They end where the packet ends; in a capture without link headers, at the end of the frame.
    """
    data = dissection.data
    for layer in dissection.layers:
        if layer.depth == 1 and layer.name in _IP and layer.offset < len(data):
            trailer = dissection.trailer
            has_trailer = layer.offset and trailer.start < trailer.stop
            return Span(layer.offset, min(len(data), trailer.start) if has_trailer else len(data))
    return None


def _is_on_loopback(dissection: Dissection) -> bool:
    """Return True for an IPv4 packet with the link header of lo, which Linux fills with zeros."""
    data = dissection.data
    if [layer.name for layer in dissection.layers[:2]] != ["eth", "ip"]:
        return False
    ends = ETHERNET["dst"].span, ETHERNET["src"].span
    return not any(byte for span in ends for byte in data[span.start : span.stop])


def _as_known(header: Header) -> tuple[LayerKind, Header] | None:
    """Return the header with the tables of the layer kind that can write it, or None."""
    for kind in KINDS.values():
        if kind.prefix != header.name or kind.tables[0] is not header.tables[0]:
            continue
        if any(table not in header.tables for table in kind.tables):
            continue
        tables = kind.tables_for(header.values)
        size = tables[-1].stop
        data = header.emit(header.values) + header.body
        if size > len(data) or (len(data) > size and not kind.body):
            return None
        values = {
            slot.key: slot.read(data)
            for table in tables
            for slot in table.slots
            if slot.parent is None
        }
        return kind, Header(tables, values, data[size:])
    return None


def _offloaded(dissection: Dissection) -> bool:
    return any(
        check.verdict is Verdict.OFFLOADED and not layer.quoted
        for layer in dissection.layers
        for check in layer.checks
    )


def _draft(known: list[tuple[LayerKind, Header]], whole: Parts, offloaded: bool) -> Draft:
    draft = Draft(tuple(kind.name for kind, _ in known))
    texts: dict[str, str] = {}
    for (kind, suffix), header, left_open in zip(
        draft.kinds(), whole.headers, _left_open(whole, offloaded), strict=True
    ):
        for table in header.tables:
            for slot in table.slots:
                if slot.parent is None and slot.key not in left_open:
                    texts |= _field_texts(slot, header, suffix)
        if header.body:
            text = options_text(kind.options, header.body) if kind.options else header.body.hex()
            texts[f"{kind.prefix}.options{suffix}"] = text
    if whole.payload:
        texts[PAYLOAD] = payload_text(whole.payload)
    if whole.trailer:
        texts[TRAILER] = payload_text(whole.trailer)
    return draft.with_texts(texts)


def _field_texts(slot: PlacedField, header: Header, suffix: str) -> dict[str, str]:
    """Return the text of a field, or the texts of those of its parts that are set."""
    value = header.values[slot.key]
    if not slot.field.parts or not isinstance(value, int):
        return {slot.name + suffix: typed(slot, value)}
    data = header.emit(header.values)
    parts = [s for table in header.tables for s in table.slots if s.parent is slot]
    return {
        part.name + suffix: typed(part, found)
        for part in parts
        if (found := part.read(data)) != part.field.default
    }


def _left_open(whole: Parts, offloaded: bool) -> list[frozenset[str]]:
    """Return for each header the automatic fields whose computed value is the captured one.

    Numbers are checked first, because a checksum covers them.
    """
    automatic = [
        frozenset(
            slot.key for table in header.tables for slot in table.slots if slot.field.automatic
        )
        for header in whole.headers
    ]
    sums = [frozenset(key for key in keys if key == "checksum") for keys in automatic]
    numbers = [keys - other for keys, other in zip(automatic, sums, strict=True)]
    left = _agreeing(whole, numbers)
    again = _agreeing(whole, [a | b for a, b in zip(left, sums, strict=True)])
    if not offloaded:
        return again
    return [a | b for a, b in zip(again, _transport_sums(whole, sums), strict=True)]


def _transport_sums(whole: Parts, sums: list[frozenset[str]]) -> list[frozenset[str]]:
    """Return the checksums that a card fills in: those of the last header."""
    last = len(whole.headers) - 1
    return [keys if index == last else frozenset() for index, keys in enumerate(sums)]


def _agreeing(whole: Parts, wanted: list[frozenset[str]]) -> list[frozenset[str]]:
    """Return those of the `wanted` fields that have the packet's value when they are open."""
    opened = Parts(
        tuple(
            Header(header.tables, {k: v for k, v in header.values.items() if k not in keys},
                   header.body)
            for header, keys in zip(whole.headers, wanted, strict=True)
        ),
        whole.payload,
        whole.trailer,
    )  # fmt: skip
    try:
        built: Built = build(opened)
    except DoesNotFitError:
        return [frozenset() for _ in wanted]
    return [
        frozenset(key for key in keys if place.values[key] == header.values[key])
        for place, header, keys in zip(built.places, whole.headers, wanted, strict=True)
    ]
