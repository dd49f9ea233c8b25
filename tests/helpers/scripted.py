"""A short scripted capture: handmade frames with the same bytes and times on every run.

`struct` makes them, not the header tables, so that the code under test does not read its own
output. Times are whole steps from `START_NS`; nothing reads a clock.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.decode.batch import Batch, CaptureInterface
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import PacketFlag

START_NS = 1_700_000_000_123_456_789
HOST, SERVER, RESOLVER, GATEWAY = "192.0.2.17", "198.51.100.80", "192.0.2.53", "192.0.2.1"
HOST6, GATEWAY6 = "2001:db8:17::5", "2001:db8:17::1"
MAC_HOST, MAC_GATEWAY = bytes.fromhex("020000000017"), bytes.fromhex("020000000001")
BROADCAST = b"\xff" * 6
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


@dataclass(frozen=True)
class Frame:
    """The bytes of a frame, and what the kernel reports about it."""

    data: bytes
    gap_us: int = 40
    flags: int = 0
    original: int | None = None


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ethernet(payload: bytes, out: bool = True, kind: int = 0x0800) -> bytes:
    """Return an Ethernet II frame from the host (`out`) or to it."""
    ends = MAC_GATEWAY + MAC_HOST if out else MAC_HOST + MAC_GATEWAY
    return ends + struct.pack(">H", kind) + payload


def ipv4(source: str, destination: str, protocol: int, payload: bytes, number: int = 0) -> bytes:
    """Return an IPv4 packet with a correct header checksum."""
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), number, 0x4000, 64, protocol, 0)
    return head[:10] + struct.pack(">H", checksum(head + ends)) + ends + payload


def ipv6(source: str, destination: str, protocol: int, payload: bytes, hops: int = 64) -> bytes:
    """Return an IPv6 packet."""
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    return struct.pack(">IHBB", 0x60000000, len(payload), protocol, hops) + ends + payload


def pseudo(source: str, destination: str, protocol: int, length: int) -> bytes:
    """Return the pseudo-header of either IP version."""
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    return ends + struct.pack(">II", length, protocol)


def tcp(
    source: str,
    destination: str,
    ports: tuple[int, int],
    flags: int,
    numbers: tuple[int, int],
    data: bytes = b"",
    options: bytes = b"",
    wrong: int = 0,
) -> bytes:
    """Return a TCP segment in an IPv4 frame; `wrong` is added to the checksum."""
    offset = (20 + len(options)) // 4 << 4
    head = struct.pack(">HHIIBBHHH", *ports, *numbers, offset, flags, 64240, 0, 0)
    segment = head + options + data
    total = checksum(pseudo(source, destination, 6, len(segment)) + segment) + wrong & 0xFFFF
    segment = segment[:16] + struct.pack(">H", total) + segment[18:]
    return ethernet(ipv4(source, destination, 6, segment, ports[0]), out=source == HOST)


def udp(
    source: str, destination: str, ports: tuple[int, int], data: bytes, partial: bool = False
) -> bytes:
    """Return a UDP datagram; `partial` leaves the pseudo-header's sum in it, as offload does."""
    length = 8 + len(data)
    head = struct.pack(">HHHH", *ports, length, 0)
    false_head = pseudo(source, destination, 17, length)
    total = checksum(false_head) ^ 0xFFFF if partial else checksum(false_head + head + data)
    datagram = head[:6] + struct.pack(">H", total) + data
    return ethernet(ipv4(source, destination, 17, datagram, ports[0]), out=source == HOST)


def icmp(source: str, destination: str, kind: int, code: int, rest: bytes) -> bytes:
    """Return an ICMP message; `rest` starts with the second word."""
    message = struct.pack(">BBH", kind, code, 0) + rest
    message = message[:2] + struct.pack(">H", checksum(message)) + message[4:]
    return ethernet(ipv4(source, destination, 1, message), out=source == HOST)


def icmpv6(source: str, destination: str, kind: int, rest: bytes) -> bytes:
    """Return a neighbor discovery message."""
    message = struct.pack(">BBH", kind, 0, 0) + rest
    total = checksum(pseudo(source, destination, 58, len(message)) + message)
    message = message[:2] + struct.pack(">H", total) + message[4:]
    packet = ipv6(source, destination, 58, message, hops=255)
    return ethernet(packet, out=source == HOST6, kind=0x86DD)


def arp(operation: int) -> bytes:
    """Return the host's request for the gateway, or the gateway's reply."""
    here, there = ipaddress.ip_address(HOST).packed, ipaddress.ip_address(GATEWAY).packed
    fixed = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation)
    if operation == 1:
        return BROADCAST + MAC_HOST + b"\x08\x06" + fixed + MAC_HOST + here + bytes(6) + there
    return ethernet(fixed + MAC_GATEWAY + there + MAC_HOST + here, out=False, kind=0x0806)


def dns_name(name: str) -> bytes:
    """Return a name as labels (RFC 1035 §3.1)."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def dns(name: str, answer: str = "") -> bytes:
    """Return a query of type A, with or without its answer."""
    head = struct.pack(">HHHHHH", 0x5253, 0x8180 if answer else 0x0100, 1, bool(answer), 0, 0)
    question = dns_name(name) + struct.pack(">HH", 1, 1)
    if not answer:
        return head + question
    record = struct.pack(">HHHIH", 0xC00C, 1, 1, 300, 4) + ipaddress.ip_address(answer).packed
    return head + question + record


def client_hello(name: str) -> bytes:
    """Return a TLS 1.2 record with a ClientHello that names a server (RFC 6066 §3)."""
    host = name.encode()
    server_name = struct.pack(">HBH", len(host) + 3, 0, len(host)) + host
    extensions = struct.pack(">HH", 0, len(server_name)) + server_name
    body = b"\x03\x03" + bytes(range(32)) + b"\0" + struct.pack(">HHH", 4, 0x1301, 0x1302)
    body += b"\x01\x00" + struct.pack(">H", len(extensions)) + extensions
    shake = b"\x01" + len(body).to_bytes(3, "big") + body
    return struct.pack(">BHH", 22, 0x0301, len(shake)) + shake


MSS_SACK_WSCALE = bytes.fromhex("020405b40402080a000004d20000000001030307")
HTTP_REQUEST = b"GET /status HTTP/1.1\r\nHost: api.example.net\r\nUser-Agent: curl/8.5\r\n\r\n"
HTTP_RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n"
    b'{"state":"up","load":0.17}\n'
)


def handshake(ports: tuple[int, int], ours: int, theirs: int) -> Iterator[Frame]:
    """Yield the three segments of a handshake between host and server."""
    back = ports[::-1]
    yield Frame(tcp(HOST, SERVER, ports, SYN, (ours, 0), options=MSS_SACK_WSCALE), 900)
    numbers = (theirs, ours + 1)
    yield Frame(tcp(SERVER, HOST, back, SYN | ACK, numbers, options=MSS_SACK_WSCALE), 11_400)
    yield Frame(tcp(HOST, SERVER, ports, ACK, (ours + 1, theirs + 1)), 60)


def web(port: int) -> Iterator[Frame]:
    """Yield an HTTP request with its response, and the end of the connection."""
    ports, back, ours, theirs = (port, 80), (80, port), 0x1F2E3D4C, 0x7A6B5C4D
    yield from handshake(ports, ours, theirs)
    here, there = ours + 1, theirs + 1
    yield Frame(tcp(HOST, SERVER, ports, PSH | ACK, (here, there), HTTP_REQUEST), 300)
    here += len(HTTP_REQUEST)
    yield Frame(tcp(SERVER, HOST, back, ACK, (there, here)), 11_300)
    yield Frame(tcp(SERVER, HOST, back, PSH | ACK, (there, here), HTTP_RESPONSE), 2_100)
    there += len(HTTP_RESPONSE)
    yield Frame(tcp(HOST, SERVER, ports, FIN | ACK, (here, there)), 500)
    yield Frame(tcp(SERVER, HOST, back, FIN | ACK, (there, here + 1)), 11_200)
    yield Frame(tcp(HOST, SERVER, ports, ACK, (here + 1, there + 1)), 45)


def conversations(port: int = 51_234) -> Iterator[Frame]:
    """Yield every kind of row that the screens show, in a plausible order.

    `port` is the client's in the first TCP connection; the others have the next even ones.
    """
    yield Frame(arp(1), 0)
    yield Frame(arp(2), 380)
    question = udp(HOST, RESOLVER, (40153, 53), dns("api.example.net"), partial=True)
    yield Frame(question, 700, PacketFlag.CHECKSUM_NOT_READY)
    yield Frame(udp(RESOLVER, HOST, (53, 40153), dns("api.example.net", SERVER)), 8_200)
    yield from web(port)
    solicited = ipaddress.ip_address(GATEWAY6).packed
    yield Frame(icmpv6(HOST6, "ff02::1:ff00:1", 135, bytes(4) + solicited + b"\1\1" + MAC_HOST))
    answer = bytes.fromhex("e0000000") + solicited + b"\2\1" + MAC_GATEWAY
    yield Frame(icmpv6(GATEWAY6, HOST6, 136, answer), 410)
    ping = struct.pack(">HH", 0x2A, 1) + bytes(range(48))
    yield Frame(icmp(HOST, GATEWAY, 8, 0, ping), 100)
    yield Frame(icmp(GATEWAY, HOST, 0, 0, ping), 620)
    yield from handshake((port + 2, 443), 0x0BADCAFE, 0x600DF00D)
    hello = client_hello("api.example.net")
    yield Frame(tcp(HOST, SERVER, (port + 2, 443), PSH | ACK, (0x0BADCAFF, 0x600DF00E), hello), 700)
    yield Frame(tcp(SERVER, HOST, (443, port + 2), RST | ACK, (0x600DF00E, 0x0BADCAFF)), 11_000)
    lost = udp(HOST, SERVER, (40_154, 9), b"is anybody there?")
    yield Frame(lost, 2_000)
    yield Frame(icmp(SERVER, HOST, 3, 3, bytes(4) + lost[14:]), 11_100)
    wrong = tcp(HOST, SERVER, (port + 4, 80), PSH | ACK, (77, 99), HTTP_REQUEST, wrong=0x0101)
    yield Frame(wrong, 3_000)
    yield Frame(malformed(), 1_500)
    tagged = MAC_GATEWAY + MAC_HOST + bytes.fromhex("8100 6007")
    yield Frame(tagged + udp(HOST, RESOLVER, (40_155, 53), dns("printer.example.net"))[12:], 900)
    long = tcp(SERVER, HOST, (80, 51_240), ACK, (4000, 5000), b"x" * 1400)
    yield Frame(long[:40], 800, original=len(long))


def malformed() -> bytes:
    """Return a TCP header whose data offset says 8 bytes."""
    frame = bytearray(tcp(HOST, SERVER, (51_239, 80), SYN, (1, 0)))
    frame[14 + 20 + 12] = 0x20
    return bytes(frame)


BAD_CHECKSUM, MALFORMED, DNS_ANSWER, HTTP_ANSWER = 25, 26, 4, 10  # packet numbers


def batch(frames: list[Frame], first_ns: int = START_NS) -> Batch:
    """Return frames as a batch of a capture."""
    sizes = np.array([len(frame.data) for frame in frames], dtype=np.uint32)
    gaps = np.array([frame.gap_us for frame in frames], dtype=np.int64)
    originals = [frame.original or len(frame.data) for frame in frames]
    return Batch(
        data=np.frombuffer(b"".join(frame.data for frame in frames), dtype=np.uint8),
        offset=np.cumsum(sizes, dtype=np.int64) - sizes,
        captured=sizes,
        original=np.array(originals, dtype=np.uint32),
        timestamp_ns=first_ns + np.cumsum(gaps) * 1000,
        interface=np.zeros(len(frames), dtype=np.uint16),
        flags=np.array([frame.flags for frame in frames], dtype=np.uint16),
    )


def scripted_store(rounds: int = 1) -> PacketStore:
    """Return a store with the conversations, repeated `rounds` times."""
    store = PacketStore()
    store.add_interface(CaptureInterface("eth0", LinkType.ETHERNET))
    frames = list(conversations())
    for number in range(rounds):
        store.append(batch(frames, START_NS + number * 1_000_000_000))
    return store
