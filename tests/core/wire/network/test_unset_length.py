"""Lengths of 0: left to the network card before TCP or UDP, an error everywhere else."""

from __future__ import annotations

import numpy as np
import pytest

from core.wire.dissect import dissect
from core.wire.encode.build import build
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import SLL
from core.wire.model.assigned_numbers import VXLAN_PORT, EtherType, IpProtocol
from core.wire.model.dissection import Cause, Dissection, Verdict
from core.wire.model.field import Span
from core.wire.model.packet_parts import parts_of
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6, SEGMENTS_WITHIN
from core.wire.network.ipv6_extensions import DESTINATION_OPTIONS, FRAGMENT, HOP_BY_HOP
from core.wire.network.ipv6_routing import ROUTING
from core.wire.network.tunnels import GRE, VXLAN
from core.wire.network.unset_length import is_left_to_card
from core.wire.present.detail import each_row
from core.wire.present.detail_row import Row, Severity
from core.wire.present.record import record
from core.wire.present.summary import summarize
from core.wire.transport.udp import UDP
from tests.core.wire import frames

DATA = b"segments" * 300
LONG = b"more than the field can say" * 2600
TCP, UDP_NUMBER = IpProtocol.TCP, IpProtocol.UDP
EXPERIMENTAL = 253  # RFC 3692 §2.1

Made = tuple[int, bytes]  # link type and frame


def ip(payload: bytes, protocol: int, *, unset: bool, **fields: int) -> bytes:
    """Return IPv4 with total length 0, or with the right one if it fits."""
    length = IPV4.size + len(payload)
    fitting = length if length <= IPV4["len"].maximum else 0
    return frames.ipv4(payload, protocol, **{"len": 0 if unset else fitting, **fields})


def ip6(payload: bytes, following: int, *, unset: bool) -> bytes:
    """Return IPv6 with payload length 0, or with the right one if it fits."""
    fitting = len(payload) if len(payload) <= IPV6["plen"].maximum else 0
    return frames.ipv6(payload, following, plen=0 if unset else fitting)


def options(kind, following: int) -> bytes:
    """Return an extension header of 8 bytes."""
    return kind.emit({"nxt": following}) + b"\x01\x04\0\0\0\0"


def behind_options(unset: bool) -> bytes:
    chain = options(HOP_BY_HOP, IpProtocol.DESTINATION)
    chain += options(DESTINATION_OPTIONS, IpProtocol.ROUTING)
    chain += ROUTING.emit({"nxt": TCP}) + bytes(4)
    return ip6(chain + frames.tcp(DATA, six=True), IpProtocol.HOP_BY_HOP, unset=unset)


def vxlan(inner: bytes, *, unset: bool, six: bool = False) -> bytes:
    """Return a tunnel whose lengths of UDP and of IP are both left to the card, or neither."""
    fields = {"length": 0} if unset else {}
    body = VXLAN.emit({"vni": 7}) + frames.ethernet(inner)
    datagram = frames.udp(body, six=six, dstport=VXLAN_PORT, checksum=0, **fields)
    return (ip6 if six else ip)(datagram, UDP_NUMBER, unset=unset)


def made(unset: bool) -> dict[str, Made]:
    """Return one frame of each shape, its lengths left to the card or written."""
    segment, segment_6 = frames.tcp(DATA), frames.tcp(DATA, six=True)
    four, six = ip(segment, TCP, unset=unset), ip6(segment_6, TCP, unset=unset)
    datagram = ip(frames.udp(DATA), UDP_NUMBER, unset=unset)
    datagram_6 = ip6(frames.udp(DATA, six=True), UDP_NUMBER, unset=unset)
    inner = ip(segment, TCP, unset=unset)
    return {
        "eth:ip:tcp": (LinkType.ETHERNET, frames.ethernet(four)),
        "eth:ip:udp": (LinkType.ETHERNET, frames.ethernet(datagram)),
        "eth:ipv6:tcp": (LinkType.ETHERNET, frames.ethernet(six, EtherType.IPV6)),
        "eth:ipv6:udp": (LinkType.ETHERNET, frames.ethernet(datagram_6, EtherType.IPV6)),
        "eth:vlan:ip:tcp": (
            LinkType.ETHERNET,
            frames.ethernet(frames.vlan(four, 5), EtherType.VLAN),
        ),
        "sll:ip:tcp": (LinkType.LINUX_SLL, SLL.emit({"etype": EtherType.IPV4}) + four),
        "null:ip:tcp": (LinkType.NULL, b"\x02\0\0\0" + four),
        "ip:tcp": (LinkType.RAW, four),
        "ipv6:ipv6.hopopts:ipv6.dstopts:ipv6.routing:tcp": (LinkType.RAW, behind_options(unset)),
        "ip:udp:vxlan:eth:ip:tcp": (LinkType.RAW, vxlan(inner, unset=unset)),
        "ipv6:udp:vxlan:eth:ip:tcp": (LinkType.RAW, vxlan(inner, unset=unset, six=True)),
        "ip:gre:ip:tcp": (
            LinkType.RAW,
            ip(GRE.emit({"proto": EtherType.IPV4}) + inner, IpProtocol.GRE, unset=False),
        ),
        "ip:ip:tcp": (LinkType.RAW, ip(inner, IpProtocol.IPV4, unset=False)),
    }


LEFT, WRITTEN = made(unset=True), made(unset=False)
BIG = {
    "eth:ip:tcp": frames.ethernet(ip(frames.tcp(LONG), TCP, unset=True)),
    "eth:ipv6:tcp": frames.ethernet(
        ip6(frames.tcp(LONG, six=True), TCP, unset=True), EtherType.IPV6
    ),
    "eth:ip:udp:vxlan:eth:ip:tcp": frames.ethernet(
        vxlan(ip(frames.tcp(LONG), TCP, unset=True), unset=True)
    ),
    "eth:ipv6:udp:vxlan:eth:ip:tcp": frames.ethernet(
        vxlan(ip(frames.tcp(LONG), TCP, unset=True), unset=True, six=True), EtherType.IPV6
    ),
    "eth:ip:gre:ip:tcp": frames.ethernet(
        ip(
            GRE.emit({"proto": EtherType.IPV4}) + ip(frames.tcp(LONG), TCP, unset=True),
            IpProtocol.GRE,
            unset=True,
        )
    ),
}
DISSECTED = (  # protocols other than TCP and UDP whose headers the dissector reads
    IpProtocol.ICMP,
    IpProtocol.IGMP,
    IpProtocol.IPV4,
    IpProtocol.IPV6,
    IpProtocol.GRE,
    IpProtocol.AH,
    IpProtocol.ICMPV6,
    IpProtocol.SCTP,
)
OPAQUE = (IpProtocol.ESP, IpProtocol.NO_NEXT, EXPERIMENTAL)
TOO_MANY = SEGMENTS_WITHIN + 1
FAULTS: dict[str, Made] = {
    **{f"ip, {n}": (LinkType.RAW, ip(bytes(80), n, unset=True)) for n in (*DISSECTED, *OPAQUE)},
    # an IPv6 length of 0 is a fault only if the header after it needs more bytes
    **{f"ipv6, {n}": (LinkType.RAW, ip6(bytes(80), n, unset=True)) for n in DISSECTED},
    "ip, nothing there": (LinkType.RAW, ip(b"", TCP, unset=True)),
    "ipv6, nothing there": (LinkType.RAW, ip6(b"", TCP, unset=True)),
    "first fragment": (LinkType.RAW, ip(frames.tcp(DATA), TCP, unset=True, flags__mf=1)),
    "later fragment": (LinkType.RAW, ip(DATA, TCP, unset=True, frag_offset=3)),
    "ipv6 fragment": (
        LinkType.RAW,
        ip6(FRAGMENT.emit({"nxt": TCP, "more": 1}) + DATA, IpProtocol.FRAGMENT, unset=True),
    ),
    "options before ICMPv6": (
        LinkType.RAW,
        ip6(options(HOP_BY_HOP, IpProtocol.ICMPV6) + DATA, IpProtocol.HOP_BY_HOP, unset=True),
    ),
    "too many extension headers": (
        LinkType.RAW,
        ip6(
            options(DESTINATION_OPTIONS, IpProtocol.DESTINATION) * (TOO_MANY - 1)
            + options(DESTINATION_OPTIONS, TCP)
            + frames.tcp(DATA, six=True),
            IpProtocol.DESTINATION,
            unset=True,
        ),
    ),
    "udp where ip.len is written": (
        LinkType.RAW,
        ip(frames.udp(DATA, length=0), UDP_NUMBER, unset=False),
    ),
    "udp with no data": (LinkType.RAW, ip(frames.udp(b"", length=0), UDP_NUMBER, unset=True)),
    **{
        f"udp length {n}": (
            LinkType.RAW,
            ip(frames.udp(DATA, length=n), UDP_NUMBER, unset=True),
        )
        for n in range(1, UDP.size)
    },
}


def read(link_type: int, data: bytes, captured: int | None = None) -> Dissection:
    return dissect(data[:captured], link_type, len(data))


def names(dissection: Dissection) -> str:
    return ":".join(layer.name for layer in dissection.layers)


def rows_of(dissection: Dissection) -> list[Row]:
    rows = list(each_row(dissection))
    for row in rows:
        rows += row.children
    return rows


@pytest.mark.parametrize("path", LEFT)
def test_the_outer_end_counts(path) -> None:
    """A frame without lengths reads as the same frame with them, except for the fields."""
    (link_type, data), (_, twin) = LEFT[path], WRITTEN[path]
    found, written = read(link_type, data), read(link_type, twin)
    assert names(found) == names(written) == path
    assert found.stop is None
    assert (found.payload, found.trailer) == (written.payload, Span(0, 0))
    assert [layer.stop for layer in found.layers] == [layer.stop for layer in written.layers]
    ours, theirs = summarize(found), summarize(written)
    assert (ours.source, ours.destination, ours.info) == (
        theirs.source,
        theirs.destination,
        theirs.info,
    )
    assert record(found).get("tcp.len") == record(written).get("tcp.len")
    verdicts = [check.verdict for layer in found.layers for check in layer.checks]
    assert verdicts == [check.verdict for layer in written.layers for check in layer.checks]
    assert Verdict.BAD not in verdicts


@pytest.mark.parametrize("path", LEFT)
def test_the_detail_says_so_at_the_field(path) -> None:
    """A sentence beside the field of 0 explains it and does not warn."""
    found = read(*LEFT[path])
    fields = {"ip.len", "ipv6.plen", "udp.length"}
    rows = [row for row in rows_of(found) if row.key.partition("#")[0] in fields]
    unset = [row for row in rows if row.value == "0 bytes"]
    assert unset
    for row in unset:
        assert row.meaning.startswith("0: left to the network card (segmentation offload); the ")
        assert row.meaning.endswith(" is used")
        assert row.severity == Severity.NOTE
    assert all("network card" not in row.meaning for row in rows if row not in unset)


@pytest.mark.parametrize("path", LEFT)
def test_a_cut_is_never_called_malformed(path) -> None:
    """The snap length may cut a frame anywhere; the layers before the cut stay."""
    link_type, data = LEFT[path]
    for kept in range(240):
        cut = read(link_type, data, kept)
        rows_of(cut)
        record(cut)
        summarize(cut)
        assert path.startswith(names(cut))
        assert cut.stop is None or cut.stop.cause is Cause.TRUNCATED


@pytest.mark.parametrize("path", BIG)
def test_more_bytes_than_the_field_can_say(path) -> None:
    """BIG TCP: the frame's end is the packet's, whatever follows."""
    data = BIG[path]
    found = read(LinkType.ETHERNET, data)
    assert names(found) == path
    assert found.stop is None
    assert found.payload == Span(len(data) - len(LONG), len(data))
    assert found.layers[-1].checks[0].verdict is Verdict.GOOD
    row = next(row for row in rows_of(found) if row.key in ("ip.len", "ipv6.plen"))
    assert row.meaning.startswith("0: more bytes than the field can hold, left to the network card")


@pytest.mark.parametrize("name", FAULTS)
def test_any_other_zero_is_a_fault(name) -> None:
    stop = read(*FAULTS[name]).stop
    assert stop is not None
    assert stop.cause is Cause.MALFORMED


@pytest.mark.parametrize("path", LEFT)
def test_building_keeps_the_zero(path) -> None:
    link_type, data = LEFT[path]
    assert build(parts_of(read(link_type, data))).data == data


@pytest.mark.parametrize("path", BIG)
def test_building_keeps_the_zero_of_a_big_packet(path) -> None:
    assert build(parts_of(read(LinkType.ETHERNET, BIG[path]))).data == BIG[path]


def test_padding_of_a_short_frame_belongs_to_the_packet() -> None:
    """By the rule the frame's end counts, also if Ethernet has padded it to 60 bytes."""
    frame = frames.ethernet(ip(frames.tcp(), TCP, unset=True)).ljust(60, b"\0")
    found = read(LinkType.ETHERNET, frame)
    assert found.trailer == Span(0, 0)
    assert record(found)["tcp.len"] == 60 - ETHERNET.size - IPV4.size - 20


def test_a_set_outer_length_ends_an_inner_packet_without_one() -> None:
    """The sentence names that length instead of the frame."""
    inner = ip(frames.tcp(DATA), TCP, unset=True)
    packet = ip(inner, IpProtocol.IPV4, unset=False) + b"trailer"
    found = read(LinkType.RAW, packet)
    assert found.payload.stop == len(packet) - len(b"trailer")
    row = next(row for row in rows_of(found) if row.key == "ip.len#2")
    assert row.meaning.endswith("; the end that ip.len sets is used")


def test_a_quoted_packet_without_a_length_is_read() -> None:
    quoted = ip(frames.tcp(DATA), TCP, unset=True)[:28]
    message = b"\x03\x01\0\0\0\0\0\0" + quoted
    found = read(LinkType.RAW, frames.ipv4(message, IpProtocol.ICMP))
    assert names(found) == "ip:icmp:ip:tcp"
    assert found.stop is None


def test_one_rule_for_numbers_and_columns() -> None:
    slot = IPV4["len"]
    lengths, rooms, headers = [0, 0, 0, 0, 9], [20, 21, 65_535, 65_536, 90], [20] * 5
    for is_segmented in (False, True):
        column = is_left_to_card(
            slot,
            np.array(lengths),
            np.array(rooms),
            np.array(headers),
            np.full(5, is_segmented),
        )
        single = [
            is_left_to_card(slot, *each, is_segmented)
            for each in zip(lengths, rooms, headers, strict=True)
        ]
        assert column.tolist() == single
        assert single == [False, is_segmented, is_segmented, True, False]
