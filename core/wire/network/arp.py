"""ARP: the hardware address of a host with a protocol address; and RARP, the reverse question.

RFC 826. The header names the kind and the size of both addresses, so the position of an address
depends on two size bytes; nearly always they are Ethernet's 6 and IPv4's 4. RFC 903 uses the same
layout for RARP (operations 3 and 4).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from core.wire.model.address_texts import address_texts
from core.wire.model.assigned_numbers import ETHERTYPE_NAMES, EtherType
from core.wire.model.batch import BatchReader, FrameGroup, Network
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field, IPv4Address, Mac
from core.wire.model.kind import Kind
from core.wire.model.other_tools import (
    Argument,
    CommandOptions,
    OtherTools,
    ScapyLayer,
)
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import (
    HeaderColumns,
    HeaderLength,
    LayerKind,
    LayerPosition,
    Protocol,
    Reader,
)

HARDWARE_TYPES = {
    1: "Ethernet",
    6: "IEEE 802",
    15: "Frame relay",
    24: "IEEE 1394",
    32: "InfiniBand",
}
ETHERNET_TYPES = (1, 6)  # hardware types whose addresses are MAC addresses
MAC_BYTES, IPV4_BYTES = 6, 4
REQUEST, REPLY, REVERSE_REQUEST, REVERSE_REPLY = 1, 2, 3, 4
OPERATIONS = {
    REQUEST: "request",
    REPLY: "reply",
    REVERSE_REQUEST: "reverse request",
    REVERSE_REPLY: "reverse reply",
    5: "DRARP request",
    6: "DRARP reply",
    7: "DRARP error",
    8: "InARP request",
    9: "InARP reply",
}
NPING_OPERATIONS = {  # nping takes no number
    REQUEST: "ARP",
    REPLY: "ARP-reply",
    REVERSE_REQUEST: "RARP",
    REVERSE_REPLY: "RARP-reply",
}

ARP = HeaderTable(
    "arp",
    "Address resolution protocol",
    "RFC 826",
    Field("hw.type", 16, "Hardware type", values=HARDWARE_TYPES, default=1),
    Field(
        "proto.type",
        16,
        "Protocol type",
        base=16,
        values=ETHERTYPE_NAMES,
        default=EtherType.IPV4,
    ),
    Field("hw.size", 8, "Hardware address size", suffix="bytes", default=6),
    Field("proto.size", 8, "Protocol address size", suffix="bytes", default=4),
    Field("opcode", 16, "Operation", values=OPERATIONS, default=REQUEST),
)


def _fields(hardware: int, protocol: int, macs: bool, ips: bool) -> list[Field]:
    """Return the address fields for sizes in bytes."""
    fields = []
    for side, who in (("src", "Sender"), ("dst", "Target")):
        if macs:
            fields.append(Mac(f"{side}.hw_mac", f"{who} hardware address"))
        elif hardware:
            name = f"{side}.hw"
            fields.append(Field(name, 8 * hardware, f"{who} hardware address", Kind.BYTES))
        if ips:
            fields.append(IPv4Address(f"{side}.proto_ipv4", f"{who} IP address"))
        elif protocol:
            name = f"{side}.proto"
            fields.append(Field(name, 8 * protocol, f"{who} protocol address", Kind.BYTES))
    return fields


ARP_IPV4 = HeaderTable(
    "arp", ARP.title, "RFC 826", *_fields(MAC_BYTES, IPV4_BYTES, True, True), start=ARP.size
)


@lru_cache(maxsize=64)
def _odd_table(hardware: int, protocol: int, macs: bool, ips: bool) -> HeaderTable | None:
    """Return the addresses of anything but IPv4 over Ethernet; None if both sizes are zero."""
    fields = _fields(hardware, protocol, macs, ips)
    return HeaderTable("arp", ARP.title, "RFC 826", *fields, start=ARP.size) if fields else None


OTHER_ADDRESSES = HeaderTable(
    "arp", ARP.title, "RFC 826", *_fields(1, 1, False, False), start=ARP.size
)
"""The addresses of other kinds and sizes: the names of their fields, not their widths."""


LENGTH = HeaderLength(
    ("hw.size", "proto.size"), lambda hardware, protocol: ARP.size + 2 * (hardware + protocol)
)


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the common part, and the addresses in the sizes that it gives."""
    depth = walk.networks + 1
    if not walk.begin(ARP, offset, depth=depth):
        return None
    hardware, protocol = (ARP[key].number(walk.data, offset) for key in ("hw.size", "proto.size"))
    macs = hardware == MAC_BYTES and ARP["hw.type"].number(walk.data, offset) in ETHERNET_TYPES
    ips = protocol == IPV4_BYTES and (ARP["proto.type"].number(walk.data, offset) == EtherType.IPV4)
    table = ARP_IPV4 if macs and ips else _odd_table(hardware, protocol, macs, ips)
    size = LENGTH.length(hardware, protocol)
    walk.end_packet(offset + size)
    walk.has("arp", offset, size)
    walk.limit(offset + size, "arp.hw.size, arp.proto.size")
    walk.add((ARP, table) if table else (ARP,), offset, size, depth=depth)
    return None


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many messages, as `parse` does one: the common part, and room for the addresses."""
    walk.found_network(group, Network.ARP)
    group = walk.begin(ARP, group)
    keys = ("hw.type", "proto.type", "hw.size", "proto.size")
    link, network, hardware, protocol = walk.columns(ARP, group, *keys)
    known = np.isin(link, ETHERNET_TYPES) & (network == EtherType.IPV4)
    known &= (hardware == MAC_BYTES) & (protocol == IPV4_BYTES)
    walk.found(ARP_IPV4, group.where(known))
    walk.has(group, LENGTH.length(hardware, protocol))


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``Who has 10.0.0.1? Tell 10.0.0.2`` or ``10.0.0.1 is at 00:00:5e:00:53:01``.

    It shows hardware addresses of any kind and size, as 20 bytes on InfiniBand (RFC 4391 §9.1).
    """
    data = dissection.data
    operation = ARP["opcode"].number(data, layer.offset)
    sender, target = (_text(layer, data, f"{side}.proto_ipv4") for side in ("src", "dst"))
    hardware = (
        _text(layer, data, f"{side}.hw_mac") or _text(layer, data, f"{side}.hw")
        for side in ("src", "dst")
    )
    return _words(operation, sender, target, *hardware)


def info_columns(headers: HeaderColumns) -> list[str | None]:
    """Return the Info lines of messages about IPv4 over Ethernet; None for others."""
    known = np.isin(headers.column(ARP["hw.type"]), ETHERNET_TYPES)
    for key in ("proto.type", "hw.size", "proto.size"):
        known &= headers.column(ARP[key]) == ARP[key].field.default
    index = np.flatnonzero(known)
    headers = headers.take(index)
    addresses = (
        address_texts(ARP_IPV4[f"{side}.{key}"], headers.data, headers.starts)
        for key in ("proto_ipv4", "hw_mac")
        for side in ("src", "dst")
    )
    texts: list[str | None] = [None] * len(known)
    operations = headers.column(ARP["opcode"]).tolist()
    for row, text in zip(index.tolist(), map(_words, operations, *addresses), strict=True):
        texts[row] = text
    return texts


def _words(
    operation: int, sender: str, target: str, sender_hardware: str, target_hardware: str
) -> str:
    """Return the Info line; an address that the message does not have is empty."""
    if sender and target:
        match operation:
            case 1 if sender == target:
                return f"ARP announcement for {sender}"
            case 1 if sender == "0.0.0.0":
                return f"Who has {target}? (probe)"
            case 1:
                return f"Who has {target}? Tell {sender}"
            case 2 if sender_hardware:
                return f"{sender} is at {sender_hardware}"
            case 3 if target_hardware:
                return f"Who is {target_hardware}? Tell {sender_hardware}"
            case 4 if target_hardware:
                return f"{target_hardware} is at {target}"
    return f"ARP {OPERATIONS.get(operation, f'operation {operation}')}"


def _text(layer: Layer, data: bytes, key: str) -> str:
    """Return an address as text, or an empty string if the packet has none of this kind."""
    slot = layer.tables[-1].get(key)
    return "" if slot is None else slot.text(slot.read(data, layer.offset))


TOOLS = OtherTools(
    scapy=ScapyLayer(
        "ARP",
        {
            "hw.type": "hwtype",
            "proto.type": "ptype",
            "hw.size": "hwlen",
            "proto.size": "plen",
            "opcode": "op",
            "src.hw_mac": "hwsrc",
            "src.proto_ipv4": "psrc",
            "dst.hw_mac": "hwdst",
            "dst.proto_ipv4": "pdst",
        },
    ),
    nping=CommandOptions(
        ("--arp",),
        {
            "opcode": Argument("--arp-type", words=NPING_OPERATIONS),
            "src.hw_mac": Argument("--arp-sender-mac", is_text=True),
            "src.proto_ipv4": Argument("--arp-sender-ip", is_text=True),
            "dst.hw_mac": Argument("--arp-target-mac", is_text=True),
            "dst.proto_ipv4": Argument("--arp-target-ip", is_text=True),
        },
        target="dst.proto_ipv4",
        carries_payload=False,
    ),
    pcap="arp",
)

PROTOCOLS = (
    Protocol(
        name="arp",
        shown="ARP",
        tables=(ARP, ARP_IPV4),
        info=info,
        info_columns=info_columns,
        addresses=("src.proto_ipv4", "dst.proto_ipv4"),
        shows_addresses=False,
        destination_when=("opcode", frozenset({REQUEST})),
        network=Network.ARP,
        length=LENGTH,
        readers=(Reader(Numbering.ETHERTYPE, (EtherType.ARP, EtherType.RARP), parse, step),),
        kinds=(LayerKind("arp", "ARP", LayerPosition.NETWORK, (ARP, ARP_IPV4), over="eth"),),
        tools=TOOLS,
        is_listed=True,
    ),
)
