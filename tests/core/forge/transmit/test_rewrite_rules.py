"""The texts that describe what a replay changes."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from core.forge.transmit.rewrite_rules import (
    AddedTag,
    HopLimitEdit,
    NetworkPair,
    RewriteRules,
    parse_address_map,
    parse_hop_limit,
    parse_link_address,
)


def pair(old: str, new: str) -> NetworkPair:
    return NetworkPair(ip_network(old), ip_network(new))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.0.0.0/8:192.168.0.0/16", (pair("10.0.0.0/8", "192.168.0.0/16"),)),
        ("10.1.2.3/8:192.168.0.1", (pair("10.0.0.0/8", "192.168.0.1/32"),)),
        ("10.0.0.1:10.0.0.2, 0.0.0.0/0:127.0.0.1",
         (pair("10.0.0.1/32", "10.0.0.2/32"), pair("0.0.0.0/0", "127.0.0.1/32"))),
        ("[2001:db8::/32]:[fd00::/16],10.0.0.1:10.0.0.2",
         (pair("2001:db8::/32", "fd00::/16"), pair("10.0.0.1/32", "10.0.0.2/32"))),
        ("[::1]:[::2]", (pair("::1/128", "::2/128"),)),
    ],
)  # fmt: skip
def test_an_address_map(text: str, found: tuple[NetworkPair, ...]) -> None:
    assert parse_address_map(text) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is not a pair of networks: write 10.0.0.0/8:192.168.0.0/16"),
        ("10.0.0.0/8", "is not a pair of networks"),
        ("10.0.0.1:10.0.0.2:10.0.0.3", "is not a pair of networks"),
        ("10.0.0.1:10.0.0.2,", "'' is not a pair"),
        ("2001:db8::/32:fd00::/16", "or [2001:db8::/32]:[fd00::/16]"),
        ("[2001:db8::/32]:10.0.0.0/8", "is not a pair"),
        ("[10.0.0.1]:[::1]", "maps IPv4 to IPv6"),
        ("10.0.0.0/33:10.0.0.0/8", "'10.0.0.0/33' is not a network"),
        ("10.0.0:10.0.0.0/8", "'10.0.0' is not a network"),
        ("host.example:10.0.0.1", "'host.example' is not a network"),
    ],
)
def test_wrong_address_maps_are_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"is not|maps") as caught:
        parse_address_map(text)
    assert words in str(caught.value)


def test_hop_limits() -> None:
    assert parse_hop_limit("64") == HopLimitEdit(64)
    assert parse_hop_limit("+7") == HopLimitEdit(7, is_relative=True)
    assert parse_hop_limit("-255") == HopLimitEdit(-255, is_relative=True)
    for text in ("", "0", "+0", "256", "x", "--1", "1.5", "٣"):
        with pytest.raises(ValueError, match="is not 1–255"):
            parse_hop_limit(text)


def test_link_addresses() -> None:
    assert parse_link_address("00:12:13:14:15:16") == bytes.fromhex("001213141516")
    for text in ("00:12:13:14:15", "00:12:13:14:15:16,00:22:33:44:55:66", ""):
        with pytest.raises(ValueError, match="is not a MAC address"):
            parse_link_address(text)


def test_rules_are_true_if_something_changes() -> None:
    assert not RewriteRules()
    for rules in (
        RewriteRules(fixes_checksums=True),
        RewriteRules(sources=parse_address_map("10.0.0.1:10.0.0.2")),
        RewriteRules(destinations=parse_address_map("10.0.0.1:10.0.0.2")),
        RewriteRules(hop_limit=HopLimitEdit(1)),
        RewriteRules(source_mac=bytes(6)),
        RewriteRules(destination_mac=bytes(6)),
        RewriteRules(tag=AddedTag(0)),
        RewriteRules(removes_tag=True),
    ):
        assert rules
        assert rules.changes_packets != rules.changes_links
