"""Linux cooked capture, what ``-i any`` delivers in the place of a link header.

The kernel takes away whatever the link had and puts a header of its own: the direction, the
link's type and address, and the EtherType. Version 2 adds the interface and has the same
fields in another order. Specs: tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html and
LINKTYPE_LINUX_SLL2.html.

The source address is eight bytes of which "address length" are used; six are an Ethernet
address. A protocol below 0x0600 is not an EtherType but a kind of frame (ETH_P_802_3 …).
"""

from __future__ import annotations

from core.wire.dissection import Dissection, Layer
from core.wire.ethernet import ETHERTYPE_NAMES, LOWEST_ETHERTYPE
from core.wire.field import Field, Kind, Mac
from core.wire.table import HeaderTable
from core.wire.walk import Next, Space, Walk

SENT_BY_US = 4
PACKET_TYPES = {
    0: "To us",
    1: "Broadcast",
    2: "Multicast",
    3: "To another host",
    SENT_BY_US: "Sent by us",
}
HARDWARE_TYPES = {
    1: "Ethernet",
    512: "PPP",
    768: "IP tunnel",
    772: "Loopback",
    776: "IPv6-in-IPv4 tunnel",
    778: "GRE",
    801: "802.11",
    803: "802.11 with radiotap",
    824: "Netlink",
    65534: "None",
}
FRAME_KINDS = {0x0001: "802.3 frame without LLC", 0x0004: "802.2 LLC", 0x000C: "CAN"}
ETHERNET_ADDRESS_BYTES = 6
HARDWARE_NETLINK = 824
HARDWARE_NONE = 65534
KIND_LLC = 0x0004


def _packet_type(bits: int) -> Field:
    return Field("pkttype", bits, "Packet type", values=PACKET_TYPES)


def _hardware_type() -> Field:
    return Field("hatype", 16, "Link type", values=HARDWARE_TYPES, default=1)


def _ethernet_address() -> tuple[Field, Field]:
    return Mac("src.eth", "Source"), Field("unused", 16, "Unused", Kind.BYTES)


def _other_address() -> tuple[Field, ...]:
    return (Field("src.other", 64, "Source", Kind.BYTES),)


def _protocol(kind: bool) -> Field:
    if kind:
        return Field("ltype", 16, "Kind of frame", base=16, values=FRAME_KINDS)
    return Field("etype", 16, "Type", base=16, values=ETHERTYPE_NAMES, automatic=True)


def _version_1(address: tuple[Field, ...], kind: bool) -> HeaderTable:
    return HeaderTable(
        "sll",
        "Linux cooked capture",
        "LINKTYPE_LINUX_SLL",
        _packet_type(16),
        _hardware_type(),
        Field("halen", 16, "Address length", suffix="bytes", default=ETHERNET_ADDRESS_BYTES),
        *address,
        _protocol(kind),
    )


def _version_2(address: tuple[Field, ...], kind: bool) -> HeaderTable:
    return HeaderTable(
        "sll",
        "Linux cooked capture v2",
        "LINKTYPE_LINUX_SLL2",
        _protocol(kind),
        Field("reserved", 16, "Reserved", Kind.BYTES),
        Field("ifindex", 32, "Interface index"),
        _hardware_type(),
        _packet_type(8),
        Field("halen", 8, "Address length", suffix="bytes", default=ETHERNET_ADDRESS_BYTES),
        *address,
    )


SLL = _version_1(_ethernet_address(), kind=False)
SLL_OTHER = _version_1(_other_address(), kind=False)
SLL_FRAME = _version_1(_ethernet_address(), kind=True)
SLL_OTHER_FRAME = _version_1(_other_address(), kind=True)
SLL2 = _version_2(_ethernet_address(), kind=False)
SLL2_OTHER = _version_2(_other_address(), kind=False)
SLL2_FRAME = _version_2(_ethernet_address(), kind=True)
SLL2_OTHER_FRAME = _version_2(_other_address(), kind=True)
TABLES = (
    SLL,
    SLL_OTHER,
    SLL_FRAME,
    SLL_OTHER_FRAME,
    SLL2,
    SLL2_OTHER,
    SLL2_FRAME,
    SLL2_OTHER_FRAME,
)
_VARIANTS = {  # (other address than Ethernet's, a kind of frame) → table
    1: {
        (False, False): SLL,
        (True, False): SLL_OTHER,
        (False, True): SLL_FRAME,
        (True, True): SLL_OTHER_FRAME,
    },
    2: {
        (False, False): SLL2,
        (True, False): SLL2_OTHER,
        (False, True): SLL2_FRAME,
        (True, True): SLL2_OTHER_FRAME,
    },
}


def parse(walk: Walk, offset: int) -> Next | None:
    """The header of version 1."""
    return _parse(walk, offset, SLL, 1)


def parse_2(walk: Walk, offset: int) -> Next | None:
    """The header of version 2."""
    return _parse(walk, offset, SLL2, 2)


def _parse(walk: Walk, offset: int, table: HeaderTable, version: int) -> Next | None:
    if not walk.begin(table, offset):
        return None
    number = table["etype"].number(walk.data, offset)
    other = table["halen"].number(walk.data, offset) != ETHERNET_ADDRESS_BYTES
    kind = number < LOWEST_ETHERTYPE
    walk.add((_VARIANTS[version][other, kind],), offset)
    following = offset + table.size
    if table["hatype"].number(walk.data, offset) == HARDWARE_NETLINK:
        return None
    if kind:
        return Next(Space.LLC, 0, following) if number == KIND_LLC else None
    return Next(Space.ETHERTYPE, number, following)


def info(layer: Layer, dissection: Dissection) -> str:
    """``Type 0x88cc LLDP``, or the kind of frame."""
    kind = layer.number(dissection.data, "etype")
    if kind is not None:
        return f"Type 0x{kind:04x} {ETHERTYPE_NAMES.get(kind, '')}".rstrip()
    return FRAME_KINDS.get(layer.number(dissection.data, "ltype") or 0, "Linux cooked capture")
