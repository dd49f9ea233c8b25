"""Decide which addresses of a packet belong to this host."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property

from core.net import netlink
from core.net.interface_lookup import find_interface
from core.net.routes import RouteKind, find_route, known_neighbor, own_addresses

_MOST_KINDS = 1 << 16  # addresses whose kind is kept


class HostAddresses:
    """The addresses of this host. Asks the kernel on first use, then caches the answer."""

    def __init__(self) -> None:
        self._kinds: dict[bytes, int] = {}
        self._links: dict[str, netlink.LinkMessage | None] = {}

    @cached_property
    def _addresses(self) -> frozenset[bytes]:
        return own_addresses()

    @cached_property
    def _macs(self) -> frozenset[bytes]:
        return frozenset(link.address for link in netlink.dump_links())

    def kind(self, address: bytes) -> int:
        """Return the `RouteKind` of an IP address; UNICAST if the kernel has no route to it."""
        if address not in self._kinds:
            if len(self._kinds) >= _MOST_KINDS:
                self._kinds.clear()
            try:
                self._kinds[address] = find_route(address).kind
            except OSError:
                self._kinds[address] = RouteKind.UNICAST
        return self._kinds[address]

    def owns(self, address: bytes) -> bool:
        """Return True for an IP address of this host, 127.0.0.0/8 included."""
        return address in self._addresses or self.kind(address) == RouteKind.LOCAL

    def link_address(self, interface: str, destination: bytes) -> bytes | None:
        """Return the link address through which an interface reaches an IP address.

        That is the next hop's present one in the neighbor table; None if the table has none.
        """
        if interface not in self._links:
            self._links[interface] = find_interface(interface)
        link = self._links[interface]
        if link is None:
            return None
        hop = destination
        with suppress(OSError):
            route = find_route(destination)
            if route.link.index == link.index:
                hop = route.next_hop
        return known_neighbor(link.index, hop)

    def owns_mac(self, mac: bytes) -> bool:
        """Return True for the link address of one of this host's interfaces."""
        return mac in self._macs
