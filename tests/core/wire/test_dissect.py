"""Known frames layer by layer, and the stop of every cut and broken one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.wire.dissect import MAXIMUM_LAYERS, dissect
from core.wire.link.ethernet import ETHERNET_802_3, LLC, SNAP
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import SLL, SLL2
from core.wire.link.mpls import MPLS
from core.wire.link.ppp import PPPOE
from core.wire.model.assigned_numbers import VXLAN_PORT, EtherType, IpProtocol
from core.wire.model.dissection import Cause, Dissection, PacketFlag
from core.wire.model.field import Span
from core.wire.network.arp import ARP, ARP_IPV4
from core.wire.network.ipv6_extensions import DESTINATION_OPTIONS, FRAGMENT, HOP_BY_HOP
from core.wire.network.tunnels import GRE, VXLAN
from core.wire.present.detail import each_row
from core.wire.present.detail_row import Row
from core.wire.present.record import record
from core.wire.present.summary import summarize
from tests.core.wire import frames

ETHERNET = LinkType.ETHERNET
IPV4 = frames.ipv4(frames.tcp(b"data"), IpProtocol.TCP)
IPV6 = frames.ipv6(frames.udp(b"data", six=True), IpProtocol.UDP)
ARP_REQUEST = ARP.emit({}) + ARP_IPV4.emit({"src.proto_ipv4": 1, "dst.proto_ipv4": 2})
SNAP_FRAME = LLC.emit({"dsap": 0xAA, "ssap": 0xAA, "control": 3}) + SNAP.emit({"type": 0x0800})
LONG = ETHERNET_802_3.emit({"len": len(SNAP_FRAME) + len(IPV4)}) + SNAP_FRAME + IPV4
OPTIONS_6 = HOP_BY_HOP.emit({"nxt": 60}) + bytes.fromhex("050200000100")
OPTIONS_6 += DESTINATION_OPTIONS.emit({"nxt": 17}) + bytes.fromhex("010400000000")
FRAMES = {
    "eth:ip:tcp": (ETHERNET, frames.ethernet(IPV4)),
    "eth:ipv6:udp": (ETHERNET, frames.ethernet(IPV6, EtherType.IPV6)),
    "eth:vlan:vlan:ip:tcp": (
        ETHERNET,
        frames.ethernet(frames.vlan(frames.vlan(IPV4, 6), 5, EtherType.VLAN), EtherType.VLAN),
    ),
    "eth:arp": (ETHERNET, frames.ethernet(ARP_REQUEST, EtherType.ARP)),
    "eth:llc:ip:tcp": (ETHERNET, LONG),
    "eth:mpls:ip:tcp": (
        ETHERNET,
        frames.ethernet(MPLS.emit({"label": 9, "bottom": 1}) + IPV4, EtherType.MPLS),
    ),
    "eth:pppoe:ppp:ip:tcp": (
        ETHERNET,
        frames.ethernet(
            PPPOE.emit({"payload_length": 2 + len(IPV4)}) + b"\x00\x21" + IPV4,
            EtherType.PPPOE_SESSION,
        ),
    ),
    "ip:icmp": (LinkType.RAW, frames.ipv4(frames.icmp_echo(), IpProtocol.ICMP)),
    "ip:ip:tcp": (LinkType.IPV4, frames.ipv4(IPV4, IpProtocol.IPV4)),
    "ip:gre:ip:tcp": (
        LinkType.IPV4,
        frames.ipv4(GRE.emit({"proto": EtherType.IPV4, "flags.key": 1}) + b"key!" + IPV4, 47),
    ),
    "ip:udp:vxlan:eth:ip:tcp": (
        LinkType.IPV4,
        frames.ipv4(
            frames.udp(VXLAN.emit({"vni": 7}) + frames.ethernet(IPV4), dstport=VXLAN_PORT), 17
        ),
    ),
    "ipv6:ipv6.hopopts:ipv6.dstopts:udp": (
        LinkType.IPV6,
        frames.ipv6(OPTIONS_6 + frames.udp(b"x", six=True), IpProtocol.HOP_BY_HOP),
    ),
    "null:ip:tcp": (LinkType.NULL, b"\x02\0\0\0" + IPV4),
    "null:ipv6:udp": (LinkType.LOOP, b"\0\0\0\x1e" + IPV6),
    "sll:ip:tcp": (LinkType.LINUX_SLL, SLL.emit({"etype": EtherType.IPV4}) + IPV4),
    "sll:ipv6:udp": (LinkType.LINUX_SLL2, SLL2.emit({"etype": EtherType.IPV6}) + IPV6),
    "ppp:ip:tcp": (LinkType.PPP, b"\xff\x03\x00\x21" + IPV4),
    "chdlc:ip:tcp": (LinkType.C_HDLC, b"\x0f\x00\x08\x00" + IPV4),
    "fr:ip:tcp": (LinkType.FRELAY, b"\x18\x61\x03\xcc" + IPV4),
    "fddi:llc:ip:tcp": (
        LinkType.FDDI,
        b"\x51" + bytes(12) + b"\xaa\xaa\x03\0\0\0\x08\0" + IPV4,
    ),
    "nflog:ip:tcp": (
        LinkType.NFLOG,
        b"\x02\0\0\x01\x05\0\x0a\0\0\0\0\0"
        + (len(IPV4) + 4).to_bytes(2, "little")
        + b"\x09\0"
        + IPV4,
    ),
}


def names(dissection: Dissection) -> str:
    return ":".join(layer.name for layer in dissection.layers)


@pytest.mark.parametrize("path", FRAMES)
def test_layers(path) -> None:
    link, data = FRAMES[path]
    dissection = dissect(data, link, len(data))
    assert dissection.stop is None
    assert names(dissection) == path
    assert dissection.trailer == Span(0, 0)


def everything(dissection: Dissection) -> list[Row]:
    """Return the rows of one dissection, flat, after calling all its readers."""
    record(dissection)
    summarize(dissection)
    rows = list(each_row(dissection))
    for row in rows:
        rows += row.children
    return rows


@pytest.mark.parametrize("path", FRAMES)
def test_every_cut(path) -> None:
    """A cut frame is the beginning of the whole one, and never malformed."""
    link, data = FRAMES[path]
    whole = dissect(data, link, len(data))
    for length in range(len(data)):
        cut = dissect(data[:length], link, len(data))
        everything(cut)
        assert path.startswith(names(cut))
        for short, long in zip(cut.layers, whole.layers, strict=False):
            assert (short.offset, short.depth) == (long.offset, long.depth)
            found = {slot.name: value for slot, value in short.fields(cut.data)}
            there = {slot.name: value for slot, value in long.fields(data)}
            assert found.items() <= there.items()
        if cut.stop is not None:
            assert cut.stop.cause is Cause.TRUNCATED
            assert cut.stop.limited_by == "capture"
            assert cut.stop.had < cut.stop.needed


@pytest.mark.parametrize("path", FRAMES)
def test_every_short_frame(path) -> None:
    """A short frame is not truncated."""
    link, data = FRAMES[path]
    for length in range(len(data)):
        short = dissect(data[:length], link, length)
        assert short.stop is None or short.stop.cause is Cause.MALFORMED


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(list(FRAMES)), st.data())
def test_nothing_raises(path, data) -> None:
    """Frames with bytes changed at random, under every link type and flag."""
    link, frame = FRAMES[path]
    changed = bytearray(frame)
    places = st.tuples(st.integers(0, len(frame) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(places, max_size=6)):
        changed[place] = value
    link = data.draw(st.one_of(st.just(link), st.integers(0, 300)))
    flags = data.draw(st.integers(0, 0xFFFF))
    original = data.draw(st.integers(0, 2 * len(frame)))
    dissection = dissect(bytes(changed), link, original, flags)
    for row in everything(dissection):
        if row.span is not None:
            assert 0 <= row.span.start <= row.span.stop <= max(len(frame), original)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(list(LinkType)))
def test_random_bytes(data, link) -> None:
    everything(dissect(data, link, len(data)))


@pytest.mark.parametrize(
    ("data", "link"),
    [
        (frames.ethernet(frames.vlan(b"", 1, EtherType.VLAN) * 100, EtherType.VLAN), ETHERNET),
        (frames.ipv4(b"", IpProtocol.IPV4, len=2020) * 101, LinkType.IPV4),
        (frames.ipv4(GRE.emit({"proto": 0x0800}), 47, len=9000) * 100, LinkType.IPV4),
        (frames.ethernet(MPLS.emit({"label": 1}) * 100, EtherType.MPLS), ETHERNET),
    ],
    ids=["vlan", "ip in ip", "gre", "mpls"],
)
def test_a_hundred_nested_layers(data, link) -> None:
    dissection = dissect(data, link, len(data))
    assert len(dissection.layers) == MAXIMUM_LAYERS
    assert dissection.stop is not None
    assert dissection.stop.limited_by == "depth limit"
    assert str(MAXIMUM_LAYERS) in dissection.stop.reason


@pytest.mark.parametrize(
    ("packet", "layer", "offset", "reason"),
    [
        (b"\x55" + IPV4[1:], "ip", 0, "version 5 is not 4"),
        (b"\x44" + IPV4[1:], "ip", 0, "header length 16 is less than 20 bytes"),
        (frames.ipv4(b"", 6, len=0), "ip", 2, "total length 0 is less than the header length 20"),
        (frames.ipv4(b"x" * 9, 6, len=19), "ip", 2, "total length 19 is less than"),
        (frames.ipv4(frames.tcp(hdr_len=16), 6), "tcp", 32, "header length 16 is less than"),
        (frames.ipv4(frames.tcp(hdr_len=40), 6), "tcp", 20, "header needs 40 bytes, 20 left"),
        (frames.ipv4(frames.tcp()[:8], 6), "tcp", 20, "header needs 20 bytes, 8 left"),
        (frames.ipv4(frames.udp(b"", length=7), 17), "udp", 24, "length 7 is less than 8 bytes"),
        (frames.ipv4(b"\x20\x00\x08", 47), "gre", 20, "header needs 4 bytes, 3 left"),
    ],
)
def test_malformed_says_where_and_why(packet, layer, offset, reason) -> None:
    frame = frames.ethernet(packet)
    stop = dissect(frame, ETHERNET, len(frame)).stop
    assert stop is not None
    assert (stop.layer, stop.offset, stop.cause) == (layer, offset + 14, Cause.MALFORMED)
    assert stop.reason.startswith(reason)


def test_a_header_ends_at_the_field_that_contradicts() -> None:
    packet = frames.ipv4(b"", 6, len=8)
    layer = dissect(packet, LinkType.IPV4, len(packet)).layers[0]
    keys = [slot.key for slot, _ in layer.fields(packet)]
    assert keys[-1] == "len"
    assert layer.value(packet, "ttl") is None


def test_padding_is_trailer_and_not_payload() -> None:
    frame = frames.ethernet(frames.ipv4(frames.tcp(b"ab"), IpProtocol.TCP)) + bytes(4)
    dissection = dissect(frame, ETHERNET, len(frame))
    assert dissection.payload == Span(54, 56)
    assert dissection.trailer == Span(56, 60)
    request = frames.ethernet(ARP_REQUEST, EtherType.ARP) + bytes(18)
    assert dissect(request, ETHERNET, len(request)).trailer == Span(42, 60)


def test_a_frame_check_sequence_is_not_payload() -> None:
    frame = frames.ethernet(b"payload", 0x9999) + b"FCS!"
    flags = 4 << PacketFlag.FCS_SHIFT
    assert dissect(frame, ETHERNET, len(frame), flags).payload == Span(14, 21)
    assert dissect(frame, ETHERNET, len(frame)).payload == Span(14, 25)


def test_only_the_first_fragment_has_a_transport_header() -> None:
    first = frames.ipv4(frames.tcp(b"data"), IpProtocol.TCP, flags__mf=1)
    later = frames.ipv4(frames.tcp(b"data"), IpProtocol.TCP, frag_offset=3)
    assert names(dissect(first, LinkType.IPV4, len(first))) == "ip:tcp"
    assert names(dissect(later, LinkType.IPV4, len(later))) == "ip"
    header = FRAGMENT.emit({"nxt": IpProtocol.TCP, "offset": 3})
    later = frames.ipv6(header + frames.tcp(six=True), IpProtocol.FRAGMENT)
    assert names(dissect(later, LinkType.IPV6, len(later))) == "ipv6:ipv6.fraghdr"


def test_arp_addresses_of_other_sizes() -> None:
    body = ARP.emit({"hw.type": 32, "hw.size": 8}) + bytes(range(24))
    frame = frames.ethernet(body, EtherType.ARP)
    found = record(dissect(frame, ETHERNET, len(frame)))
    assert found["arp.src.hw"] == bytes(range(8)).hex()
    assert found["arp.src.proto_ipv4"] == "8.9.10.11"
    assert found["arp.dst.proto_ipv4"] == "20.21.22.23"


def test_depth() -> None:
    link, data = FRAMES["ip:udp:vxlan:eth:ip:tcp"]
    assert [layer.depth for layer in dissect(data, link, len(data)).layers] == [1, 1, 1, 2, 2, 2]
    link, data = FRAMES["eth:vlan:vlan:ip:tcp"]
    assert [layer.depth for layer in dissect(data, link, len(data)).layers] == [0, 0, 0, 1, 1]


def test_a_jumbogram_takes_its_length_from_the_option() -> None:
    options = (
        HOP_BY_HOP.emit({"nxt": IpProtocol.UDP}) + bytes.fromhex("c204") + (19).to_bytes(4, "big")
    )
    datagram = frames.udp(b"abc", six=True)
    packet = frames.ipv6(options + datagram, IpProtocol.HOP_BY_HOP, plen=0) + b"padding"
    dissection = dissect(packet, LinkType.IPV6, len(packet))
    assert names(dissection) == "ipv6:ipv6.hopopts:udp"
    assert dissection.payload == Span(56, 59)


@pytest.mark.parametrize(
    ("padding", "found"), [(7, "ipv6:ipv6.hopopts:icmpv6"), (8, "ipv6:ipv6.hopopts")]
)
def test_a_jumbo_option_is_looked_for_among_the_first_eight(padding, found) -> None:
    message = bytes([128]) + bytes(10)
    header = HOP_BY_HOP.emit({"nxt": IpProtocol.ICMPV6, "len": 1}) + bytes(padding)
    header = (header + bytes.fromhex("c204") + (27).to_bytes(4, "big")).ljust(16, b"\0")
    packet = frames.ipv6(header + message, IpProtocol.HOP_BY_HOP, plen=0)
    assert names(dissect(packet, LinkType.IPV6, len(packet))) == found


def test_a_vxlan_header_cut_by_the_capture_is_truncated() -> None:
    link, data = FRAMES["ip:udp:vxlan:eth:ip:tcp"]
    start = 20 + 8
    for kept in range(start + 1, start + VXLAN.size):
        dissection = dissect(data[:kept], link, len(data))
        assert names(dissection) == "ip:udp:vxlan"
        assert dissection.stop is not None
        assert (dissection.stop.layer, dissection.stop.cause) == ("vxlan", Cause.TRUNCATED)
    short = frames.ipv4(frames.udp(b"\x08abc", dstport=VXLAN_PORT), IpProtocol.UDP)
    assert names(dissect(short, link, len(short))) == "ip:udp"


def test_an_unknown_link_is_all_payload() -> None:
    dissection = dissect(b"abc", 147, 10)
    assert (dissection.layers, dissection.payload, dissection.stop) == ((), Span(0, 3), None)


def test_a_captured_length_over_the_original() -> None:
    frame = frames.ethernet(IPV4)
    assert dissect(frame, ETHERNET, 5).original_length == len(frame)
