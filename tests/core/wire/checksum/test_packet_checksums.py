"""The sums themselves, and which source decides a verdict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.checksum import packet_checksums
from core.wire.dissect import dissect
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import SENT_BY_US, SLL
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.dissection import Check, PacketFlag, Verdict
from core.wire.network.ipv4_options import LOOSE_ROUTE
from core.wire.network.ipv6_extensions import DESTINATION_OPTIONS, FRAGMENT
from core.wire.network.ipv6_routing import ROUTING
from core.wire.present.detail import each_row
from core.wire.present.detail_row import Severity
from core.wire.transport.sctp import SCTP
from tests.core.wire import frames

IPV4, IPV6 = LinkType.IPV4, LinkType.IPV6


def slow_sum(data: bytes, start: int) -> int:
    """Return the sum as RFC 1071 §4.1 computes it."""
    total = start
    for at in range(0, len(data) - 1, 2):
        total += data[at] << 8 | data[at + 1]
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@given(st.binary(max_size=200), st.integers(0, 0xFFFF))
def test_the_sum_is_that_of_the_rfc(data, start) -> None:
    assert packet_checksums.ones_sum(data, start) == slow_sum(data, start)


@given(st.binary(min_size=2, max_size=100), st.integers(0, 0xFFFF))
def test_the_corrected_value_makes_the_sum_right(data, stored) -> None:
    total = packet_checksums.ones_sum(stored.to_bytes(2, "big") + data)
    right = packet_checksums.corrected(stored, total)
    assert packet_checksums.ones_sum(right.to_bytes(2, "big") + data) == packet_checksums.ALL_ONES


def test_known_sums() -> None:
    assert packet_checksums.ones_sum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2  # RFC 1071 §3
    swapped = int.from_bytes(0xE3069283.to_bytes(4, "big"), "little")
    assert packet_checksums.crc32c(b"123456789") == swapped
    assert packet_checksums.crc32c(bytes(32)) == 0xAA36918A  # RFC 3720 B.4, as the bytes are sent


def check_of(packet: bytes, link: int, name: str, flags: int = 0) -> Check:
    layer = dissect(packet, link, len(packet), flags).layer(name)
    assert layer is not None
    return layer.checks[0]


def verdict(packet: bytes, link: int, name: str, *, cut: int = 0, flags: int = 0) -> Verdict:
    data = packet[: len(packet) - cut]
    layer = dissect(data, link, len(packet), flags).layer(name)
    assert layer is not None
    return layer.checks[0].verdict


def wrong_tcp(payload: bytes = b"data") -> bytes:
    return frames.ipv4(frames.tcp(payload, checksum=0x1234), IpProtocol.TCP)


def test_a_computed_sum_is_the_truth() -> None:
    good = frames.ipv4(frames.tcp(b"odd"), IpProtocol.TCP)
    assert verdict(good, IPV4, "ip") is Verdict.GOOD
    for flags in (0, PacketFlag.CHECKSUM_NOT_READY, PacketFlag.CHECKSUM_VALID):
        assert verdict(good, IPV4, "tcp", flags=flags) is Verdict.GOOD
    assert verdict(wrong_tcp(), IPV4, "tcp") is Verdict.BAD
    assert verdict(wrong_tcp(), IPV4, "tcp", flags=PacketFlag.CHECKSUM_VALID) is Verdict.BAD


def test_a_bad_sum_tells_the_right_one() -> None:
    good = frames.tcp(b"data")
    layer = dissect(wrong_tcp(), IPV4, len(wrong_tcp())).layer("tcp")
    assert layer is not None
    assert layer.checks[0].expected == int.from_bytes(good[16:18], "big")


def test_the_kernel_says_not_ready() -> None:
    flags = PacketFlag.CHECKSUM_NOT_READY
    assert verdict(wrong_tcp(), IPV4, "tcp", flags=flags) is Verdict.OFFLOADED
    assert verdict(wrong_tcp(), IPV4, "tcp", flags=flags, cut=2) is Verdict.OFFLOADED
    assert verdict(wrong_tcp(), IPV4, "ip", flags=flags) is Verdict.GOOD


@pytest.mark.parametrize("has_length", [True, False])
@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("protocol", [IpProtocol.TCP, IpProtocol.UDP])
def test_a_saved_partial_sum_is_offloaded(protocol, six, has_length) -> None:
    """It has the length or, as Windows writes it before segmentation, does not."""
    make, name = (frames.tcp, "tcp") if protocol == IpProtocol.TCP else (frames.udp, "udp")
    length = len(make(b"data")) if has_length else 0
    partial = frames.pseudo(length, protocol, six=six)
    wrap, link = (frames.ipv6, IPV6) if six else (frames.ipv4, IPV4)
    packet = wrap(make(b"data", checksum=partial), protocol)
    assert verdict(packet, link, name) is Verdict.OFFLOADED
    check = check_of(packet, link, name)
    assert check.reason.endswith("without the length") is not has_length
    assert (
        check.expected == check_of(wrap(make(b"data", checksum=1), protocol), link, name).expected
    )
    for wrong in (partial ^ 1, partial ^ 0xFFFF):
        assert verdict(wrap(make(b"data", checksum=wrong), protocol), link, name) is Verdict.BAD


FROM_HERE, FROM_OTHERS = PacketFlag.OUTBOUND, PacketFlag.INBOUND
LOOPBACK_4, LOOPBACK_6 = 0x7F000001, 1


def zero_ip(**fields: int) -> bytes:
    return frames.ipv4(frames.tcp(b"data"), IpProtocol.TCP, checksum=0, **fields)


def zero_sctp(**fields: int) -> bytes:
    return frames.ipv4(SCTP.emit({"srcport": 1, "dstport": 2}) + b"chunk", 132, **fields)


def zero_sctp_6(**fields: int) -> bytes:
    return frames.ipv6(SCTP.emit({"srcport": 1, "dstport": 2}) + b"chunk", 132, **fields)


def cooked(packet: bytes, **fields: int) -> bytes:
    return SLL.emit({"etype": EtherType.IPV4, **fields}) + packet


def on_lo(packet: bytes, kind: int = EtherType.IPV4) -> bytes:
    return ETHERNET.emit({"type": kind}) + packet


DOUBTED = [
    ("ip", LinkType.ETHERNET, frames.ethernet(zero_ip()), 0),
    ("ip", LinkType.ETHERNET, frames.ethernet(zero_ip()), FROM_HERE),
    ("ip", LinkType.ETHERNET, frames.ethernet(zero_ip()), FROM_OTHERS | PacketFlag.OURS),
    ("ip", LinkType.LINUX_SLL, cooked(zero_ip(), pkttype=SENT_BY_US), 0),
    ("ip", LinkType.ETHERNET, frames.ethernet(zero_ip(len=0)), FROM_OTHERS),
    ("sctp", LinkType.RAW, zero_sctp(), 0),
    ("sctp", LinkType.RAW, zero_sctp(), FROM_HERE),
    ("sctp", LinkType.ETHERNET, on_lo(zero_sctp()), 0),
    ("sctp", LinkType.ETHERNET, on_lo(zero_sctp()), FROM_OTHERS),
    ("sctp", LinkType.ETHERNET, on_lo(zero_sctp_6(), EtherType.IPV6), FROM_OTHERS),
    ("sctp", LinkType.NULL, b"\x02\0\0\0" + zero_sctp(), FROM_OTHERS),
    ("sctp", LinkType.RAW, zero_sctp(src=LOOPBACK_4), FROM_OTHERS),
    ("sctp", LinkType.RAW, zero_sctp_6(src=LOOPBACK_6), FROM_OTHERS),
    ("sctp", LinkType.LINUX_SLL, cooked(zero_sctp(), hatype=772), 0),
]
WRONG = [
    ("ip", LinkType.ETHERNET, frames.ethernet(zero_ip()), FROM_OTHERS),
    ("ip", LinkType.LINUX_SLL, cooked(zero_ip(), pkttype=0), 0),
    ("ip", LinkType.ETHERNET, frames.ethernet(frames.ipv4(b"", 6, checksum=1)), FROM_HERE),
    ("sctp", LinkType.RAW, zero_sctp(), FROM_OTHERS),
    ("sctp", LinkType.RAW, zero_sctp_6(), FROM_OTHERS),
    ("tcp", LinkType.RAW, wrong_tcp(), FROM_HERE),
]


@pytest.mark.parametrize(("name", "link", "data", "flags"), [*DOUBTED, *WRONG])
def test_a_sum_of_zero_asks_whether_it_was_offloaded(name, link, data, flags) -> None:
    """The verdict stays `bad`; the reason and the tree express the doubt."""
    check = check_of(data, link, name, flags)
    assert check.verdict is Verdict.BAD
    assert check.expected is not None
    assert ("offloaded?" in check.reason) == ((name, link, data, flags) in DOUBTED)
    rows = list(each_row(dissect(data, link, len(data), flags)))
    for row in rows:
        rows += row.children
    (field,) = (row for row in rows if row.key == f"{name}.checksum")
    assert field.severity == Severity.ERROR
    assert ("offloaded?" in field.meaning) == ("offloaded?" in check.reason)


def test_a_wrong_sum_under_an_unset_length_is_doubted() -> None:
    """A card that writes the length writes the sum."""
    packet = frames.ipv4(frames.tcp(b"data", checksum=1), IpProtocol.TCP, len=0)
    check = check_of(packet, IPV4, "tcp")
    assert check.verdict is Verdict.BAD
    assert "offloaded?" in check.reason
    assert check_of(frames.ipv4(frames.tcp(b"data"), 6, len=0), IPV4, "tcp").reason == ""


def test_udp_without_a_sum() -> None:
    zero = frames.udp(b"x", checksum=0)
    assert verdict(frames.ipv4(zero, IpProtocol.UDP), IPV4, "udp") is Verdict.NOT_PRESENT
    assert verdict(frames.ipv6(zero, IpProtocol.UDP), IPV6, "udp") is Verdict.ILLEGAL
    assert verdict(frames.ipv4(frames.udp(b"x"), IpProtocol.UDP), IPV4, "udp") is Verdict.GOOD
    good = frames.ipv6(frames.udp(b"x", six=True), IpProtocol.UDP)
    assert verdict(good, IPV6, "udp") is Verdict.GOOD


def test_checksums_that_cannot_be_checked() -> None:
    packet = wrong_tcp()
    assert verdict(packet, IPV4, "tcp", cut=1) is Verdict.UNVERIFIED
    first = frames.ipv4(frames.tcp(b"data"), IpProtocol.TCP, flags__mf=1)
    assert verdict(first, IPV4, "tcp") is Verdict.UNVERIFIED
    long = frames.ipv4(frames.udp(b"x", length=90, checksum=5), IpProtocol.UDP)
    assert verdict(long, IPV4, "udp") is Verdict.UNVERIFIED
    header = FRAGMENT.emit({"nxt": IpProtocol.TCP, "more": 1})
    first = frames.ipv6(header + frames.tcp(six=True), IpProtocol.FRAGMENT)
    assert verdict(first, IPV6, "tcp") is Verdict.UNVERIFIED


def test_a_tunnel_inside_a_fragment_cannot_be_checked() -> None:
    inner = frames.ipv4(frames.tcp(b"data"), IpProtocol.TCP)
    packet = frames.ipv4(inner[:-2], IpProtocol.IPV4, flags__mf=1)
    assert verdict(packet, IPV4, "tcp") is Verdict.UNVERIFIED


def test_a_source_route_has_its_end_in_the_pseudo_header() -> None:
    last = bytes([192, 0, 2, 77])
    route = bytes([LOOSE_ROUTE, 11, 4, 192, 0, 2, 1]) + last + b"\0"
    segment = frames.tcp(b"data", to=last)
    assert verdict(frames.ipv4(segment, IpProtocol.TCP, route), IPV4, "tcp") is Verdict.GOOD
    used_up = bytes([LOOSE_ROUTE, 11, 12, 192, 0, 2, 1]) + last + b"\0"
    segment = frames.tcp(b"data")
    assert verdict(frames.ipv4(segment, IpProtocol.TCP, used_up), IPV4, "tcp") is Verdict.GOOD


PREFIX = 0x20010DB8 << 96
FIRST, LAST = ((PREFIX + end).to_bytes(16, "big") for end in (0x71, 0x77))
HEADER = (PREFIX + 9).to_bytes(16, "big")


@pytest.mark.parametrize(
    ("kind", "rest", "left", "end"),
    [
        (0, bytes(4) + FIRST + LAST, 0, HEADER),
        (0, bytes(4) + FIRST + LAST, 2, LAST),
        (0, bytes(4) + FIRST + LAST[:8], 1, FIRST),
        (0, bytes(12), 1, HEADER),
        (2, bytes(4) + FIRST, 1, FIRST),
        (3, bytes(4) + FIRST + LAST, 1, LAST),
        (3, b"\x0a\x20\0\0" + b"abcdef" + bytes(2), 1, HEADER[:10] + b"abcdef"),
        (4, b"\x01\0\0\0" + FIRST + LAST, 1, FIRST),
        (99, bytes(4) + FIRST, 1, HEADER),
    ],
)
def test_a_routing_header_has_its_end_in_the_pseudo_header(kind, rest, left, end) -> None:
    """tshark 4.0.17 has the same verdicts."""
    values = {"nxt": IpProtocol.TCP, "len": (len(rest) - 4) // 8, "type": kind, "segleft": left}
    segment = frames.tcp(b"data", six=True, to=end)
    packet = frames.ipv6(ROUTING.emit(values) + rest + segment, IpProtocol.ROUTING)
    assert verdict(packet, IPV6, "tcp") is Verdict.GOOD


def test_a_home_address_stands_for_the_source() -> None:
    options = DESTINATION_OPTIONS.emit({"nxt": 6, "len": 2}) + b"\x01\x02\0\0\xc9\x10" + FIRST
    for source, expected in ((FIRST, Verdict.GOOD), (HEADER, Verdict.BAD)):
        segment = frames.tcp(b"data", checksum=0)
        start = packet_checksums.pseudo_header_sum(source, HEADER, IpProtocol.TCP, len(segment))
        segment = frames.tcp(b"data", checksum=packet_checksums.internet_checksum(segment, start))
        packet = frames.ipv6(options + segment, IpProtocol.DESTINATION)
        assert verdict(packet, IPV6, "tcp") is expected


def test_sctp() -> None:
    body = b"\x01\x00\x00\x04"
    zeroed = SCTP.emit({"srcport": 1, "dstport": 2}) + body
    right = packet_checksums.crc32c(zeroed)
    for stored, expected in ((right, Verdict.GOOD), (right ^ 1, Verdict.BAD)):
        packet = SCTP.emit({"srcport": 1, "dstport": 2, "checksum": stored}) + body
        assert verdict(frames.ipv4(packet, IpProtocol.SCTP), IPV4, "sctp") is expected
    packet = frames.ipv4(zeroed, IpProtocol.SCTP)
    flags = PacketFlag.CHECKSUM_NOT_READY
    assert verdict(packet, IPV4, "sctp", flags=flags) is Verdict.OFFLOADED


def test_a_quoted_packet_is_not_judged() -> None:
    inner = frames.ipv4(frames.tcp(b"data"), IpProtocol.TCP)
    error = frames.ipv4(b"\x03\x03\x00\x00" + bytes(4) + inner[:28], IpProtocol.ICMP)
    dissection = dissect(frames.ethernet(error), LinkType.ETHERNET, 14 + len(error))
    quoted = [layer for layer in dissection.layers if layer.quoted]
    assert [layer.name for layer in quoted] == ["ip", "tcp"]
    assert {layer.checks[0].verdict for layer in quoted if layer.checks} == {Verdict.UNVERIFIED}
    assert dissection.stop is None
