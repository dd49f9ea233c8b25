"""The protocol hierarchy, of columns and of dissected packets."""

from __future__ import annotations

from core.analysis.statistics import hierarchy
from core.analysis.statistics.hierarchy import Counts, Hierarchy, HierarchyCounter, paths_of
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from tests.core.analysis.statistics.packets import chunk_of
from tests.core.decode.frames import arp_frame, ethernet, ipv4, ipv6, tcp_frame, udp, udp_frame

GRE = bytes.fromhex("00000800")
UNREACHABLE = bytes.fromhex("0301000000000000")
AUTHENTICATION = bytes.fromhex("1104000000000001") + bytes(16)
FRAMES = {
    "eth:ip:tcp": tcp_frame(),
    "eth:ip:tcp:http": tcp_frame(b"GET / HTTP/1.1\r\n"),
    "eth:ip:udp:data": udp_frame(b"abc"),
    "eth:arp": arp_frame(),
    "eth:vlan:vlan:ip:udp": ethernet(ipv4(udp(), IpProtocol.UDP), tags=2),
    "eth:ip:gre:ip:udp": ethernet(ipv4(GRE + ipv4(udp(), IpProtocol.UDP), IpProtocol.GRE)),
    "eth:ip:ip:tcp": ethernet(ipv4(tcp_frame()[14:], IpProtocol.IPV4)),
    "eth:ip:icmp": ethernet(ipv4(UNREACHABLE + ipv4(udp(), IpProtocol.UDP), IpProtocol.ICMP)),
    "eth:ip:ah:udp": ethernet(ipv4(AUTHENTICATION + udp(), IpProtocol.AH)),
    "eth:ipv6:udp": ethernet(ipv6(AUTHENTICATION + udp(six=True), IpProtocol.AH), EtherType.IPV6),
    "eth:data": ethernet(b"\x01\x02", 0x1234),
}


def test_paths_of_packets() -> None:
    texts, index = paths_of(chunk_of(list(FRAMES.values())))
    assert [texts[number] for number in index.tolist()] == list(FRAMES)


def test_a_packet_counts_at_each_protocol_and_ends_at_one() -> None:
    counter = HierarchyCounter()
    counter.add(chunk_of([tcp_frame(), tcp_frame(b"abcdef"), arp_frame()], original=[60, 70, 42]))
    counter.add(chunk_of([tcp_frame()]))
    size = len(tcp_frame())
    nodes = {":".join(node.path): node for node in counter.result().nodes()}
    assert list(nodes) == ["eth", "eth:ip", "eth:ip:tcp", "eth:ip:tcp:data", "eth:arp"]
    assert nodes["eth"].total == Counts(4, 172 + size)
    assert nodes["eth:ip:tcp"].total == Counts(3, 130 + size)
    assert nodes["eth:ip:tcp"].end == Counts(2, 60 + size)
    assert nodes["eth"].end == Counts()


def test_the_number_of_paths_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(hierarchy, "MOST_PATHS", 2)
    counter = HierarchyCounter()
    counter.add(chunk_of(list(FRAMES.values())))
    found = counter.result()
    assert len(found.ends) <= 3
    assert sum(counts.packets for counts in found.ends.values()) == len(FRAMES)


def test_a_very_deep_path() -> None:
    """Deeper than Python's stack."""
    (*_, last) = Hierarchy({":".join(["mpls"] * 1500): Counts(1, 1)}).nodes()
    assert len(last.path) == 1500
