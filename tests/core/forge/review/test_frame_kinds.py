"""The kinds of frames that a review of a capture distinguishes, mostly by what tunnels carry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.wire.model.assigned_numbers import VXLAN_PORT, EtherType, IpProtocol
from core.wire.network.ipv4 import IPV4
from core.wire.network.tunnels import GRE, VXLAN
from tests.core.forge.review.test_capture_review import FEW, survey_of
from tests.core.wire.frames import ethernet, icmp_echo, ipv4, ipv6, udp


def test_each_claim_of_a_neighbor_advertisement_is_named() -> None:
    """The same source and destination: only what they claim differs."""
    fields = {
        "eth.dst": "33:33:00:00:00:01", "ipv6.src": "::", "ipv6.dst": "ff02::1",
        "icmpv6.type": "136",
    }  # fmt: skip
    targets = ("2001:db8::1", "2001:db8::2")
    frames = [
        evaluate(
            Draft(("eth", "ipv6", "icmpv6"), {**fields, "icmpv6.nd.na.target_address": target})
        ).data
        for target in targets
    ]
    told = " ".join(survey_of(*frames).examination(FEW, frozenset()).questions)
    for target in targets:
        assert f"{target} is where it comes from" in told


TUNNELS = [("ip", "ip"), ("ip", "ipv6"), ("ipv6", "ip"), ("ipv6", "ipv6"), ("ip", "ip", "ip")]


@pytest.mark.parametrize("networks", TUNNELS, ids="/".join)
def test_every_destination_inside_a_tunnel_is_reviewed(networks: tuple[str, ...]) -> None:
    """Frames that differ in nothing but the last byte of the innermost destination."""
    base = {"ip": "198.51.100.", "ipv6": "2001:db8::"}[networks[-1]]
    count = networks.count(networks[-1])
    key = f"{networks[-1]}.dst" + (f"#{count}" if count > 1 else "")
    texts = {"ip.dst": "127.0.0.1", "ip.dst#2": "127.0.0.1", "ipv6.dst": "::1"}
    frames = [
        evaluate(Draft(("eth", *networks, "udp"), {**texts, key: f"{base}{last}"})).data
        for last in (1, 2)
    ]
    review = survey_of(*frames * 20)
    told = " ".join(review.examination(FEW, frozenset()).questions)
    assert len(review._kinds) == 2
    for last in (1, 2):
        assert f"The packet that it carries goes to {base}{last}, which was not approved" in told


def test_packets_in_a_tunnel_to_one_host_are_one_kind() -> None:
    texts = {"ip.dst": "198.51.100.1", "ip.dst#2": "198.51.100.2"}
    frames = [
        evaluate(Draft(("eth", "ip", "ip", "udp"), {**texts, "payload": "x" * size})).data
        for size in range(50)
    ]
    assert len(survey_of(*frames)._kinds) == 1


CARRIERS = ("IP in IP", "GRE", "VXLAN")
"""The tunnels whose frames are grouped; with others, each different frame is reviewed."""


def tunneled(carrier: str, inner: bytes, kind: int = EtherType.IPV4, **outer: int) -> bytes:
    """Return a frame whose IPv4 packet carries another packet; `outer` are fields of its header."""
    if carrier == "IP in IP":
        return ethernet(ipv4(inner, 41 if kind == EtherType.IPV6 else 4, **outer))
    if carrier == "GRE":
        return ethernet(ipv4(GRE.emit({"proto": kind}) + inner, IpProtocol.GRE, **outer))
    body = VXLAN.emit({"flag_i": 1, "vni": 7}) + ethernet(inner, kind)
    return ethernet(ipv4(udp(body, dstport=VXLAN_PORT), IpProtocol.UDP, **outer))


def inner_packet(last: int, payload: bytes = b"") -> bytes:
    return ipv4(udp(payload), IpProtocol.UDP, dst=0xC6336400 + last)


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("network", ["ip", "ipv6"])
def test_tunnels_are_grouped_by_the_destination_inside(carrier: str, network: str) -> None:
    """Frames that differ in the payload, and in the last byte of the destination inside."""
    frames = [
        tunneled(carrier, inner_packet(last, bytes(size)))
        if network == "ip"
        else tunneled(
            carrier,
            ipv6(udp(bytes(size), six=True), IpProtocol.UDP, dst=(0x20010DB8 << 96) + last),
            EtherType.IPV6,
        )
        for size in range(50)
        for last in (1, 2)
    ]
    base = {"ip": "198.51.100.", "ipv6": "2001:db8::"}[network]
    review = survey_of(*frames)
    told = " ".join(review.examination(FEW, frozenset()).questions)
    assert len(review._kinds) == 2
    for last in (1, 2):
        assert f"The packet that it carries goes to {base}{last}, which was not approved" in told


@pytest.mark.parametrize("words", range(8))
def test_the_optional_words_of_gre_are_skipped(words: int) -> None:
    bits = {"checksum": words >> 2, "key": words >> 1 & 1, "sequence_number": words & 1}
    flags = {f"flags.{name}": bit for name, bit in bits.items()}
    head = GRE.emit({"proto": EtherType.IPV4, **flags}) + b"\xee" * 4 * sum(bits.values())
    frames = [
        ethernet(ipv4(head + inner_packet(last) + bytes(pad), IpProtocol.GRE))
        for last in (1, 2)
        for pad in range(4)
    ]
    review = survey_of(*frames)
    told = " ".join(review.examination(FEW, frozenset()).questions)
    assert len(review._kinds) == 2
    assert "carries goes to 198.51.100.1," in told
    assert "carries goes to 198.51.100.2," in told


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_damaged_packet_in_a_tunnel_hides_no_other(carrier: str) -> None:
    """A packet whose lengths or end hide the destination inside, before the intact one."""
    inner = inner_packet(0)
    intact = tunneled(carrier, inner)
    damaged = [intact[:size] for size in range(14, len(intact))]
    damaged += [tunneled(carrier, inner, len=size) for size in range(len(intact))]
    damaged += [
        tunneled(carrier, IPV4.emit({"len": size, "proto": 17, "dst": 0xC6336400}) + inner[20:])
        for size in range(40)
    ]
    damaged += [intact[:38] + bytes((0, size)) + intact[40:] for size in range(90)]  # of UDP
    for one in damaged[::3]:
        told = survey_of(one, intact).examination(FEW, frozenset()).questions
        assert any("carries goes to 198.51.100.0," in question for question in told)


def test_a_neighbor_advertisement_in_a_tunnel_hides_no_other() -> None:
    fields = {"ip.dst": "127.0.0.1", "ipv6.dst": "2001:db8::1", "icmpv6.type": "136"}
    key = "icmpv6.nd.na.target_address"
    frames = [
        evaluate(Draft(("eth", "ip", "ipv6", "icmpv6"), {**fields, key: f"2001:db8::{n}"})).data
        for n in (7, 8)
    ]
    told = " ".join(survey_of(*frames).examination(FEW, frozenset()).questions)
    assert "2001:db8::7 is where" in told
    assert "2001:db8::8 is where" in told


def test_an_echo_request_in_a_tunnel_is_grouped_by_its_destination() -> None:
    frames = [tunneled("GRE", ipv4(icmp_echo(bytes(size)), IpProtocol.ICMP)) for size in range(20)]
    assert len(survey_of(*frames)._kinds) == 1


@given(st.lists(st.binary(max_size=40), max_size=30))
def test_equal_frames_are_one_kind(frames: list[bytes]) -> None:
    strange = [bytes(12) + b"\x12\x34" + one for one in frames]
    assert len(survey_of(*strange, *reversed(strange))._kinds) == len(set(strange))
