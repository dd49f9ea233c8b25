"""Frames built by hand from the header tables, for the tests of the store."""

from __future__ import annotations

from core.wire.checksum.packet_checksums import internet_checksum, pseudo_header_sum
from core.wire.link.ethernet import ETHERNET
from core.wire.link.vlan import VLAN
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.network.arp import ARP, ARP_IPV4
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.transport.tcp import FLAG_BITS, TCP
from core.wire.transport.udp import UDP

CLIENT, SERVER = 0x0A000001, 0x0A000002
CLIENT_6, SERVER_6 = 0xFD00 << 112 | 1, 0xFD00 << 112 | 2


def ethernet(payload: bytes, kind: int = EtherType.IPV4, tags: int = 0) -> bytes:
    """Return an Ethernet II frame with `tags` VLAN tags."""
    outer = EtherType.VLAN if tags else kind
    frame = ETHERNET.emit({"dst": 0x020000000002, "src": 0x020000000001, "type": outer})
    for tag in range(tags):
        following = EtherType.VLAN if tag + 1 < tags else kind
        frame += VLAN.emit({"id": tag + 5, "etype": following})
    return frame + payload


def ipv4(payload: bytes, protocol: int, *, back: bool = False, **fields: int) -> bytes:
    """Return an IPv4 packet, its checksum right unless `checksum` is given."""
    values = {
        "len": IPV4.size + len(payload),
        "proto": protocol,
        "src": SERVER if back else CLIENT,
        "dst": CLIENT if back else SERVER,
        **{key.replace("__", "."): value for key, value in fields.items()},
    }
    if "checksum" not in fields:
        values["checksum"] = internet_checksum(IPV4.emit(values))
    return IPV4.emit(values) + payload


def ipv6(payload: bytes, protocol: int, **fields: int) -> bytes:
    """Return an IPv6 packet."""
    values = {"plen": len(payload), "nxt": protocol, "src": CLIENT_6, "dst": SERVER_6, **fields}
    return IPV6.emit(values) + payload


def tcp(
    payload: bytes = b"",
    *,
    flags: str = "ack",
    sequence: int = 1,
    acknowledgment: int = 0,
    back: bool = False,
    six: bool = False,
    wrong: int = 0,
) -> bytes:
    """Return a TCP segment; `wrong` is added to its checksum."""
    values = {
        "srcport": 80 if back else 40000,
        "dstport": 40000 if back else 80,
        "seq_raw": sequence,
        "ack_raw": acknowledgment,
        "flags": sum(FLAG_BITS[name] for name in flags.split()),
    }
    pseudo = pseudo_sum(TCP.size + len(payload), IpProtocol.TCP, back=back, six=six)
    values["checksum"] = (internet_checksum(TCP.emit(values) + payload, pseudo) + wrong) & 0xFFFF
    return TCP.emit(values) + payload


def udp(payload: bytes = b"", *, checksum: int | None = None, six: bool = False) -> bytes:
    """Return a UDP datagram, its checksum right unless given."""
    values = {"srcport": 40000, "dstport": 53, "length": UDP.size + len(payload)}
    if checksum is None:
        pseudo = pseudo_sum(UDP.size + len(payload), IpProtocol.UDP, six=six)
        checksum = internet_checksum(UDP.emit(values) + payload, pseudo) or 0xFFFF
    return UDP.emit({**values, "checksum": checksum}) + payload


def pseudo_sum(length: int, protocol: int, *, back: bool = False, six: bool = False) -> int:
    """Return the pseudo-header's sum between the two hosts of these tests."""
    ends = (CLIENT_6, SERVER_6) if six else (CLIENT, SERVER)
    source, destination = reversed(ends) if back else ends
    size = 16 if six else 4
    return pseudo_header_sum(
        source.to_bytes(size, "big"), destination.to_bytes(size, "big"), protocol, length
    )


def tcp_frame(payload: bytes = b"", **segment: object) -> bytes:
    """Return TCP over IPv4 over Ethernet."""
    back = bool(segment.get("back"))
    return ethernet(ipv4(tcp(payload, **segment), IpProtocol.TCP, back=back))


def udp_frame(payload: bytes = b"") -> bytes:
    """Return UDP over IPv4 over Ethernet."""
    return ethernet(ipv4(udp(payload), IpProtocol.UDP))


def arp_frame() -> bytes:
    """Return the ARP request of CLIENT for SERVER."""
    body = ARP.emit({}) + ARP_IPV4.emit({"src.proto_ipv4": CLIENT, "dst.proto_ipv4": SERVER})
    return ethernet(body, EtherType.ARP)
