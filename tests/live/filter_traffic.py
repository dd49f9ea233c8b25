"""Frames of many kinds for capture filters. Each ends with its number, and none is answered."""

from __future__ import annotations

import socket
import struct

from core.wire.checksum.packet_checksums import internet_checksum

NEAR_MAC, OTHER_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000099")
END_PROTOCOL = 253  # RFC 3692, for experiments: passes every filter
NUMBER = struct.Struct("!I")


def ipv4(protocol: int, payload: bytes, source: str, target: str, fragment: int = 0) -> bytes:
    header = bytearray(
        struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, fragment, 64, protocol, 0)
    )
    header += socket.inet_aton(source) + socket.inet_aton(target)
    header[10:12] = internet_checksum(header).to_bytes(2, "big")
    return bytes(header) + payload


def ipv6(protocol: int, payload: bytes, source: str, target: str) -> bytes:
    addresses = b"".join(socket.inet_pton(socket.AF_INET6, one) for one in (source, target))
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + addresses + payload


def tcp(source: int, target: int, flags: int, text: bytes = b"") -> bytes:
    return struct.pack("!HHIIBBHHH", source, target, 1, 0, 0x50, flags, 512, 0, 0) + text


def udp(source: int, target: int, text: bytes = b"") -> bytes:
    return struct.pack("!HHHH", source, target, 8 + len(text), 0) + text


def ip_packets() -> list[bytes]:
    """Return IP packets. The addresses are of no host of the test (RFC 5737, RFC 3849)."""
    a, b, c = "192.0.2.10", "192.0.2.20", "198.51.100.7"
    six, seven = "2001:db8::6", "2001:db8:1::7"
    get = b"GET / HTTP/1.1\r\n\r\n"
    return [
        ipv4(6, tcp(40000, 80, 2), a, c),
        ipv4(6, tcp(80, 40000, 0x12), c, a),
        ipv4(6, tcp(40000, 80, 0x18, get), a, c),
        ipv4(6, tcp(40001, 443, 0x10, bytes(900)), b, c),
        ipv4(6, tcp(51522, 22, 0x18, bytes(36)), c, b),
        ipv4(6, tcp(40002, 6005, 0x04), a, b),
        ipv4(17, udp(40003, 53, bytes(30)), a, c),
        ipv4(17, udp(53, 40003, bytes(200)), c, a),
        ipv4(17, udp(123, 123, bytes(48)), b, c),
        ipv4(17, udp(5353, 5353), a, "224.0.0.251"),
        ipv4(17, udp(40004, 53, bytes(8)), a, c, fragment=0x2000),
        ipv4(17, bytes(24), a, c, fragment=0x2003),
        ipv4(1, bytes([8, 0, 0, 0, 0, 1, 0, 1]), a, b),
        ipv4(1, bytes([3, 3, 0, 0, 0, 0, 0, 0]), b, a),
        ipv4(132, struct.pack("!HHII", 5000, 6000, 1, 0), a, b),
        ipv4(4, ipv4(17, udp(1, 53), a, c), b, c),
        ipv6(6, tcp(40005, 443, 2), six, seven),
        ipv6(17, udp(40006, 53, bytes(20)), seven, six),
        ipv6(58, bytes([128, 0, 0, 0, 0, 1, 0, 1]), six, seven),
        ipv6(0, bytes([17, 0, 1, 4, 0, 0, 0, 0]) + udp(9, 53), six, "ff02::fb"),
    ]


def ethernet_frames() -> list[bytes]:
    """Return Ethernet frames: the IP packets, ARP, tags, MPLS, and other protocols."""
    packets = ip_packets()
    kind = {4: b"\x08\x00", 6: b"\x86\xdd"}
    frames = [NEAR_MAC + OTHER_MAC + kind[one[0] >> 4] + one for one in packets]
    plain, six = frames[0], frames[16]
    dns = frames[6]
    arp = bytes.fromhex("0001080006040001 020000000099 c000020a 000000000000 c0000214")
    tags = (b"\x81\x00\x00\x05", b"\x81\x00\xe0\x05", b"\x81\x00\x00\x06", b"\x88\xa8\x00\x07")
    frames += [one[:12] + tag + one[12:] for one in (plain, dns, six) for tag in tags]
    frames += [plain[:12] + outer + tags[0] + plain[12:] for outer in tags]
    frames += [plain[:12] + tags[3] + tags[0] + tags[2] + dns[12:]]
    frames += [
        b"\xff" * 6 + OTHER_MAC + b"\x08\x06" + arp,
        b"\xff" * 6 + OTHER_MAC + tags[0] + b"\x08\x06" + arp,
        b"\x01\x00\x5e\x00\x00\xfb" + plain[6:],
        plain[:12] + b"\x88\x47\x00\x01\x11\x40" + packets[6],
        plain[:12] + b"\x88\x64\x11\x00\x00\x01\x00\x22\x00\x21" + packets[6],
        plain[:12] + b"\x88\xb5" + bytes(60),
    ]
    return frames


def numbered(frames: list[bytes], link_header: bytes) -> list[bytes]:
    """Append the numbers. The first and the last packet pass every filter.

    libpcap filters the first packet once more, without the metadata that ``inbound`` needs.
    """
    end = link_header + ipv4(END_PROTOCOL, bytes(40), "192.0.2.10", "192.0.2.20")
    return [one.ljust(60, b"\0") + NUMBER.pack(at) for at, one in enumerate([end, *frames, end])]
