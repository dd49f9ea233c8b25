"""Building: known bytes, computed fields, given values, and every captured frame again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.files.formats import FileError
from core.files.reader import open_capture
from core.wire.dissect import dissect
from core.wire.encode.build import DoesNotFitError, build
from core.wire.encode.computed_fields import NUMBER_RULES, SUM_RULES
from core.wire.encode.options_text import parse_options
from core.wire.link import ethernet, vlan
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import Dissection, Verdict
from core.wire.model.packet_parts import Header, Parts, parts_of
from core.wire.model.table import HeaderTable
from core.wire.network import arp, icmp, icmpv6, igmp, ipv4, ipv6, ipv6_extensions, ipv6_routing
from core.wire.registry import TABLES
from core.wire.transport import sctp, tcp, udp
from core.wire.transport.tcp_options import OPTIONS
from tests.core.wire import frames as made
from tests.helpers.support import captures_dir

ENDS = {"src": made.SOURCE, "dst": made.DESTINATION}
ENDS_6 = {"src": made.SOURCE_6, "dst": made.DESTINATION_6}
MACS = {"dst": 0x00005E005301, "src": 0x00005E005302}


def read(data: bytes, link_type: int = LinkType.ETHERNET) -> Dissection:
    return dissect(data, link_type, len(data))


def verdicts(dissection: Dissection) -> set[Verdict]:
    return {check.verdict for layer in dissection.layers for check in layer.checks}


def test_a_tcp_segment_is_the_one_made_by_hand() -> None:
    options = parse_options(OPTIONS, "mss=1460,nop,wscale=7")
    values = {"srcport": 54321, "dstport": 80, "seq_raw": 1000}
    parts = Parts(
        (
            Header((ethernet.ETHERNET,), MACS),
            Header((ipv4.IPV4,), ENDS),
            Header((tcp.TCP,), values, options),
        ),
        b"hello",
    )
    assert build(parts).data == made.ethernet(made.ipv4(made.tcp(b"hello", options), 6))


def test_every_automatic_field_has_a_rule() -> None:
    automatic = {slot.name for table in TABLES for slot in table.slots if slot.field.automatic}
    assert automatic == set(NUMBER_RULES) | set(SUM_RULES)


@pytest.mark.parametrize(
    ("headers", "protocols"),
    [
        ((Header((ipv4.IPV4,), ENDS), Header((udp.UDP,))), ["ip", "udp"]),
        ((Header((ipv4.IPV4,), ENDS), Header((icmp.ICMP, icmp.IDENT))), ["ip", "icmp"]),
        ((Header((ipv4.IPV4,), ENDS), Header((igmp.IGMP, igmp.GROUP))), ["ip", "igmp"]),
        ((Header((ipv4.IPV4,), ENDS), Header((sctp.SCTP,))), ["ip", "sctp"]),
        ((Header((ipv6.IPV6,), ENDS_6), Header((tcp.TCP,))), ["ipv6", "tcp"]),
        ((Header((ipv6.IPV6,), ENDS_6), Header((udp.UDP,))), ["ipv6", "udp"]),
        ((Header((ipv6.IPV6,), ENDS_6), Header((icmpv6.ICMPV6, icmpv6.ECHO))), ["ipv6", "icmpv6"]),
        (
            (
                Header((ipv6.IPV6,), ENDS_6),
                Header((ipv6_extensions.HOP_BY_HOP,), {}, bytes.fromhex("05020000")),
                Header((ipv6_extensions.FRAGMENT,)),
                Header((udp.UDP,)),
            ),
            ["ipv6", "ipv6.hopopts", "ipv6.fraghdr", "udp"],
        ),
        (
            (Header((ipv4.IPV4,), ENDS), Header((ipv6.IPV6,), ENDS_6), Header((tcp.TCP,))),
            ["ip", "ipv6", "tcp"],
        ),
        (
            (
                Header((vlan.PROVIDER,)),
                Header((vlan.VLAN,)),
                Header((ipv4.IPV4,)),
                Header((udp.UDP,)),
            ),
            ["ieee8021ad", "vlan", "ip", "udp"],
        ),
        ((Header((arp.ARP, arp.ARP_IPV4)),), ["arp"]),
    ],
    ids=lambda value: ":".join(value) if isinstance(value, list) else "",
)
def test_open_fields_are_computed_so_that_they_read_back(
    headers: tuple[Header, ...], protocols: list[str]
) -> None:
    """Next protocols, lengths and sums, with a payload of odd length and a trailer."""
    payload = b"" if protocols == ["arp"] else b"odd"
    built = build(Parts((Header((ethernet.ETHERNET,), MACS), *headers), payload, b"\0pad"))
    found = read(built.data)
    assert found.stop is None
    assert [layer.name for layer in found.layers] == ["eth", *protocols]
    assert verdicts(found) <= {Verdict.GOOD}
    assert not any(layer.notes for layer in found.layers)
    assert found.data[found.trailer.start : found.trailer.stop] == b"\0pad"
    assert built.data[built.payload.start : built.payload.stop] == payload


@pytest.mark.parametrize(
    ("header", "key", "value"),
    [
        (ipv4.IPV4, "version", 5),
        (ipv4.IPV4, "hdr_len", 60),
        (ipv4.IPV4, "len", 7),
        (ipv4.IPV4, "proto", 255),
        (ipv4.IPV4, "checksum", 0xDEAD),
        (tcp.TCP, "hdr_len", 0),
        (tcp.TCP, "checksum", 0xBEEF),
    ],
)
def test_given_values_win_also_when_they_are_wrong(header, key, value) -> None:
    values = {ipv4.IPV4: dict(ENDS), tcp.TCP: {}}
    values[header][key] = value
    built = build(Parts(tuple(Header((table,), values[table]) for table in values)))
    (place,) = (place for place in built.places if place.header.tables == (header,))
    assert header[key].read(built.data, place.offset) == value
    assert key not in place.computed
    assert len(built.data) == 40


def test_a_udp_sum_of_zero_is_sent_as_ones() -> None:
    """RFC 768: zero would mean that the packet has no sum."""
    ports = {"srcport": 1, "dstport": 2}
    plain = build(Parts((Header((ipv4.IPV4,), ENDS), Header((udp.UDP,), ports)), bytes(2)))
    checksum = plain.places[1].values["checksum"]
    payload = int(checksum).to_bytes(2, "big")
    built = build(Parts((Header((ipv4.IPV4,), ENDS), Header((udp.UDP,), ports)), payload))
    assert built.places[1].values["checksum"] == 0xFFFF
    assert verdicts(read(built.data, LinkType.RAW)) == {Verdict.GOOD}


def test_a_source_route_is_in_the_pseudo_header() -> None:
    options = bytes.fromhex("830704c0000209") + b"\0"
    built = build(Parts((Header((ipv4.IPV4,), ENDS, options), Header((tcp.TCP,)))))
    assert verdicts(read(built.data, LinkType.RAW)) == {Verdict.GOOD}


@pytest.mark.parametrize("table", [ipv6_extensions.HOP_BY_HOP, ipv6_extensions.DESTINATION_OPTIONS])
def test_a_routing_header_and_a_home_address_are_in_the_pseudo_header(table: HeaderTable) -> None:
    route = bytes(4) + (0x20010DB8 << 96).to_bytes(16, "big")
    home = b"\xc9\x10" + (0x20010DB9 << 96).to_bytes(16, "big")
    built = build(
        Parts(
            (
                Header((ipv6.IPV6,), ENDS_6),
                Header((table,), {}, b"\1\2\0\0" + home),
                Header((ipv6_routing.ROUTING,), {"type": 0, "segleft": 1}, route),
                Header((udp.UDP,)),
            ),
            b"x",
        )
    )
    assert verdicts(read(built.data, LinkType.RAW)) == {Verdict.GOOD}


def test_options_are_padded_to_what_the_length_counts() -> None:
    built = build(Parts((Header((tcp.TCP,), {}, bytes.fromhex("0303070101")),)))
    assert built.places[0].values["hdr_len"] == 28
    assert built.data[20:] == bytes.fromhex("0303070101000000")


def test_too_many_bytes_are_reported_for_the_field_that_cannot_hold_them() -> None:
    with pytest.raises(DoesNotFitError) as caught:
        build(Parts((Header((ipv4.IPV4,)), Header((tcp.TCP,), {}, bytes(41)))))
    assert (caught.value.index, caught.value.slot.name) == (1, "tcp.hdr_len")
    with pytest.raises(DoesNotFitError) as caught:
        build(Parts((Header((ipv4.IPV4,)),), bytes(65516)))
    assert (caught.value.slot.name, caught.value.value) == ("ip.len", 65536)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError, match=r"ip\.hops"):
        build(Parts((Header((ipv4.IPV4,), {"hops": 1}),)))


def captured() -> Iterator[tuple[str, int, Dissection]]:
    """Yield every frame of the shared captures."""
    for path in sorted((captures_dir() / "files").rglob("*")):
        if not path.is_file():
            continue
        try:
            reader = open_capture(path)
        except FileError:
            continue
        with reader:
            for batch in reader.batches():
                columns = zip(
                    batch.offset.tolist(), batch.captured.tolist(), batch.original.tolist(),
                    batch.interface.tolist(), batch.flags.tolist(), strict=True,
                )  # fmt: skip
                for number, (at, size, original, interface, flags) in enumerate(columns):
                    data = batch.data[at : at + size].tobytes()
                    link_type = reader.interfaces[interface].link_type
                    yield path.name, number, dissect(data, link_type, original, flags)


@pytest.mark.corpus
def test_every_captured_frame_is_built_again() -> None:
    """All 16,870, also those that do not dissect completely: their rest is payload."""
    frames = differing = 0
    for name, number, dissection in captured():
        frames += 1
        if build(parts_of(dissection)).data != dissection.data:
            differing += 1
            print(name, number)
    assert frames > 16_000
    assert differing == 0


@pytest.mark.corpus
def test_computed_fields_equal_the_captured_ones() -> None:
    """Opened automatic fields get their captured values if the capture's sums are good."""
    wrong: list[tuple[str, int, str]] = []
    compared = 0
    for name, number, dissection in captured():
        if dissection.stop or verdicts(dissection) - {Verdict.GOOD}:
            continue
        if len(dissection.data) < dissection.original_length or dissection.payload.stop == 0:
            continue
        if any(layer.notes for layer in dissection.layers):
            continue
        parts = parts_of(dissection)
        opened = tuple(
            Header(h.tables, {k: v for k, v in h.values.items() if k != "checksum"}, h.body)
            for h in parts.headers
        )
        compared += 1
        built = build(Parts(opened, parts.payload, parts.trailer))
        if built.data != dissection.data:
            wrong.append((name, number, str([layer.name for layer in dissection.layers])))
    assert compared > 5_000
    assert wrong == []
