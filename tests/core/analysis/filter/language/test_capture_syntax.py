"""The display filters of capture filters."""

from __future__ import annotations

import pytest

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.language.capture_syntax import display_filter_of
from core.analysis.filter.language.errors import FilterError

MEANT = {
    "port 80": "tcp.port == 80 or udp.port == 80",
    "host 1.2.3.4": "ip.addr == 1.2.3.4",
    "tcp port 80": "tcp.port == 80",
    "udp dst port 53": "udp.dstport == 53",
    "src host 10.0.0.1": "ip.src == 10.0.0.1",
    "dst net 192.168.0.0/16": "ip.dst == 192.168.0.0/16",
    "src 10.0.0.1": "ip.src == 10.0.0.1",
    "host fe80::1": "ipv6.addr == fe80::1",
    "ether host ff:ff:ff:ff:ff:ff": "eth.addr == ff:ff:ff:ff:ff:ff",
    "ether proto 0x0800": "eth.type == 0x0800",
    "ip proto \\icmp": "ip.proto == 1",
    "portrange 1-1024": "tcp.port in {1 .. 1024} or udp.port in {1 .. 1024}",
    "greater 100": "frame.len >= 100",
    "vlan 10": "vlan.id == 10",
    "broadcast": "eth.dst == ff:ff:ff:ff:ff:ff",
    "ip multicast": "ip.dst == 224.0.0.0/4",
    "arp host 1.2.3.4": "arp.src.proto_ipv4 == 1.2.3.4 or arp.dst.proto_ipv4 == 1.2.3.4",
    "not port 22": "not (tcp.port == 22 or udp.port == 22)",
    "tcp and port 80": "tcp and (tcp.port == 80 or udp.port == 80)",
    "tcp port 80 or udp port 53 and host 1.2.3.4": (  # tcpdump joins from left to right
        "(tcp.port == 80 or udp.port == 53) and ip.addr == 1.2.3.4"
    ),
    "not (host 1.2.3.4 && !udp)": "not (ip.addr == 1.2.3.4 and not udp)",
}
NONE = (
    "", " ", "tcp", "tcp or udp", "not arp", "tcp.port == 80", "port", "port http", "host",
    "host example.org", "net 10.0.0.0 mask 255.0.0.0", "(port 80", "port 80)", "port 80 80",
    "tcp[13] == 2", "icmp port 5", "not", "and port 80", "port 80 and", "portrange 1-x", "\x00",
)  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), MEANT.items())
def test_the_message_offers_the_display_filter(text: str, meant: str) -> None:
    with pytest.raises(FilterError) as failed:
        compile_filter(f" {text} ", CATALOG)
    assert failed.value.message == f"this is a capture filter; the display filter is: {meant}"
    assert failed.value.place == (1, 1 + len(text))
    compile_filter(meant, CATALOG)  # is valid


@pytest.mark.parametrize("text", NONE)
def test_other_texts_have_no_translation(text: str) -> None:
    assert display_filter_of(text) == ""


def test_long_and_deep_texts_are_bounded() -> None:
    assert display_filter_of("(" * 100 + "port 80" + ")" * 100) == ""
    assert display_filter_of("port 80 or " * 1000 + "port 80") == ""
