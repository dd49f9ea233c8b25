"""Linux cooked capture: the header that ``-i any`` delivers in place of a link header.

The kernel removes the link's own header and writes another: the direction, the link's type and
address, and the EtherType. Version 2 adds the interface and has the same fields in another order.
Specs: tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html and LINKTYPE_LINUX_SLL2.html.

The source address has eight bytes of which "address length" are used; six are an Ethernet address.

The meaning of the protocol field depends on the hardware type, as both specs say: a GRE protocol
type on GRE tunnels, a Netlink protocol on Netlink; it is ignored before a radiotap header and
before a Frame Relay frame. Otherwise it is an EtherType, or, below 0x0600, a kind of frame
(ETH_P_802_3 …).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

import numpy as np

from core.wire.link.ethernet import LOWEST_ETHERTYPE
from core.wire.link.link_types import LinkType
from core.wire.model import computed_number
from core.wire.model.assigned_numbers import ETHERTYPE_NAMES
from core.wire.model.batch import BatchReader, Column, FrameGroup, Mask
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field, Mac
from core.wire.model.kind import Kind
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import Protocol, Reader

SENT_BY_US = 4
PACKET_TYPES = {
    0: "To us",
    1: "Broadcast",
    2: "Multicast",
    3: "To another host",
    SENT_BY_US: "Sent by us",
}
HARDWARE_FRAD, HARDWARE_GRE, HARDWARE_RADIOTAP = 770, 778, 803  # linux/if_arp.h
HARDWARE_GRE_6, HARDWARE_NETLINK, HARDWARE_NONE = 823, 824, 65534
HARDWARE_TYPES = {
    1: "Ethernet",
    512: "PPP",
    768: "IP tunnel",
    769: "IPv6 tunnel",
    HARDWARE_FRAD: "Frame relay",
    772: "Loopback",
    776: "IPv6-in-IPv4 tunnel",
    HARDWARE_GRE: "GRE",
    801: "802.11",
    802: "802.11 with Prism header",
    HARDWARE_RADIOTAP: "802.11 with radiotap",
    HARDWARE_GRE_6: "GRE over IPv6",
    HARDWARE_NETLINK: "Netlink",
    HARDWARE_NONE: "None",
}
FRAME_KINDS = {
    0x0001: "802.3 frame without LLC",
    0x0004: "802.2 LLC",
    0x000C: "CAN",
    0x000D: "CAN FD",
}
NETLINK_PROTOCOLS = {  # linux/netlink.h
    0: "Routing",
    2: "User socket",
    4: "Socket monitoring",
    6: "IPsec",
    9: "Audit",
    12: "Netfilter",
    15: "Kernel events",
    16: "Generic",
}
ETHERNET_ADDRESS_BYTES = 6
KIND_LLC = 0x0004


class Meaning(Enum):
    """The meaning of the protocol field."""

    ETHERTYPE = "EtherType"
    FRAME = "kind of frame"
    GRE = "GRE protocol type"
    NETLINK = "Netlink protocol"
    NOTHING = "ignored"


HARDWARE_MEANINGS = {  # other hardware types have an EtherType, or a kind of frame
    HARDWARE_FRAD: Meaning.NOTHING,
    HARDWARE_RADIOTAP: Meaning.NOTHING,
    HARDWARE_GRE: Meaning.GRE,
    HARDWARE_GRE_6: Meaning.GRE,
    HARDWARE_NETLINK: Meaning.NETLINK,
}


def _packet_type(bits: int) -> Field:
    return Field("pkttype", bits, "Packet type", values=PACKET_TYPES)


def _hardware_type() -> Field:
    return Field("hatype", 16, "Link type", values=HARDWARE_TYPES, default=1)


def _ethernet_address() -> tuple[Field, Field]:
    return Mac("src.eth", "Source"), Field("unused", 16, "Unused", Kind.BYTES)


def _other_address() -> tuple[Field, ...]:
    return (Field("src.other", 64, "Source", Kind.BYTES),)


def _protocol(meaning: Meaning) -> Field:
    match meaning:
        case Meaning.ETHERTYPE:
            return Field("etype", 16, "Type", base=16, values=ETHERTYPE_NAMES, automatic=True)
        case Meaning.GRE:
            return Field("gretype", 16, "GRE protocol type", base=16, values=ETHERTYPE_NAMES)
        case Meaning.NETLINK:
            return Field("ltype", 16, "Netlink protocol", values=NETLINK_PROTOCOLS)
        case Meaning.FRAME:
            return Field("ltype", 16, "Kind of frame", base=16, values=FRAME_KINDS)
    return Field("ltype", 16, "Ignored for this link type", base=16)


def _version_1(address: tuple[Field, ...], meaning: Meaning) -> HeaderTable:
    return HeaderTable(
        "sll",
        "Linux cooked capture",
        "LINKTYPE_LINUX_SLL",
        _packet_type(16),
        _hardware_type(),
        Field("halen", 16, "Address length", suffix="bytes", default=ETHERNET_ADDRESS_BYTES),
        *address,
        _protocol(meaning),
    )


def _version_2(address: tuple[Field, ...], meaning: Meaning) -> HeaderTable:
    return HeaderTable(
        "sll",
        "Linux cooked capture v2",
        "LINKTYPE_LINUX_SLL2",
        _protocol(meaning),
        Field("reserved", 16, "Reserved", Kind.BYTES),
        Field("ifindex", 32, "Interface index"),
        _hardware_type(),
        _packet_type(8),
        Field("halen", 8, "Address length", suffix="bytes", default=ETHERNET_ADDRESS_BYTES),
        *address,
    )


Variant = tuple[bool, Meaning]  # True if the address is not Ethernet's; the protocol's meaning


def _variants(
    make: Callable[[tuple[Field, ...], Meaning], HeaderTable],
) -> dict[Variant, HeaderTable]:
    """Return the header of one version in every form."""
    return {
        (other, meaning): make(_other_address() if other else _ethernet_address(), meaning)
        for meaning in Meaning
        for other in (False, True)
    }


SLL_VARIANTS = _variants(_version_1)
SLL2_VARIANTS = _variants(_version_2)
SLL = SLL_VARIANTS[False, Meaning.ETHERTYPE]
SLL_OTHER = SLL_VARIANTS[True, Meaning.ETHERTYPE]
SLL2 = SLL2_VARIANTS[False, Meaning.ETHERTYPE]
TABLES = (*SLL_VARIANTS.values(), *SLL2_VARIANTS.values())


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the header of version 1."""
    return _parse(walk, offset, SLL, SLL_VARIANTS)


def parse_2(walk: Walk, offset: int) -> Next | None:
    """Read the header of version 2."""
    return _parse(walk, offset, SLL2, SLL2_VARIANTS)


def _parse(
    walk: Walk, offset: int, table: HeaderTable, variants: Mapping[Variant, HeaderTable]
) -> Next | None:
    if not walk.begin(table, offset):
        return None
    number = table["etype"].number(walk.data, offset)
    hardware = table["hatype"].number(walk.data, offset)
    meaning = HARDWARE_MEANINGS.get(hardware)
    if meaning is None:
        meaning = Meaning.FRAME if number < LOWEST_ETHERTYPE else Meaning.ETHERTYPE
    other = table["halen"].number(walk.data, offset) != ETHERNET_ADDRESS_BYTES
    walk.add((variants[other, meaning],), offset)
    following = offset + table.size
    match meaning:
        case Meaning.ETHERTYPE | Meaning.GRE:
            return Next(Numbering.ETHERTYPE, number, following)
        case Meaning.FRAME if number == KIND_LLC:
            return Next(Numbering.LLC, 0, following)
        case Meaning.NOTHING if hardware == HARDWARE_FRAD:
            return Next(Numbering.LINK, LinkType.FRELAY, following)
    return None


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many headers of version 1, as `parse` does one."""
    _step(walk, group, SLL, SLL_VARIANTS)


def step_2(walk: BatchReader, group: FrameGroup) -> None:
    """Read many headers of version 2, as `parse_2` does one."""
    _step(walk, group, SLL2, SLL2_VARIANTS)


def _step(
    walk: BatchReader,
    group: FrameGroup,
    table: HeaderTable,
    variants: Mapping[Variant, HeaderTable],
) -> None:
    group = walk.begin(table, group)
    number = walk.column(table["etype"], group)
    hardware = walk.column(table["hatype"], group)
    means = _meanings(number, hardware)
    if walk.is_watched:
        other = walk.column(table["halen"], group) != ETHERNET_ADDRESS_BYTES
        for (is_other, meaning), variant in variants.items():
            if variant is not table:
                these = group.where(means[meaning] & (other == is_other))
                walk.reclassify(table, variant, these)
    after = group.moved(table.size)
    typed = means[Meaning.ETHERTYPE] | means[Meaning.GRE]
    walk.queue(Numbering.ETHERTYPE, number[typed], after.where(typed))
    walk.queue(Numbering.LLC, 0, after.where(means[Meaning.FRAME] & (number == KIND_LLC)))
    walk.queue(Numbering.LINK, int(LinkType.FRELAY), after.where(hardware == HARDWARE_FRAD))


def _meanings(number: Column, hardware: Column) -> dict[Meaning, Mask]:
    """Return a mask (n,) for each meaning of the protocols (n,) by the hardware types (n,)."""
    means: dict[Meaning, Mask] = {
        meaning: np.isin(
            hardware, [kind for kind, each in HARDWARE_MEANINGS.items() if each is meaning]
        )
        for meaning in set(HARDWARE_MEANINGS.values())
    }
    plain = ~np.logical_or.reduce(list(means.values()))
    means[Meaning.ETHERTYPE] = plain & (number >= LOWEST_ETHERTYPE)
    means[Meaning.FRAME] = plain & (number < LOWEST_ETHERTYPE)
    return means


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``Type 0x88cc LLDP``, the kind of frame, or a hardware type that decides the rest."""
    data = dissection.data
    hardware = layer.number(data, "hatype") or 0
    for key in ("etype", "gretype"):
        kind = layer.number(data, key)
        if kind is not None:
            word = "GRE type" if key == "gretype" else "Type"
            return f"{word} 0x{kind:04x} {ETHERTYPE_NAMES.get(kind, '')}".rstrip()
    kind = layer.number(data, "ltype") or 0
    match HARDWARE_MEANINGS.get(hardware):
        case Meaning.NETLINK:
            return f"Netlink {NETLINK_PROTOCOLS.get(kind, f'protocol {kind}')}"
        case Meaning.NOTHING:
            return HARDWARE_TYPES[hardware]
    return FRAME_KINDS.get(kind, "Linux cooked capture")


PROTOCOLS = (
    Protocol(
        name="sll",
        shown="SLL",
        tables=TABLES,
        info=info,
        addresses=("src.eth", ""),
        is_capture_header=True,
        readers=(
            Reader(Numbering.LINK, (LinkType.LINUX_SLL,), parse, step),
            Reader(Numbering.LINK, (LinkType.LINUX_SLL2,), parse_2, step_2),
        ),
        computed={"etype": computed_number.ETHERTYPE},
        is_listed=True,
    ),
)
