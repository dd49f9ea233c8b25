"""List the interfaces of this host, and derive the link type of each.

The link type follows from the kernel's hardware type (ARPHRD_*, linux/if_arp.h). With it comes the
start of the frame in what the kernel delivers:

* Ethernet and loopback: the link header, which is Ethernet's.
* Tunnels, tun devices and other bare IP links: the network header, link type RAW.
* Anything else: a Linux cooked header (SLL) replaces the link header. It holds what the kernel
  knows: direction, hardware type, sender, protocol.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import IntEnum

from core.net.netlink import LinkMessage, dump_addresses, dump_links
from core.wire.link.link_types import LinkType

# linux/if.h
IFF_UP = 0x1
IFF_LOOPBACK = 0x8
IFF_RUNNING = 0x40
IFF_PROMISC = 0x100

# linux/if_arp.h
ARPHRD_ETHER = 1
ARPHRD_RAWIP = 519
ARPHRD_TUNNEL = 768
ARPHRD_TUNNEL6 = 769
ARPHRD_LOOPBACK = 772
ARPHRD_SIT = 776
ARPHRD_IEEE80211 = 801
ARPHRD_IEEE80211_RADIOTAP = 803
ARPHRD_NONE = 0xFFFE


class LinkHeader(IntEnum):
    """The start of a frame in what the kernel delivers."""

    LINK = 0  # at the link header
    NETWORK = 1  # at the network header
    COOKED = 2  # at an SLL header written in front of the network header


# The numbers without a name in LinkType are shown as hex only; see core.wire.link.link_types.
_LINK_TYPES: dict[int, tuple[int, LinkHeader]] = {
    ARPHRD_ETHER: (LinkType.ETHERNET, LinkHeader.LINK),
    ARPHRD_LOOPBACK: (LinkType.ETHERNET, LinkHeader.LINK),
    ARPHRD_IEEE80211: (105, LinkHeader.LINK),
    ARPHRD_IEEE80211_RADIOTAP: (127, LinkHeader.LINK),
    ARPHRD_RAWIP: (LinkType.RAW, LinkHeader.NETWORK),
    ARPHRD_TUNNEL: (LinkType.RAW, LinkHeader.NETWORK),
    ARPHRD_TUNNEL6: (LinkType.RAW, LinkHeader.NETWORK),
    ARPHRD_SIT: (LinkType.RAW, LinkHeader.NETWORK),
    ARPHRD_NONE: (LinkType.RAW, LinkHeader.NETWORK),
}

WITHOUT_LINK_HEADER = tuple(
    number for number, (_, framing) in _LINK_TYPES.items() if framing is LinkHeader.NETWORK
)


def link_type_of(hardware_type: int) -> tuple[int, LinkHeader]:
    """Return the link type and the start of a frame of a device with this ARPHRD_* number."""
    return _LINK_TYPES.get(hardware_type, (LinkType.LINUX_SLL, LinkHeader.COOKED))


@dataclass(frozen=True, slots=True)
class InterfaceInfo:
    """One interface. `kind` is the driver's word ("veth", "tun"), empty for plain hardware.

    `addresses` are "192.0.2.2/24", IPv4 first. `up` means that it is switched on, `running` that it
    has a carrier, `promiscuous` that a program (possibly this one) requested every frame.
    `alternative_names` (ip-link(8), altname) find the interface, too.
    """

    name: str
    index: int
    kind: str
    up: bool
    running: bool
    loopback: bool
    mtu: int
    mac: str
    addresses: tuple[str, ...]
    link_type: int
    promiscuous: bool
    hardware_type: int
    alternative_names: tuple[str, ...] = ()


def list_interfaces() -> tuple[InterfaceInfo, ...]:
    """Return every interface of this network namespace, by index. Takes about a millisecond."""
    addresses: dict[int, list[ipaddress.IPv4Interface | ipaddress.IPv6Interface]] = {}
    for found in dump_addresses():
        if len(found.address) in (4, 16):
            text = f"{ipaddress.ip_address(found.address)}/{found.prefix_length}"
            addresses.setdefault(found.index, []).append(ipaddress.ip_interface(text))
    return tuple(
        _interface(link, tuple(str(one) for one in addresses.get(link.index, ())))
        for link in sorted(dump_links(), key=lambda link: link.index)
    )


def _interface(link: LinkMessage, addresses: tuple[str, ...]) -> InterfaceInfo:
    return InterfaceInfo(
        name=link.name,
        index=link.index,
        kind=link.kind,
        up=bool(link.flags & IFF_UP),
        running=bool(link.flags & IFF_RUNNING),
        loopback=bool(link.flags & IFF_LOOPBACK),
        mtu=link.mtu,
        mac=link.address.hex(":"),
        addresses=addresses,
        link_type=link_type_of(link.hardware_type)[0],
        promiscuous=link.promiscuity > 0 or bool(link.flags & IFF_PROMISC),
        hardware_type=link.hardware_type,
        alternative_names=link.alternative_names,
    )
