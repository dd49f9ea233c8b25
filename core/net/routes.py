"""Ask the kernel's routing and neighbor tables over netlink how a packet leaves.

A route names the interface, the next hop, the source address that the kernel would choose, and the
kind of the destination: this host, one host, every host on the link, a group, or none. The neighbor
table has a next hop's link address after the kernel has resolved it; NTF_USE makes the kernel
resolve it (with CAP_NET_ADMIN). A lookup needs no privilege and sends nothing.

Source: rtnetlink(7); linux/rtnetlink.h, linux/neighbour.h; arp(7). Multicast link addresses: RFC
1112 §6.4 and RFC 2464 §7.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
import time
from dataclasses import dataclass
from enum import IntEnum

from core.net import netlink
from core.net.netlink import LinkMessage

RTMSG = struct.Struct("=8BI")  # family, lengths, tos, table, protocol, scope, type, flags
NDMSG = struct.Struct("=BxxxiHBB")  # family, interface index, NUD_* state, NTF_* flags, type
_RTM_TYPE = 7  # the index of rtm_type

# linux/rtnetlink.h
RTM_GETROUTE = 26
RTM_NEWNEIGH = 28
RTM_GETNEIGH = 30
RTA_DST = 1
RTA_OIF = 4
RTA_GATEWAY = 5
RTA_PREFSRC = 7
RTA_METRICS = 8
RTAX_MTU = 2
# linux/netlink.h
NLM_F_CREATE = 0x400
# linux/neighbour.h
NDA_DST = 1
NDA_LLADDR = 2
NUD_INCOMPLETE = 0x01
NUD_FAILED = 0x20
NTF_USE = 0x01
# linux/if_arp.h
ARPHRD_ETHER = 1
ARPHRD_LOOPBACK = 772
# linux/if.h
IFF_LOOPBACK = 0x8
IFF_NOARP = 0x80

_PATIENCE_S = 1.5  # to wait for the reply to an ARP request or neighbor solicitation
_POLL_S = 0.01


class RouteKind(IntEnum):
    """RTN_*, linux/rtnetlink.h: what a destination is to this host."""

    UNICAST = 1
    LOCAL = 2
    BROADCAST = 3
    ANYCAST = 4
    MULTICAST = 5
    BLACKHOLE = 6
    UNREACHABLE = 7
    PROHIBIT = 8


@dataclass(frozen=True, slots=True)
class Route:
    """The route to one destination.

    Addresses are 4 or 16 bytes. `next_hop` is the destination itself if that is on the link. `mtu`
    is the size of the largest IP packet, in bytes.
    """

    kind: int  # a RouteKind, or another RTN_*
    link: LinkMessage
    source: bytes
    next_hop: bytes
    mtu: int

    @property
    def is_loopback(self) -> bool:
        """True if packets of this route never leave the host."""
        return self.kind == RouteKind.LOCAL or bool(self.link.flags & IFF_LOOPBACK)


def find_route(destination: bytes) -> Route:
    """Return the route to an IPv4 or IPv6 address. Raises OSError (ENETUNREACH without a route)."""
    family = socket.AF_INET if len(destination) == 4 else socket.AF_INET6
    body = RTMSG.pack(family, 8 * len(destination), 0, 0, 0, 0, 0, 0, 0)
    body += netlink.attribute(RTA_DST, destination)
    _kind, answer = next(netlink.ask(RTM_GETROUTE, 0, body))
    found = netlink.attributes(answer[RTMSG.size :])
    index = int.from_bytes(found.get(RTA_OIF, b""), sys.byteorder)
    link = link_of(index)
    metrics = netlink.attributes(found.get(RTA_METRICS, b""))
    mtu = int.from_bytes(metrics.get(RTAX_MTU, b""), sys.byteorder) or link.mtu
    kind = answer[_RTM_TYPE]
    if family == socket.AF_INET6 and destination[0] == 0xFF:
        kind = RouteKind.MULTICAST  # the answer differs between kernel versions
    return Route(kind, link, found.get(RTA_PREFSRC, b""), found.get(RTA_GATEWAY, destination), mtu)


def link_of(index: int) -> LinkMessage:
    """Return the interface with this index. Raises OSError (ENODEV) if it does not exist."""
    link = netlink.get_link(index)
    if link is None:
        raise OSError(errno.ENODEV, f"no interface has the number {index}")
    return link


def own_addresses() -> frozenset[bytes]:
    """Return every network address of this host."""
    return frozenset(found.address for found in netlink.dump_addresses())


def addresses_of(index: int) -> tuple[bytes, ...]:
    """Return the network addresses of one interface, in the kernel's order."""
    return tuple(found.address for found in netlink.dump_addresses() if found.index == index)


def source_on(index: int, destination: bytes) -> bytes:
    """Return the address of one interface that suits a destination best, empty if it has none.

    That is one of the destination's network, else one of its scope (link-local or not, which
    matters for IPv6: RFC 6724 §5, rule 2), else the first.
    """
    found = [
        one
        for one in netlink.dump_addresses()
        if one.index == index and len(one.address) == len(destination)
    ]

    def rank(one: netlink.AddressMessage) -> tuple[bool, bool]:
        bits = 8 * len(destination) - one.prefix_length
        own, other = (
            int.from_bytes(address, "big") >> bits for address in (one.address, destination)
        )
        return own != other, _is_link_local(one.address) != _is_link_local(destination)

    return min(found, key=rank).address if found else b""


def _is_link_local(address: bytes) -> bool:
    """Return True for fe80::/10, and groups of the interface or the link (RFC 4291 §2.7)."""
    if len(address) == 4:
        return False
    if address[0] == 0xFF:
        return address[1] & 0x0F in (1, 2)
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


def group_address(address: bytes) -> bytes | None:
    """Return the link address of a multicast group or IPv4 broadcast; None for other addresses."""
    if len(address) == 16:
        return b"\x33\x33" + address[12:] if address[0] == 0xFF else None
    if address == b"\xff" * 4:
        return b"\xff" * 6
    if 224 <= address[0] <= 239:
        return bytes((0x01, 0x00, 0x5E, address[1] & 0x7F)) + address[2:]
    return None


def known_neighbor(index: int, address: bytes) -> bytes | None:
    """Return the link address of a next hop if the neighbor table has it, else None."""
    state, found = _neighbor(index, address)
    return found if found and not state & (NUD_FAILED | NUD_INCOMPLETE) else None


def resolve_neighbor(index: int, address: bytes, patience_s: float = _PATIENCE_S) -> bytes | None:
    """Return the link address of a next hop; have the kernel resolve it if the table lacks it.

    Return None if no answer arrives in time. Raises PermissionError if the kernel must resolve it
    and this process may not request that.
    """
    found = known_neighbor(index, address)
    if found is not None:
        return found
    family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
    body = NDMSG.pack(family, index, 0, NTF_USE, 0) + netlink.attribute(NDA_DST, address)
    list(netlink.ask(RTM_NEWNEIGH, NLM_F_CREATE | netlink.NLM_F_ACK, body))
    end_s = time.monotonic() + patience_s
    while time.monotonic() < end_s:
        state, found = _neighbor(index, address)
        if state & NUD_FAILED:
            break
        if found and not state & NUD_INCOMPLETE:
            return found
        time.sleep(_POLL_S)
    return None


def _neighbor(index: int, address: bytes) -> tuple[int, bytes]:
    """Return the NUD_* state of a neighbor and its link address; (0, b"") without an entry."""
    family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
    body = NDMSG.pack(family, 0, 0, 0, 0)
    for kind, answer in netlink.ask(RTM_GETNEIGH, netlink.NLM_F_DUMP, body):
        if kind != RTM_NEWNEIGH:
            continue
        _family, entry_index, state, _flags, _type = NDMSG.unpack_from(answer)
        found = netlink.attributes(answer[NDMSG.size :])
        if entry_index == index and found.get(NDA_DST) == address:
            return state, found.get(NDA_LLADDR, b"")
    return 0, b""
