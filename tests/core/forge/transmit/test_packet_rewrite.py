"""Addresses and hop limits after the rules; the checksums follow."""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.transmit.packet_rewrite import rewrite_packets
from core.forge.transmit.rewrite_rules import HopLimitEdit, RewriteRules, parse_address_map
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import SLL
from core.wire.link.loopback import FAMILY_IPV4
from core.wire.model.assigned_numbers import EtherType
from core.wire.model.dissection import Verdict
from tests.core.decode.support import batch_of
from tests.core.forge.transmit.rewriting import rewritten, value, verdicts

PNAT = parse_address_map("10.0.0.0/8:192.168.0.0/16,[2001:db8::/32]:[fd00::/12]")
BOTH = RewriteRules(sources=PNAT, destinations=PNAT)


def made(*layers: str, **texts: str) -> bytes:
    return evaluate(
        Draft(layers, {key.replace("_", "."): text for key, text in texts.items()})
    ).data


def four(source: str = "10.1.2.3", destination: str = "10.4.5.6", *layers: str) -> bytes:
    return made("eth", *layers, "ip", "udp", ip_src=source, ip_dst=destination, payload="xyz")


def six(source: str = "2001:db8::1", destination: str = "2001:db8:5::2") -> bytes:
    return made("eth", "ipv6", "tcp", ipv6_src=source, ipv6_dst=destination, payload="xyz")


def ends(frame: bytes, kind: int = LinkType.ETHERNET) -> tuple[str, str]:
    name = "ip" if any(name.startswith("ip.") for name in verdicts(frame, kind)) else "ipv6"
    both = [value(frame, f"{name}.{key}", kind) for key in ("src", "dst")]
    size = 4 if name == "ip" else 16
    source, destination = (str(ip_address(one.to_bytes(size, "big"))) for one in both)
    return source, destination


def test_the_first_pair_that_has_an_address_changes_it() -> None:
    """Leading bits come from the new network, as many as its prefix has; the others stay."""
    sources = parse_address_map(
        "10.1.0.0/16:172.16.0.0/12,10.0.0.0/8:198.51.100.7,0.0.0.0/0:1.2.3.4/31"
    )
    rules = RewriteRules(sources=sources)
    frames = [four(one) for one in ("10.1.2.3", "10.2.2.3", "203.0.113.9", "1.2.3.5")]
    found, changed = rewritten(rules, *frames)
    assert [ends(one)[0] for one in found] == ["172.17.2.3", "198.51.100.7", "1.2.3.5", "1.2.3.5"]
    assert {ends(one)[1] for one in found} == {"10.4.5.6"}
    assert changed == [True, True, True, False]
    assert found[3] == frames[3]


def test_sources_and_destinations_have_maps_of_their_own() -> None:
    new = parse_address_map("10.0.0.0/8:192.168.0.0/16")
    assert ends(rewritten(RewriteRules(sources=new), four())[0][0]) == ("192.168.2.3", "10.4.5.6")
    found = rewritten(RewriteRules(destinations=new), four())[0][0]
    assert ends(found) == ("10.1.2.3", "192.168.5.6")
    assert ends(rewritten(BOTH, four())[0][0]) == ("192.168.2.3", "192.168.5.6")


def test_ipv6_addresses_with_prefixes_of_any_length() -> None:
    found, changed = rewritten(BOTH, six(), six("fe80::1", "2001:db7::1"))
    assert ends(found[0]) == ("fd01:db8::1", "fd01:db8:5::2")
    assert ends(found[1]) == ("fe80::1", "2001:db7::1")
    assert changed == [True, False]
    exact = parse_address_map("[2001:db8::1]:[::ffff:0:1],[::/0]:[2001:db8::/65]")
    found, _ = rewritten(RewriteRules(sources=exact, destinations=exact), six())
    assert ends(found[0]) == ("::ffff:0:1", "2001:db8::2")


@pytest.mark.parametrize("layers", [(), ("vlan",), ("vlan", "vlan"), ("ieee8021ad", "vlan")])
def test_packets_behind_tags(layers: tuple[str, ...]) -> None:
    frame = four("10.1.2.3", "10.4.5.6", *layers)
    ((found,), _) = rewritten(BOTH, frame)
    assert ends(found) == ("192.168.2.3", "192.168.5.6")
    assert set(verdicts(found).values()) == {Verdict.GOOD}


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        (LinkType.RAW, b""),
        (LinkType.IPV4, b""),
        (LinkType.NULL, FAMILY_IPV4.to_bytes(4, "little")),
        (LinkType.LINUX_SLL, SLL.emit({"etype": EtherType.IPV4})),
    ],
)
def test_packets_of_other_links(kind: int, head: bytes) -> None:
    ((found,), changed) = rewritten(BOTH, head + four()[ETHERNET.size :], kind=kind)
    assert found.startswith(head)
    assert ends(found, kind) == ("192.168.2.3", "192.168.5.6")
    assert set(verdicts(found, kind).values()) == {Verdict.GOOD}
    assert changed == [True]


def test_pnat_changes_arp_requests_and_replies_and_the_other_maps_do_not() -> None:
    texts = {"arp_src_proto__ipv4": "10.0.0.1", "arp_dst_proto__ipv4": "10.0.0.2"}
    keys = {key.replace("__", "@"): text for key, text in texts.items()}

    def arp(operation: str) -> bytes:
        fields = {key.replace("_", ".").replace("@", "_"): text for key, text in keys.items()}
        return evaluate(Draft(("eth", "arp"), {**fields, "arp.opcode": operation})).data

    frames = [arp("1"), arp("2"), arp("3"), arp("1")[:-1]]
    nat = RewriteRules(sources=PNAT, destinations=PNAT, in_arp=True)
    found, changed = rewritten(nat, *frames)
    assert changed == [True, True, False, False]
    for frame in found[:2]:
        both = [value(frame, f"arp.{side}.proto_ipv4") for side in ("src", "dst")]
        assert [str(ip_address(one)) for one in both] == ["192.168.0.1", "192.168.0.2"]
    assert found[2:] == frames[2:]
    assert rewritten(BOTH, *frames) == (frames, [False] * 4)


@pytest.mark.parametrize(
    ("edit", "limits"),
    [
        (HopLimitEdit(9), {1: 9, 9: 9, 255: 9}),
        (HopLimitEdit(7, is_relative=True), {1: 8, 9: 16, 255: 255}),
        (HopLimitEdit(-8, is_relative=True), {1: 1, 9: 1, 255: 247}),
    ],
)
def test_hop_limits(edit: HopLimitEdit, limits: dict[int, int]) -> None:
    for before, after in limits.items():
        fours = made("eth", "ip", "udp", ip_ttl=str(before), ip_dst="10.0.0.1")
        sixes = made("eth", "ipv6", "udp", ipv6_hlim=str(before), ipv6_dst="::1")
        found, changed = rewritten(RewriteRules(hop_limit=edit), fours, sixes)
        assert [value(found[0], "ip.ttl"), value(found[1], "ipv6.hlim")] == [after, after]
        assert changed == [before != after] * 2
        assert all(set(verdicts(one).values()) == {Verdict.GOOD} for one in found)


def test_headers_that_are_cut_or_contradict_themselves_stay() -> None:
    whole = four()
    wrong = bytearray(whole)
    wrong[14] = 0x44  # a header of 16 bytes
    frames = [whole[:33], bytes(wrong), b"", whole[:14], whole[:13], six()[:53]]
    rules = RewriteRules(fixes_checksums=True, sources=PNAT, hop_limit=HopLimitEdit(3))
    assert rewritten(rules, *frames) == (frames, [False] * len(frames))


def test_carried_packets_are_not_rewritten() -> None:
    """An ICMP error that quotes a packet, and a tunnel."""
    inner = four()[ETHERNET.size :]
    error = made(
        "eth", "ip", "icmp", ip_dst="10.4.5.6", icmp_type="3", payload=f"hex:{inner.hex()}"
    )
    tunnel = made("eth", "ip", ip_dst="10.4.5.6", ip_proto="4", payload=f"hex:{inner.hex()}")
    found, changed = rewritten(BOTH, error, tunnel)
    assert all(one.endswith(inner) for one in found)
    assert all(ends(one)[1] == "192.168.5.6" for one in found)
    assert changed == [True, True]
    assert set(verdicts(found[0]).values()) == {Verdict.GOOD}


def test_a_packet_inside_a_mapped_file_is_not_written_to() -> None:
    batch = batch_of([four(), six()])
    assert not batch.data.flags.writeable
    new, _ = rewrite_packets(batch, np.full(2, LinkType.ETHERNET), BOTH)
    assert new.data is not batch.data
    same, changed = rewrite_packets(batch, np.full(2, LinkType.ETHERNET), RewriteRules())
    assert same is batch
    assert not changed.any()


@given(
    st.lists(st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)), min_size=1, max_size=5),
    st.integers(0, 32),
)
def test_a_map_and_its_inverse_give_the_packet_back(addresses: list, prefix: int) -> None:
    frames = [four(str(source), str(destination)) for source, destination in addresses]
    there = parse_address_map(f"10.0.0.0/{prefix}:192.0.0.0/{prefix}")
    back = parse_address_map(f"192.0.0.0/{prefix}:10.0.0.0/{prefix}")
    once, changed = rewritten(RewriteRules(sources=there), *frames)
    again, _ = rewritten(RewriteRules(sources=back), *once)
    for frame, found, was_changed in zip(frames, again, changed, strict=True):
        assert not was_changed or found == frame
