"""Tunnels that carry other protocols' packets: GRE and VXLAN. (`ipv4` and `ipv6` read IP in IP.)

GRE, RFC 2784 and RFC 2890: four bytes, and after them the words that the flags announce, in this
order: checksum and offset, key, sequence number. Version 1 is PPTP's (RFC 2637), where the key is a
length and a call, and an acknowledgment number may follow. The checksum covers the GRE header and
all after it.

VXLAN, RFC 7348: an Ethernet frame inside UDP port 4789, after a network identifier.
"""

from __future__ import annotations

from functools import lru_cache

from core.wire.checksum import packet_checksums
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import ETHERTYPE_NAMES, VXLAN_PORT, IpProtocol
from core.wire.model.dissection import Check, Dissection, Layer
from core.wire.model.field import Field, Flag
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import Protocol, Reader

PPTP = 1  # the GRE version
GRE_WORD = 4  # bytes of a key, or of a sequence number

GRE = HeaderTable(
    "gre",
    "Generic routing encapsulation",
    "RFC 2784 §2, RFC 2890 §2",
    Flag("flags.checksum", "Checksum present"),
    Flag("flags.routing", "Routing present"),
    Flag("flags.key", "Key present"),
    Flag("flags.sequence_number", "Sequence number present"),
    Flag("flags.strict_source_route", "Strict source route"),
    Field("flags.recursion_control", 3, "Recursion control"),
    Flag("flags.ack", "Acknowledgment present"),
    Field("flags.reserved", 4, "Reserved"),
    Field("flags.version", 3, "Version"),
    Field("proto", 16, "Protocol", base=16, values=ETHERTYPE_NAMES),
)
_CHECKSUM = (Field("checksum", 16, "Checksum", base=16), Field("offset", 16, "Offset"))
_KEY = (Field("key", 32, "Key", base=16),)
_CALL = (
    Field("key.payload_length", 16, "Payload length", suffix="bytes"),
    Field("key.call_id", 16, "Call identifier"),
)
_SEQUENCE = (Field("sequence_number", 32, "Sequence number"),)
_ACKNOWLEDGMENT = (Field("ack_number", 32, "Acknowledgment number"),)


@lru_cache(maxsize=1 << 4 + GRE["flags.version"].field.bits)  # all combinations
def optional_table(
    checksum_there: bool, key: bool, sequence: bool, version: int, acknowledged: bool
) -> HeaderTable | None:
    """Return the table of the words after the first, as the flags announce them."""
    fields: tuple[Field, ...] = ()
    fields += _CHECKSUM if checksum_there else ()
    fields += (_CALL if version == PPTP else _KEY) if key else ()
    fields += _SEQUENCE if sequence else ()
    fields += _ACKNOWLEDGMENT if acknowledged and version == PPTP else ()
    if not fields:
        return None
    return HeaderTable("gre", "GRE optional words", "RFC 2890 §2", *fields, start=GRE.size)


VXLAN = HeaderTable(
    "vxlan",
    "Virtual extensible LAN",
    "RFC 7348 §5",
    Flag("flag_g", "Group policy extension"),
    Field("flags_reserved_1", 3, "Reserved"),
    Flag("flag_i", "Network identifier valid", default=1),
    Field("flags_reserved_2", 4, "Reserved"),
    Flag("flag_d", "Don't learn"),
    Field("flags_reserved_3", 2, "Reserved"),
    Flag("flag_a", "Policy applied"),
    Field("flags_reserved_4", 3, "Reserved"),
    Field("gbp", 16, "Group policy identifier"),
    Field("vni", 24, "Network identifier"),
    Field("reserved8", 8, "Reserved"),
)
TABLES = (
    GRE,
    *(
        table
        for table in (
            optional_table(True, True, True, 0, False),
            optional_table(False, True, True, PPTP, True),
        )
        if table
    ),
    VXLAN,
)
GRE_WORDS = TABLES[1]
"""All optional words of version 0."""


def parse_gre(walk: Walk, offset: int) -> Next | None:
    """Read the header with its optional words; an EtherType names the next header."""
    if not walk.begin(GRE, offset):
        return None
    data = walk.data
    summed, routed, keyed, sequenced, acknowledged = (
        bool(GRE[f"flags.{key}"].number(data, offset))
        for key in ("checksum", "routing", "key", "sequence_number", "ack")
    )
    version = GRE["flags.version"].number(data, offset)
    optional = optional_table(summed or routed, keyed, sequenced, version, acknowledged)
    tables = (GRE, optional) if optional else (GRE,)
    size = tables[-1].stop
    complete = walk.has("gre", offset, size)
    checks: tuple[Check, ...] = ()
    if complete and summed and optional:
        checks = (packet_checksums.check_message(walk, optional["checksum"], offset),)
    walk.add(tables, offset, size, checks=checks)
    if not complete or routed:  # a source route (RFC 1701) of unknown length follows
        return None
    return Next(Numbering.ETHERTYPE, GRE["proto"].number(data, offset), offset + size)


def parse_vxlan(walk: Walk, offset: int) -> Next | None:
    """Read the header, if its flag shows that it is VXLAN; an Ethernet frame follows."""
    flag = VXLAN["flag_i"]
    if walk.stop < offset + VXLAN.size or walk.captured < offset + flag.span.stop:
        return None  # too short for VXLAN, or cut before the flag
    if not flag.number(walk.data, offset):
        return None  # something else on that port: application data
    if not walk.begin(VXLAN, offset):
        return None
    walk.add((VXLAN,), offset)
    return Next(Numbering.LINK, LinkType.ETHERNET, offset + VXLAN.size)


def info_gre(layer: Layer, dissection: Dissection) -> str:
    """Return the protocol that the tunnel carries."""
    kind = GRE["proto"].number(dissection.data, layer.offset)
    return f"GRE of 0x{kind:04x} {ETHERTYPE_NAMES.get(kind, '')}".rstrip()


def info_vxlan(layer: Layer, dissection: Dissection) -> str:
    """Return the network identifier."""
    return f"VXLAN network {layer.number(dissection.data, 'vni')}"


PROTOCOLS = (
    Protocol(
        name="gre",
        shown="GRE",
        tables=TABLES[:-1],
        info=info_gre,
        headline={"key": "key", "key.call_id": "call"},
        readers=(Reader(Numbering.IP_PROTOCOL, (IpProtocol.GRE,), parse_gre),),
    ),
    Protocol(
        name="vxlan",
        shown="VXLAN",
        tables=TABLES[-1:],
        info=info_vxlan,
        headline={"vni": "network"},
        readers=(Reader(Numbering.UDP_PORT, (VXLAN_PORT,), parse_vxlan),),
        is_listed=True,
    ),
)
