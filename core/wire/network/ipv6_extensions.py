"""The extension headers of IPv6.

RFC 8200 §4. Each extension header names the next one and, except for the fragment header, its own
length in units of 8 bytes beyond the first 8. Only a number that is no extension header ends the
chain, so every header is checked against the payload's end, and the depth limit of a dissection
bounds the chain.

A routing header with segments left changes the destination that the transport checksum covers: to
the last address of type 0 (RFC 2460 §4.4), to the one home address of type 2 (RFC 6275 §6.4), to
the last address of type 3, which leaves out the bytes that it shares with the header's (RFC 6554
§4.2), to segment 0 of type 4 (RFC 8754 §2). A home address option replaces the source (RFC 6275
§11.3.1).
"""

from __future__ import annotations

import numpy as np

from core.wire.model import computed_number
from core.wire.model.assigned_numbers import PROTOCOL_NAMES, IpProtocol
from core.wire.model.batch import BatchReader, Column, FrameGroup, HeaderState
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field, Flag, Span
from core.wire.model.packet_parts import Header
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Endpoints, Next, Numbering, Walk
from core.wire.network import ipv6_options
from core.wire.network.ipv6_options import HOME_ADDRESS, HOME_TABLE, OPTIONS
from core.wire.protocol import (
    OPTIONS_BODY,
    REST_BODY,
    LayerKind,
    LayerPosition,
    Protocol,
    Reader,
)

EXTENSION_HEADERS = frozenset(
    {
        IpProtocol.HOP_BY_HOP,
        IpProtocol.ROUTING,
        IpProtocol.FRAGMENT,
        IpProtocol.DESTINATION,
        IpProtocol.AH,
    }
)
UNIT = 8  # extension headers count their length in these, beyond the first
ROUTING_RPL = 3

HOP_BY_HOP = HeaderTable(
    "ipv6.hopopts",
    "IPv6 hop-by-hop options",
    "RFC 8200 §4.3",
    Field("nxt", 8, "Next header", values=PROTOCOL_NAMES, automatic=True),
    Field("len", 8, "Length", suffix="× 8 bytes after the first 8", automatic=True),
)

DESTINATION_OPTIONS = HeaderTable(
    "ipv6.dstopts",
    "IPv6 destination options",
    "RFC 8200 §4.6",
    Field("nxt", 8, "Next header", values=PROTOCOL_NAMES, automatic=True),
    Field("len", 8, "Length", suffix="× 8 bytes after the first 8", automatic=True),
)

ROUTING = HeaderTable(
    "ipv6.routing",
    "IPv6 routing header",
    "RFC 8200 §4.4",
    Field("nxt", 8, "Next header", values=PROTOCOL_NAMES, automatic=True),
    Field("len", 8, "Length", suffix="× 8 bytes after the first 8", automatic=True),
    Field(
        "type",
        8,
        "Routing type",
        values={0: "Source route", 2: "Mobile IPv6", 3: "RPL", 4: "Segment routing"},
    ),
    Field("segleft", 8, "Segments left"),
)

RPL = HeaderTable(
    "ipv6.routing.rpl",
    "IPv6 RPL source route",
    "RFC 6554 §3",
    Field("cmprI", 4, "Prefix bytes left out of all but the last address"),
    Field("cmprE", 4, "Prefix bytes left out of the last address"),
    Field("pad", 4, "Padding", suffix="bytes"),
    Field("reserved", 20, "Reserved"),
    start=ROUTING.size,
    when=("type", frozenset({ROUTING_RPL})),
)

FRAGMENT = HeaderTable(
    "ipv6.fraghdr",
    "IPv6 fragment header",
    "RFC 8200 §4.5",
    Field("nxt", 8, "Next header", values=PROTOCOL_NAMES, automatic=True),
    Field("reserved_octet", 8, "Reserved"),
    Field("offset", 13, "Fragment offset", suffix="× 8 bytes"),
    Field("reserved_bits", 2, "Reserved"),
    Flag("more", "More fragments"),
    Field("ident", 32, "Identification", base=16),
)

_ADDRESS_BYTES = 16


def parse_hop_by_hop(walk: Walk, offset: int) -> Next | None:
    """Read options for every router on the path; a jumbo payload's length is one of them."""
    return _options_header(walk, offset, HOP_BY_HOP)


def parse_destination_options(walk: Walk, offset: int) -> Next | None:
    """Read options for the destination."""
    return _options_header(walk, offset, DESTINATION_OPTIONS)


def _options_header(walk: Walk, offset: int, table: HeaderTable) -> Next | None:
    length = _extension_length(walk, offset, table)
    if not length:
        return None
    stop = offset + length
    options = OPTIONS.read(walk.data, offset + table.size, stop)
    for option in options:
        if option.kind == HOME_ADDRESS and option.values and walk.endpoints:
            home = option.values[0].span
            source = walk.data[home.start : home.stop]
            walk.endpoints = Endpoints(source, walk.endpoints.destination)
    span = Span(offset + table.size, stop)
    walk.add((table,), offset, length, options=options, options_span=span)
    return Next(Numbering.IP_PROTOCOL, table["nxt"].number(walk.data, offset), stop)


def _extension_length(walk: Walk, offset: int, table: HeaderTable) -> int:
    """Return the whole length of an extension header that is all there, or 0."""
    if not walk.begin(table, offset):
        return 0
    length = UNIT * (table["len"].number(walk.data, offset) + 1)
    if not walk.has(table.name, offset, length):
        walk.add((table,), offset, length)
        return 0
    return length


def parse_routing(walk: Walk, offset: int) -> Next | None:
    """Read the path of the packet; its last stop is the transport's destination."""
    length = _extension_length(walk, offset, ROUTING)
    if not length:
        return None
    header = walk.data[offset : offset + length]
    if ROUTING["segleft"].number(header) and walk.endpoints:
        source, destination = walk.endpoints.source, walk.endpoints.destination
        walk.endpoints = Endpoints(source, final_destination(header, destination))
    rpl = ROUTING["type"].number(header) == ROUTING_RPL and length >= RPL.stop
    walk.add((ROUTING, RPL) if rpl else (ROUTING,), offset, length)
    return Next(Numbering.IP_PROTOCOL, ROUTING["nxt"].number(header), offset + length)


def final_destination(header: bytes, destination: bytes) -> bytes:
    """Return the last stop in a whole routing header, else `destination`."""
    match ROUTING["type"].number(header):
        case 0:
            addresses = (len(header) - UNIT) // _ADDRESS_BYTES
            stop = UNIT + addresses * _ADDRESS_BYTES
            found = header[stop - _ADDRESS_BYTES : stop] if addresses else b""
        case 2 | 4:
            found = header[UNIT : UNIT + _ADDRESS_BYTES]
        case 3:
            shared = RPL["cmprE"].number(header)
            stop = len(header) - RPL["pad"].number(header)
            last = header[max(UNIT, stop - _ADDRESS_BYTES + shared) : stop]
            found = destination[:shared] + last
        case _:
            found = b""
    return found if len(found) == _ADDRESS_BYTES else destination


def _after_routing(header: Header, ends: Endpoints) -> Endpoints:
    """Return the ends with the last stop of a routing header that is not used up."""
    if not header.value("segleft"):
        return ends
    return ends._replace(destination=final_destination(header.written, ends.destination))


def _after_destination_options(header: Header, ends: Endpoints) -> Endpoints:
    """Return the ends with the home address, if the options have one."""
    for option in OPTIONS.read(header.body, 0, len(header.body)):
        if option.kind == HOME_ADDRESS and option.values:
            span = option.values[0].span
            return ends._replace(source=header.body[span.start : span.stop])
    return ends


def parse_fragment(walk: Walk, offset: int) -> Next | None:
    """Read the header of a fragment; only in the first one another header follows."""
    if not walk.begin(FRAGMENT, offset):
        return None
    values = FRAGMENT.read(walk.data, offset)
    walk.fragment = walk.fragment or bool(values["offset"] or values["more"])
    walk.add((FRAGMENT,), offset)
    if values["offset"]:
        return None
    return Next(Numbering.IP_PROTOCOL, int(values["nxt"]), offset + FRAGMENT.size)


_IS_TRANSPORT = ~np.isin(np.arange(256), sorted(EXTENSION_HEADERS))  # by IP protocol


def queue_protocol(walk: BatchReader, group: FrameGroup, protocol: Column) -> None:
    """Continue with the IP protocols (n,) that headers name.

    Every protocol that is no extension header is the transport.
    """
    final = _IS_TRANSPORT.take(protocol).nonzero()[0]
    walk.found_transport(group.taken(final), protocol.take(final))
    walk.queue(Numbering.IP_PROTOCOL, protocol, group)


def step_hop_by_hop(walk: BatchReader, group: FrameGroup) -> None:
    """Read many headers, as `parse_hop_by_hop` does one."""
    _step_options(walk, group, HOP_BY_HOP)


def step_destination_options(walk: BatchReader, group: FrameGroup) -> None:
    """Read many headers, as `parse_destination_options` does one."""
    _step_options(walk, group, DESTINATION_OPTIONS)


def _step_options(walk: BatchReader, group: FrameGroup, table: HeaderTable) -> None:
    group, length = _step_extension(walk, group, table)
    # a home address is the pseudo-header's source
    walk.mark(group.where(length >= table.size + HOME_TABLE.stop), HeaderState.ROUTED)
    queue_protocol(walk, group.moved(length), walk.column(table["nxt"], group))


def step_routing(walk: BatchReader, group: FrameGroup) -> None:
    """Read many headers, as `parse_routing` does one."""
    group, length = _step_extension(walk, group, ROUTING)
    walk.mark(group, HeaderState.ROUTED)
    compressed = (walk.column(ROUTING["type"], group) == ROUTING_RPL) & (length >= RPL.stop)
    walk.found(RPL, group.where(compressed))
    queue_protocol(walk, group.moved(length), walk.column(ROUTING["nxt"], group))


def _step_extension(
    walk: BatchReader, group: FrameGroup, table: HeaderTable
) -> tuple[FrameGroup, Column]:
    """Return the packets whose extension header is all there, and its length (n,)."""
    group = walk.begin(table, group)
    length = UNIT * (walk.column(table["len"], group).astype(np.int64) + 1)
    whole = walk.enough(group, length)
    return group.where(whole), length[whole]


def step_fragment(walk: BatchReader, group: FrameGroup) -> None:
    """Read many headers, as `parse_fragment` does one."""
    group = walk.begin(FRAGMENT, group)
    place = walk.column(FRAGMENT["offset"], group)
    pieces = (place > 0) | (walk.column(FRAGMENT["more"], group) > 0)
    walk.mark(group.where(pieces), HeaderState.FRAGMENT)
    group = group.where(place == 0)
    queue_protocol(walk, group.moved(FRAGMENT.size), walk.column(FRAGMENT["nxt"], group))


def info(layer: Layer, dissection: Dissection) -> str:
    """Return the name of the next header, with the position of a fragment."""
    data = dissection.data
    slot = layer.tables[0].slots[0]  # every extension header begins with the next one's number
    following = slot.number(data, layer.offset)
    name = PROTOCOL_NAMES.get(following, f"protocol {following}")
    place, ident = layer.number(data, "offset"), layer.number(data, "ident")
    if place is not None and ident is not None:
        return f"Fragment of {name}, offset {place * UNIT}, id 0x{ident:08x}"
    return name


UNITS_AFTER_FIRST = computed_number.header_units(UNIT, 1)

PROTOCOLS = (
    Protocol(
        name="ipv6.hopopts",
        shown="IPv6",
        tables=(HOP_BY_HOP,),
        info=info,
        readers=(
            Reader(
                Numbering.IP_PROTOCOL, (IpProtocol.HOP_BY_HOP,), parse_hop_by_hop, step_hop_by_hop
            ),
        ),
        computed={"nxt": computed_number.NEXT_HEADER, "len": UNITS_AFTER_FIRST},
        alignment=UNIT,
        kinds=(
            LayerKind(
                "ipv6.hopopts",
                "IPv6 hop-by-hop options",
                LayerPosition.EXTENSION,
                (HOP_BY_HOP,),
                over="ipv6",
                body=OPTIONS_BODY,
                options=ipv6_options.OPTIONS,
                example="alert,padn=0000",
            ),
        ),
    ),
    Protocol(
        name="ipv6.dstopts",
        shown="IPv6",
        tables=(DESTINATION_OPTIONS, *ipv6_options.TABLES),
        info=info,
        readers=(
            Reader(
                Numbering.IP_PROTOCOL,
                (IpProtocol.DESTINATION,),
                parse_destination_options,
                step_destination_options,
            ),
        ),
        computed={"nxt": computed_number.NEXT_HEADER, "len": UNITS_AFTER_FIRST},
        change_endpoints=_after_destination_options,
        alignment=UNIT,
        kinds=(
            LayerKind(
                "ipv6.dstopts",
                "IPv6 destination options",
                LayerPosition.EXTENSION,
                (DESTINATION_OPTIONS,),
                over="ipv6",
                body=OPTIONS_BODY,
                options=ipv6_options.OPTIONS,
                example="alert,padn=0000",
            ),
        ),
    ),
    Protocol(
        name="ipv6.routing",
        shown="IPv6",
        tables=(ROUTING, RPL),
        info=info,
        readers=(
            Reader(Numbering.IP_PROTOCOL, (IpProtocol.ROUTING,), parse_routing, step_routing),
        ),
        computed={"nxt": computed_number.NEXT_HEADER, "len": UNITS_AFTER_FIRST},
        change_endpoints=_after_routing,
        alignment=UNIT,
        kinds=(
            LayerKind(
                "ipv6.routing",
                "IPv6 routing",
                LayerPosition.EXTENSION,
                (ROUTING,),
                over="ipv6",
                body=REST_BODY,
            ),
        ),
    ),
    Protocol(
        name="ipv6.fraghdr",
        shown="IPv6",
        tables=(FRAGMENT,),
        info=info,
        is_fragment_header=True,
        readers=(
            Reader(Numbering.IP_PROTOCOL, (IpProtocol.FRAGMENT,), parse_fragment, step_fragment),
        ),
        computed={"nxt": computed_number.NEXT_HEADER},
        kinds=(
            LayerKind(
                "ipv6.fraghdr", "IPv6 fragment", LayerPosition.EXTENSION, (FRAGMENT,), over="ipv6"
            ),
        ),
    ),
)
