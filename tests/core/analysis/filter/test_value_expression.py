"""Expressions of rows, cells, and conversations compile, and pass the packet they are from."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG, SLOTS_BY_NAME
from core.analysis.filter.types import FilterType
from core.analysis.filter.value_expression import (
    address_expressions,
    bytes_literal,
    connection_expression,
    field_expression,
    first_value_expression,
    packet_conversation,
    protocol_expression,
    row_expression,
    string_literal,
)
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.batch import CaptureInterface
from core.store.packet_store import PacketStore
from core.store.selected_packet import SelectedPacket, select_packet
from core.store.snapshot import Snapshot
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.dissection import PacketFlag
from core.wire.present.detail_row import Row
from core.wire.present.faults import Faults
from tests.core.decode.captures import stored_captures
from tests.core.decode.frames import (
    arp_frame,
    ethernet,
    ipv4,
    ipv6,
    tcp,
    tcp_frame,
    udp,
    udp_frame,
)
from tests.core.decode.support import batch_of
from tests.fuzz.shapes import shapes

NO_FILTER = {  # rows for which filters have no name
    "frame.checksum_state",
    "frame.encap_type",
    "frame.fcs_length",
    "frame.reception",
    "frame.segmented",
    "frame.vlan_restored",
    "trailer",
}


class OnePacket:
    """A packet of a store, and the filters that it passes."""

    def __init__(self, snapshot: Snapshot, number: int) -> None:
        selected = select_packet(snapshot, number, Faults())
        assert selected is not None
        assert selected.dissection is not None
        self.selected: SelectedPacket = selected
        self.dissection = selected.dissection
        chunk, row = snapshot.find(number)
        before = snapshot.find(number - 1) if number > snapshot.first else None
        context = context_of(snapshot)
        if before is not None:
            context = context.after(before[0].rows(before[1], before[1] + 1))
        self._values = ChunkValues(chunk.rows(row, row + 1), context)

    def passes(self, text: str) -> bool:
        """Return True if the packet passes the filter."""
        return bool(compile_filter(text, CATALOG).passes(self._values)[0])

    def first(self, name: str) -> str | None:
        """Return the expression of the first value of a field."""
        return first_value_expression(self._values, name)

    def rows(self) -> Iterator[Row]:
        """Yield every row of the detail tree."""
        yield from each_row(self.selected.rows)

    def cells(self) -> Iterator[str | None]:
        """Yield the expressions of the cells of the table, and of the conversation."""
        yield from address_expressions(self.dissection)
        yield protocol_expression(self.dissection)
        yield packet_conversation(self.dissection)
        names = ("frame.number", "frame.time_epoch", "frame.len", "frame.interface_name")
        for name in names:
            yield self.first(name)

    def expressions(self) -> Iterator[str]:
        """Yield the expressions of all rows and cells, and that a row lacks one."""
        for row in self.rows():
            expression = row_expression(row)
            if expression is not None:
                yield expression
            else:
                is_named = row.key.partition("#")[0] not in NO_FILTER
                assert not is_named or row.value in ("unnamed", "–"), row
        yield from filter(None, self.cells())

    def failed(self) -> list[str]:
        """Return the expressions of the packet that it fails."""
        texts = list(self.expressions())
        return [] if self.passes(" && ".join(texts)) else [t for t in texts if not self.passes(t)]


def context_of(snapshot: Snapshot) -> CaptureContext:
    """Return the context of the first chunk."""
    first_ns = snapshot.first_timestamp_ns
    return CaptureContext(snapshot.interfaces, first_ns, comments=snapshot.comments)


def each_row(rows: tuple[Row, ...]) -> Iterator[Row]:
    for row in rows:
        yield row
        yield from each_row(row.children)


def stored(
    frames: list[bytes], link_type: int = LinkType.ETHERNET, flags: list[int] | None = None
) -> Snapshot:
    """Return a store of these frames."""
    store = PacketStore()
    store.add_interface(CaptureInterface("eth0", link_type))
    store.append(batch_of(frames, flags=flags))
    return store.snapshot()


def one(frame: bytes, link_type: int = LinkType.ETHERNET) -> OnePacket:
    return OnePacket(stored([frame], link_type), 1)


@pytest.mark.corpus
def test_rows_and_cells_of_captured_packets() -> None:
    generator = random.Random(5)
    found = []
    for path, snapshot in stored_captures():
        held = range(1, snapshot.count + 1)
        for number in generator.sample(held, min(2, len(held))):
            found += [f"{path.name} {each}" for each in OnePacket(snapshot, number).failed()]
    assert not found, "\n".join(found)


def test_rows_of_every_header() -> None:
    """Every field of every header has a row, and its expression passes the packet."""
    by_link: dict[int, list[bytes]] = {}
    for shape in shapes():
        by_link.setdefault(shape.link_type, []).append(shape.data)
    failed, names = [], set()
    for link_type, frames in by_link.items():
        snapshot = stored(frames, link_type)
        texts: dict[str, list[int]] = {}
        for number in range(1, snapshot.count + 1):
            packet = OnePacket(snapshot, number)
            names |= {row.field for row in packet.rows()}
            for text in packet.expressions():
                texts.setdefault(text, []).append(number - 1)
        values = ChunkValues(snapshot.chunks[0], context_of(snapshot))
        for text, rows in texts.items():
            passed = compile_filter(text, CATALOG).passes(values)
            failed += [f"{frames[row].hex()}: {text}" for row in rows if not passed[row]]
    assert not failed, "\n".join(failed)
    assert sorted(set(SLOTS_BY_NAME) - names) == []


def test_the_first_value_of_every_field_of_some_packets() -> None:
    """Every field that the catalog has, of every type."""
    seen = set()
    for shape in [*shapes()][::40]:
        packet = one(shape.data, shape.link_type)
        found = {name: text for name in CATALOG.names() if (text := packet.first(name))}
        assert packet.passes(" && ".join(found.values())), shape.name
        seen |= {CATALOG.find(name).type for name in found}
    assert seen >= {
        FilterType.PROTOCOL, FilterType.BOOLEAN, FilterType.UINT16, FilterType.STRING,
        FilterType.ETHER, FilterType.IPV4, FilterType.IPV6, FilterType.BYTES,
        FilterType.ABSOLUTE_TIME, FilterType.RELATIVE_TIME,
    }  # fmt: skip


def test_every_kind_of_value() -> None:
    cases = [
        ("tcp.srcport", 443, "tcp.srcport == 443"),
        ("eth.type", 0x0800, "eth.type == 0x800"),
        ("tcp.flags.syn", 1, "tcp.flags.syn == 1"),
        ("tcp.flags.res", 5, "tcp.flags.res == 1"),
        ("ip.src", 0x0A000005, "ip.src == 10.0.0.5"),
        ("ipv6.src", 1, "ipv6.src == ::1"),
        ("eth.src", 0x02005E100001, "eth.src == 02:00:5e:10:00:01"),
        ("icmpv6.opt.src_linkaddr", 1, "icmpv6.opt.src_linkaddr == 00:00:00:00:00:01"),
        ("ip.options", b"\x94\x04\x00\x00", "ip.options == 94:04:00:00"),
        ("udp.payload", b"a" * 33, f"udp.payload[0:32] == {':'.join(['61'] * 32)}"),
        ("tcp.checksum.status", "bad", 'tcp.checksum.status == "bad"'),
        ("frame.interface_name", 'a"\\\n', 'frame.interface_name == "a\\"\\\\\\x0a"'),
        ("frame.time_epoch", 1_700_000_000_123_456_789, "frame.time_epoch == 1700000000.123456789"),
        ("frame.time_delta", -1, "frame.time_delta == -0.000000001"),
        ("tcp", None, "tcp"),
        ("frame.encap_type", 1, None),
    ]
    assert [(name, raw, field_expression(name, raw)) for name, raw, _ in cases] == cases
    for _, _, text in cases:
        if text is not None:
            compile_filter(text, CATALOG)


@pytest.mark.parametrize("data", [b"", b"\0", b"\xfc", b"ab"])
def test_bytes_of_every_length(data: bytes) -> None:
    packet = one(udp_frame(data))
    assert packet.passes(f"udp.payload == {bytes_literal(data)}") == bool(data)


@pytest.mark.parametrize("name", ['"', "\\", "a\nb", "\x1b[2J", "äö ", "\u202e", "\udc80", "^.*"])
def test_interface_names(name: str) -> None:
    """The expression of a name compares it as it is, and has no character that a terminal obeys."""
    store = PacketStore()
    store.add_interface(CaptureInterface(name, LinkType.ETHERNET))
    store.append(batch_of([tcp_frame()]))
    packet = OnePacket(store.snapshot(), 1)
    text = packet.first("frame.interface_name")
    assert text == f"frame.interface_name == {string_literal(name)}"
    assert text.isprintable()
    assert packet.passes(text)


def test_comments() -> None:
    snapshot = stored([tcp_frame()])
    snapshot = replace(snapshot, comments={1: ("first", 'say "hi"\x07')})
    texts = [row_expression(row) for row in OnePacket(snapshot, 1).rows() if "comment" in row.key]
    assert texts == ['frame.comment == "first"', r'frame.comment == "say \"hi\"\x07"']


def test_times_before_1970_and_backward() -> None:
    store = PacketStore()
    store.add_interface(CaptureInterface("eth0", LinkType.ETHERNET))
    store.append(batch_of([tcp_frame()] * 3, times_ns=[-5, -1_500_000_000, 7]))
    for number in (1, 2, 3):
        assert OnePacket(store.snapshot(), number).failed() == []


def test_flags_of_the_capture() -> None:
    """Rows of the capture's flags have expressions only where filters have names."""
    flags = [0x0001, 0x0002, PacketFlag.OURS, 0x0FFC | PacketFlag.VLAN_RESTORED]
    snapshot = stored([tcp_frame()] * len(flags), flags=[int(each) for each in flags])
    for number in range(1, len(flags) + 1):
        assert OnePacket(snapshot, number).failed() == []


def test_damaged_packets() -> None:
    """Cut anywhere, a packet has only expressions that it passes."""
    frame = tcp_frame(b"payload")
    for length in range(len(frame)):
        assert one(frame[:length]).failed() == []


TUNNEL = ethernet(
    ipv4(ipv4(udp(b"x"), IpProtocol.UDP, src=0x0A010101, dst=0x0A010102), IpProtocol.IPV4)
)


def test_cells_show_the_innermost_addresses() -> None:
    packet = one(TUNNEL)
    assert address_expressions(packet.dissection) == ("ip.src == 10.1.1.1", "ip.dst == 10.1.1.2")
    assert protocol_expression(packet.dissection) == "udp"
    assert packet.first("ip.src") == "ip.src == 10.0.0.1"
    assert packet.first("ip.addr") == "ip.addr == 10.0.0.1"
    assert packet.first("tcp.port") is None


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (udp_frame(bytes.fromhex("0001 0100 0001 0000 0000 0000 00 0001 0001")), "dns"),
        (tcp_frame(b"GET / HTTP/1.1\r\n"), "http"),
        (tcp_frame(b"HTTP/1.1 200 OK\r\n", back=True), "http"),
        (tcp_frame(b"\x17\x03\x03\0\x10" + bytes(16)), "tls"),
        (tcp_frame(b"x"), "tcp"),
    ],
    ids=["dns", "http", "http back", "tls", "tcp"],
)
def test_an_application_is_found_by_its_name(frame: bytes, expected: str) -> None:
    packet = one(frame)
    assert protocol_expression(packet.dissection) == expected
    assert packet.passes(expected)


def test_cells_of_a_link_that_tells_the_source_alone() -> None:
    cooked = bytes.fromhex("0000 0001 0006 020000000001 0000 0800") + ipv4(b"", 99)[:8]
    packet = one(cooked, LinkType.LINUX_SLL)
    source, destination = address_expressions(packet.dissection)
    assert source is not None
    assert packet.passes(source)
    assert destination is None


def test_cells_of_a_packet_without_headers() -> None:
    packet = one(b"abc", 105)
    assert set(packet.cells()) == {
        None,
        "frame.number == 1",
        "frame.time_epoch == 0.000001000",
        "frame.len == 3",
        'frame.interface_name == "eth0"',
    }


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (tcp_frame(), "ip.addr == 10.0.0.1 and ip.addr == 10.0.0.2"
                      " and tcp.port == 40000 and tcp.port == 80"),
        (ethernet(ipv6(udp(six=True), IpProtocol.UDP), EtherType.IPV6),
         "ipv6.addr == fd00::1 and ipv6.addr == fd00::2 and udp.port == 40000 and udp.port == 53"),
        (TUNNEL, "ip.addr == 10.1.1.1 and ip.addr == 10.1.1.2"
                 " and udp.port == 40000 and udp.port == 53"),
        (ethernet(ipv4(b"", 99)), "ip.addr == 10.0.0.1 and ip.addr == 10.0.0.2"),
        (ethernet(ipv4(b"", 99, dst=0x0A000001)), "ip.src == 10.0.0.1 and ip.dst == 10.0.0.1"),
        (ethernet(ipv4(bytes.fromhex("0303 0000 00000000") + ipv4(udp(), IpProtocol.UDP), 1)),
         "ip.addr == 10.0.0.1 and ip.addr == 10.0.0.2"),
        (tcp_frame()[:36], "ip.addr == 10.0.0.1 and ip.addr == 10.0.0.2"),
        (arp_frame(), "eth.addr == 02:00:00:00:00:01 and eth.addr == 02:00:00:00:00:02"),
        (b"", None),
    ],
    ids=["tcp", "udp 6", "tunnel", "ip", "itself", "icmp error", "no ports", "arp", "empty"],
)  # fmt: skip
def test_conversation(frame: bytes, expected: str | None) -> None:
    packet = one(frame)
    assert packet_conversation(packet.dissection) == expected
    assert expected is None or packet.passes(expected)


def test_a_conversation_has_both_directions_and_no_other_packets() -> None:
    others = [
        tcp_frame(back=True),
        tcp_frame(),
        udp_frame(),
        ethernet(ipv4(tcp(), IpProtocol.TCP, dst=0x0A000003)),
        ethernet(ipv4(tcp().replace(b"\0\x50", b"\0\x51", 1), IpProtocol.TCP)),
    ]
    snapshot = stored(others)
    text = packet_conversation(OnePacket(snapshot, 1).dissection)
    assert text is not None
    passed = [OnePacket(snapshot, number).passes(text) for number in range(1, 6)]
    assert passed == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("one_end", "other", "expected"),
    [
        (("10.0.0.5", 40000), ("10.0.0.9", 80),
         "ip.addr == 10.0.0.5 and ip.addr == 10.0.0.9 and tcp.port == 40000 and tcp.port == 80"),
        (("127.0.0.1", 40000), ("127.0.0.1", 80),
         "ip.src == 127.0.0.1 and ip.dst == 127.0.0.1 and tcp.port == 40000 and tcp.port == 80"),
        (("10.0.0.5", 123), ("10.0.0.9", 123),
         "ip.addr == 10.0.0.5 and ip.addr == 10.0.0.9"
         " and tcp.srcport == 123 and tcp.dstport == 123"),
        (("fe80::1%eth0", 40000), ("", 80),
         "ipv6.addr == fe80::1 and tcp.port == 40000 and tcp.port == 80"),
        (("2001:db8::1", 40000), ("127.0.0.1", 80),  # of two families: no packet passes
         "ipv6.addr == 2001:db8::1 and ip.addr == 127.0.0.1"
         " and tcp.port == 40000 and tcp.port == 80"),
        (("", 0), ("", 0), "tcp"),
    ],
)  # fmt: skip
def test_connection(one_end: tuple[str, int], other: tuple[str, int], expected: str) -> None:
    assert connection_expression("tcp", one_end, other) == expected
    compile_filter(expected, CATALOG)
