"""Columns of fields, compared with dissection: the same values, for the same packets."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from core.analysis.filter.packet_filter import PacketFilter
from core.analysis.tcp.flow_index import FlowIndex
from core.decode import columns
from core.decode.batch import CaptureInterface
from core.decode.chunk import Chunk
from core.decode.columns import SLOTS, read
from core.store.budget import Budget
from core.store.packet_store import PacketStore
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.link.serial import NFLOG, NFLOG_PAYLOAD
from core.wire.model.assigned_numbers import EtherType
from core.wire.model.batch import Network
from core.wire.model.dissection import Verdict
from core.wire.model.kind import Kind
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.protocol import SequenceBase
from core.wire.registry import PROTOCOLS, TABLES
from tests.core.decode.agreement import (
    has_column,
    number,
    outermost,
    outline_of_chunk,
    outline_of_frame,
)
from tests.core.decode.captures import stored_captures
from tests.core.decode.frames import arp_frame, ethernet, ipv4, ipv6, tcp, tcp_frame, udp, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of, verdicts_of
from tests.core.wire.network.test_unset_length import FAULTS, LEFT


def _store(frames: list[bytes]) -> PacketStore:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(frames, gap=4))
    return store


def test_a_column_of_every_kind_of_header():
    """Known frames, known values."""
    chunk = (
        _store(
            [
                tcp_frame(b"data", sequence=7),
                udp_frame(),
                arp_frame(),
                ethernet(ipv4(tcp(), 6), tags=2),
                b"short",
            ]
        )
        .snapshot()
        .chunks[0]
    )
    expected = {
        "ip.proto": ([6, 17, 0, 6, 0], [True, True, False, True, False]),
        "tcp.seq_raw": ([7, 0, 0, 1, 0], [True, False, False, True, False]),
        "tcp.flags.ack": ([1, 0, 0, 1, 0], [True, False, False, True, False]),
        "vlan.id": ([0, 0, 0, 5, 0], [False, False, False, True, False]),
        "arp.opcode": ([0, 0, 1, 0, 0], [False, False, True, False, False]),
        "eth.type": ([0x0800, 0x0800, 0x0806, 0x8100, 0], [True, True, True, True, False]),
        "ip.hdr_len": ([20, 20, 0, 20, 0], [True, True, False, True, False]),
    }
    for name, (values, valid) in expected.items():
        column = read(chunk, SLOTS[name])
        assert column.values.tolist() == values, name
        assert column.valid.tolist() == valid, name


def test_no_packet_is_walked_for_a_network_header(monkeypatch):
    """The chunk has the place of each."""
    frames = [tcp_frame(), arp_frame(), ethernet(ipv6(tcp(six=True), 6), EtherType.IPV6)]
    (chunk,) = _store(frames).snapshot().chunks
    monkeypatch.setattr(columns, "walk_headers", None)
    networks = [protocol for protocol in PROTOCOLS if protocol.network is not Network.NONE]
    for protocol in networks:
        for slot in protocol.tables[0].slots:
            valid = read(chunk, SLOTS[slot.name]).valid
            assert valid.tolist() == (chunk.network == protocol.network).tolist(), slot.name
    assert {protocol.network for protocol in networks} == set(chunk.network.tolist())


@pytest.mark.corpus
def test_every_field_of_the_corpus():
    """For every field, the column has the value of the packet's outermost layer."""
    one_of_each_table = {slots[0].table.name: name for name, slots in SLOTS.items()}
    compared = 0
    for path, snapshot in stored_captures():
        for whole in snapshot.chunks:
            chunk = whole.rows(0, 150)
            expected = [outermost(chunk.dissect(row)) for row in range(len(chunk))]
            names = {name for each in expected for name in each} | set(one_of_each_table.values())
            for name in sorted(name for name in names if has_column(name)):
                column = read(chunk, SLOTS[name])
                given = {
                    row: number(column.values[row]) for row in np.flatnonzero(column.valid).tolist()
                }
                wanted = {row: each[name] for row, each in enumerate(expected) if name in each}
                assert given == wanted, f"{path}: {name}"
                compared += len(wanted)
    assert compared > 50_000


def test_link_headers_of_several_link_types():
    """Frames with one link-layer header, which are not walked, and frames with others."""
    packet = ipv4(udp(b"data"), 17)
    tagged = ethernet(packet, tags=2)
    addresses = tagged[:12]
    sizes = struct.Struct(">H").pack
    snap = b"\xaa\xaa\x03\0\0\0"
    on_ethernet = [
        ethernet(packet),
        tagged,
        arp_frame(),
        addresses + sizes(8 + len(packet)) + snap + b"\x08\x00" + packet,
        addresses + sizes(3 + len(packet)) + b"\x06\x06\x03" + packet,
        addresses + sizes(len(snap) + len(tagged) - 12) + snap + tagged[12:],
        addresses + sizes(1501) + packet,
        addresses + sizes(0) + packet,
        ethernet(b"", 0x88CC),
        ethernet(tagged, EtherType.TRANSPARENT_ETHERNET),
        addresses + b"\x81\x00\0\x05" + sizes(3 + len(packet)) + b"\x06\x06\x03" + packet,
        *(tagged[:length] for length in (0, 5, 6, 12, 13, 14, 15, 17, 18)),
    ]
    cooked = bytes(14)
    on_cooked = [
        cooked + b"\x08\x00" + packet,
        cooked + b"\x81\x00\0\x05\x08\x00" + packet,
        cooked + sizes(EtherType.TRANSPARENT_ETHERNET) + tagged,
    ]
    frames = [*on_ethernet, *on_cooked]
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.add_interface(CaptureInterface("any", LinkType.LINUX_SLL))
    interface = [0] * len(on_ethernet) + [1] * len(on_cooked)
    store.append(batch_of(frames, gap=4, interface=interface))
    (chunk,) = store.snapshot().chunks
    _compare_all(chunk)
    valid = read(chunk, SLOTS["eth.len"]).valid
    assert np.flatnonzero(valid).tolist() == [3, 4, 5]
    assert np.flatnonzero(read(chunk, SLOTS["eth.type"]).valid)[-1] == len(frames) - 1


def test_names_without_a_column():
    """Unknown names, and fields that are byte strings."""
    byte_strings = {
        slot.name
        for table in TABLES
        for slot in table.slots
        if slot.field.kind is Kind.BYTES and slot.name not in SLOTS
    }
    assert "sll.unused" in byte_strings
    for name in ("tcp.nonsense", *byte_strings):
        with pytest.raises(KeyError):
            SLOTS[name]


def _compare_all(chunk: Chunk) -> None:
    """Compare every column of a chunk with the dissected packets."""
    expected = [outermost(chunk.dissect(row)) for row in range(len(chunk))]
    for name in filter(has_column, SLOTS):
        column = read(chunk, SLOTS[name])
        rows = np.flatnonzero(column.valid).tolist()
        given = {row: number(column.values[row]) for row in rows}
        wanted = {row: each[name] for row, each in enumerate(expected) if name in each}
        assert given == wanted, name


def test_every_column_of_frames_whose_lengths_were_left_to_the_card():
    """Also of those in which a length of 0 is an error."""
    by_link: dict[int, list[bytes]] = {}
    for link_type, frame in (*LEFT.values(), *FAULTS.values()):
        by_link.setdefault(link_type, []).extend((frame, frame[:60]))
    for link_type, frames in by_link.items():
        store = PacketStore()
        store.add_interface(CaptureInterface("test", link_type))
        store.append(batch_of(frames, gap=4, stable=True))
        (chunk,) = store.snapshot().chunks
        _compare_all(chunk)
        if link_type == LinkType.ETHERNET:
            assert read(chunk, SLOTS["tcp.dstport"]).valid.any()


SIZES = (65_534, 65_535, 65_536, 65_537, 65_549, 70_000)


def _large_frames(size: int) -> dict[int, list[bytes]]:
    """Return frames of `size` bytes by link type: each network and transport, headers far inside.

    A length that its field cannot hold is 0, as in Linux's BIG TCP.
    """

    def filled(start: bytes) -> bytes:
        return start.ljust(size, b"\x16")

    def four(protocol: int) -> bytes:
        length = size - ETHERNET.size
        said = length if length <= IPV4["len"].maximum else 0
        return filled(ethernet(ipv4(tcp(flags="syn ack"), protocol, len=said)))

    def six(protocol: int) -> bytes:
        length = size - ETHERNET.size - IPV6.size
        said = length if length <= IPV6["plen"].maximum else 0
        return filled(ethernet(ipv6(tcp(six=True), protocol, plen=said), EtherType.IPV6))

    def far(packet: bytes) -> bytes:
        """Return NFLOG with many values, so that the packet begins about 110 bytes from the end.

        Their lengths are not smaller in the other byte order, in which rawscope would read them
        then.
        """
        before = size - NFLOG.size - 110
        values, head = b"", NFLOG.emit({"family": 10 if packet[0] >> 4 == 6 else 2})
        while before > len(values):
            rest = before - len(values)
            length = next((n for n in (0x7C7C, 0x0C0C, 0xFC) if n <= rest), rest + 3 & ~3)
            values += struct.pack("<HH", length, 5) + bytes(length - 4)
        payload = struct.pack("<HH", 4 + len(packet), NFLOG_PAYLOAD) + packet
        return filled(head + values + payload)

    protocols = (1, 2, 6, 17, 47, 51, 58, 132, 253)
    return {
        LinkType.ETHERNET: [
            filled(ethernet(b"", 0x9999)),
            filled(arp_frame()),
            filled(ethernet(ipv4(tcp(), 6), tags=2)),
            *(four(protocol) for protocol in protocols),
            *(six(protocol) for protocol in protocols),
        ],
        LinkType.NFLOG: [
            far(ipv4(tcp(b"deep", flags="syn", sequence=7), 6)),
            far(ipv4(udp(b"deep"), 17)),
            far(ipv4(tcp(b"deep"), 1)),
            far(ipv6(tcp(b"deep", six=True), 6)),
            far(ipv6(udp(b"deep", six=True), 17)),
        ],
    }


@pytest.mark.parametrize("link_type", [LinkType.ETHERNET, LinkType.NFLOG])
def test_every_column_of_frames_about_64_kib(link_type):
    """A column has a value exactly if dissection has one.

    Position 65,535 is like any other, and headers beyond it are found.
    """
    frames = [frame for size in SIZES for frame in _large_frames(size)[link_type]]
    store = PacketStore()
    store.add_interface(CaptureInterface("test", link_type))
    store.append(batch_of(frames, gap=4, stable=True))
    (chunk,) = store.snapshot().chunks
    _compare_all(chunk)
    outlines = [outline_of_frame(frame, link_type, len(frame), 0) for frame in frames]
    assert outline_of_chunk(chunk) == outlines


def test_headers_far_inside_reach_every_reader():
    """The connection filter and relative numbers find a handshake at byte 69,900 of its frames."""
    frames = _large_frames(70_000)[LinkType.NFLOG]
    store = PacketStore()
    store.add_interface(CaptureInterface("test", LinkType.NFLOG))
    store.append(batch_of(frames, gap=4))
    snapshot = store.snapshot()
    chunk = snapshot.chunks[0]
    assert int(chunk.network_offset[0]) > 65_535
    text = "ip.addr == 10.0.0.1 and ip.addr == 10.0.0.2 and tcp.port == 40000 and tcp.port == 80"
    passed = PacketFilter.compile(text)(chunk, snapshot)
    assert np.flatnonzero(passed).tolist() == [0]
    index = FlowIndex()
    index.extend(snapshot, Budget())
    assert index.published.base(1) == SequenceBase(7, 0)
    assert verdicts_of(snapshot, 1) == (Verdict.GOOD, Verdict.GOOD)


def test_no_connection_takes_a_packet_without_the_ports():
    """The bytes at position 65,535 of a frame without a TCP header are not ports."""
    ports = struct.pack(">HH", 40_000, 80)
    frame = udp_frame().ljust(65_535, b"\0") + ports + bytes(100)
    frame = ethernet(ipv4(b"", 17, len=0)) + frame[ETHERNET.size + IPV4.size :]
    snapshot = _store([frame, tcp_frame()]).snapshot()
    passed = PacketFilter.compile("tcp.srcport == 40000 and tcp.dstport == 80")(
        snapshot.chunks[0], snapshot
    )
    assert np.flatnonzero(passed).tolist() == [1]
