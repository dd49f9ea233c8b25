"""Review one packet that is to leave: its destination, and what is unusual about it.

Addresses are read at their place in the header, whatever its version field says, because the kernel
does the same. Each unusual thing is a `Concern`: a sentence for the user, and the mark to store
when the user approves. A mark names exactly what the user approved: a destination, a source, a link
address, an interface.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from core.forge.ip_packet import destination_of
from core.forge.review.address_spoofing import is_foreign, operation_of, spoofed_addresses
from core.forge.review.header_fields import HeaderView, header_of
from core.forge.send_errors import SendError
from core.net.host_addresses import HostAddresses
from core.net.routes import RouteKind
from core.wire.dissect import dissect
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import Dissection
from core.wire.model.table import HeaderTable
from core.wire.network import ipv4_options, ipv6_routing
from core.wire.network.arp import ARP
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.network.ipv6_extensions import UNIT

_GROUP_BIT = 1  # of a MAC address' first byte: IEEE 802.3 §3.2.3
_STOPS_NAMED = 4
_BROADCAST_MAC = b"\xff" * 6
_NETWORKS = {"ip": IPV4, "ipv6": IPV6}


class Target(Enum):
    """The kind of destination, as this host sees it."""

    OWN = "this host"
    HOST = "another host"
    BROADCAST = "everybody on the link"
    MULTICAST = "a group"


class Unusual(Enum):
    """The subject of a question: its name for one, and for several."""

    DESTINATION = ("destination", "destinations")
    RECEIVER = ("link address", "link addresses")
    SOURCE = ("source", "sources")
    VERBATIM = ("frame", "frames")


@dataclass(frozen=True, slots=True)
class Concern:
    """One unusual thing: the mark to store with an approval (empty: none), and the sentence."""

    kind: Unusual
    mark: str
    sentence: str


@dataclass(slots=True)
class PacketReview:
    """One packet, and what is unusual about it.

    `verbatim` is true for a frame on `interface`; `is_loopback` if that is the loopback. `network`
    is the protocol of the draft's first layer (``ip``, ``ipv6``). `system` is true if the system
    writes the IP header, with its own source. `is_bare` is true for a verbatim packet on an
    interface without link headers.
    """

    packet: bytes
    verbatim: bool
    interface: str
    is_loopback: bool
    network: str
    host: HostAddresses
    system: bool = False
    is_bare: bool = False
    destination: str = ""
    target: Target = Target.HOST
    _link: HeaderView | None = field(default=None, init=False)
    _ip: HeaderView | None = field(default=None, init=False)
    _operation: str = field(default="", init=False)
    _read: Dissection = field(init=False)

    def __post_init__(self) -> None:
        has_link = self.verbatim and not self.is_bare
        link = LinkType.ETHERNET if has_link else LinkType.RAW
        self._read = read = dissect(self.packet, link, len(self.packet))
        if has_link:
            if len(self.packet) >= ETHERNET.size:
                self._link = HeaderView(ETHERNET, self.packet, 0)
            self._ip = header_of(read, IPV4, IPV6)
            self._operation = operation_of(header_of(read, ARP))
        else:
            self._ip = self._first()
        self.destination, self.target = self._find_target()

    def concerns(self) -> list[Concern]:
        """Return each unusual thing about the packet."""
        found = [] if self.target is Target.OWN else [self._new_destination()]
        found += self._carried_destinations()
        found += self._sources()
        found += self._source_route()
        found += self._wrong_link_address()
        if self.verbatim and self.target is not Target.OWN:
            over = self.interface
            words = f"The frame leaves {over} verbatim, past the IP stack and its firewall."
            mark = f"{self.destination} verbatim on {self.interface}" if self._is_named else ""
            found.append(Concern(Unusual.VERBATIM, mark, words))
        return found

    @property
    def _is_named(self) -> bool:
        """True if the packet has an address to remember."""
        return self._ip is not None or self._link is not None

    def _first(self) -> HeaderView | None:
        """Return the header that an IP packet begins with, or None."""
        try:
            _, address = destination_of(self.packet, self.network)
        except SendError:
            return None
        return HeaderView(IPV4 if len(address) == 4 else IPV6, self.packet, 0)

    def _find_target(self) -> tuple[str, Target]:
        """Return the destination as text, and its kind."""
        text = self._ip.text("dst") if self._ip is not None else ""
        mac = self._link.raw("dst") if self._link is not None else b""
        if self.verbatim and self.is_loopback and not text:
            return "loopback", Target.OWN
        if mac and mac[0] & _GROUP_BIT and not self.is_loopback:
            target = Target.BROADCAST if mac == _BROADCAST_MAC else Target.MULTICAST
            mac_text = ETHERNET["dst"].text(int.from_bytes(mac, "big"))
            return (f"{text} ({mac_text})" if text else mac_text), target
        if self._ip is None:
            named = self._link.text("dst") if self._link is not None else "an unreadable packet"
            return named, Target.HOST
        target = self._kind(self._ip.raw("dst"))
        if target is Target.OWN and self.verbatim and not self.is_loopback:
            return text, Target.HOST  # it leaves this host all the same
        return text, target

    def _kind(self, address: bytes) -> Target:
        """Return what the routing table says about an IP destination."""
        kind = self.host.kind(address)
        if kind == RouteKind.LOCAL:
            return Target.OWN
        if kind == RouteKind.BROADCAST or address == b"\xff" * 4:
            return Target.BROADCAST
        group = address[0] == 0xFF if len(address) == 16 else 224 <= address[0] <= 239
        return Target.MULTICAST if group else Target.HOST

    def _new_destination(self) -> Concern:
        """Return the concern that the destination is new, or that many hosts receive the packet."""
        over = f" on {self.interface}" if self.interface else ""
        match self.target:
            case Target.BROADCAST:
                words = f"{self.destination} is a broadcast: every host{over} gets it."
            case Target.MULTICAST:
                words = f"{self.destination} is a multicast group: all its members{over} get it."
            case _:
                words = f"{self.destination}{over} was not approved before."
        mark = self.destination
        if self.target is not Target.HOST or self._ip is None or _is_of_link(self._ip.raw("dst")):
            mark = f"{mark} on {self.interface} {self._operation}".rstrip()
        return Concern(Unusual.DESTINATION, mark if self._is_named else "", words)

    def _carried_destinations(self) -> list[Concern]:
        """Return the concerns about the destinations of packets that a tunnel carries.

        The end of the tunnel sends it there. The mark is that of a packet
        which goes there directly, so the user approves each destination once.
        """
        found = []
        outer = self._ip.offset if self._ip is not None else len(self.packet)
        for layer in self._read.layers:
            table = _NETWORKS.get(layer.name)
            if table is None or layer.quoted or layer.offset <= outer or not layer.is_whole(table):
                continue
            carried = HeaderView(table, self.packet, layer.offset)
            address, text = carried.raw("dst"), carried.text("dst")
            target = self._kind(address)
            if target is Target.OWN or text == self.destination:
                continue
            mark = text
            if target is not Target.HOST or _is_of_link(address):
                mark = f"{text} on {self.interface}".rstrip()
            words = f"The packet that it carries goes to {text}, which was not approved before."
            found.append(Concern(Unusual.DESTINATION, mark, words))
        return found

    def _sources(self) -> list[Concern]:
        """Return the concerns about sources that this host does not own.

        An IP source of zero is left to the kernel, which fills it in.
        """
        found = self._announcements()
        spoofs = self._ip is not None and is_foreign(self._ip.raw("src"), self.host.owns)
        if self._ip is not None and spoofs and not self.system:
            source = self._ip.text("src")
            words = f"The source {source} does not belong to this host. Replies go to {source}."
            found.append(Concern(Unusual.SOURCE, f"{self.destination} from {source}", words))
        if self._link is None or self.is_loopback:
            return found
        mark = f"{self.destination} on {self.interface}"
        if is_foreign(self._link.raw("src"), self.host.owns_mac):
            source = self._link.text("src")
            words = (
                f"The link source {source} does not belong to this host: "
                "switches will learn that address on this port."
            )
            found.append(Concern(Unusual.SOURCE, f"{mark} from {source}", words))
        return found

    def _announcements(self) -> list[Concern]:
        """Return the concerns about announced addresses.

        Only this host receives packets on the loopback.
        """
        if self.is_loopback or self.target is Target.OWN:
            return []
        mark = f"{self.destination} on {self.interface} "
        return [
            Concern(Unusual.SOURCE, mark + address.mark, address.sentence)
            for address in spoofed_addresses(self._read, self.host)
        ]

    def _source_route(self) -> list[Concern]:
        """Return the concern about a source route or a routing header.

        It forwards the packet from its destination. The mark contains the route's bytes: another
        route is another question.
        """
        if self._ip is None or (self.system and self._ip.table is IPV4):
            return []
        route, stops = _route_inside(self._read)
        if not route:
            return []
        to = f" to {', '.join(stops)}" if stops else ""
        words = f"A source route in the packet makes {self.destination} forward it{to}."
        return [Concern(Unusual.DESTINATION, f"{self.destination} by {route.hex()}", words)]

    def _wrong_link_address(self) -> list[Concern]:
        """Return the concern that a link address is not known to be the next hop's."""
        if self._link is None or self._ip is None or self.is_loopback:
            return []
        mac = self._link.raw("dst")
        if mac[0] & _GROUP_BIT or not any(mac):
            return []  # a group, or not known yet
        if mac == self.host.link_address(self.interface, self._ip.raw("dst")):
            return []
        to = self._link.text("dst")
        words = (
            f"rawscope cannot confirm that MAC {to} is the next hop to {self.destination}. "
            "Its owner receives the frame."
        )
        mark = f"{self.destination} on {self.interface} at {to}"
        return [Concern(Unusual.RECEIVER, mark, words)]


def _route_inside(read: Dissection) -> tuple[bytes, list[str]]:
    """Return the outermost source route or routing header, and its readable addresses.

    The bytes are those that are present; no bytes if there is no route, or it is used up.
    """
    for layer in read.layers:
        if layer.quoted or layer.depth > 1:
            break
        if layer.name == "ip":
            for option in layer.options:
                if option.kind in ipv4_options.SOURCE_ROUTES:
                    route = read.data[option.span.start : option.span.stop]
                    return route, _stops(route[ipv4_options.ROUTE.stop :], IPV4)
        if layer.name == ipv6_routing.ROUTING.name:
            route = read.data[layer.offset : layer.offset + layer.header_length]
            whole = len(route) >= ipv6_routing.ROUTING.size
            if not whole or ipv6_routing.ROUTING["segleft"].number(route):
                return route, _stops(route[UNIT:], IPV6)
    return b"", []


def _stops(data: bytes, table: HeaderTable) -> list[str]:
    """Return the whole addresses in `data`, at most a few."""
    slot = table["dst"]
    size = slot.field.bits // 8
    starts = range(0, min(len(data) - size + 1, _STOPS_NAMED * size), size)
    return [slot.text(int.from_bytes(data[at : at + size], "big")) for at in starts]


def _is_of_link(address: bytes) -> bool:
    """Return True if an address means another host on each link."""
    if len(address) == 4:
        return address[:2] == b"\xa9\xfe"  # 169.254/16, RFC 3927
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80  # fe80::/10, RFC 4291
