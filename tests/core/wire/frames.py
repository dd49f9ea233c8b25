"""Frames built by hand from the header tables, layer by layer, innermost first."""

from __future__ import annotations

from core.wire.checksum.packet_checksums import internet_checksum, ones_sum, pseudo_header_sum
from core.wire.link.ethernet import ETHERNET
from core.wire.link.vlan import VLAN
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.network.icmp import ICMP, IDENT
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.transport.tcp import TCP
from core.wire.transport.udp import UDP

SOURCE, DESTINATION = 0x0A000005, 0x0A000009
SOURCE_6, DESTINATION_6 = (0x20010DB8 << 96) + 5, (0x20010DB8 << 96) + 9


def ethernet(payload: bytes, kind: int = EtherType.IPV4) -> bytes:
    return ETHERNET.emit({"dst": 0x00005E005301, "src": 0x00005E005302, "type": kind}) + payload


def vlan(payload: bytes, number: int, kind: int = EtherType.IPV4) -> bytes:
    return VLAN.emit({"id": number, "etype": kind}) + payload


def ipv4(payload: bytes, protocol: int, options: bytes = b"", **fields: int) -> bytes:
    values = {
        "hdr_len": IPV4.size + len(options),
        "len": IPV4.size + len(options) + len(payload),
        "proto": protocol,
        "src": SOURCE,
        "dst": DESTINATION,
    } | {name.replace("__", "."): value for name, value in fields.items()}
    if "checksum" not in values:
        values["checksum"] = internet_checksum(IPV4.emit(values) + options)
    return IPV4.emit(values) + options + payload


def ipv6(payload: bytes, following: int, **fields: int) -> bytes:
    values = {"plen": len(payload), "nxt": following, "src": SOURCE_6, "dst": DESTINATION_6}
    return IPV6.emit(values | fields) + payload


def pseudo(length: int, protocol: int, *, six: bool = False, destination: bytes = b"") -> int:
    size = 16 if six else 4
    source = (SOURCE_6 if six else SOURCE).to_bytes(size, "big")
    final = (DESTINATION_6 if six else DESTINATION).to_bytes(size, "big")
    return pseudo_header_sum(source, destination or final, protocol, length)


def tcp(
    payload: bytes = b"",
    options: bytes = b"",
    *,
    six: bool = False,
    to: bytes = b"",
    **fields: int,
) -> bytes:
    """Return a TCP segment with the right checksum; `to` is the pseudo-header's destination."""
    values = {
        "srcport": 54321,
        "dstport": 80,
        "seq_raw": 1000,
        "hdr_len": TCP.size + len(options),
    } | {name.replace("__", "."): value for name, value in fields.items()}
    segment = TCP.emit(values) + options + payload
    if "checksum" not in values:
        start = pseudo(len(segment), IpProtocol.TCP, six=six, destination=to)
        values["checksum"] = ones_sum(segment, start) ^ 0xFFFF
    return TCP.emit(values) + options + payload


def udp(payload: bytes, *, six: bool = False, **fields: int) -> bytes:
    values = {"srcport": 40000, "dstport": 9999, "length": UDP.size + len(payload)} | fields
    if "checksum" not in values:
        start = pseudo(UDP.size + len(payload), IpProtocol.UDP, six=six)
        values["checksum"] = (ones_sum(UDP.emit(values) + payload, start) ^ 0xFFFF) or 0xFFFF
    return UDP.emit(values) + payload


def icmp_echo(payload: bytes = b"ping", ident: int = 0x04D2, sequence: int = 7) -> bytes:
    rest = IDENT.emit({"ident": ident, "seq": sequence}) + payload
    total = internet_checksum(ICMP.emit({"type": 8}) + rest)
    return ICMP.emit({"type": 8, "checksum": total}) + rest
