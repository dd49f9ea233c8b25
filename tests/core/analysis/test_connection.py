"""The packets of one connection, against the addresses and ports of each packet's dissection."""

from __future__ import annotations

import ipaddress
import itertools
import struct

import pytest

from core.analysis.connection import Connection, End, tcp_ends
from core.store.budget import Budget
from core.store.filtered_view import View
from core.store.packet_store import PacketStore
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

ADDRESSES = ("127.0.0.1", "127.0.0.2", "::1", "2001:db8::17")
PORTS = (7007, 40_001, 40_002)


def frame(source: str, destination: str, ports: tuple[int, int], protocol: int = 6) -> bytes:
    """Ethernet, IP of either version, the ports and as many zeros as TCP or UDP have."""
    ends = [ipaddress.ip_address(address).packed for address in (source, destination)]
    segment = struct.pack(">HH", *ports) + bytes(8) + b"\x50" + bytes(7)
    if protocol == 17:
        segment = struct.pack(">HHHH", *ports, 8, 0)
    if len(ends[0]) == 4:
        head = struct.pack(">BBHIBBH", 0x45, 0, 20 + len(segment), 0, 64, protocol, 0)
        return bytes(12) + b"\x08\x00" + head + b"".join(ends) + segment
    head = struct.pack(">IHBB", 0x60000000, len(segment), protocol, 64)
    return bytes(12) + b"\x86\xdd" + head + b"".join(ends) + segment


def frames() -> list[bytes]:
    """Every pair of addresses of one version with every pair of ports, and some without TCP."""
    made = []
    for source, destination in itertools.product(ADDRESSES, repeat=2):
        if (":" in source) == (":" in destination):
            pairs = itertools.product(PORTS, repeat=2)
            made.extend(frame(source, destination, ports) for ports in pairs)
            made.append(frame(source, destination, (40_001, 7007), protocol=17))
    return [*made, made[0][:36], bytes(60)]


def passing(held: list[bytes], connection: Connection) -> list[int]:
    """Packet numbers, by the batch."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(held, gap=3))
    view = View(connection)
    view.extend(store.snapshot(), Budget())
    return list(view.packets)


def expected(held: list[bytes], connection: Connection) -> list[int]:
    """The same, packet by packet, by dissection."""
    wanted = (connection.one, connection.other)
    found = []
    for number, data in enumerate(held, 1):
        ends = tcp_ends(dissect(data, LinkType.ETHERNET, len(data)))
        if ends and any(matches(ends, pair) for pair in (wanted, wanted[::-1])):
            found.append(number)
    return found


def matches(ends: tuple[End, End], wanted: tuple[End, End]) -> bool:
    return all(
        want[1] in (0, end[1]) and want[0] in ("", end[0])
        for end, want in zip(ends, wanted, strict=True)
    )


@pytest.mark.parametrize("server", ["127.0.0.1", "::1", ""])
@pytest.mark.parametrize("peer", ADDRESSES)
def test_both_directions_and_nothing_else(server, peer):
    held = frames()
    connection = Connection((peer, 40_001), (server, 7007))
    passed = passing(held, connection)
    assert passed == expected(held, connection)
    same_version = not server or (":" in server) == (":" in peer)
    assert bool(passed) == same_version


def test_without_the_other_port_one_end_decides():
    held = frames()
    connection = Connection(("127.0.0.1", 40_001), ("", 0))
    passed = passing(held, connection)
    assert passed == expected(held, connection)
    assert len(passed) > len(passing(held, Connection(("127.0.0.1", 40_001), ("", 7007))))


def test_the_address_is_without_its_zone():
    held = [frame("fe80::1", "fe80::2", (40_001, 7007))]
    assert passing(held, Connection(("fe80::1%eth0", 40_001), ("fe80::2%eth0", 7007))) == [1]


def test_ends_of_a_packet_without_tcp():
    for data in (frame("::1", "::1", (1, 2), protocol=17), frames()[0][:36], bytes(60), b""):
        assert tcp_ends(dissect(data, LinkType.ETHERNET, len(data))) is None
    data = frame("::1", "2001:db8::17", (1, 2))
    ends = tcp_ends(dissect(data, LinkType.ETHERNET, len(data)))
    assert ends == (("::1", 1), ("2001:db8::17", 2))
