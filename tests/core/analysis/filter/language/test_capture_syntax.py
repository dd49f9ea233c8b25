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

INVALID = (
    "port 99999", "udp port 65536", "portrange 1-65536", "vlan 99999", "port 80-",
    "net 10.0.0.0/99", "net fe80::/129", "ether proto 99999", "ip proto 256", "not port 99999",
    "tcp and host 1.2.3.400", "greater 99999999999",
)  # fmt: skip
ADDRESS_WORDS: dict[str, tuple[str, ...]] = {
    "host": ("4", "6", "mac"), "src host": ("4", "6", "mac"), "dst": ("4", "6", "mac"),
    "ip host": ("4",), "ip src": ("4",), "ip6 host": ("6",), "ip6 dst host": ("6",),
    "arp host": ("4",), "arp src": ("4",), "ether host": ("mac",), "ether src": ("mac",),
    "tcp host": ("4", "6"), "not udp dst host": ("4", "6"), "arp or ether host": ("mac",),
}  # fmt: skip
"""Words before an address, and the families of addresses that may follow."""
ADDRESSES = {
    "1.2.3.4": "4", "fe80::1": "6", "::ffff:1.2.3.4": "6", "00:11:22:33:44:55": "mac",
    "1.2.3.400": "", ":::": "", "a:b": "", "1.2.3.4.5": "", "1::2::3": "", "00:11:22:33:44:5g": "",
}  # fmt: skip
"""Addresses, and the family of each; none for a wrong one."""


@pytest.mark.parametrize(("text", "meant"), MEANT.items())
def test_the_message_offers_the_display_filter(text: str, meant: str) -> None:
    with pytest.raises(FilterError) as failed:
        compile_filter(f" {text} ", CATALOG)
    assert failed.value.message == f"this is a capture filter; a similar display filter is: {meant}"
    assert failed.value.place == (1, 1 + len(text))
    compile_filter(meant, CATALOG)  # is valid


@pytest.mark.parametrize("text", NONE)
def test_other_texts_have_no_translation(text: str) -> None:
    assert display_filter_of(text) == ""


def test_long_and_deep_texts_are_bounded() -> None:
    assert display_filter_of("(" * 100 + "port 80" + ")" * 100) == ""
    assert display_filter_of("port 80 or " * 1000 + "port 80") == ""
    assert display_filter_of("not " * 2 + "tcp port 80") == "not (not (tcp.port == 80))"
    for count in (21, 240, 900):
        assert display_filter_of("!" * count + "port 80") == ""


@pytest.mark.parametrize("value", ADDRESSES)
@pytest.mark.parametrize("words", ADDRESS_WORDS)
def test_an_offer_is_valid_and_of_the_family_of_its_address(words: str, value: str) -> None:
    """An address of another family, or a wrong one, gets the message about the display filter."""
    family = ADDRESSES[value]
    with pytest.raises(FilterError) as failed:
        compile_filter(f"{words} {value}", CATALOG)
    offer = failed.value.message.partition("a similar display filter is: ")[2]
    assert bool(offer) == (family in ADDRESS_WORDS[words])
    compile_filter(offer, CATALOG)


@pytest.mark.parametrize("text", INVALID)
def test_nothing_invalid_is_offered(text: str) -> None:
    with pytest.raises(FilterError) as failed:
        compile_filter(text, CATALOG)
    assert "display filter" not in failed.value.message
