"""Packets that are ready to leave: send method, interface, and what to ask the user before.

Route, confirmation, and injector come together here, so that the screen and the command line do the
same. A transmission consists of bytes; nothing is sent before `PreparedTransmission.open`.
"""

from __future__ import annotations

import errno
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.forge.ip_packet import destination_of, system_payload
from core.forge.review.confirmation import Examination, SendVolume, examine
from core.forge.review.loopback_rules import dropped_on_lo
from core.forge.send_errors import Circumstances, SendError, no_route, refused
from core.forge.transmit.injector import Injector, open_ip, open_link, open_system
from core.forge.transmit.link_header import check_carrier, method_on
from core.forge.values import Egress, SendMethod
from core.net.host_addresses import HostAddresses
from core.net.interface_lookup import UnknownInterfaceError, require_interface
from core.net.routes import (
    IFF_LOOPBACK,
    IFF_NOARP,
    Route,
    RouteKind,
    find_route,
    resolve_neighbor,
)
from core.net.sockets import SocketProvider
from core.wire.network.ipv4 import IPV4


@dataclass(frozen=True, slots=True)
class PreparedTransmission:
    """`packets` as built, sent in this order. They leave on `interface`; `mtu` is in bytes."""

    packets: tuple[bytes, ...]
    method: SendMethod
    interface: str
    index: int
    mtu: int
    is_loopback: bool
    route: Route | None = None  # None for verbatim frames: the interface was chosen
    network: str = ""  # ``ip`` or ``ipv6``, where it is known whatever the version field says

    def examine(
        self,
        load: SendVolume,
        known: Collection[str] = frozenset(),
        host: HostAddresses | None = None,
    ) -> Examination:
        """Return the questions for the user about all packets, each question once."""
        host = host or HostAddresses()
        found = [
            examine(
                packet,
                verbatim=self.method.is_verbatim,
                is_bare=self.method is SendMethod.PACKET,
                interface=self.interface,
                is_loopback=self.is_loopback,
                network=self.network,
                system=self.method is SendMethod.SYSTEM,
                load=load,
                known=known,
                host=host,
            )
            for packet in self.packets
        ]
        questions = dict.fromkeys(question for one in found for question in one.questions)
        marks = frozenset(mark for one in found for mark in one.marks)
        return Examination(found[0].destination, found[0].target, tuple(questions), marks)

    def open(self, sockets: SocketProvider, *, bypass: bool = False) -> Injector:
        """Return the open socket. Raises `SendError` and `core.net.sockets.NotPermittedError`.

        Asks the next hop for its link address if need be, and refuses a packet if it does not
        answer: the kernel would take such a packet and drop it silently.
        """
        first = self.packets[0]
        if self.route is not None:
            _check_neighbor(self.route, destination_of(first, self.network)[0])
        match self.method:
            case SendMethod.LINK | SendMethod.PACKET as method:
                return open_link(self.interface, self.mtu, sockets, bypass=bypass, method=method)
            case SendMethod.SYSTEM:
                return open_system(first, self._out, sockets)
        return open_ip(first, self._out, sockets)

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user about what happens to the packets, one sentence each."""
        if self.method is not SendMethod.LINK or not self.is_loopback:
            return ()
        host = HostAddresses()
        found = dict.fromkeys(dropped_on_lo(packet, host) for packet in self.packets)
        return tuple(note for note in found if note)

    @property
    def is_to_one_host(self) -> bool:
        """True if the route leads to one host; unknown, and False, for frames."""
        return self.route is not None and self.route.kind in (RouteKind.UNICAST, RouteKind.LOCAL)

    @property
    def _out(self) -> Egress:
        return Egress(self.interface, self.index, self.mtu, self.network)

    @property
    def given_to_kernel(self) -> tuple[bytes, ...]:
        """The bytes for the socket: whole packets, or what follows their IP headers."""
        if self.method is SendMethod.SYSTEM:
            return tuple(system_payload(packet, self.network) for packet in self.packets)
        return self.packets


def prepare(
    packets: Sequence[bytes], method: SendMethod, interface: str = "", network: str = ""
) -> PreparedTransmission:
    """Find out how packets leave. Raises `SendError` if they cannot.

    Verbatim packets need an `interface`; on one without link headers, LINK becomes PACKET. Without
    `method` LINK or PACKET the route decides, and all packets have one destination.
    `network` is the protocol of the first layer (``ip``, ``ipv6``), which lets its version field be
    wrong.
    """
    if method.is_verbatim:
        try:
            link = require_interface(interface)
        except UnknownInterfaceError as error:
            raise SendError(errno.ENODEV, str(error)) from error
        found = method_on(link)
        if found is None:
            words = "carries neither Ethernet frames nor bare IP packets"
            raise SendError(0, f"{link.name} {words}: verbatim (--link) is not for it")
        if method is SendMethod.PACKET and found is SendMethod.LINK:
            raise SendError(0, f"{link.name} needs a link header: put Ethernet around the packet")
        check_carrier(link)
        loopback, known = bool(link.flags & IFF_LOOPBACK), ""
        if found is SendMethod.PACKET:
            _check_bare(packets, link.name, network)
            known = network
        return PreparedTransmission(
            tuple(packets), found, link.name, link.index, link.mtu, loopback, None, known
        )
    text, address = destination_of(packets[0], network)
    if any(destination_of(packet, network)[1] != address for packet in packets):
        raise SendError(0, "these packets have different destinations: send them one by one")
    try:
        route = find_route(address)
    except OSError as error:
        raise no_route(error.errno or 0, text) from error
    link, loopback = route.link, route.is_loopback
    return PreparedTransmission(
        tuple(packets), method, link.name, link.index, route.mtu, loopback, route, network
    )


def _check_bare(packets: Sequence[bytes], interface: str, network: str) -> None:
    """Raise `SendError` if one of the packets does not begin with an IP header."""
    for packet in packets:
        if len(packet) < IPV4.size or not (network or packet[0] >> 4 in (4, 6)):
            raise SendError(
                0, f"{interface} has no link header: send IP packets there, without Ethernet"
            )


def _check_neighbor(route: Route, destination: str) -> None:
    """Raise `SendError` (EHOSTUNREACH) if the next hop does not answer."""
    if route.is_loopback or route.kind != RouteKind.UNICAST or route.link.flags & IFF_NOARP:
        return
    try:
        found = resolve_neighbor(route.link.index, route.next_hop)
    except OSError:
        return  # the kernel cannot ask now; it does when the packet arrives
    if found is None:
        raise refused(errno.EHOSTUNREACH, Circumstances(destination, route.link.name))
