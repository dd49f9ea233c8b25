"""ICMPv6: errors and echo as in ICMP, multicast listeners, and neighbor discovery.

RFC 4443 (errors, echo), RFC 2710 and RFC 3810 (multicast listeners); the messages of neighbor
discovery are in `core.wire.network.neighbor_discovery`. Type, code and checksum are common; what
follows depends on the type. Unlike ICMP's, the checksum covers a pseudo-header.
"""

from __future__ import annotations

from core.wire.checksum import packet_checksums
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.batch import message_step
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field, IPv6Address, Span
from core.wire.model.kind import Kind
from core.wire.model.other_tools import OtherTools
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.network import neighbor_discovery
from core.wire.network.icmp_message import MessageForm, echo_words, message_header
from core.wire.network.neighbor_discovery import OPTIONS, message_table, reserved
from core.wire.protocol import (
    OPTIONS_BODY,
    ChecksumRule,
    HeaderColumns,
    LayerKind,
    LayerPosition,
    Protocol,
    Reader,
)

UNREACHABLE, TOO_BIG, TIME_EXCEEDED, PARAMETER_PROBLEM = 1, 2, 3, 4
ECHO_REQUEST, ECHO_REPLY = 128, 129
LISTENER_QUERY, LISTENER_REPORT, LISTENER_DONE, LISTENER_REPORT_2 = 130, 131, 132, 143
ERRORS = frozenset({UNREACHABLE, TOO_BIG, TIME_EXCEEDED, PARAMETER_PROBLEM})
LISTENERS = frozenset({LISTENER_QUERY, LISTENER_REPORT, LISTENER_DONE, LISTENER_REPORT_2})

TYPES: dict[int, str] = {
    UNREACHABLE: "Destination unreachable",
    TOO_BIG: "Packet too big",
    TIME_EXCEEDED: "Time exceeded",
    PARAMETER_PROBLEM: "Parameter problem",
    ECHO_REQUEST: "Echo request",
    ECHO_REPLY: "Echo reply",
    LISTENER_QUERY: "Multicast listener query",
    LISTENER_REPORT: "Multicast listener report",
    LISTENER_DONE: "Multicast listener done",
    **neighbor_discovery.TYPES,
    139: "Node information query",
    140: "Node information response",
    LISTENER_REPORT_2: "Multicast listener report v2",
}
CODES: dict[int, dict[int, str]] = {
    UNREACHABLE: {
        0: "no route",
        1: "administratively prohibited",
        2: "beyond scope of source address",
        3: "address unreachable",
        4: "port unreachable",
        5: "source address failed policy",
        6: "route rejected",
    },
    TIME_EXCEEDED: {0: "hop limit exceeded in transit", 1: "fragment reassembly time exceeded"},
    PARAMETER_PROBLEM: {
        0: "erroneous header field",
        1: "unrecognized next header",
        2: "unrecognized option",
    },
}

ICMPV6 = message_header(
    "icmpv6",
    "Internet Control Message Protocol version 6",
    "RFC 4443 §2.1",
    TYPES,
    ECHO_REQUEST,
)
ECHO = message_table(
    "ICMPv6 echo",
    "RFC 4443 §4.1",
    {ECHO_REQUEST, ECHO_REPLY},
    Field("echo.identifier", 16, "Identifier", base=16),
    Field("echo.sequence_number", 16, "Sequence number"),
)
UNUSED = message_table(
    "ICMPv6 unused",
    "RFC 4443 §3.1",
    {UNREACHABLE, TIME_EXCEEDED, neighbor_discovery.ROUTER_SOLICITATION},
    reserved(),
)
MTU = message_table("ICMPv6 too big", "RFC 4443 §3.2", {TOO_BIG}, Field("mtu", 32, "MTU"))
POINTER = message_table(
    "ICMPv6 problem", "RFC 4443 §3.4", {PARAMETER_PROBLEM}, Field("pointer", 32, "Pointer")
)
LISTENER = message_table(
    "ICMPv6 multicast listener",
    "RFC 2710 §3",
    {LISTENER_QUERY, LISTENER_REPORT, LISTENER_DONE},
    Field("mld.maximum_response_delay", 16, "Maximum response delay", suffix="ms"),
    Field("mld.reserved", 16, "Reserved", Kind.BYTES),
    IPv6Address("mld.multicast_address", "Multicast address"),
)
REPORT_2 = message_table(
    "ICMPv6 multicast listener report v2",
    "RFC 3810 §5.2",
    {LISTENER_REPORT_2},
    Field("reserved", 16, "Reserved", Kind.BYTES),
    Field("mldr.nb_mcast_records", 16, "Number of records"),
)
CONTINUATIONS = (
    ECHO,
    UNUSED,
    MTU,
    POINTER,
    *neighbor_discovery.CONTINUATIONS,
    LISTENER,
    REPORT_2,
)
FORM = MessageForm(ICMPV6, CODES, CONTINUATIONS)
_CHECKSUM = ICMPV6["checksum"]
_IDENTIFIER, _SEQUENCE = ECHO["echo.identifier"], ECHO["echo.sequence_number"]


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the message, its options, and the packet that an error quotes."""
    if not walk.begin(ICMPV6, offset):
        return None
    kind = ICMPV6["type"].number(walk.data, offset)
    tables = FORM.tables(kind)
    size = tables[-1].stop
    check = packet_checksums.check_transport(walk, _CHECKSUM, offset, walk.stop, IpProtocol.ICMPV6)
    if not walk.has("icmpv6", offset, size):
        walk.add(tables, offset, size, checks=(check,))
        return None
    end = min(walk.stop, walk.captured)
    if kind in LISTENERS:  # sources and records belong to the message
        size = end - offset
    if kind in neighbor_discovery.MESSAGES:
        options = OPTIONS.read(walk.data, offset + size, end)
        span = Span(offset + size, end) if options else None
        walk.add(tables, offset, end - offset, checks=(check,), options=options, options_span=span)
        return None
    walk.add(tables, offset, size, checks=(check,))
    if kind not in ERRORS:
        return None
    walk.quoted = True
    return Next(Numbering.ETHERTYPE, EtherType.IPV6, offset + size)


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``Neighbor solicitation for fe80::1 from 00:…``, ``Echo request id=0x1, seq=2``."""
    data = dissection.data
    kind = ICMPV6["type"].number(data, layer.offset)
    code = ICMPV6["code"].number(data, layer.offset)
    return FORM.describe(kind, code) + _details(layer, data, kind)


def info_columns(headers: HeaderColumns) -> list[str | None]:
    """Return the Info lines of many echo messages; None for others."""
    return FORM.echo_columns(headers, _IDENTIFIER, _SEQUENCE, echo_words)


def _details(layer: Layer, data: bytes, kind: int) -> str:
    if kind in (ECHO_REQUEST, ECHO_REPLY):
        return echo_words(*(slot.number(data, layer.offset) for slot in (_IDENTIFIER, _SEQUENCE)))
    if kind == TOO_BIG:
        return f" MTU={layer.number(data, 'mtu')}"
    return neighbor_discovery.details(layer, data, kind)


PROTOCOLS = (
    Protocol(
        name="icmpv6",
        shown="ICMPv6",
        tables=(ICMPV6, *CONTINUATIONS, *neighbor_discovery.OPTION_TABLES),
        info=info,
        info_columns=info_columns,
        readers=(
            Reader(
                Numbering.IP_PROTOCOL,
                (IpProtocol.ICMPV6,),
                parse,
                message_step(ICMPV6, CONTINUATIONS, ERRORS),
            ),
        ),
        quotes=EtherType.IPV6,
        is_message=True,
        has_open_end=True,
        checksum=ChecksumRule(pseudo_header=True),
        kinds=(
            LayerKind(
                "icmpv6",
                "ICMPv6",
                LayerPosition.TRANSPORT,
                (ICMPV6,),
                CONTINUATIONS,
                over="ipv6",
                body=OPTIONS_BODY,
                options=OPTIONS,
                example="source=02-00-5e-10-00-01",
            ),
        ),
        tools=OtherTools(pcap="icmp6"),
        is_listed=True,
    ),
)
