"""Find addresses in a packet that mislead the hosts that receive it.

ARP and the neighbor advertisement of IPv6 announce the link address of an IP address; a host that
receives a wrong one sends there. Sources: RFC 826; RFC 4861 §4.4, §7.2.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.forge.review.header_fields import HeaderView, header_of
from core.net.host_addresses import HostAddresses
from core.wire.model.dissection import Dissection
from core.wire.network.arp import ARP, ARP_IPV4, OPERATIONS
from core.wire.network.neighbor_discovery import NEIGHBOR, OPTIONS, TARGET_LINK

_LINK = "target_linkaddr"


@dataclass(frozen=True, slots=True)
class SpoofedAddress:
    """A suspicious address: `mark` is stored with an approval, `sentence` is the question."""

    mark: str
    sentence: str


def spoofed_addresses(read: Dissection, host: HostAddresses) -> list[SpoofedAddress]:
    """Return the announcements of addresses that this host does not own."""
    found = (_of_arp(read, host), _of_neighbor(read, host))
    return [address for address in found if address is not None]


def operation_of(arp: HeaderView | None) -> str:
    """Return ``ARP request`` or another operation; empty without an ARP header."""
    if arp is None:
        return ""
    number = int.from_bytes(arp.raw("opcode"), "big")
    return f"ARP {OPERATIONS.get(number, f'operation {number}')}"


def is_foreign(source: bytes, owns: Callable[[bytes], bool]) -> bool:
    """Return True for a nonzero address that this host does not own."""
    return any(source) and not owns(source)


def _of_arp(read: Dissection, host: HostAddresses) -> SpoofedAddress | None:
    arp = header_of(read, ARP_IPV4)
    if arp is None:
        return None
    foreign = is_foreign(arp.raw("src.proto_ipv4"), host.owns)
    if not foreign and not is_foreign(arp.raw("src.hw_mac"), host.owns_mac):
        return None
    operation = operation_of(header_of(read, ARP))
    where = f"{arp.text('src.proto_ipv4')} is at {arp.text('src.hw_mac')}"
    return SpoofedAddress(f"{operation} {where}", _sentence(operation, where, foreign))


def _of_neighbor(read: Dissection, host: HostAddresses) -> SpoofedAddress | None:
    advertisement = header_of(read, NEIGHBOR)
    if advertisement is None:
        return None
    link = _target_link(read)
    foreign = is_foreign(advertisement.raw("nd.na.target_address"), host.owns)
    if not foreign and (link is None or not is_foreign(link.raw(_LINK), host.owns_mac)):
        return None
    at = f"at {link.text(_LINK)}" if link is not None else "where it comes from"
    where = f"{advertisement.text('nd.na.target_address')} is {at}"
    return SpoofedAddress(
        f"advertises {where}", _sentence("neighbor advertisement", where, foreign)
    )


def _target_link(read: Dissection) -> HeaderView | None:
    """Return the option of a neighbor advertisement that contains the link address."""
    for layer in read.layers:
        for option in layer.options if NEIGHBOR in layer.tables else ():
            known = OPTIONS.kinds.get(option.kind)
            whole = option.span.start + TARGET_LINK.stop <= len(read.data)
            if known is not None and known.table is TARGET_LINK and whole:
                return HeaderView(TARGET_LINK, read.data, option.span.start)
    return None


def _sentence(who: str, where: str, foreign: bool) -> str:
    whose = "the address" if foreign else "the link address"
    return (
        f"The {who} says that {where}, and {whose} does not belong to this host: "
        "hosts that hear it will send there."
    )
