"""Ethernet II and IEEE 802.3 frames, with the LLC and SNAP headers of the latter.

The two bytes after the addresses are an EtherType from 0x0600 up, and the length of the payload up
to 1500 (IEEE 802.3-2018 §3.2.6); the numbers between are neither, and zero has no meaning. After a
length comes an LLC header (IEEE 802.2): two service access points and a control field. Both points
0xAA mean SNAP (RFC 1042): an organization and then an EtherType.

Frames are padded to 60 bytes, so an Ethernet II payload may be longer than the packet in it; only
the network header has its length. An 802.3 length ends the payload itself.
"""

from __future__ import annotations

import numpy as np

from core.wire.link.link_types import LinkType
from core.wire.model import computed_number
from core.wire.model.assigned_numbers import ETHERTYPE_NAMES, EtherType
from core.wire.model.batch import BatchReader, Column, FrameGroup, begin_with
from core.wire.model.dissection import Dissection, Layer, Note
from core.wire.model.field import Field, Mac, PlacedField
from core.wire.model.other_tools import (
    Argument,
    CommandOptions,
    OtherTools,
    ScapyLayer,
)
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import LayerKind, LayerPosition, Protocol, Reader

LOWEST_ETHERTYPE = 0x0600
HIGHEST_LENGTH = 1500
SAP_SNAP = 0xAA
SAP_NAMES: dict[int, str] = {
    0x00: "Null",
    0x06: "IPv4",
    0x42: "Spanning tree",
    0xAA: "SNAP",
    0xE0: "NetWare",
    0xF0: "NetBIOS",
    0xFE: "OSI network layer",
    0xFF: "Global",
}
SAP_IPV4 = 0x06
UNNUMBERED = 0x03  # LLC control: both bits are set if the control field has 8 bits
RAW_IPX = b"\xff\xff"  # IPX wrote its own header, with this checksum, in the place of LLC
OUI_ETHERTYPE = 0x000000
OUI_CISCO_BRIDGE = 0x0000F8  # 802.1H bridge tunnel: EtherTypes too

ETHERNET = HeaderTable(
    "eth",
    "Ethernet II",
    "IEEE 802.3-2018 §3.1.1",
    Mac("dst", "Destination"),
    Mac("src", "Source"),
    Field("type", 16, "Type", base=16, values=ETHERTYPE_NAMES, automatic=True),
)

ETHERNET_802_3 = HeaderTable(
    "eth",
    "IEEE 802.3 Ethernet",
    "IEEE 802.3-2018 §3.1.1",
    Mac("dst", "Destination"),
    Mac("src", "Source"),
    Field("len", 16, "Length", suffix="bytes", automatic=True),
)

ETHERNET_INVALID = HeaderTable(
    "eth",
    "Ethernet",
    "IEEE 802.3-2018 §3.2.6",
    Mac("dst", "Destination"),
    Mac("src", "Source"),
    Field("invalid_lentype", 16, "Neither type nor length", base=16),
)

LLC = HeaderTable(
    "llc",
    "Logical link control",
    "IEEE 802.2",
    Field("dsap", 8, "Destination service access point", base=16, values=SAP_NAMES),
    Field("ssap", 8, "Source service access point", base=16, values=SAP_NAMES),
    Field("control", 8, "Control", base=16, values={0x03: "Unnumbered information"}),
)

LLC_16_BIT = HeaderTable(
    "llc",
    "Logical link control",
    "IEEE 802.2",
    Field("dsap", 8, "Destination service access point", base=16, values=SAP_NAMES),
    Field("ssap", 8, "Source service access point", base=16, values=SAP_NAMES),
    Field("control", 16, "Control", base=16),
)

SNAP = HeaderTable(
    "llc",
    "Subnetwork access protocol",
    "RFC 1042",
    Field(
        "oui",
        24,
        "Organization",
        base=16,
        values={OUI_ETHERTYPE: "EtherType follows", 0x00000C: "Cisco"},
    ),
    Field("type", 16, "Type", base=16, values=ETHERTYPE_NAMES),
    start=LLC.size,
)


_TYPE = ETHERNET["type"]


def parse(walk: Walk, offset: int) -> Next | None:
    """Read an Ethernet frame of either kind."""
    if not walk.begin(ETHERNET, offset, depth=walk.depth):
        return None
    number = _TYPE.number(walk.data, offset)
    if number >= LOWEST_ETHERTYPE or number == 0:
        walk.add((ETHERNET,), offset, depth=walk.depth)
        return Next(Numbering.ETHERTYPE, number, offset + ETHERNET.size)
    if number > HIGHEST_LENGTH:
        slot = ETHERNET_INVALID["invalid_lentype"]
        reason = f"{number} is neither a type nor a length"
        walk.contradiction(ETHERNET_INVALID, offset, slot, reason, depth=walk.depth)
        return None
    notes = end_by_length(walk, ETHERNET_802_3["len"], offset, ETHERNET.size)
    walk.add((ETHERNET_802_3,), offset, depth=walk.depth, notes=notes)
    return Next(Numbering.LLC, 0, offset + ETHERNET.size)


def end_by_length(walk: Walk, slot: PlacedField, offset: int, header: int) -> tuple[Note, ...]:
    """Let an 802.3 length end the payload; return a note if it goes past the frame."""
    length = slot.number(walk.data, offset)
    room = walk.stop - offset - header
    walk.limit(offset + header + length, slot.name)
    walk.end_packet(walk.stop)
    if length > room:
        return (Note(f"{length} bytes go past the {room} that {walk.limited_by} allows", slot),)
    return ()


def parse_llc(walk: Walk, offset: int) -> Next | None:
    """Read LLC, and SNAP if both service access points are 0xAA."""
    if not walk.begin(LLC, offset, depth=walk.depth):
        return None
    destination = LLC["dsap"].number(walk.data, offset)
    if walk.data[offset : offset + 2] == RAW_IPX:
        return None
    control = LLC["control"].number(walk.data, offset)
    if (
        control & UNNUMBERED != UNNUMBERED
    ):  # information and supervisory frames number 7 bits each way
        if walk.begin(LLC_16_BIT, offset, depth=walk.depth):
            walk.add((LLC_16_BIT,), offset, depth=walk.depth)
        return None
    if destination != SAP_SNAP:
        walk.add((LLC,), offset, depth=walk.depth)
        if destination == SAP_IPV4:
            return Next(Numbering.ETHERTYPE, EtherType.IPV4, offset + LLC.size)
        return None
    if not walk.has("llc", offset, SNAP.stop):
        walk.add((LLC,), offset, depth=walk.depth)
        return None
    walk.add((LLC, SNAP), offset, depth=walk.depth)
    if SNAP["oui"].read(walk.data, offset) in (OUI_ETHERTYPE, OUI_CISCO_BRIDGE):
        number = SNAP["type"].number(walk.data, offset)
        return Next(Numbering.ETHERTYPE, number, offset + SNAP.stop)
    return None


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many frames, as `parse` does one."""
    group = walk.begin(ETHERNET, group)
    number = walk.column(ETHERNET["type"], group)
    after = group.moved(ETHERNET.size)
    typed = (number >= LOWEST_ETHERTYPE) | (number == 0)
    if typed.all():
        walk.queue(Numbering.ETHERTYPE, number, after)
        return
    walk.queue(Numbering.ETHERTYPE, number[typed], after.where(typed))
    sized = ~typed & (number <= HIGHEST_LENGTH)
    walk.reclassify(ETHERNET, ETHERNET_802_3, group.where(sized))
    invalid = group.where(~typed & ~sized)
    walk.reclassify(ETHERNET, ETHERNET_INVALID, invalid)
    walk.contradiction(invalid, ETHERNET_INVALID["invalid_lentype"])
    end_many_by_length(walk, after.where(sized), number[sized])


def end_many_by_length(walk: BatchReader, payload: FrameGroup, length: Column) -> None:
    """Let 802.3 lengths (n,) end the payloads, which begin with LLC."""
    walk.limit(payload, payload.at + length)
    walk.queue(Numbering.LLC, 0, payload)


def step_llc(walk: BatchReader, group: FrameGroup) -> None:
    """Read many LLC headers, as `parse_llc` does one."""
    group = group.where(~begin_with(walk, group, RAW_IPX, LLC.size))  # these have no LLC
    group = walk.begin(LLC, group)
    unnumbered = walk.column(LLC["control"], group) & UNNUMBERED == UNNUMBERED
    numbered = group.where(~unnumbered)
    walk.reclassify(LLC, LLC_16_BIT, numbered)
    walk.has(numbered, LLC_16_BIT.size)
    group = group.where(unnumbered)
    destination = walk.column(LLC["dsap"], group)
    internet = group.where(destination == SAP_IPV4)
    walk.queue(Numbering.ETHERTYPE, int(EtherType.IPV4), internet.moved(LLC.size))
    group = walk.has(group.where(destination == SAP_SNAP), SNAP.stop)
    walk.found(SNAP, group)
    known = np.isin(walk.column(SNAP["oui"], group), (OUI_ETHERTYPE, OUI_CISCO_BRIDGE))
    group = group.where(known)
    walk.queue(Numbering.ETHERTYPE, walk.column(SNAP["type"], group), group.moved(SNAP.stop))


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``Type 0x88cc LLDP`` or the length of an 802.3 payload."""
    kind = layer.number(dissection.data, "type")
    if isinstance(kind, int):
        name = ETHERTYPE_NAMES.get(kind, "")
        return f"Type 0x{kind:04x} {name}".rstrip()
    return f"Length {layer.number(dissection.data, 'len')}"


def info_llc(layer: Layer, dissection: Dissection) -> str:
    """Return the service access points, or SNAP's organization and type."""
    data = dissection.data
    oui, kind = layer.number(data, "oui"), layer.number(data, "type")
    if isinstance(oui, int) and isinstance(kind, int):
        return f"SNAP 0x{oui:06x} type 0x{kind:04x} {ETHERTYPE_NAMES.get(kind, '')}".rstrip()
    point = LLC["dsap"].number(data, layer.offset)
    return f"LLC to {SAP_NAMES.get(point, f'service access point {point}')}"


TOOLS = OtherTools(
    scapy=ScapyLayer("Ether", {"dst": "dst", "src": "src", "type": "type"}),
    nping=CommandOptions(
        ("--send-eth",),
        {
            "dst": Argument("--dest-mac", is_text=True),
            "src": Argument("--source-mac", is_text=True),
        },
    ),
    pcap="ether",
)

PROTOCOLS = (
    Protocol(
        name="eth",
        shown="Ethernet",
        tables=(ETHERNET, ETHERNET_802_3),
        info=info,
        addresses=("src", "dst"),
        readers=(
            Reader(Numbering.LINK, (LinkType.ETHERNET,), parse, step),
            Reader(
                Numbering.ETHERTYPE,
                (EtherType.TRANSPARENT_ETHERNET,),
                parse,
                step,
                is_computed=False,
            ),
        ),
        computed={"type": computed_number.ETHERTYPE, "len": computed_number.CARRIED},
        kinds=(
            LayerKind("eth", "Ethernet II", LayerPosition.LINK, (ETHERNET,)),
            LayerKind("802.3", "IEEE 802.3 Ethernet", LayerPosition.LINK, (ETHERNET_802_3,)),
        ),
        tools=TOOLS,
        is_listed=True,
    ),
    Protocol(
        name="llc",
        shown="LLC",
        tables=(LLC, LLC_16_BIT, SNAP, ETHERNET_INVALID),
        info=info_llc,
        readers=(Reader(Numbering.LLC, (0,), parse_llc, step_llc),),
    ),
)
