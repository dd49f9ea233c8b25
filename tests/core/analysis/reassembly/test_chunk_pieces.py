"""Packets that complete a datagram are read with all of it, by columns and one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.packet_filter import PacketFilter, values_of_packet
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.analysis.flows.analyzer import FlowAnalyzer
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowQuestion
from core.analysis.follow.pieces import Piece
from core.analysis.follow.stream import StreamReader
from core.analysis.reassembly import chunk_pieces, fragment_index
from core.analysis.reassembly.chunk_pieces import with_piece, with_pieces
from core.analysis.reassembly.fragment_index import FragmentIndex, SnapshotFragments
from core.analysis.statistics.analyzer import StatisticsIndex
from core.analysis.tcp.flow_index import index_of
from core.decode.chunk import Chunk
from core.decode.verdicts import fill
from core.store.budget import UNLIMITED
from core.store.gathered_packets import gather
from core.store.snapshot import Snapshot
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import HeaderState
from tests.core.analysis.filter.values.reference import listed
from tests.core.analysis.reassembly.fragmented import (
    DATA,
    SEGMENT,
    WHOLE,
    WHOLE_6,
    cases,
    chunk_of,
    piece,
    pieces,
    store_of,
)
from tests.core.decode.frames import tcp_frame, udp_frame

WRONG = WHOLE[:-1] + b"!"


def mixed() -> list[bytes]:
    """Return packets 1–13; packets 4, 7, 9, 10, and 13 complete a datagram."""
    return [
        tcp_frame(),
        *pieces(),  # 2–4
        *pieces(WHOLE_6, (0, 96, 192, len(WHOLE_6)), six=True)[::-1],  # 5–7
        *pieces(WRONG, (0, 96, len(WRONG)), ident=7),  # 8, 9
        udp_frame(),  # 10
        piece(WHOLE[:96], more=True, ident=8),  # 11: never completed
        piece(SEGMENT[:24], more=True, ident=9, protocol=IpProtocol.TCP),  # 12
        piece(SEGMENT[24:], 24, ident=9, protocol=IpProtocol.TCP),  # 13
    ]


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    frames = mixed()
    return store_of([frames[:3], frames[3:]]).snapshot()


FILTERS = {
    "udp": [4, 7, 9, 10],
    "udp.srcport == 40000": [4, 7, 9, 10],
    "udp.stream": [4, 7, 9, 10],
    f"udp.length == {len(WHOLE)}": [4, 7, 9],
    "udp.checksum.status == good": [4, 7, 10],
    "udp.checksum.status == bad": [9],
    f"udp.payload contains {DATA[90:110].hex(':')}": [4, 7, 9],
    f"frame contains {DATA[84:100].hex(':')}": [],  # it spans two frames
    "tcp": [1, 13],
    "tcp.len == 100": [13],
    "tcp.stream": [1, 13],
    "ip.fragment": [4, 9, 13],
    "ip.fragment == 2": [4],
    "ip.fragment.count == 3": [4],
    "ip.reassembled_in": [2, 3, 8, 12],
    "ip.reassembled_in == 4": [2, 3],
    f"ip.reassembled.length == {len(SEGMENT)}": [13],
    "ipv6.fragment": [7],
    "ipv6.fragment.count == 3": [7],
    "ipv6.reassembled.in == 7": [5, 6],
    "ip.reassembled.data contains 5e:5f:60:61": [4, 9],
    "ip.fragment.overlap": [],
    "data": [2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13],
    "data.len == 96": [2, 3, 6, 8, 11],
    "ip.len > 0 && !udp && !tcp": [2, 3, 8, 11, 12],
    'frame.protocols contains "udp"': [4, 7, 9, 10],
    '_ws.col.info contains "Reassembled in #4"': [2, 3],
    "frame.len == 130": [2, 3, 8, 11, 13],
    "frame.cap_len == 130": [2, 3, 8, 11, 13],
}


@pytest.mark.parametrize("text", FILTERS)
def test_filters(text: str, snapshot: Snapshot) -> None:
    passes = PacketFilter.compile(text)
    found = [
        chunk.first + int(row)
        for chunk in snapshot.chunks
        for row in np.flatnonzero(passes(chunk, snapshot))
    ]
    assert found == FILTERS[text]


@pytest.mark.parametrize("text", FILTERS)
def test_a_piece_of_a_chunk_and_one_packet_give_the_same(text: str, snapshot: Snapshot) -> None:
    passes = PacketFilter.compile(text)
    for chunk in snapshot.chunks:
        whole = passes(chunk, snapshot).tolist()
        parts = [passes(chunk.rows(row, row + 1), snapshot).tolist() for row in range(len(chunk))]
        assert [each for part in parts for each in part] == whole
        index_of(snapshot).reaching(snapshot, snapshot.count)
        for row, passed in enumerate(whole):
            values = values_of_packet(snapshot, chunk.first + row)
            assert passes.display_filter.passes(values).tolist() == [passed]


@pytest.mark.parametrize("frames", [mixed(), cases()], ids=["mixed", "cases"])
@pytest.mark.parametrize("outermost", [False, True])
def test_columns_and_dissections_of_datagrams_agree(frames: list[bytes], outermost: bool) -> None:
    chunk = chunk_of(frames)
    part = with_pieces(chunk, FragmentIndex().append(chunk))
    assert part.datagrams is not None
    state = part.state.copy()
    state[list(part.pieces)] |= np.uint8(HeaderState.NESTED)
    others = replace(part, index=replace(part.headers, state=state), datagrams=None)
    one, other = (
        ChunkValues(each, CaptureContext(), outermost=outermost) for each in (part, others)
    )
    for field in CATALOG:
        for read in ("occurrences", "raw", "with_data"):
            found, expected = (listed(getattr(each, read)(field.name)) for each in (one, other))
            assert found == expected, (field.name, read)


def test_packets_from_anywhere(snapshot: Snapshot) -> None:
    numbers = [1, 2, 4, 9, 13]
    chunk = with_pieces(gather(snapshot, numbers), SnapshotFragments(snapshot), numbers)
    names = [[layer.name for layer in chunk.dissect(row).layers][2:] for row in range(5)]
    assert names == [["tcp"], [], ["udp"], ["udp"], ["tcp"]]
    assert chunk.rows(2, 4).dissect(1).layer("udp") is not None
    assert chunk.copied(np.array([1, 4])).dissect(1).layer("tcp") is not None


def test_captured_bytes_stay(snapshot: Snapshot) -> None:
    for chunk in snapshot.chunks:
        found = with_pieces(chunk, SnapshotFragments(snapshot))
        assert found is not chunk
        for row in range(len(chunk)):
            assert found.frame(row) == chunk.frame(row)


def test_the_verdicts_of_the_chunk_stay(snapshot: Snapshot) -> None:
    chunk = chunk_of(mixed())
    before = fill(chunk).copy()
    other = chunk_of(mixed())
    fill(with_pieces(other, FragmentIndex().append(other)))
    assert np.array_equal(fill(other), before)


def test_a_chunk_without_fragments_stays_as_it_is() -> None:
    class Refusing:
        def reaching(self, through: int) -> None:
            raise AssertionError("nobody needs to know")

    chunk: Chunk = chunk_of([tcp_frame()] * 3)
    assert with_pieces(chunk, Refusing()) is chunk


def test_a_packet_with_its_piece(snapshot: Snapshot) -> None:
    table = SnapshotFragments(snapshot).reaching(4)
    packet = with_piece(snapshot.packet(4), table)
    assert packet.data == mixed()[3]
    assert packet.dissect().payload.stop - packet.dissect().payload.start == len(DATA)
    assert with_piece(snapshot.packet(1), table).piece is None


def test_conversations_count_whole_datagrams(snapshot: Snapshot) -> None:
    for level, packets in ((Level.UDP, 4), (Level.TCP, 2)):
        flows = FlowAnalyzer(FlowQuestion(level))
        flows.extend(snapshot, UNLIMITED)
        columns = flows.published.columns
        assert int(columns["packets"].sum()) == packets


def test_the_protocol_hierarchy_has_whole_datagrams(snapshot: Snapshot) -> None:
    statistics = StatisticsIndex()
    statistics.extend(snapshot, UNLIMITED)
    ends = statistics.published.hierarchy.ends
    found = {
        name: sum(counts.packets for path, counts in ends.items() if name in path.split(":"))
        for name in ("udp", "tcp", "eth")
    }
    assert found == {"udp": 4, "tcp": 2, "eth": 13}


def test_a_followed_stream_has_whole_datagrams() -> None:
    chunk = chunk_of(mixed())
    part = with_pieces(chunk, FragmentIndex().append(chunk))
    found: list[Piece] = []
    StreamReader("udp", found.append).read(part, np.array([3, 6]))
    assert [(piece.packet, piece.data) for piece in found] == [(4, DATA), (7, DATA)]


def test_packets_with_few_fragments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_pieces, "FEW", 4)
    assert len(chunk_pieces.few_fragments(chunk_of(mixed()))) == 5  # the first has none
    snapshot = store_of([mixed()]).snapshot()
    assert index_of(snapshot).reaching(snapshot, 13).through == 13


def test_a_datagram_that_gave_up_its_bytes_is_a_fragment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragment_index, "MOST_KEPT_BYTES", 1)
    chunk = chunk_of([*pieces(), *pieces(ident=2)])
    part = with_pieces(chunk, FragmentIndex().append(chunk))
    assert [part.dissect(row).layer("udp") is None for row in (2, 5)] == [True, False]
    piece = part.pieces[2].piece
    assert (len(piece.parts), piece.length, piece.datagram) == (3, len(WHOLE), None)
