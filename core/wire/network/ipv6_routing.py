"""The routing header of IPv6: the stops of a packet.

RFC 8200 §4.4. A header with segments left changes the destination that the transport checksum
covers: to the last address of type 0 (RFC 2460 §4.4), to the one home address of type 2 (RFC 6275
§6.4), to the last address of type 3, which leaves out the bytes that it shares with the header's
(RFC 6554 §4.2), to segment 0 of type 4 (RFC 8754 §2).
"""

from __future__ import annotations

from core.wire.model import computed_number
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import BatchReader, FrameGroup, HeaderState
from core.wire.model.field import Field
from core.wire.model.packet_parts import Header
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Endpoints, Next, Numbering, Walk
from core.wire.network.ipv6_extensions import (
    UNIT,
    UNITS_AFTER_FIRST,
    extension_fields,
    extension_length,
    info,
    queue_protocol,
    whole_extensions,
)
from core.wire.protocol import REST_BODY, LayerKind, LayerPosition, Protocol, Reader

ROUTING_RPL = 3

ROUTING = HeaderTable(
    "ipv6.routing",
    "IPv6 routing header",
    "RFC 8200 §4.4",
    *extension_fields(),
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

_ADDRESS_BYTES = 16


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the path of the packet; its last stop is the transport's destination."""
    length = extension_length(walk, offset, ROUTING)
    if not length:
        return None
    header = walk.data[offset : offset + length]
    if ROUTING["segleft"].number(header) and walk.endpoints:
        source, destination = walk.endpoints
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


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many headers, as `parse` does one."""
    group, length = whole_extensions(walk, group, ROUTING)
    walk.mark(group, HeaderState.ROUTED)
    compressed = (walk.column(ROUTING["type"], group) == ROUTING_RPL) & (length >= RPL.stop)
    walk.found(RPL, group.where(compressed))
    queue_protocol(walk, group.moved(length), walk.column(ROUTING["nxt"], group))


PROTOCOLS = (
    Protocol(
        name="ipv6.routing",
        shown="IPv6",
        tables=(ROUTING, RPL),
        info=info,
        readers=(Reader(Numbering.IP_PROTOCOL, (IpProtocol.ROUTING,), parse, step),),
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
)
