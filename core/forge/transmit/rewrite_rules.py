"""The changes that a replay makes in its packets, and the texts that describe them.

The texts have the form of tcprewrite(1). An address map lists pairs of networks, between commas:
``10.0.0.0/8:192.168.0.0/16`` or ``[2001:db8::/32]:[fd00::/16]``. The first pair whose first
network contains an address changes it: the leading bits become those of the second network, as many
as its prefix has, and the other bits stay. A network without a prefix length is one address.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TypeAlias

from core.wire.encode.value_text import parse_value
from core.wire.link.ethernet import ETHERNET
from core.wire.model.assigned_numbers import EtherType

IPNetwork: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_PAIR = re.compile(r"\[([^\[\]]+)\]:\[([^\[\]]+)\]|([^:\[\]]+):([^:\[\]]+)")
_TTL = re.compile(r"([+-]?)([0-9]{1,3})")
MOST_HOPS = 255


@dataclass(frozen=True, slots=True)
class NetworkPair:
    """Addresses in `old` get the leading bits of `new`."""

    old: IPNetwork
    new: IPNetwork


AddressMap: TypeAlias = tuple[NetworkPair, ...]


@dataclass(frozen=True, slots=True)
class HopLimitEdit:
    """Set the TTL or hop limit to `number`; if `is_relative`, add it, within 1 … 255."""

    number: int
    is_relative: bool = False


@dataclass(frozen=True, slots=True)
class AddedTag:
    """A VLAN tag to add outside of others.

    `priority` and `dei` are those of the tag that the frame has, or 0, if they are None.
    """

    number: int
    priority: int | None = None
    dei: int | None = None
    protocol: int = EtherType.VLAN


@dataclass(frozen=True, slots=True)
class RewriteRules:
    """The changes that a replay makes.

    `sources` and `destinations` are maps for the IP header; with `in_arp`, the addresses in ARP
    requests and replies are changed by `sources`, too. `source_mac` and `destination_mac` are 6
    bytes. `tag` is added to each frame; `removes_tag` removes the outermost tag instead.
    `fixes_checksums` computes all checksums again; without it, those of changed packets are
    adapted.
    """

    fixes_checksums: bool = False
    sources: AddressMap = ()
    destinations: AddressMap = ()
    in_arp: bool = False
    hop_limit: HopLimitEdit | None = None
    source_mac: bytes | None = None
    destination_mac: bytes | None = None
    tag: AddedTag | None = None
    removes_tag: bool = False

    def __bool__(self) -> bool:
        """Return True if anything changes."""
        return self.changes_packets or self.changes_links

    @property
    def changes_packets(self) -> bool:
        """True if something in or behind the network header changes."""
        maps = self.sources or self.destinations
        return bool(maps or self.hop_limit) or self.fixes_checksums

    @property
    def changes_links(self) -> bool:
        """True if the Ethernet header or its tags change."""
        has_mac = self.source_mac is not None or self.destination_mac is not None
        return has_mac or self.tag is not None or self.removes_tag


def parse_address_map(text: str) -> AddressMap:
    """Return the map that a text describes. Raises `ValueError` with a sentence for the user."""
    return tuple(_pair(part.strip()) for part in text.split(","))


def _pair(text: str) -> NetworkPair:
    found = _PAIR.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text!r} is not a pair of networks: write 10.0.0.0/8:192.168.0.0/16 "
            "or [2001:db8::/32]:[fd00::/16]"
        )
    old, new = (_network(one) for one in found.groups() if one is not None)
    if old.version != new.version:
        raise ValueError(f"{text!r} maps IPv{old.version} to IPv{new.version}")
    return NetworkPair(old, new)


def _network(text: str) -> IPNetwork:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a network: {error}") from error


def parse_hop_limit(text: str) -> HopLimitEdit:
    """Return the edit that ``64``, ``+1``, or ``-1`` describes. Raises `ValueError`."""
    found = _TTL.fullmatch(text.strip())
    number = int(found[2]) if found else 0
    if found is None or not 1 <= number <= MOST_HOPS:
        raise ValueError(f"{text!r} is not 1–{MOST_HOPS}, or +N or -N")
    sign = found[1]
    return HopLimitEdit(-number if sign == "-" else number, is_relative=bool(sign))


def parse_link_address(text: str) -> bytes:
    """Return the 6 bytes of a MAC address. Raises `ValueError`."""
    try:
        value = parse_value(ETHERNET["src"], text)
    except ValueError:
        raise ValueError(f"{text!r} is not a MAC address, e.g. 02:00:5e:10:00:01") from None
    assert isinstance(value, int)
    return value.to_bytes(6, "big")
