"""Checksums of rewritten packets: adapted, or computed again. The judge is the scalar decoder."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from core.decode.batch_decoder import decode_batch
from core.decode.checksum_rules import RULES
from core.decode.verdicts import fill, unpack
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.transmit.packet_rewrite import rewrite_packets
from core.forge.transmit.rewrite_rules import RewriteRules, parse_address_map
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.batch import HeaderState
from core.wire.model.dissection import Verdict
from core.wire.transport.udp import UDP
from tests.core.decode.support import batch_of
from tests.core.forge.transmit.rewriting import frames_of, rewritten, value, verdicts
from tests.core.wire.frames import ethernet, ipv4, ipv6, tcp, udp
from tests.fuzz.shapes import shapes

NEW = parse_address_map("10.0.0.0/8:172.16.0.0/12,[2001:db8::/32]:[fd00::/16]")
MAPS = RewriteRules(sources=NEW, destinations=NEW)
FIX = RewriteRules(fixes_checksums=True)
BOTH = RewriteRules(fixes_checksums=True, sources=NEW, destinations=NEW)
GOOD, BAD = Verdict.GOOD, Verdict.BAD


def four(payload: bytes, protocol: int, **fields: int) -> bytes:
    return ethernet(ipv4(payload, protocol, **fields))


def six(payload: bytes, protocol: int) -> bytes:
    return ethernet(ipv6(payload, protocol), EtherType.IPV6)


SEGMENTS = [
    four(tcp(b"odd"), IpProtocol.TCP),
    six(tcp(b"even", six=True), IpProtocol.TCP),
    four(udp(b"odd"), IpProtocol.UDP),
    six(udp(b"even", six=True), IpProtocol.UDP),
]


def drafted(*layers: str, **texts: str) -> bytes:
    return evaluate(
        Draft(layers, {key.replace("_", "."): text for key, text in texts.items()})
    ).data


def spoiled(frame: bytes, name: str) -> bytes:
    """Return the frame with a checksum that is wrong by one."""
    stored = value(frame, name).to_bytes(2, "big")
    assert frame.count(stored) == 1
    return frame.replace(stored, ((value(frame, name) + 1) % 0xFFFF).to_bytes(2, "big"))


def test_right_checksums_stay_right_and_wrong_ones_wrong() -> None:
    found, changed = rewritten(MAPS, *SEGMENTS)
    assert all(set(verdicts(one).values()) == {GOOD} for one in found)
    assert changed == [True] * 4
    wrong = [spoiled(SEGMENTS[0], "tcp.checksum"), spoiled(SEGMENTS[3], "udp.checksum")]
    found, _ = rewritten(MAPS, *wrong)
    assert [verdicts(one)["tcp.checksum"] for one in found[:1]] == [BAD]
    assert [verdicts(one)["udp.checksum"] for one in found[1:]] == [BAD]
    fixed, changed = rewritten(FIX, *wrong)
    assert fixed == [SEGMENTS[0], SEGMENTS[3]]
    assert changed == [True, True]
    assert rewritten(FIX, *SEGMENTS) == (SEGMENTS, [False] * 4)


def test_the_checksum_of_each_protocol_with_a_rule_is_computed() -> None:
    """The bytes after a fix of a spoiled field are those that the forge builds."""
    frames = {
        "ip": drafted("eth", "ip", ip_dst="10.0.0.1", ip_proto="250"),
        "icmp": drafted("eth", "ip", "icmp", ip_dst="10.0.0.1", payload="odd"),
        "icmpv6": drafted("eth", "ipv6", "icmpv6", ipv6_dst="2001:db8::9", payload="odd"),
        "igmp": drafted("eth", "ip", "igmp", ip_dst="224.0.0.1"),
        "sctp": drafted("eth", "ip", "sctp", ip_dst="10.0.0.1", payload="four"),
        "tcp": drafted("eth", "ip", "tcp", ip_dst="10.0.0.1", payload="odd"),
        "udp": drafted("eth", "ipv6", "udp", ipv6_dst="2001:db8::9", payload="odd"),
        "vrrp": drafted("eth", "ip", "vrrp", ip_dst="224.0.0.18"),
    }
    assert {rule.table.name for rule in RULES.values()} == set(frames) - {"ip"}
    for name, frame in frames.items():
        wrong = bytearray(frame)
        stored = value(frame, f"{name}.checksum")
        width = 4 if name == "sctp" else 2
        at = frame.index(stored.to_bytes(width, "big"), 14)
        wrong[at : at + width] = bytes(width - 1) + b"\x01"
        assert verdicts(bytes(wrong))[f"{name}.checksum"] is not GOOD, name
        assert rewritten(FIX, bytes(wrong)) == ([frame], [True]), name


def test_an_absent_udp_checksum_stays_absent_over_ipv4_and_is_filled_in_over_ipv6() -> None:
    """tcprewrite -C leaves 0 over IPv6, too, where it is illegal: RFC 8200 §8.1."""
    absent = four(udp(b"xyz", checksum=0), IpProtocol.UDP)
    illegal = six(udp(b"xyz", six=True, checksum=0), IpProtocol.UDP)
    assert rewritten(FIX, absent, illegal)[0] == [
        absent, six(udp(b"xyz", six=True), IpProtocol.UDP)
    ]  # fmt: skip
    found, _ = rewritten(MAPS, absent, illegal)
    assert [value(one, "udp.checksum") for one in found] == [0, 0]


@functools.cache
def datagrams_of_two_bytes() -> list[bytes]:
    return [
        four(udp(number.to_bytes(2, "big"), srcport=1), IpProtocol.UDP) for number in range(0x10000)
    ]


@pytest.mark.parametrize("rules", [FIX, MAPS, BOTH])
def test_a_udp_checksum_that_is_zero_is_sent_as_all_ones(rules: RewriteRules) -> None:
    """tcprewrite writes 0, which means no checksum: RFC 768.

    Of all payloads of two bytes, one gives the sum 0.
    """
    found, _ = rewritten(rules, *datagrams_of_two_bytes())
    at = 34 + UDP["checksum"].span.start
    sums = np.array([int.from_bytes(one[at : at + 2], "big") for one in found])
    assert (sums != 0).all()
    row = int(np.flatnonzero(sums == 0xFFFF)[0])
    assert verdicts(found[row])["udp.checksum"] is GOOD


def fragments(rules: RewriteRules, size: int = 16) -> list[bytes]:
    """Return the two fragments of a UDP datagram after the rules, in one."""
    datagram = udp(bytes(range(32)))
    first = four(datagram[:size], IpProtocol.UDP, flags__mf=1)
    second = four(datagram[size:], IpProtocol.UDP, frag_offset=size // 8)
    return rewritten(rules, first, second)[0]


def test_fragments_of_a_rewritten_datagram_still_make_it_up() -> None:
    """The checksum in the first one is adapted, also with a fix: not all of its bytes are here."""
    for rules in (MAPS, BOTH):
        first, second = fragments(rules)
        assert verdicts(first)["ip.checksum"] is verdicts(second)["ip.checksum"] is GOOD
        whole = ipv4(first[34:] + second[34:], IpProtocol.UDP,
                     src=value(first, "ip.src"), dst=value(first, "ip.dst"))  # fmt: skip
        assert verdicts(ethernet(whole))["udp.checksum"] is GOOD
    assert fragments(FIX) == fragments(RewriteRules())


def test_packets_cut_by_the_capture_keep_a_checksum_for_the_whole() -> None:
    whole = four(tcp(bytes(range(64))), IpProtocol.TCP)
    for rules in (MAPS, BOTH):
        for length in (50, 51, 52, 70):  # the field ends at byte 52
            ((found,), _) = rewritten(rules, whole[:length], missing=len(whole) - length)
            ((right,), _) = rewritten(rules, whole)
            assert found == right[:length] or length < 52
            assert found[:34] == right[:34]
            if length < 52:
                assert found[34:] == whole[34:length], "there is no field to adapt"


def test_bytes_after_the_packet_do_not_count() -> None:
    """tcprewrite -C makes the padding of short frames a part of the packet."""
    padded = [frame.ljust(100, b"\x55") for frame in SEGMENTS]
    assert rewritten(FIX, *padded) == (padded, [False] * 4)
    found, _ = rewritten(MAPS, *padded)
    assert all(set(verdicts(one).values()) == {GOOD} for one in found)


def test_a_length_that_the_packet_does_not_have_leaves_its_checksum() -> None:
    for length in (4, 12, 2000):
        frame = four(udp(b"xyz", length=length, checksum=0x1234), IpProtocol.UDP)
        assert rewritten(FIX, frame) == ([frame], [False])


def routed() -> list[bytes]:
    """Return packets whose final destination is not in the IP header: all right."""
    final, final_6 = bytes((10, 9, 9, 9)), 0x20010DB8000000000000000000000077.to_bytes(16, "big")
    loose = bytes((131, 7, 4)) + final + b"\0"
    routing = bytes((IpProtocol.TCP, 2, 0, 1)) + bytes(4) + final_6
    return [
        ethernet(ipv4(tcp(b"x", to=final), IpProtocol.TCP, loose)),
        six(routing + tcp(b"x", six=True, to=final_6), IpProtocol.ROUTING),
    ]


def test_packets_with_a_route_inside() -> None:
    """tcprewrite computes their sums with the wrong destination: RFC 8200 §8.1, RFC 791 §3.1."""
    frames = routed()
    assert all(set(verdicts(one).values()) == {GOOD} for one in frames)
    for rules in (MAPS, BOTH):
        found, changed = rewritten(rules, *frames)
        assert changed == [True, True]
        assert all(set(verdicts(one).values()) == {GOOD} for one in found)
    wrong = [spoiled(one, "tcp.checksum") for one in frames]
    assert rewritten(FIX, *wrong) == (frames, [True, True])
    found, _ = rewritten(MAPS, *wrong)
    assert all(verdicts(one)["tcp.checksum"] is BAD for one in found)


def test_after_a_fix_no_checksum_of_any_header_is_wrong() -> None:
    """A frame for each header, whole and cut at each byte."""
    frames = [
        shape.data[:stop]
        for shape in shapes()
        if shape.link_type == LinkType.ETHERNET
        for stop in range(14, len(shape.data) + 1)
    ]
    assert len(frames) > 1000
    batch = batch_of(frames)
    kinds = np.full(len(frames), LinkType.ETHERNET, np.int64)
    fixed, changed = rewrite_packets(batch, kinds, BOTH)
    assert changed.any()
    chunk = decode_batch(fixed, np.array([LinkType.ETHERNET], np.int32))
    malformed = chunk.state & HeaderState.CAUSE_MASK > 0
    for row, pair in enumerate(map(unpack, fill(chunk).tolist())):
        assert malformed[row] or not {BAD, Verdict.OFFLOADED} & set(pair), frames[row].hex()
    again, changed = rewrite_packets(fixed, kinds, FIX)
    assert not changed.any()
    assert frames_of(again) == frames_of(fixed)
