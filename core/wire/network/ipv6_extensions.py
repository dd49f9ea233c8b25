"""The extension headers of IPv6: options and fragments. (`ipv6_routing` has the routing header.)

RFC 8200 §4. Each extension header names the next one and, except for the fragment header, its own
length in units of 8 bytes beyond the first 8. Only the number of another protocol ends the
chain, so every header is checked against the payload's end, and the depth limit of a dissection
bounds the chain.

A home address option replaces the source that the transport checksum covers (RFC 6275 §11.3.1).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from core.wire.model import computed_number
from core.wire.model.assigned_numbers import PROTOCOL_NAMES, IpProtocol
from core.wire.model.batch import BatchReader, Column, FrameGroup, HeaderState, Step
from core.wire.model.dissection import Dissection, Layer, Option
from core.wire.model.field import Field, Flag, Span
from core.wire.model.packet_parts import Header
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Endpoints, Next, Numbering, Parser, Walk
from core.wire.network import ipv6_options
from core.wire.network.ipv6_options import HOME_ADDRESS, HOME_TABLE, OPTIONS
from core.wire.protocol import OPTIONS_BODY, LayerKind, LayerPosition, Protocol, Reader

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
UNITS_AFTER_FIRST = computed_number.header_units(UNIT, 1)


def extension_fields() -> tuple[Field, Field]:
    """Return the fields that an extension header with a length begins with."""
    return (
        Field("nxt", 8, "Next header", values=PROTOCOL_NAMES, automatic=True),
        Field("len", 8, "Length", suffix="× 8 bytes after the first 8", automatic=True),
    )


HOP_BY_HOP = HeaderTable(
    "ipv6.hopopts", "IPv6 hop-by-hop options", "RFC 8200 §4.3", *extension_fields()
)
DESTINATION_OPTIONS = HeaderTable(
    "ipv6.dstopts", "IPv6 destination options", "RFC 8200 §4.6", *extension_fields()
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


def extension_length(walk: Walk, offset: int, table: HeaderTable) -> int:
    """Return the length of an extension header, or 0 if part of it is missing."""
    if not walk.begin(table, offset):
        return 0
    length = UNIT * (table["len"].number(walk.data, offset) + 1)
    if not walk.has(table.name, offset, length):
        walk.add((table,), offset, length)
        return 0
    return length


def whole_extensions(
    walk: BatchReader, group: FrameGroup, table: HeaderTable
) -> tuple[FrameGroup, Column]:
    """Return the packets that have the whole extension header, and its length (n,)."""
    group = walk.begin(table, group)
    length = UNIT * (walk.column(table["len"], group).astype(np.int64) + 1)
    whole = walk.enough(group, length)
    return group.where(whole), length[whole]


_IS_TRANSPORT = ~np.isin(np.arange(256), sorted(EXTENSION_HEADERS))  # by IP protocol


def queue_protocol(walk: BatchReader, group: FrameGroup, protocol: Column) -> None:
    """Continue with the IP protocols (n,) that headers name.

    Every protocol that is not an extension header is the transport.
    """
    final = _IS_TRANSPORT.take(protocol).nonzero()[0]
    walk.found_transport(group.taken(final), protocol.take(final))
    walk.queue(Numbering.IP_PROTOCOL, protocol, group)


def _options_parser(table: HeaderTable) -> Parser:
    """Return the parser of a header with options, of which a home address is the source."""

    def parse(walk: Walk, offset: int) -> Next | None:
        length = extension_length(walk, offset, table)
        if not length:
            return None
        stop = offset + length
        options = OPTIONS.read(walk.data, offset + table.size, stop)
        if walk.endpoints is not None:
            walk.endpoints = _with_home(walk.endpoints, walk.data, options)
        span = Span(offset + table.size, stop)
        walk.add((table,), offset, length, options=options, options_span=span)
        return Next(Numbering.IP_PROTOCOL, table["nxt"].number(walk.data, offset), stop)

    return parse


def _options_step(table: HeaderTable) -> Step:
    """Return the counterpart of `_options_parser` for many headers."""

    def step(walk: BatchReader, group: FrameGroup) -> None:
        group, length = whole_extensions(walk, group, table)
        # a home address is the pseudo-header's source
        walk.mark(group.where(length >= table.size + HOME_TABLE.stop), HeaderState.ROUTED)
        queue_protocol(walk, group.moved(length), walk.column(table["nxt"], group))

    return step


def _with_home(ends: Endpoints, data: bytes, options: Iterable[Option]) -> Endpoints:
    """Return the ends with the home address as the source, if the options in `data` have one."""
    for option in options:
        if option.kind == HOME_ADDRESS and option.values:
            span = option.values[0].span
            ends = ends._replace(source=data[span.start : span.stop])
    return ends


def _after_options(header: Header, ends: Endpoints) -> Endpoints:
    return _with_home(ends, header.body, OPTIONS.read(header.body, 0, len(header.body)))


def parse_fragment(walk: Walk, offset: int) -> Next | None:
    """Read the header of a fragment; another one follows in the first, or in a whole datagram."""
    if not walk.begin(FRAGMENT, offset):
        return None
    values = FRAGMENT.read(walk.data, offset)
    following = Next(Numbering.IP_PROTOCOL, int(values["nxt"]), offset + FRAGMENT.size)
    is_piece = walk.is_piece(following.offset)
    if not is_piece:
        walk.fragment = walk.fragment or bool(values["offset"] or values["more"])
    walk.add((FRAGMENT,), offset)
    if is_piece:
        return walk.after_fragment(following)
    return None if values["offset"] else following


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
        more = "y" if layer.number(data, "more") else "n"
        where = f"off={place * UNIT} more={more} ident=0x{ident:08x} nxt={following}"
        return f"IPv6 fragment ({where})"
    return name


def _options_protocol(table: HeaderTable, number: IpProtocol, *further: HeaderTable) -> Protocol:
    """Return the record of a header with options; `further` are tables of options."""
    reader = Reader(Numbering.IP_PROTOCOL, (number,), _options_parser(table), _options_step(table))
    kind = LayerKind(
        table.name,
        table.title,
        LayerPosition.EXTENSION,
        (table,),
        over="ipv6",
        body=OPTIONS_BODY,
        options=OPTIONS,
        example="alert,padn=0000",
    )
    return Protocol(
        name=table.name,
        shown="IPv6",
        tables=(table, *further),
        info=info,
        readers=(reader,),
        computed={"nxt": computed_number.NEXT_HEADER, "len": UNITS_AFTER_FIRST},
        change_endpoints=_after_options,
        alignment=UNIT,
        kinds=(kind,),
    )


PROTOCOLS = (
    _options_protocol(HOP_BY_HOP, IpProtocol.HOP_BY_HOP),
    _options_protocol(DESTINATION_OPTIONS, IpProtocol.DESTINATION, *ipv6_options.TABLES),
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
