"""VRRP: which of several routers has the addresses of a virtual router.

RFC 5798 (version 3, IPv4 and IPv6) and RFC 3768 (version 2, IPv4 only). Both begin with the same
four bytes, and their checksum is in the same place; between them, version 3 has an interval in
hundredths of a second, version 2 an authentication type and an interval in seconds. As in
Wireshark, every version but 3 is read as version 2.

The addresses follow, as long as those of the IP header, and in version 2 eight bytes of
authentication data (RFC 3768 §5.3.10), which belong to the header without a field. The first
address is a field of the header; further ones are read as its options.

The checksum covers the whole message, in version 3 with the pseudo-header (RFC 5798 §5.2.8), in
version 2 without (RFC 3768 §5.3.8).
"""

from __future__ import annotations

import numpy as np

from core.wire.checksum import packet_checksums
from core.wire.model.batch import BatchReader, FrameGroup, Network
from core.wire.model.dissection import Check, Dissection, Layer, Option, OptionValue
from core.wire.model.field import Field, IPv4Address, IPv6Address, Span
from core.wire.model.other_tools import OtherTools, ScapyLayer
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import (
    REST_BODY,
    ChecksumRule,
    LayerKind,
    LayerPosition,
    Protocol,
    Reader,
)

VRRP_NUMBER = 112  # the IP protocol
VERSION_2, VERSION_3 = 2, 3
GROUP, GROUP_6 = 0xE0000012, (0xFF02 << 112) + 0x12  # 224.0.0.18, ff02::12
HOP_LIMIT = 255  # a router drops a packet with any other
ADVERTISEMENT = 1
TYPES = {ADVERTISEMENT: "Advertisement"}
PRIORITIES = {0: "The active router stops", 100: "Default", 255: "Owner of the addresses"}
AUTHENTICATION_TYPES = {  # RFC 2338 §5.3.6; RFC 3768 §5.3.6 reserves 1 and 2
    0: "None",
    1: "Simple text",
    2: "IP authentication header",
}
AUTHENTICATION_BYTES = 8
SHOWN_TYPES = {ADVERTISEMENT: "Announcement"}  # Wireshark's word in the Info line


def _common(version: int) -> tuple[Field, ...]:
    return (
        Field("version", 4, "Version", default=version),
        Field("type", 4, "Type", values=TYPES, default=ADVERTISEMENT),
        Field("virt_rtr_id", 8, "Virtual router identifier", default=1),
        Field("prio", 8, "Priority", values=PRIORITIES, default=100),
        Field("addr_count", 8, "Number of addresses", default=1),
    )


def _checksum() -> Field:
    return Field("checksum", 16, "Checksum", base=16, automatic=True)


VRRP = HeaderTable(
    "vrrp",
    "Virtual Router Redundancy Protocol",
    "RFC 5798 §5.1",
    *_common(VERSION_3),
    Field("reserved_mbz", 4, "Reserved"),
    Field("short_adver_int", 12, "Advertisement interval", suffix="× 0.01 s", default=100),
    _checksum(),
)
VRRP_2 = HeaderTable(
    "vrrp",
    "Virtual Router Redundancy Protocol",
    "RFC 3768 §5.1",
    *_common(VERSION_2),
    Field("auth_type", 8, "Authentication type", values=AUTHENTICATION_TYPES),
    Field("adver_int", 8, "Advertisement interval", suffix="s", default=1),
    _checksum(),
)
ADDRESS = HeaderTable(
    "vrrp", "VRRP address", "RFC 5798 §5.1", IPv4Address("ip_addr", "Address"), start=VRRP.stop
)
ADDRESS_6 = HeaderTable(
    "vrrp", "VRRP address", "RFC 5798 §5.1", IPv6Address("ipv6_addr", "Address"), start=VRRP.stop
)


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the message: its form by the version, its addresses by their number."""
    if not walk.begin(VRRP, offset):
        return None
    is_version_3 = VRRP["version"].number(walk.data, offset) == VERSION_3
    count = VRRP["addr_count"].number(walk.data, offset)
    is_over_ipv6 = walk.endpoints is not None and len(walk.endpoints.source) == ADDRESS_6.size
    address = ADDRESS_6 if is_over_ipv6 else ADDRESS
    size = VRRP.size + count * address.size
    form = VRRP if is_version_3 else VRRP_2
    check = _check(walk, offset, form)
    is_whole = walk.has("vrrp", offset, size, "header with addresses")
    if is_whole and not is_version_3:
        size = min(size + AUTHENTICATION_BYTES, walk.stop - offset)
    further = _further_addresses(walk, offset, address, count)
    walk.add(
        (form, address) if count else (form,),
        offset,
        size,
        options=further,
        options_span=Span(further[0].span.start, further[-1].span.stop) if further else None,
        checks=(check,),
    )
    return None


def _further_addresses(
    walk: Walk, offset: int, address: HeaderTable, count: int
) -> tuple[Option, ...]:
    """Return the addresses after the first, as far as they are there."""
    slot = address.slots[0]
    end = min(walk.captured, walk.stop)
    found: list[Option] = []
    for index in range(1, count):
        at = offset + index * address.size
        span = slot.span.shifted(at)
        if span.stop > end:
            break
        value = OptionValue(slot, slot.read(walk.data, at), span)
        found.append(Option("vrrp.address", f"Address {index + 1}", index, span, (value,)))
    return tuple(found)


def _check(walk: Walk, offset: int, form: HeaderTable) -> Check:
    slot = form["checksum"]
    if form is VRRP:
        return packet_checksums.check_transport(walk, slot, offset, walk.stop, VRRP_NUMBER)
    return packet_checksums.check_message(walk, slot, offset)


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many messages, as `parse` does one."""
    group = walk.begin(VRRP, group)
    is_version_2 = walk.column(VRRP["version"], group) != VERSION_3
    walk.reclassify(VRRP, VRRP_2, group.where(is_version_2))
    count = walk.column(VRRP["addr_count"], group).astype(np.int64)
    is_over_ipv6 = walk.network.take(group.rows) == Network.IPV6
    walk.found(ADDRESS, group.where((count > 0) & ~is_over_ipv6))
    walk.found(ADDRESS_6, group.where((count > 0) & is_over_ipv6))
    walk.has(group, VRRP.size + count * np.where(is_over_ipv6, ADDRESS_6.size, ADDRESS.size))


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``Announcement (v3)``, as Wireshark does, with router, priority, and first address."""
    data = dissection.data
    version, kind, router, priority = (
        layer.number(data, key) for key in ("version", "type", "virt_rtr_id", "prio")
    )
    text = f"{SHOWN_TYPES.get(kind or 0, f'Type {kind}')} (v{version})"
    text += f" router {router}, priority {priority}"
    table = layer.tables[-1]
    if table in (ADDRESS, ADDRESS_6):
        slot = table.slots[0]
        text += f", {slot.text(slot.number(data, layer.offset))}"
    return text


OUTER_VALUES = {  # RFC 5798 §5.1.1.2, §5.1.1.3; §5.1.2.2, §5.1.2.3
    "ip": {"ip.dst": GROUP, "ip.ttl": HOP_LIMIT},
    "ipv6": {"ipv6.dst": GROUP_6, "ipv6.hlim": HOP_LIMIT},
}


def _kind(name: str, title: str, over: str, *tables: HeaderTable) -> LayerKind:
    return LayerKind(
        name,
        title,
        LayerPosition.TRANSPORT,
        tables,
        over=over,
        outer_values=OUTER_VALUES[over],
        body=REST_BODY,
    )


TOOLS = OtherTools(
    scapy=ScapyLayer(
        "VRRPv3",
        {
            "version": "version",
            "type": "type",
            "virt_rtr_id": "vrid",
            "prio": "priority",
            "addr_count": "ipcount",
            "reserved_mbz": "res",
            "short_adver_int": "adv",
            "checksum": "chksum",
            "ip_addr": "addrlist",
            "ipv6_addr": "addrlist",
        },
        lists=frozenset({"ip_addr", "ipv6_addr"}),
        when=("version", frozenset({VERSION_3})),
        carries_payload=False,  # its checksum leaves the payload out
    ),
)
"""Version 2 has no class here: scapy's always writes 8 bytes of authentication data."""

PROTOCOLS = (
    Protocol(
        name="vrrp",
        shown="VRRP",
        tables=(VRRP, VRRP_2, ADDRESS, ADDRESS_6),
        info=info,
        headline={"virt_rtr_id": "router"},
        options_label="Further addresses",
        has_open_end=True,
        readers=(Reader(Numbering.IP_PROTOCOL, (VRRP_NUMBER,), parse, step),),
        checksum=ChecksumRule(
            pseudo_header=True, pseudo_header_when=("version", frozenset({VERSION_3}))
        ),
        kinds=(
            _kind("vrrp", "VRRPv3", "ip", VRRP, ADDRESS),
            _kind("vrrp6", "VRRPv3 (IPv6)", "ipv6", VRRP, ADDRESS_6),
            _kind("vrrp2", "VRRPv2", "ip", VRRP_2, ADDRESS),
        ),
        tools=TOOLS,
        is_listed=True,
    ),
)
