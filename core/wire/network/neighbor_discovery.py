"""Neighbor discovery: the messages and options of ICMPv6 that replace ARP.

RFC 4861 (routers, neighbors, redirects), RFC 8106 (DNS servers). The messages are ICMPv6's, with
its type, code and checksum before these tables; options in units of 8 bytes follow them.
"""

from __future__ import annotations

from functools import partial

from core.wire.model.dissection import Layer
from core.wire.model.field import Field, Flag, IPv6Address, Mac
from core.wire.model.kind import Kind, address_text
from core.wire.model.options import OptionKind, OptionList
from core.wire.model.table import HeaderTable
from core.wire.network.icmp_message import message_rest

ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT = 133, 134
NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT, REDIRECT = 135, 136, 137
MESSAGES = frozenset(range(ROUTER_SOLICITATION, REDIRECT + 1))
TYPES: dict[int, str] = {
    ROUTER_SOLICITATION: "Router solicitation",
    ROUTER_ADVERTISEMENT: "Router advertisement",
    NEIGHBOR_SOLICITATION: "Neighbor solicitation",
    NEIGHBOR_ADVERTISEMENT: "Neighbor advertisement",
    REDIRECT: "Redirect",
}
message_table = partial(message_rest, "icmpv6")


def reserved() -> Field:
    """Return the four reserved bytes that many messages begin with."""
    return Field("reserved", 32, "Reserved", Kind.BYTES)


ADVERTISEMENT = message_table(
    "ICMPv6 router advertisement",
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
SOLICITATION = message_table(
    "ICMPv6 neighbor solicitation",
    "RFC 4861 §4.3",
    {NEIGHBOR_SOLICITATION},
    reserved(),
    IPv6Address("nd.ns.target_address", "Target"),
)
NEIGHBOR = message_table(
    "ICMPv6 neighbor advertisement",
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
REDIRECTION = message_table(
    "ICMPv6 redirect",
    "RFC 4861 §4.5",
    {REDIRECT},
    reserved(),
    IPv6Address("nd.rd.target_address", "Target"),
    IPv6Address("rd.na.destination_address", "Destination"),
)
CONTINUATIONS = (ADVERTISEMENT, SOLICITATION, NEIGHBOR, REDIRECTION)


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


def details(layer: Layer, data: bytes, kind: int) -> str:
    """Return the end of the Info line: the target of a message of type `kind`, link addresses."""
    text = ""
    if kind in _TARGETS:
        table, word = _TARGETS[kind]
        text = word + address_text(Kind.IPV6, table.slots[-1].number(data, layer.offset))
    for option in layer.options:
        for inside in option.values:
            if inside.slot.field.kind is Kind.MAC:
                word = "from" if inside.slot.table is SOURCE_LINK else "is at"
                text += f" {word} {inside.slot.text(inside.value)}"
    return text


_TARGETS = {NEIGHBOR_SOLICITATION: (SOLICITATION, " for "), NEIGHBOR_ADVERTISEMENT: (NEIGHBOR, " ")}
