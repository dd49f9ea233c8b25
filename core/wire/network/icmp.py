"""ICMP: errors about IPv4 packets, and echo.

RFC 792; RFC 1191 (the MTU in "fragmentation needed"), RFC 950 (address mask), RFC 1256 (router
discovery). Type, code and checksum are common; the next four bytes depend on the type. An error
quotes the packet that caused it: its header and at least 8 bytes. The quoted layers are read like
any others and marked as quoted; their checksums are not judged, because most of the bytes that they
cover are missing.

The checksum covers the whole message, without a pseudo-header.
"""

from __future__ import annotations

from functools import partial

from core.wire.checksum import packet_checksums
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.batch import message_step
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field, IPv4Address
from core.wire.model.kind import Kind
from core.wire.model.other_tools import (
    Argument,
    CommandOptions,
    OtherTools,
    ScapyLayer,
)
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.network.icmp_message import MessageForm, echo_words, message_header, message_rest
from core.wire.protocol import (
    REST_BODY,
    ChecksumRule,
    HeaderColumns,
    LayerKind,
    LayerPosition,
    Protocol,
    Reader,
)

ECHO_REPLY, UNREACHABLE, SOURCE_QUENCH, REDIRECT, ECHO_REQUEST = 0, 3, 4, 5, 8
ROUTER_ADVERTISEMENT, ROUTER_SOLICITATION, TIME_EXCEEDED, PARAMETER_PROBLEM = 9, 10, 11, 12
TIMESTAMP, TIMESTAMP_REPLY, INFORMATION, INFORMATION_REPLY = 13, 14, 15, 16
MASK_REQUEST, MASK_REPLY, EXTENDED_ECHO, EXTENDED_ECHO_REPLY = 17, 18, 42, 43
ERRORS = frozenset({UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM})

TYPES: dict[int, str] = {
    ECHO_REPLY: "Echo reply",
    UNREACHABLE: "Destination unreachable",
    SOURCE_QUENCH: "Source quench",
    REDIRECT: "Redirect",
    ECHO_REQUEST: "Echo request",
    ROUTER_ADVERTISEMENT: "Router advertisement",
    ROUTER_SOLICITATION: "Router solicitation",
    TIME_EXCEEDED: "Time exceeded",
    PARAMETER_PROBLEM: "Parameter problem",
    TIMESTAMP: "Timestamp request",
    TIMESTAMP_REPLY: "Timestamp reply",
    INFORMATION: "Information request",
    INFORMATION_REPLY: "Information reply",
    MASK_REQUEST: "Address mask request",
    MASK_REPLY: "Address mask reply",
    30: "Traceroute",
    EXTENDED_ECHO: "Extended echo request",
    EXTENDED_ECHO_REPLY: "Extended echo reply",
}

CODES: dict[int, dict[int, str]] = {
    UNREACHABLE: {
        0: "network unreachable",
        1: "host unreachable",
        2: "protocol unreachable",
        3: "port unreachable",
        4: "fragmentation needed",
        5: "source route failed",
        6: "network unknown",
        7: "host unknown",
        9: "network administratively prohibited",
        10: "host administratively prohibited",
        11: "network unreachable for this service",
        12: "host unreachable for this service",
        13: "administratively filtered",
        14: "host precedence violation",
        15: "precedence cut-off",
    },
    REDIRECT: {
        0: "for the network",
        1: "for the host",
        2: "for the service and network",
        3: "for the service and host",
    },
    TIME_EXCEEDED: {0: "time to live exceeded in transit", 1: "fragment reassembly time exceeded"},
    PARAMETER_PROBLEM: {
        0: "pointer indicates the error",
        1: "required option missing",
        2: "bad length",
    },
}
FRAGMENTATION_NEEDED = 4

ICMP = message_header("icmp", "Internet Control Message Protocol", "RFC 792", TYPES, ECHO_REQUEST)
_rest = partial(message_rest, "icmp")

_WITH_IDENT = {
    ECHO_REPLY,
    ECHO_REQUEST,
    TIMESTAMP,
    TIMESTAMP_REPLY,
    INFORMATION,
    INFORMATION_REPLY,
    MASK_REQUEST,
    MASK_REPLY,
}
IDENT = _rest(
    "ICMP identifier",
    "RFC 792",
    _WITH_IDENT,
    Field("ident", 16, "Identifier"),
    Field("seq", 16, "Sequence number"),
)
EXTENDED = _rest(
    "ICMP extended echo",
    "RFC 8335 §2",
    {EXTENDED_ECHO, EXTENDED_ECHO_REPLY},
    Field("ident", 16, "Identifier"),
    Field("ext.echo.seq", 8, "Sequence number"),
    Field("ext.echo.bits", 8, "State bits", base=16),
)
UNREACHABLE_REST = _rest(
    "ICMP unreachable",
    "RFC 1191 §4, RFC 4884 §4.1",
    {UNREACHABLE},
    Field("unused", 8, "Unused", base=16),
    Field("length", 8, "Length of the quoted packet", unit=4, suffix="bytes"),
    Field("mtu", 16, "MTU of the next hop"),
)
REDIRECT_REST = _rest("ICMP redirect", "RFC 792", {REDIRECT}, IPv4Address("redir_gw", "Gateway"))
TIME_REST = _rest(
    "ICMP time exceeded",
    "RFC 4884 §4.2",
    {TIME_EXCEEDED},
    Field("unused", 8, "Unused", base=16),
    Field("length", 8, "Length of the quoted packet", unit=4, suffix="bytes"),
    Field("reserved", 16, "Unused", Kind.BYTES),
)
PROBLEM_REST = _rest(
    "ICMP parameter problem",
    "RFC 4884 §4.3",
    {PARAMETER_PROBLEM},
    Field("pointer", 8, "Pointer"),
    Field("length", 8, "Length of the quoted packet", unit=4, suffix="bytes"),
    Field("reserved", 16, "Unused", Kind.BYTES),
)
UNUSED_REST = _rest(
    "ICMP unused",
    "RFC 792, RFC 1256 §3",
    {SOURCE_QUENCH, ROUTER_SOLICITATION},
    Field("reserved", 32, "Unused", Kind.BYTES),
)
ADVERTISEMENT = _rest(
    "ICMP router advertisement",
    "RFC 1256 §3",
    {ROUTER_ADVERTISEMENT},
    Field("num_addrs", 8, "Number of addresses"),
    Field("addr_entry_size", 8, "Address entry size", unit=4, suffix="bytes"),
    Field("lifetime", 16, "Lifetime", suffix="s"),
)
TIMES = HeaderTable(
    "icmp",
    "ICMP timestamps",
    "RFC 792",
    Field("originate_timestamp", 32, "Originate time", suffix="ms"),
    Field("receive_timestamp", 32, "Receive time", suffix="ms"),
    Field("transmit_timestamp", 32, "Transmit time", suffix="ms"),
    start=IDENT.stop,
    when=("type", frozenset({TIMESTAMP, TIMESTAMP_REPLY})),
)
MASK = HeaderTable(
    "icmp",
    "ICMP address mask",
    "RFC 950",
    IPv4Address("address_mask", "Address mask"),
    start=IDENT.stop,
    when=("type", frozenset({MASK_REQUEST, MASK_REPLY})),
)
CONTINUATIONS = (
    IDENT,
    EXTENDED,
    UNREACHABLE_REST,
    REDIRECT_REST,
    TIME_REST,
    PROBLEM_REST,
    UNUSED_REST,
    ADVERTISEMENT,
    TIMES,
    MASK,
)
FORM = MessageForm(ICMP, CODES, CONTINUATIONS)
_CHECKSUM = ICMP["checksum"]


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the message, and the packet that an error quotes."""
    if not walk.begin(ICMP, offset):
        return None
    kind = ICMP["type"].number(walk.data, offset)
    tables = FORM.tables(kind)
    size = tables[-1].stop
    complete = walk.has("icmp", offset, size)
    walk.add(
        tables, offset, size, checks=(packet_checksums.check_message(walk, _CHECKSUM, offset),)
    )
    if not complete or kind not in ERRORS:
        return None
    walk.quoted = True
    for table in tables:
        if "length" in table and (quoted := table["length"].number(walk.data, offset)):
            walk.limit(offset + size + quoted, "icmp.length")  # extensions follow (RFC 4884)
    return Next(Numbering.ETHERTYPE, EtherType.IPV4, offset + size)


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``Echo request id=0x04d2, seq=1``, ``Destination unreachable (port unreachable)``."""
    data = dissection.data
    kind, code = (ICMP[key].number(data, layer.offset) for key in ("type", "code"))
    text = FORM.describe(kind, code)
    ident, sequence = layer.number(data, "ident"), layer.number(data, "seq")
    if ident is not None and sequence is not None:
        text += echo_words(ident, sequence)
    if kind == UNREACHABLE and code == FRAGMENTATION_NEEDED:
        text += f" MTU={layer.number(data, 'mtu')}"
    gateway = layer.number(data, "redir_gw")
    if gateway is not None:
        text += f" to {REDIRECT_REST['redir_gw'].text(gateway)}"
    return text


def info_columns(headers: HeaderColumns) -> list[str | None]:
    """Return the Info lines of many messages with an identifier; None for others."""
    return FORM.echo_columns(headers, IDENT["ident"], IDENT["seq"], echo_words)


TOOLS = OtherTools(
    scapy=ScapyLayer(
        "ICMP",
        {"type": "type", "code": "code", "checksum": "chksum", "ident": "id", "seq": "seq"},
        when=("type", frozenset({ECHO_REQUEST, ECHO_REPLY})),
    ),
    nping=CommandOptions(
        ("--icmp",),
        {
            "type": Argument("--icmp-type"),
            "code": Argument("--icmp-code"),
            "ident": Argument("--icmp-id"),
            "seq": Argument("--icmp-seq"),
        },
    ),
    hping3=CommandOptions(
        ("-1",),
        {"type": Argument("-C"), "code": Argument("-K")},
        own=frozenset({"ident"}),  # its process id
        quotes=("type", ERRORS),
    ),
    pcap="icmp",
)

PROTOCOLS = (
    Protocol(
        name="icmp",
        shown="ICMP",
        tables=(ICMP, *CONTINUATIONS),
        info=info,
        info_columns=info_columns,
        readers=(
            Reader(
                Numbering.IP_PROTOCOL,
                (IpProtocol.ICMP,),
                parse,
                message_step(ICMP, CONTINUATIONS, ERRORS),
            ),
        ),
        quotes=EtherType.IPV4,
        is_message=True,
        checksum=ChecksumRule(),
        kinds=(
            LayerKind(
                "icmp",
                "ICMP",
                LayerPosition.TRANSPORT,
                (ICMP,),
                CONTINUATIONS,
                over="ip",
                body=REST_BODY,
            ),
        ),
        tools=TOOLS,
        is_listed=True,
    ),
)
