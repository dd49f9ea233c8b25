"""One packet as the user and a program get it: row, record, detail tree, text."""

from __future__ import annotations

import unicodedata

import pytest

from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.dissection import Cause, Dissection
from core.wire.model.field import Span
from core.wire.network.arp import ARP, ARP_IPV4
from core.wire.network.geneve import OPTION_NAME
from core.wire.network.icmp import ICMP
from core.wire.network.icmpv6 import ICMPV6
from core.wire.network.igmp import GROUP, IGMP
from core.wire.network.ipv6_extensions import DESTINATION_OPTIONS, FRAGMENT
from core.wire.network.neighbor_discovery import SOLICITATION
from core.wire.network.tunnels import GRE
from core.wire.present.detail import VERDICT_CAVEAT, each_row
from core.wire.present.detail_row import Row, Severity
from core.wire.present.record import record
from core.wire.present.summary import INFO, Summary, summarize
from core.wire.protocol import SequenceBase
from core.wire.registry import TABLES
from core.wire.transport.sctp import SCTP
from tests.core.wire import frames

IPV4, IPV6, ETHERNET = LinkType.IPV4, LinkType.IPV6, LinkType.ETHERNET
SYN = frames.tcp(
    options=bytes.fromhex("020405b40402080a00000001000000000103030703030700")[:20],
    flags__syn=1,
    window_size_value=64240,
)


def read(data: bytes, link: int = IPV4, original: int = 0) -> Dissection:
    return dissect(data, link, original or len(data))


def row_of(data: bytes, link: int = IPV4, original: int = 0) -> Summary:
    return summarize(read(data, link, original))


def test_a_syn_reads_like_wireshark() -> None:
    packet = read(frames.ipv4(SYN, IpProtocol.TCP))
    row = summarize(packet, SequenceBase(1000, None))
    assert row.info == (
        "54321 → 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460 SACK_PERM TSval=1 TSecr=0 WS=128"
    )
    assert (row.source, row.destination, row.protocol) == ("10.0.0.5", "10.0.0.9", "TCP")
    assert "Seq=1000 " in summarize(packet).info


def test_relative_numbers_wrap() -> None:
    segment = frames.tcp(seq_raw=5, ack_raw=2, flags__ack=1, flags__reset=1)
    row = summarize(read(frames.ipv4(segment, 6)), SequenceBase((1 << 32) - 5, 1))
    assert "[RST, ACK] Seq=10 Ack=1 " in row.info


def arp(operation: int, sender: int = 2, target: int = 1) -> bytes:
    addresses = {
        "src.hw_mac": 0x00005E005301,
        "src.proto_ipv4": 0x0A000000 + sender,
        "dst.proto_ipv4": 0x0A000000 + target,
    }
    body = ARP.emit({"opcode": operation}) + ARP_IPV4.emit(addresses)
    return frames.ethernet(body, EtherType.ARP)


def message(kind: int, code: int, rest: bytes) -> bytes:
    return frames.ipv4(ICMP.emit({"type": kind, "code": code}) + rest, IpProtocol.ICMP)


NEIGHBOR = (
    ICMPV6.emit({"type": 135})
    + SOLICITATION.emit({"nd.ns.target_address": 0xFE80 << 112 | 1})
    + bytes.fromhex("010100005e005301")
)
ROWS = {
    "Who has 10.0.0.1? Tell 10.0.0.2": (ETHERNET, arp(1)),
    "10.0.0.2 is at 00:00:5e:00:53:01": (ETHERNET, arp(2)),
    "ARP announcement for 10.0.0.2": (ETHERNET, arp(1, 2, 2)),
    "Echo request id=0x04d2, seq=7": (IPV4, frames.ipv4(frames.icmp_echo(), 1)),
    "Destination unreachable (port unreachable)": (IPV4, message(3, 3, bytes(4))),
    "Destination unreachable (fragmentation needed) MTU=1400": (
        IPV4,
        message(3, 4, b"\0\0\x05\x78"),
    ),
    "Redirect (for the host) to 10.0.0.1": (IPV4, message(5, 1, b"\x0a\0\0\x01")),
    "Neighbor solicitation for fe80::1 from 00:00:5e:00:53:01": (
        IPV6,
        frames.ipv6(NEIGHBOR, IpProtocol.ICMPV6),
    ),
    "40000 → 9999 Len=3": (IPV4, frames.ipv4(frames.udp(b"abc"), IpProtocol.UDP)),
    "Membership report v2 for 224.0.0.251": (
        IPV4,
        frames.ipv4(IGMP.emit({"type": 0x16}) + GROUP.emit({"maddr": 0xE00000FB}), 2),
    ),
    "Fragmented IP protocol (proto=UDP 17, off=1480, ID=0007)": (
        IPV4,
        frames.ipv4(b"x", IpProtocol.UDP, frag_offset=185, id=7),
    ),
    "GET / HTTP/1.1": (
        IPV4,
        frames.ipv4(frames.tcp(b"GET / HTTP/1.1\r\nHost: x\r\n"), IpProtocol.TCP),
    ),
    "Standard query 0x0001 A example.org": (
        IPV4,
        frames.ipv4(
            frames.udp(
                bytes.fromhex("000101000001000000000000076578616d706c65036f72670000010001"),
                dstport=53,
            ),
            IpProtocol.UDP,
        ),
    ),
}


@pytest.mark.parametrize("info", ROWS)
def test_info(info) -> None:
    link, data = ROWS[info]
    assert row_of(data, link).info == info


def test_every_layer_has_an_info_line() -> None:
    layers = {table.name for table in TABLES if table.start == 0} - {OPTION_NAME}
    assert layers <= set(INFO)


def test_info_names_the_reason_of_a_stop() -> None:
    packet = frames.ipv4(frames.tcp(b"data"), IpProtocol.TCP)
    cut = row_of(packet[:30], original=len(packet))
    assert cut.cause is Cause.TRUNCATED
    assert "cut short by the snap length at byte 20" in cut.info
    broken = row_of(frames.ipv4(frames.tcp(hdr_len=4), IpProtocol.TCP))
    assert broken.cause is Cause.MALFORMED
    assert "malformed at byte 32" in broken.info


def test_the_record_is_the_contract() -> None:
    packet = frames.ethernet(frames.ipv4(frames.tcp(b"hi", flags__ack=1), 6, flags__df=1))
    found = record(read(packet, ETHERNET))
    assert next(iter(found)) == "frame.protocols"
    expected = {
        "frame.protocols": "eth:ip:tcp:data",
        "eth.dst": "00:00:5e:00:53:01",
        "eth.type": 2048,
        "ip.hdr_len": 20,
        "ip.flags.df": True,
        "ip.flags.mf": False,
        "ip.src": "10.0.0.5",
        "ip.checksum.status": "good",
        "tcp.flags": 16,
        "tcp.flags.ack": True,
        "tcp.hdr_len": 20,
        "tcp.checksum.status": "good",
        "tcp.len": 2,
    }
    assert {key: found[key] for key in expected} == expected
    assert "tcp.options" not in found
    assert "frame.stop" not in found


def test_the_record_of_tags_options_and_a_bad_sum() -> None:
    packet = frames.ipv4(frames.tcp(options=SYN[20:], checksum=1), IpProtocol.TCP)
    tagged = frames.vlan(frames.vlan(packet, 6), 5, EtherType.VLAN)
    found = record(read(frames.ethernet(tagged, EtherType.VLAN), ETHERNET))
    assert found["vlan.id"] == [5, 6]
    assert found["tcp.options"] == SYN[20:].hex()
    assert found["tcp.options.mss_val"] == 1460
    assert found["tcp.checksum.status"] == "bad"
    assert isinstance(found["tcp.checksum_calculated"], int)


def test_the_record_of_a_cut_header_has_what_was_captured() -> None:
    packet = frames.ipv4(frames.tcp(b"data"), IpProtocol.TCP)
    found = record(read(packet[:28], original=len(packet)))
    assert found["tcp.seq_raw"] == 1000
    assert "tcp.ack_raw" not in found
    assert found["frame.stop"] == {
        "layer": "tcp",
        "offset": 20,
        "reason": "header needs 20 bytes, 8 left",
        "cause": "truncated",
    }


def test_only_the_outermost_headers_have_plain_names() -> None:
    inner = frames.ipv4(frames.tcp(), IpProtocol.TCP, ttl=9)
    found = record(read(frames.ipv4(inner, IpProtocol.IPV4)))
    assert found["frame.protocols"] == "ip:ip:tcp"
    assert found["ip.ttl"] == 64
    assert not any(key.startswith("tcp.") for key in found)


def flat(rows: tuple[Row, ...]) -> list[Row]:
    return [row for top in rows for row in (top, *flat(top.children))]


def test_the_tree_has_every_field_of_the_record() -> None:
    packet = frames.ethernet(frames.ipv4(SYN, IpProtocol.TCP))
    dissection = read(packet, ETHERNET)
    keys = [row.key for row in flat(tuple(each_row(dissection)))]
    assert len(keys) == len(set(keys))
    assert set(record(dissection)) - set(keys) == {"frame.protocols"}


def test_spans_and_verdicts_in_the_tree() -> None:
    packet = frames.ethernet(frames.ipv4(frames.tcp(b"hi", checksum=1), 6))
    rows = {row.key: row for row in flat(tuple(each_row(read(packet, ETHERNET))))}
    assert rows["ip.ttl"].span == Span(22, 23)
    assert rows["ip.checksum"].meaning == "✓ good"
    assert rows["tcp.checksum"].severity is Severity.ERROR
    assert rows["tcp.checksum"].meaning.startswith("✗ bad [expected 0x")
    assert rows["tcp.checksum.status"].meaning == VERDICT_CAVEAT
    assert rows["tcp.flags.syn"].value.startswith(".... .... ..0.")
    assert rows["data"].value == "2 bytes"


def test_options_say_what_their_numbers_mean() -> None:
    join = bytes.fromhex("1e0c 10 00 00000001 00000002")
    packet = frames.ipv4(frames.tcp(options=join), IpProtocol.TCP)
    rows = {row.key: row for row in flat(tuple(each_row(read(packet))))}
    assert rows["tcp.options.mptcp.subtype"].meaning == "MP_JOIN"
    assert rows["tcp.options.mptcp"].meaning == "MP_JOIN"
    assert row_of(packet).info.endswith(" MPTCP=MP_JOIN")
    unknown = frames.ipv4(frames.tcp(options=bytes.fromhex("1e04 f000")), IpProtocol.TCP)
    assert row_of(unknown).info.endswith(" MPTCP")


def test_addresses_in_options_are_written_as_addresses() -> None:
    home = DESTINATION_OPTIONS.emit({"nxt": IpProtocol.TCP, "len": 2})
    home += bytes.fromhex("01020000 c910") + (0x20010DB8 << 96 | 1).to_bytes(16, "big")
    packet = frames.ipv6(home + frames.tcp(six=True), IpProtocol.DESTINATION)
    assert record(read(packet, IPV6))["ipv6.opt.home_address"] == "2001:db8::1"
    rows = {row.key: row.value for row in flat(tuple(each_row(read(packet, IPV6))))}
    assert rows["ipv6.opt.home"] == rows["ipv6.opt.home_address"] == "2001:db8::1"


def test_the_reason_for_an_unchecked_checksum_has_a_row() -> None:
    packet = frames.ipv4(frames.udp(b"x"), IpProtocol.UDP, flags__mf=1)
    rows = {row.key: row for row in flat(tuple(each_row(read(packet))))}
    assert rows["udp.checksum.reason"].label == "a fragment: the sum covers the whole datagram"


def test_payload_is_shown_as_beside_the_hex() -> None:
    payload = "a\u0301\u05d0\t\x1b".encode()
    rows = {row.key: row for row in each_row(read(frames.ipv4(payload, 253)))}
    assert rows["data"].meaning == "a······"[: len(payload)]


def test_a_contradicting_length_is_flagged() -> None:
    packet = frames.ipv4(frames.udp(b"x"), IpProtocol.UDP, len=400)
    rows = {row.key: row for row in flat(tuple(each_row(read(packet))))}
    assert rows["ip.len"].severity is Severity.WARNING
    assert "go past" in rows["ip.len"].meaning


def test_the_field_that_contradicts_its_header_is_flagged() -> None:
    rows = {row.key: row for row in flat(tuple(each_row(read(frames.ipv4(b"", 6, len=8)))))}
    assert rows["ip.len"].meaning == "total length 8 is less than the header length 20"
    assert rows["ip"].severity is Severity.WARNING
    assert rows["frame.stop"].severity is Severity.ERROR
    assert "ip.ttl" not in rows


def test_a_fragment_past_the_longest_datagram_is_flagged() -> None:
    packet = frames.ipv4(bytes(16), IpProtocol.UDP, frag_offset=0x1FFF)
    rows = {row.key: row for row in flat(tuple(each_row(read(packet))))}
    assert "65544" not in rows["ip.frag_offset"].value
    assert "end at byte 65544" in rows["ip.frag_offset"].meaning
    assert rows["ip.frag_offset"].severity is Severity.WARNING


def test_a_first_fragment_does_not_tell_its_segments_length() -> None:
    packet = read(frames.ipv4(frames.tcp(b"data"), IpProtocol.TCP, flags__mf=1))
    assert "tcp.len" not in record(packet)
    assert "tcp.len" not in {row.key for row in flat(tuple(each_row(packet)))}
    assert summarize(packet).info.endswith("(first fragment)")


FIRST_PIECES = {
    IpProtocol.TCP: frames.tcp(b"data"),
    IpProtocol.UDP: frames.udp(b"data"),
    IpProtocol.ICMP: frames.icmp_echo(),
    IpProtocol.IGMP: IGMP.emit({"type": 0x16}) + GROUP.emit({}),
    IpProtocol.ICMPV6: NEIGHBOR,
    IpProtocol.SCTP: SCTP.emit({"srcport": 1, "dstport": 2}) + b"\1\0\0\4",
    IpProtocol.GRE: GRE.emit({"proto": 0x88CC}),
}


@pytest.mark.parametrize("protocol", FIRST_PIECES)
def test_a_first_fragment_says_so_whatever_it_carries(protocol: int) -> None:
    body = FIRST_PIECES[protocol]
    for piece, more in ((frames.ipv4(body, protocol, flags__mf=1), 1), (_piece(body, protocol), 1),
                        (frames.ipv4(body, protocol), 0)):  # fmt: skip
        link = IPV4 if piece[0] >> 4 == 4 else IPV6
        assert row_of(piece, link).info.count(" (first fragment)") == more


def _piece(body: bytes, protocol: int, offset: int = 0) -> bytes:
    """Return a fragment of an IPv6 datagram, the first unless `offset` is given."""
    header = FRAGMENT.emit({"nxt": protocol, "more": 1, "offset": offset, "ident": 7})
    return frames.ipv6(header + body, IpProtocol.FRAGMENT)


def test_a_later_fragment_is_not_shown_as_a_first_one() -> None:
    assert row_of(_piece(b"x" * 8, 17, 185), IPV6).info == (
        "IPv6 fragment (off=1480 more=y ident=0x00000007 nxt=17)"
    )


def test_a_first_fragment_of_udp_has_the_length_of_the_datagram() -> None:
    packet = frames.ipv4(frames.udp(b"x" * 16, length=2008), IpProtocol.UDP, flags__mf=1)
    assert row_of(packet).info == "40000 → 9999 Len=2000 (first fragment)"


@pytest.mark.parametrize("length", range(8))
def test_a_contradictory_udp_length_is_not_shown(length: int) -> None:
    info = row_of(frames.ipv4(frames.udp(b"abc", length=length), IpProtocol.UDP)).info
    assert info.startswith("40000 → 9999")
    assert ("Len=" in info) == (length == 0 and "malformed" not in info)


@pytest.mark.parametrize("shift", range(256))
def test_a_window_scale_counts_as_at_most_14(shift: int) -> None:
    """RFC 7323 §2.3."""
    packet = frames.ipv4(frames.tcp(options=bytes([3, 3, shift, 0]), flags__syn=1), 6)
    assert row_of(packet).info.endswith(f" WS={2 ** min(shift, 14)}")
    rows = {row.key: row for row in flat(tuple(each_row(read(packet))))}
    scale = rows["tcp.options.wscale.shift"]
    assert scale.value == str(shift)
    assert scale.meaning == ("used as 14" if shift > 14 else "")


HARDWARE = {(1, 6): "00:00:5e:00:53:01", (32, 20): "80" + "01" * 19, (24, 8): "0123456789abcdef"}


@pytest.mark.parametrize(("kind", "size"), HARDWARE)
def test_arp_asks_and_answers_over_any_hardware(kind: int, size: int) -> None:
    """InfiniBand's addresses have 20 bytes (RFC 4391 §9.1), those of IEEE 1394 8."""
    sender = bytes.fromhex(HARDWARE[kind, size].replace(":", ""))
    said = HARDWARE[kind, size]

    def info(operation: int, source: int, target: int) -> str:
        common = ARP.emit({"hw.type": kind, "hw.size": size, "opcode": operation})
        addresses = (0x0A000000 + host if host else 0 for host in (source, target))
        first, second = (address.to_bytes(4, "big") for address in addresses)
        body = common + sender + first + sender + second
        return row_of(frames.ethernet(body, EtherType.ARP), ETHERNET).info

    assert info(1, 2, 1) == "Who has 10.0.0.1? Tell 10.0.0.2"
    assert info(1, 2, 2) == "ARP announcement for 10.0.0.2"
    assert info(1, 0, 1) == "Who has 10.0.0.1? (probe)"
    assert info(2, 2, 1) == f"10.0.0.2 is at {said}"
    assert info(3, 2, 1) == f"Who is {said}? Tell {said}"
    assert info(4, 2, 1) == f"{said} is at 10.0.0.1"
    assert info(9, 2, 1) == "ARP InARP reply"


def test_a_payload_that_somebody_knows() -> None:
    packet = frames.ipv4(frames.tcp(b"GET / HTTP/1.1\r\n"), IpProtocol.TCP)
    row = tuple(each_row(read(packet)))[-1]
    assert (row.label, row.meaning) == ("Payload, HTTP", "GET / HTTP/1.1")


def test_a_second_layer_of_a_name_has_its_own_key() -> None:
    packet = frames.ipv4(frames.ipv4(frames.tcp(), 6), IpProtocol.IPV4)
    keys = [row.key for row in each_row(read(packet))]
    assert keys == ["ip", "ip#2", "tcp"]


HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_nothing_from_the_wire_reaches_a_row_raw() -> None:
    evil = b"GET /\x1b]0;x\x07\xc2\x9b\xe2\x80\xae HTTP/1.1\r\n"
    dissection = read(frames.ipv4(frames.tcp(evil), IpProtocol.TCP))
    texts = [summarize(dissection).info]
    texts += [
        text for row in flat(tuple(each_row(dissection))) for text in (row.value, row.meaning)
    ]
    for text in texts:
        assert not {unicodedata.category(character) for character in text} & HARMFUL
