"""Packets that are ready to leave: which way, through which interface, and what to ask before.

This is where route, rails and injector come together, so that the screen and the command line do
the same. A departure is made of bytes; nothing is sent before `PreparedTransmission.open`.
"""

from __future__ import annotations

import errno
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.forge.ip_packet import destination_of, system_payload
from core.forge.review.confirmation import Examination, SendVolume, examine
from core.forge.review.loopback_rules import dropped_on_lo
from core.forge.send_errors import Circumstances, SendError, no_way, refused
from core.forge.transmit.injector import Injector, open_ip, open_link, open_system
from core.forge.values import Egress, SendMethod
from core.net.host_addresses import HostAddresses
from core.net.interface_lookup import UnknownInterfaceError, require_interface
from core.net.routes import (
    ARPHRD_ETHER,
    ARPHRD_LOOPBACK,
    IFF_LOOPBACK,
    IFF_NOARP,
    Route,
    RouteKind,
    find_route,
    resolve_neighbor,
)
from core.net.sockets import LOCAL_SOCKETS, SocketProvider


@dataclass(frozen=True, slots=True)
class PreparedTransmission:
    """`packets` as built, sent in their order. `interface` is where they leave; `mtu` in bytes."""

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
        """What the user is to be asked; the questions of all packets, each once."""
        host = host or HostAddresses()
        found = [
            examine(
                packet,
                verbatim=self.method is SendMethod.LINK,
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

    def open(self, *, bypass: bool = False, sockets: SocketProvider = LOCAL_SOCKETS) -> Injector:
        """The socket. Raises `SendError` and `core.net.sockets.NotPermittedError`.

        The next hop is asked for its link address, if need be: a packet to nobody is refused
        here, since the kernel would take it and drop it silently.
        """
        first = self.packets[0]
        if self.route is not None:
            _check_neighbor(self.route, destination_of(first, self.network)[0])
        match self.method:
            case SendMethod.LINK:
                return open_link(self.interface, self.mtu, bypass=bypass, sockets=sockets)
            case SendMethod.SYSTEM:
                return open_system(first, self._out, sockets)
        return open_ip(first, self._out, sockets)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of what becomes of the packets, one sentence each."""
        if self.method is not SendMethod.LINK or not self.is_loopback:
            return ()
        host = HostAddresses()
        found = dict.fromkeys(dropped_on_lo(packet, host) for packet in self.packets)
        return tuple(note for note in found if note)

    @property
    def is_to_one_host(self) -> bool:
        """True if the route says that one host gets the packets; of frames nothing says
        it."""
        return self.route is not None and self.route.kind in (RouteKind.UNICAST, RouteKind.LOCAL)

    @property
    def _out(self) -> Egress:
        return Egress(self.interface, self.index, self.mtu, self.network)

    @property
    def given_to_kernel(self) -> tuple[bytes, ...]:
        """What the socket is given: all of each packet, or what follows the IP header."""
        if self.method is SendMethod.SYSTEM:
            return tuple(system_payload(packet, self.network) for packet in self.packets)
        return self.packets


def prepare(
    packets: Sequence[bytes], method: SendMethod, interface: str = "", network: str = ""
) -> PreparedTransmission:
    """Find out how packets leave. Raises `SendError` where they cannot.

    A verbatim departure needs an `interface`; for the others the route decides, and the packets of
    one departure have one destination. `network` says what the packets' first header is meant to be
    (``ip``, ``ipv6``), which lets it have a wrong version.
    """
    if method is SendMethod.LINK:
        try:
            link = require_interface(interface)
        except UnknownInterfaceError as error:
            raise SendError(errno.ENODEV, str(error)) from error
        if link.hardware_type not in (ARPHRD_ETHER, ARPHRD_LOOPBACK):
            raise SendError(
                0,
                f"{link.name} carries no Ethernet frames: verbatim (--link) is not for it",
            )
        loopback = bool(link.flags & IFF_LOOPBACK)
        return PreparedTransmission(
            tuple(packets), method, link.name, link.index, link.mtu, loopback
        )
    text, address = destination_of(packets[0], network)
    if any(destination_of(packet, network)[1] != address for packet in packets):
        raise SendError(0, "these packets have different destinations: send them one by one")
    try:
        route = find_route(address)
    except OSError as error:
        raise no_way(error.errno or 0, text) from error
    link, loopback = route.link, route.is_loopback
    return PreparedTransmission(
        tuple(packets), method, link.name, link.index, route.mtu, loopback, route, network
    )


def _check_neighbor(route: Route, destination: str) -> None:
    """Raise `SendError` (EHOSTUNREACH) if the next hop was asked for and nobody answered."""
    if route.is_loopback or route.kind != RouteKind.UNICAST or route.link.flags & IFF_NOARP:
        return
    try:
        found = resolve_neighbor(route.link.index, route.next_hop)
    except OSError:
        return  # the kernel could not be told to ask: it will when the packet comes
    if found is None:
        raise refused(errno.EHOSTUNREACH, Circumstances(destination, route.link.name))
