"""The default color rules: which one colors each kind of packet."""

from __future__ import annotations

import struct

import pytest

from core.analysis.color_rules.rule import DEFAULT_RULES
from core.analysis.color_rules.rule_matcher import RuleMatcher
from core.decode.batch import CaptureInterface
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from tests.helpers.scripted import (
    ACK,
    HOST,
    HTTP_REQUEST,
    HTTP_RESPONSE,
    PSH,
    RST,
    SERVER,
    SYN,
    Frame,
    arp,
    batch,
    client_hello,
    dns,
    icmp,
    icmpv6,
    ipv4,
    malformed,
    tcp,
    udp,
)

PORTS = (50_000, 80)
SYN_FRAME = tcp(HOST, SERVER, PORTS, SYN, (1, 0))
VXLAN = bytes.fromhex("0800000000000100")


def _tcp(flags: int, data: bytes = b"", **more: int) -> Frame:
    return Frame(tcp(HOST, SERVER, PORTS, flags, (1, 2), data, **more))


def _dns_over_tcp(data: bytes) -> Frame:
    return Frame(tcp(HOST, SERVER, (50_000, 53), PSH | ACK, (1, 2), data))


KINDS = (
    ("", _tcp(ACK)),
    ("", _tcp(PSH | ACK, b"\0\1\2\3")),
    ("Bad checksum", _tcp(SYN, wrong=1)),
    ("Malformed", Frame(malformed())),
    ("Truncated", Frame(SYN_FRAME[:40], original=len(SYN_FRAME))),
    ("ICMP error", Frame(icmp(SERVER, HOST, 3, 3, bytes(4) + SYN_FRAME[14:]))),
    ("ARP, neighbors", Frame(arp(1))),
    ("ARP, neighbors", Frame(icmpv6("fe80::1", "fe80::2", 135, bytes(20)))),
    ("Control", Frame(icmp(SERVER, HOST, 0, 0, bytes(8)))),
    ("TCP reset", _tcp(RST | ACK)),
    ("TCP SYN", _tcp(SYN)),
    ("TCP SYN", _tcp(SYN | ACK)),
    ("TLS", _tcp(PSH | ACK, client_hello("example.org"))),
    ("HTTP", _tcp(PSH | ACK, HTTP_REQUEST)),
    ("HTTP", _tcp(PSH | ACK, HTTP_RESPONSE)),
    ("HTTP", Frame(udp(HOST, "239.255.255.250", (50_000, 1900), b"M-SEARCH * HTTP/1.1\r\n\r\n"))),
    ("DNS", Frame(udp(HOST, SERVER, (50_000, 53), dns("example.org")))),
    ("DNS", _dns_over_tcp(b"\0\x1d" + dns("example.org"))),
    ("", _dns_over_tcp(b"")),
    ("UDP", Frame(udp(HOST, SERVER, (50_000, 9), b"x"))),
    ("TCP SYN", Frame(udp(HOST, SERVER, (50_000, 4789), VXLAN + SYN_FRAME))),
    ("", Frame(udp(HOST, SERVER, (50_000, 4789), VXLAN + tcp(HOST, SERVER, PORTS, ACK, (1, 2))))),
    ("Bad checksum", Frame(udp(HOST, SERVER, (1, 4789), VXLAN + _tcp(ACK, wrong=1).data))),
    ("Control", Frame(bytes(12) + b"\x08\x00" + ipv4(HOST, "224.0.0.1", 2, struct.pack(
        ">BBHI", 0x11, 0, 0xEEFF, 0)))),
)  # fmt: skip


def test_each_kind_of_packet_has_its_rule() -> None:
    store = PacketStore()
    store.add_interface(CaptureInterface("eth0", LinkType.ETHERNET))
    store.append(batch([frame for _, frame in KINDS]))
    numbers = range(1, len(KINDS) + 1)
    found = RuleMatcher(DEFAULT_RULES).match(store.snapshot(), numbers)
    names = [rule.name if (rule := found[number]) else "" for number in numbers]
    assert names == [name for name, _ in KINDS]
    assert {rule.name for rule in DEFAULT_RULES} <= set(names)


@pytest.mark.parametrize("attribute", ["name", "filter"])
def test_default_rules_differ(attribute: str) -> None:
    assert len({getattr(rule, attribute) for rule in DEFAULT_RULES}) == len(DEFAULT_RULES)
