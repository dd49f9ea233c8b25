"""A scripted host for the forge that sends nothing: routes, addresses, and a socket for tests.

It records the packets that would leave. `wire` gets each packet as it would be captured, so that a
test can put the copy and an answer into the store.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable, Collection, Sequence
from types import TracebackType

from core.forge.compose.draft import Draft
from core.forge.compose.draft_parser import given_values
from core.forge.compose.route_suggestions import RouteSuggestions, destination
from core.forge.host import ForgeHost
from core.forge.review.confirmation import Examination, SendVolume
from core.forge.send_errors import SendError
from core.forge.transmit.injector import Injector
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendMethod
from core.net.host_addresses import HostAddresses
from core.net.netlink import LinkMessage
from core.net.routes import RouteKind
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore
from tests.helpers.scripted import (
    ACK,
    HOST,
    MAC_GATEWAY,
    MAC_HOST,
    RST,
    SERVER,
    START_NS,
    Frame,
    batch,
    checksum,
    ethernet,
    tcp,
)

ETH0 = LinkMessage(False, 2, 1, 0x1043, "eth0", 1500, MAC_HOST, 0, "")
LO = LinkMessage(False, 1, 772, 0x49, "lo", 65536, bytes(6), 0, "")
NO_ROUTE = "ENETUNREACH: there is no route to 203.0.113.9; see 'ip route'"


class ScriptedAddresses(HostAddresses):
    """This host owns loopback and HOST; every other address is another host's."""

    def kind(self, address: bytes) -> int:
        return RouteKind.LOCAL if self.owns(address) else RouteKind.UNICAST

    def owns(self, address: bytes) -> bool:
        return address[0] == 127 or address == ipaddress.ip_address(HOST).packed

    def owns_mac(self, mac: bytes) -> bool:
        return mac == MAC_HOST


class ScriptedTransmission(PreparedTransmission):
    """A transmission of a host that owns HOST and MAC_HOST, with the usual questions."""

    def examine(
        self,
        load: SendVolume,
        known: Collection[str] = frozenset(),
        host: HostAddresses | None = None,
    ) -> Examination:
        return super().examine(load, known, host or ScriptedAddresses())


class ScriptedInjector:
    """Takes packets; refuses with `error` if there is one."""

    def __init__(self, host: ScriptedHost) -> None:
        self._host = host

    def __enter__(self) -> ScriptedInjector:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._host.closed += 1

    def send(self, packet: bytes) -> None:
        if self._host.error is not None:
            raise self._host.error
        self._host.sent.append(packet)
        self._host.wire(packet)

    def send_burst(self, packet: bytes, count: int) -> int:
        for _ in range(count):
            self.send(packet)
        return count


class ScriptedHost(ForgeHost):
    """Has lo and eth0, and a route to everything but 203.0.113.9."""

    def __init__(self, wire: Callable[[bytes], None] = lambda packet: None) -> None:
        super().__init__(LOCAL_SOCKETS)
        self.wire = wire
        self.sent: list[bytes] = []
        self.error: SendError | None = None
        self.closed = 0
        self.prepared: list[tuple[SendMethod, str]] = []

    def suggest_from_routes(
        self, draft: Draft, interface: str = "", *, resolve: bool = False
    ) -> RouteSuggestions:
        wanted = destination(draft, given_values(draft))
        if wanted == ipaddress.ip_address("203.0.113.9").packed:
            return RouteSuggestions(trouble=NO_ROUTE)
        link = LO if interface == "lo" else ETH0 if interface or wanted else None
        if link is None:
            return RouteSuggestions()
        values = {
            "ip.src": int(ipaddress.ip_address(HOST)),
            "eth.src": int.from_bytes(MAC_HOST, "big"),
            "eth.dst": int.from_bytes(MAC_GATEWAY, "big"),
        }
        return RouteSuggestions(values, None, link)

    def interfaces(self) -> dict[str, SendMethod | None]:
        return {
            "lo": SendMethod.LINK,
            "eth0": SendMethod.LINK,
            "tun7": SendMethod.PACKET,
            "gre1": None,
        }

    def prepare(
        self, packets: Sequence[bytes], method: SendMethod, interface: str, network: str = ""
    ) -> PreparedTransmission:
        self.prepared.append((method, interface))
        name = interface or "eth0"
        is_loopback = name == "lo"
        return ScriptedTransmission(
            tuple(packets), method, name, 2, 1500, is_loopback, network=network
        )

    def open(self, transmission: PreparedTransmission, *, bypass: bool = False) -> Injector:
        return ScriptedInjector(self)  # type: ignore[return-value]


class Neighbor(ScriptedHost):
    """A host whose neighbor lookup, if allowed, resolves a next hop to the broadcast address."""

    def suggest_from_routes(
        self, draft: Draft, interface: str = "", *, resolve: bool = False
    ) -> RouteSuggestions:
        own = int.from_bytes(MAC_HOST, "big")
        values = {"eth.src": own}
        if resolve:
            values["eth.dst"] = (1 << 48) - 1
        return RouteSuggestions(values, None, ETH0)


class Wire:
    """Puts what is sent into a store as the kernel would have it, with a reset for each SYN."""

    def __init__(self, store: PacketStore) -> None:
        self._store = store
        self._now_ns = START_NS + 5_000_000_000

    def __call__(self, packet: bytes) -> None:
        link, packet = (packet[:14], packet[14:]) if packet[:6] == MAC_GATEWAY else (b"", packet)
        copy = link + packet if link else ethernet(_as_linux_sends(packet))
        ports = struct.unpack(">HH", packet[20:24])
        sequence = int.from_bytes(packet[24:28], "big")
        answer = tcp(SERVER, HOST, ports[::-1], RST | ACK, (0, sequence + 1))
        frames = [Frame(copy, 0), Frame(answer, 420)]
        self._store.append(batch(frames, self._now_ns))
        self._now_ns += 1_000_000


def _as_linux_sends(packet: bytes) -> bytes:
    """Return the packet with an identification if it had zero, and with its checksum (raw(7))."""
    number = packet[4:6] if any(packet[4:6]) else b"\x3a\x7e"
    head = packet[:4] + number + packet[6:10] + bytes(2) + packet[12:20]
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + packet[20:]
