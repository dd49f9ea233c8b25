"""Suggest values for a draft's open fields from routes: source addresses, the next hop's MAC.

These are not defaults of a header, because they depend on the destination. Suggesting reads the
routing and neighbor tables and sends nothing; only with `resolve` may the kernel ask the link.

A frame for a chosen interface needs no route. A route through that interface gives the next hop and
the source that the kernel would use. Without such a route, the next hop is the destination itself,
and the source is an address of the interface; if it has none of the family, the source stays
0.0.0.0 or ::, as a DHCP client's does (RFC 2131 §4.1). A group's link address is computed (RFC 1112
§6.4, RFC 2464 §7).

An ARP message and a neighbor solicitation have no routed destination, so the route to their target
decides. One about this host's own address leaves on the interface that has the address.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.forge.compose.draft import Draft
from core.forge.compose.draft_parser import given_values, outer_values
from core.forge.compose.layer_kinds import network_layer
from core.forge.send_errors import Circumstances, no_route, refused
from core.net import netlink
from core.net.interface_lookup import find_interface, unknown_interface
from core.net.netlink import LinkMessage, dump_links
from core.net.routes import (
    IFF_LOOPBACK,
    Route,
    RouteKind,
    addresses_of,
    find_route,
    group_address,
    known_neighbor,
    link_of,
    resolve_neighbor,
    source_on,
)
from core.wire.model.batch import Network
from core.wire.model.field import Value
from core.wire.network.arp import ARP, REQUEST
from core.wire.network.neighbor_discovery import SOLICITATION
from core.wire.registry import PROTOCOLS


def _address_fields(end: int) -> dict[str, tuple[str, int]]:
    """Return the field with one of the `addresses`, and its size (bytes), by network protocol."""
    return {
        protocol.name: (slot.key, slot.field.bits // 8)
        for protocol in PROTOCOLS
        if protocol.network is not Network.NONE and protocol.addresses is not None
        for table in protocol.tables
        for slot in table.slots
        if slot.key == protocol.addresses[end]
    }


_SOURCES, _DESTINATIONS = _address_fields(0), _address_fields(1)
_SOLICITED = f"{SOLICITATION.name}.nd.ns.target_address"
_SOLICITED_NODE = ipaddress.ip_address("ff02::1:ff00:0").packed[:-3]
_MAC_BYTES = 6
_BROADCAST_MAC = (1 << 48) - 1
_GROUP = 0xFF  # the first byte of an IPv6 group


@dataclass(frozen=True, slots=True)
class RouteSuggestions:
    """Suggested `values` by key, for `evaluate`.

    `route` leads to the destination; without one, `trouble` is the reason. `link` is where the
    packet leaves: the chosen interface, or the route's.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    route: Route | None = None
    link: LinkMessage | None = None
    trouble: str = ""

    @property
    def interface(self) -> str:
        """The name of the interface where the packet leaves; empty without `link`."""
        return self.link.name if self.link is not None else ""


def suggest_from_routes(
    draft: Draft, interface: str = "", *, resolve: bool = False
) -> RouteSuggestions:
    """Return suggestions for `draft`, which leaves through `interface` if one is chosen.

    With `resolve` the kernel may ask the link for the next hop's MAC address: use it when sending.
    """
    given = outer_values(draft) | given_values(draft)
    link = find_interface(interface) if interface else None
    if interface and link is None:
        return RouteSuggestions(trouble=unknown_interface(interface, dump_links()))
    aim = destination(draft, given)
    route, trouble = _route(aim)
    if route is not None and not _is_routed(draft, given):
        route = _on_owner(route, aim)
    if link is not None:
        trouble = ""  # it leaves here, route or not
    elif trouble and draft.has_link and aim is not None:
        trouble = f"no route to {_text(aim)} says where the frame leaves: choose its interface"
    source = _source(aim, route, link)
    if link is None and route is not None:
        link = route.link
    values: dict[str, Value] = {}
    if source:
        number = int.from_bytes(source, "big")
        values |= {
            f"{name}.{key}": number for name, (key, size) in _SOURCES.items() if size == len(source)
        }
    group = _group_of_target(draft, given)
    if group is not None:
        values["ipv6.dst"] = int.from_bytes(group, "big")
    if link is not None:
        own = int.from_bytes(link.address, "big") if len(link.address) == 6 else 0
        values |= {"eth.src": own, "arp.src.hw_mac": own}
        values = {**_arp(link), **values}
        mac = _next_hop_mac(draft, given, group or aim, route, link, resolve)
        if isinstance(mac, int):
            values["eth.dst"] = mac
        elif mac:
            trouble = trouble or mac
    return RouteSuggestions(values, route, link, trouble)


def destination(draft: Draft, given: Mapping[str, Value]) -> bytes | None:
    """Return the address among the values `given` whose route a packet takes, or None.

    It is the outermost network destination, or the target of an ARP message or of a neighbor
    solicitation.
    """
    network = network_layer(draft.layers)
    if network is None or network.name not in _DESTINATIONS:
        return None
    key, size = _DESTINATIONS[network.name]
    value = given.get(f"{network.name}.{key}")
    if not network.has_pseudo_header:
        value = value or None  # zeros are not a target
    elif not _is_routed(draft, given):
        value = given[_SOLICITED]
    return value.to_bytes(size, "big") if isinstance(value, int) else None


def _is_routed(draft: Draft, given: Mapping[str, Value]) -> bool:
    """Return False for ARP, and for a neighbor solicitation to a group or without destination."""
    network = network_layer(draft.layers)
    if network is None or not network.has_pseudo_header:
        return False
    if network.name != "ipv6" or _SOLICITED not in given:
        return True
    value = given.get("ipv6.dst")
    return isinstance(value, int) and value >> 120 != _GROUP


def _group_of_target(draft: Draft, given: Mapping[str, Value]) -> bytes | None:
    """Return the group that a neighbor solicitation goes to (RFC 4291 §2.7.1), or None.

    It is the one that the user typed, else the solicited-node group of the target.
    """
    network = network_layer(draft.layers)
    if network is None or network.name != "ipv6" or _is_routed(draft, given):
        return None
    value, target = given.get("ipv6.dst"), given[_SOLICITED]
    if isinstance(value, int):
        return value.to_bytes(16, "big")
    assert isinstance(target, int)
    return _SOLICITED_NODE + target.to_bytes(16, "big")[-3:]


def _on_owner(route: Route, aim: bytes | None) -> Route:
    """Return the route to this host's own address on the interface that has the address."""
    if route.kind != RouteKind.LOCAL or aim is None:
        return route
    owner = next((one.index for one in netlink.dump_addresses() if one.address == aim), None)
    return route if owner is None else replace(route, link=link_of(owner), source=aim)


def _route(address: bytes | None) -> tuple[Route | None, str]:
    if address is None:
        return None, ""
    try:
        return find_route(address), ""
    except OSError as error:
        return None, str(no_route(error.errno or 0, _text(address)))


def _source(aim: bytes | None, route: Route | None, chosen: LinkMessage | None) -> bytes:
    """Return the source address for a destination, or no bytes.

    It is the route's, unless the route leads through another interface than the `chosen` one.
    """
    if aim is None:
        return b""
    if route is not None and (chosen is None or route.link.index == chosen.index):
        return route.source
    return source_on(chosen.index, aim) if chosen is not None else b""


def _arp(link: LinkMessage) -> dict[str, Value]:
    for address in addresses_of(link.index):
        if len(address) == 4:
            return {"arp.src.proto_ipv4": int.from_bytes(address, "big")}
    return {}


def _next_hop_mac(
    draft: Draft,
    given: Mapping[str, Value],
    address: bytes | None,
    route: Route | None,
    link: LinkMessage,
    resolve: bool,
) -> int | str:
    """Return the MAC address for a frame to `address`, or why it is unknown; empty for no frame."""
    if not draft.has_link or "eth.dst" in given:
        return ""
    if link.flags & IFF_LOOPBACK:
        return 0
    if "arp" in draft.layers:
        asking = given.get("arp.opcode", ARP["opcode"].field.default) == REQUEST
        return _BROADCAST_MAC if asking else ""
    if address is None:
        return ""
    found = link_address(address, route, link, resolve=resolve)
    if found is not None:
        return int.from_bytes(found, "big")
    hop = _text(next_hop(address, route, link))
    return "eth.dst: " + str(refused(errno.EHOSTUNREACH, Circumstances(hop, link.name)))


def link_address(
    address: bytes, route: Route | None, link: LinkMessage, *, resolve: bool
) -> bytes | None:
    """Return the Ethernet address for a packet to `address` on `link`.

    It is a group's, or the next hop's. Return None if it is unknown; with `resolve`, if the next
    hop does not answer either.
    """
    group = group_address(address)
    if group is not None:
        return group
    if route is not None and route.link.index == link.index and route.kind == RouteKind.BROADCAST:
        return _BROADCAST_MAC.to_bytes(_MAC_BYTES, "big")
    found = neighbor(link.index, next_hop(address, route, link), resolve=resolve)
    return found if found is not None and len(found) == _MAC_BYTES else None


def next_hop(address: bytes, route: Route | None, link: LinkMessage) -> bytes:
    """Return the next hop on `link`: the destination itself if no route leads through it."""
    return route.next_hop if route is not None and route.link.index == link.index else address


def neighbor(index: int, address: bytes, *, resolve: bool) -> bytes | None:
    """Return the link address of a next hop, or None if it is not known.

    With `resolve` the kernel asks the link, if it can: that takes CAP_NET_ADMIN, and an interface
    that has the protocol (EINVAL on one without IPv6).
    """
    if resolve:
        with contextlib.suppress(OSError):
            return resolve_neighbor(index, address)
    return known_neighbor(index, address)


def _text(address: bytes) -> str:
    return str(ipaddress.ip_address(address))
