"""ICMPv6: errors and echo as in ICMP, and neighbor discovery in the place of ARP.

RFC 4443 (errors, echo), RFC 4861 (neighbor discovery), RFC 2710 and RFC 3810 (multicast
listeners). Type, code and checksum are common; what follows depends on the type, and after
neighbor discovery's fixed parts come options in units of 8 bytes.

Unlike ICMP's, the checksum covers a pseudo-header.
"""

from __future__ import annotations

from core.wire.checksum import packet_checksums
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.batch import message_step
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field, Flag, IPv6Address, Kind, Mac, Span, address_text
from core.wire.model.options import OptionKind, OptionList
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.network.icmp import continuations
from core.wire.protocol import (
    OPTIONS_BODY,
    ChecksumRule,
    LayerKind,
    LayerPosition,
    Protocol,
    Reader,
    Tone,
)

UNREACHABLE, TOO_BIG, TIME_EXCEEDED, PARAMETER_PROBLEM = 1, 2, 3, 4
ECHO_REQUEST, ECHO_REPLY = 128, 129
LISTENER_QUERY, LISTENER_REPORT, LISTENER_DONE, LISTENER_REPORT_2 = 130, 131, 132, 143
ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT = 133, 134
NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT, REDIRECT = 135, 136, 137
ERRORS = frozenset({UNREACHABLE, TOO_BIG, TIME_EXCEEDED, PARAMETER_PROBLEM})
LISTENERS = frozenset({LISTENER_QUERY, LISTENER_REPORT, LISTENER_DONE, LISTENER_REPORT_2})
DISCOVERY = frozenset(range(ROUTER_SOLICITATION, REDIRECT + 1))

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
    ROUTER_SOLICITATION: "Router solicitation",
    ROUTER_ADVERTISEMENT: "Router advertisement",
    NEIGHBOR_SOLICITATION: "Neighbor solicitation",
    NEIGHBOR_ADVERTISEMENT: "Neighbor advertisement",
    REDIRECT: "Redirect",
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

ICMPV6 = HeaderTable(
    "icmpv6",
    "Internet Control Message Protocol version 6",
    "RFC 4443 §2.1",
    Field("type", 8, "Type", values=TYPES, default=ECHO_REQUEST),
    Field("code", 8, "Code"),
    Field("checksum", 16, "Checksum", base=16, automatic=True),
)


def _rest(title: str, spec: str, types: set[int], *fields: Field) -> HeaderTable:
    when = ("type", frozenset(types))
    return HeaderTable("icmpv6", f"ICMPv6 {title}", spec, *fields, start=ICMPV6.size, when=when)


def _reserved() -> Field:
    return Field("reserved", 32, "Reserved", Kind.BYTES)


ECHO = _rest(
    "echo",
    "RFC 4443 §4.1",
    {ECHO_REQUEST, ECHO_REPLY},
    Field("echo.identifier", 16, "Identifier", base=16),
    Field("echo.sequence_number", 16, "Sequence number"),
)
UNUSED = _rest(
    "unused", "RFC 4443 §3.1", {UNREACHABLE, TIME_EXCEEDED, ROUTER_SOLICITATION}, _reserved()
)
MTU = _rest("too big", "RFC 4443 §3.2", {TOO_BIG}, Field("mtu", 32, "MTU"))
POINTER = _rest("problem", "RFC 4443 §3.4", {PARAMETER_PROBLEM}, Field("pointer", 32, "Pointer"))
ADVERTISEMENT = _rest(
    "router advertisement",
    "RFC 4861 §4.2",
    {ROUTER_ADVERTISEMENT},
    Field("nd.ra.cur_hop_limit", 8, "Current hop limit"),
    Field(
        "nd.ra.flag",
        8,
        "Flags",
        base=16,
        parts=(
            Flag("m", "Managed addresses"),
            Flag("o", "Other configuration"),
            Flag("h", "Home agent"),
            Field("prf", 2, "Preference", values={0: "Medium", 1: "High", 2: "Reserved", 3: "Low"}),
            Flag("p", "Proxy"),
            Field("rsv", 2, "Reserved"),
        ),
    ),
    Field("nd.ra.router_lifetime", 16, "Router lifetime", suffix="s"),
    Field("nd.ra.reachable_time", 32, "Reachable time", suffix="ms"),
    Field("nd.ra.retrans_timer", 32, "Retransmission timer", suffix="ms"),
)
SOLICITATION = _rest(
    "neighbor solicitation",
    "RFC 4861 §4.3",
    {NEIGHBOR_SOLICITATION},
    _reserved(),
    IPv6Address("nd.ns.target_address", "Target"),
)
NEIGHBOR = _rest(
    "neighbor advertisement",
    "RFC 4861 §4.4",
    {NEIGHBOR_ADVERTISEMENT},
    Field(
        "nd.na.flag",
        32,
        "Flags",
        base=16,
        parts=(
            Flag("r", "Router"),
            Flag("s", "Solicited"),
            Flag("o", "Override"),
            Field("rsv", 29, "Reserved"),
        ),
    ),
    IPv6Address("nd.na.target_address", "Target"),
)
REDIRECTION = _rest(
    "redirect",
    "RFC 4861 §4.5",
    {REDIRECT},
    _reserved(),
    IPv6Address("nd.rd.target_address", "Target"),
    IPv6Address("rd.na.destination_address", "Destination"),
)
LISTENER = _rest(
    "multicast listener",
    "RFC 2710 §3",
    {LISTENER_QUERY, LISTENER_REPORT, LISTENER_DONE},
    Field("mld.maximum_response_delay", 16, "Maximum response delay", suffix="ms"),
    Field("mld.reserved", 16, "Reserved", Kind.BYTES),
    IPv6Address("mld.multicast_address", "Multicast address"),
)
REPORT_2 = _rest(
    "multicast listener report v2",
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
    ADVERTISEMENT,
    SOLICITATION,
    NEIGHBOR,
    REDIRECTION,
    LISTENER,
    REPORT_2,
)


def _option(title: str, spec: str, *fields: Field) -> HeaderTable:
    return HeaderTable("icmpv6.opt", f"Neighbor discovery option: {title}", spec, *fields, start=2)


SOURCE_LINK = _option("source", "RFC 4861 §4.6.1", Mac("src_linkaddr", "Source link address"))
TARGET_LINK = _option("target", "RFC 4861 §4.6.1", Mac("target_linkaddr", "Target link address"))
PREFIX = _option(
    "prefix",
    "RFC 4861 §4.6.2",
    Field("prefix.length", 8, "Prefix length", suffix="bits"),
    Field(
        "prefix.flag",
        8,
        "Flags",
        base=16,
        parts=(
            Flag("l", "On link"),
            Flag("a", "Autonomous"),
            Flag("r", "Router address"),
            Field("reserved", 5, "Reserved"),
        ),
    ),
    Field("prefix.valid_lifetime", 32, "Valid lifetime", suffix="s"),
    Field("prefix.preferred_lifetime", 32, "Preferred lifetime", suffix="s"),
    Field("prefix.reserved", 32, "Reserved", Kind.BYTES),
    IPv6Address("prefix", "Prefix"),
)
LINK_MTU = _option(
    "MTU", "RFC 4861 §4.6.4", Field("reserved", 16, "Reserved"), Field("mtu", 32, "MTU")
)
DNS_SERVER = _option(
    "DNS server",
    "RFC 8106 §5.1",
    Field("reserved", 16, "Reserved"),
    Field("rdnss.lifetime", 32, "Lifetime", suffix="s"),
    IPv6Address("rdnss", "DNS server"),
)
OPTION_TABLES = (SOURCE_LINK, TARGET_LINK, PREFIX, LINK_MTU, DNS_SERVER)
OPTIONS = OptionList(
    "icmpv6.opt",
    {
        1: OptionKind("icmpv6.opt.source", "Source link-layer address", SOURCE_LINK),
        2: OptionKind("icmpv6.opt.target", "Target link-layer address", TARGET_LINK),
        3: OptionKind("icmpv6.opt.prefix_information", "Prefix information", PREFIX),
        4: OptionKind("icmpv6.opt.redirected", "Redirected packet"),
        5: OptionKind("icmpv6.opt.link_mtu", "MTU", LINK_MTU),
        14: OptionKind("icmpv6.opt.nonce_value", "Nonce"),
        24: OptionKind("icmpv6.opt.route", "Route information"),
        25: OptionKind("icmpv6.opt.dns_server", "DNS servers", DNS_SERVER),
        31: OptionKind("icmpv6.opt.search_list", "DNS search list"),
    },
    single=frozenset(),
    end=None,
    unit=8,
)
_CHECKSUM = ICMPV6["checksum"]


def parse(walk: Walk, offset: int) -> Next | None:
    """The message, its options, and the packet an error quotes."""
    if not walk.begin(ICMPV6, offset):
        return None
    kind = ICMPV6["type"].number(walk.data, offset)
    tables = (ICMPV6, *continuations(CONTINUATIONS, kind))
    size = tables[-1].stop
    check = packet_checksums.check_transport(walk, _CHECKSUM, offset, walk.stop, IpProtocol.ICMPV6)
    if not walk.has("icmpv6", offset, size):
        walk.add(tables, offset, size, checks=(check,))
        return None
    end = min(walk.stop, walk.captured)
    if kind in LISTENERS:  # sources and records belong to the message
        size = end - offset
    if kind in DISCOVERY:
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
    """``Neighbor solicitation for fe80::1 from 00:…``, ``Echo request id=0x1, seq=2``."""
    data = dissection.data
    kind, code = (ICMPV6[key].number(data, layer.offset) for key in ("type", "code"))
    text = TYPES.get(kind, f"Type {kind}")
    if code or kind in CODES:
        text += f" ({CODES.get(kind, {}).get(code, f'code {code}')})"
    return text + _details(layer, data, kind)


def _details(layer: Layer, data: bytes, kind: int) -> str:
    if kind in (ECHO_REQUEST, ECHO_REPLY):
        ident, sequence = (
            ECHO[key].number(data, layer.offset)
            for key in ("echo.identifier", "echo.sequence_number")
        )
        return f" id=0x{ident:04x}, seq={sequence}"
    if kind == TOO_BIG:
        return f" MTU={layer.number(data, 'mtu')}"
    targets = {
        NEIGHBOR_SOLICITATION: (SOLICITATION, " for "),
        NEIGHBOR_ADVERTISEMENT: (NEIGHBOR, " "),
    }
    text = ""
    if kind in targets:
        table, word = targets[kind]
        target = table.slots[-1].number(data, layer.offset)
        text = word + address_text(Kind.IPV6, target)
    for option in layer.options:
        for inside in option.values:
            if inside.slot.field.kind is Kind.MAC:
                word = "from" if inside.slot.table is SOURCE_LINK else "is at"
                text += f" {word} {inside.slot.text(inside.value)}"
    return text


def tone(layer: Layer, dissection: Dissection) -> Tone:
    """Return the tone of a message: errors and neighbor discovery have their own."""
    kind = layer.number(dissection.data, "type")
    if kind in DISCOVERY:
        return Tone.NEIGHBOR
    return Tone.ICMP_ERROR if kind in ERRORS else Tone.CONTROL


PROTOCOLS = (
    Protocol(
        name="icmpv6",
        shown="ICMPv6",
        tables=(ICMPV6, *CONTINUATIONS, *OPTION_TABLES),
        info=info,
        tone=Tone.CONTROL,
        tone_of=tone,
        readers=(
            Reader(
                Numbering.IP_PROTOCOL,
                (IpProtocol.ICMPV6,),
                parse,
                message_step(ICMPV6, CONTINUATIONS),
            ),
        ),
        checksum=ChecksumRule(pseudo_header=True),
        kinds=(
            LayerKind(
                "icmpv6",
                "ICMPv6",
                LayerPosition.TRANSPORT,
                (ICMPV6,),
                CONTINUATIONS,
                body=OPTIONS_BODY,
                options=OPTIONS,
                example="source=02-00-5e-10-00-01",
            ),
        ),
        is_listed=True,
    ),
)
