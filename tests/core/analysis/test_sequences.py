"""Relative TCP numbers: found from the handshakes, in both directions, across chunks."""

from __future__ import annotations

import pytest

from core.analysis.sequences import NO_SEQUENCES, SequenceIndex, SequenceReader
from core.store.budget import Budget
from core.store.packet_store import PacketStore
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.protocol import SequenceBase
from tests.core.decode.frames import arp_frame, ethernet, ipv4, ipv6, tcp, tcp_frame, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

SYN = tcp_frame(flags="syn", sequence=1_000)
SYN_ACK = tcp_frame(flags="syn ack", sequence=5_000, back=True)
DATA, ANSWER = tcp_frame(b"data", sequence=1_001), tcp_frame(b"yes", sequence=5_001, back=True)


def _store(*batches: list[bytes], limit: int = 1 << 30) -> PacketStore:
    store = PacketStore(limit)
    store.add_interface(ETHERNET_INTERFACE)
    for batch in batches:
        store.append(batch_of(batch))
    return store


def _bases(store: PacketStore, index: SequenceIndex | None = None) -> list[SequenceBase | None]:
    snapshot = store.snapshot()
    index = index or SequenceIndex()
    index.extend(snapshot, Budget())
    reader = SequenceReader()
    numbers = range(snapshot.first, snapshot.count + 1)
    return [reader.base(index.published, snapshot, number) for number in numbers]


def test_a_handshake_gives_both_bases():
    """Each packet uses the segments before it, not those after it."""
    assert _bases(_store([SYN, SYN_ACK, DATA, ANSWER])) == [
        SequenceBase(1_000, None),
        SequenceBase(5_000, 1_000),
        SequenceBase(1_000, 5_000),
        SequenceBase(5_000, 1_000),
    ]


def test_without_a_handshake_a_packet_has_no_base():
    """Packets other than TCP, or cut inside the TCP header, have none either."""
    cut = DATA[:-10]
    assert _bases(_store([DATA, ANSWER, udp_frame(), arp_frame(), cut, b""])) == [None] * 6


def test_a_second_connection_on_the_same_ports_starts_again():
    """The last SYN before a packet counts; a repeated SYN changes nothing."""
    again = tcp_frame(flags="syn", sequence=70_000)
    store = _store([SYN, SYN, SYN_ACK, DATA], [again, tcp_frame(sequence=70_001)])
    assert _bases(store)[3:] == [
        SequenceBase(1_000, 5_000),
        SequenceBase(70_000, 5_000),
        SequenceBase(70_000, 5_000),
    ]


def test_ipv6_and_tagged_frames():
    """The addresses count, not how the packet was carried."""
    frames = [
        ethernet(ipv6(tcp(flags="syn", sequence=9, six=True), IpProtocol.TCP), EtherType.IPV6),
        ethernet(ipv6(tcp(sequence=10, six=True), IpProtocol.TCP), EtherType.IPV6, tags=1),
        ethernet(ipv4(tcp(sequence=10), IpProtocol.TCP)),
    ]
    assert _bases(_store(frames)) == [SequenceBase(9, None), SequenceBase(9, None), None]


def test_found_across_many_batches_as_the_store_grows():
    """One index, extended between batches as on the screen; each SYN starts its own connection."""
    store = _store()
    index, reader = SequenceIndex(), SequenceReader()
    for port in range(1, 400):
        fields = {"srcport": port}
        syn = _with_port(tcp_frame(flags="syn", sequence=port * 10), **fields)
        data = _with_port(tcp_frame(sequence=port * 10 + 1), **fields)
        store.append(batch_of([syn, data]))
        if port % 3 == 0:
            snapshot = store.snapshot()
            index.extend(snapshot, Budget())
            base = reader.base(index.published, snapshot, snapshot.count)
            assert base == SequenceBase(port * 10, None)
    expected = [SequenceBase(port * 10, None) for port in range(1, 400) for _ in range(2)]
    assert _bases(store, index) == expected


def _with_port(frame: bytes, srcport: int) -> bytes:
    return frame[:34] + srcport.to_bytes(2, "big") + frame[36:]


def test_a_flood_of_handshakes_is_bounded():
    """The index forgets the oldest handshakes and knows the newest."""
    index = SequenceIndex(limit=100)
    store = _store()
    for start in range(0, 1_000, 50):
        ports = range(start + 1, start + 51)
        store.append(batch_of([_with_port(SYN, port) for port in ports]))
        index.extend(store.snapshot(), Budget())
    assert sum(len(run) for run in index.published.runs) <= 100
    assert _bases(store, index)[-1] == SequenceBase(1_000, None)


def test_evicted_packets_raise():
    """Looking up an evicted packet raises `KeyError`, as everywhere in the store."""
    store = _store([SYN], *[[b"x" * 1_000] * 100] * 10, limit=1 << 18)
    index = SequenceIndex()
    index.extend(store.snapshot(), Budget())
    assert store.snapshot().evicted > 0
    with pytest.raises(KeyError):
        SequenceReader().base(index.published, store.snapshot(), 1)


def test_a_packet_beyond_the_analysis_is_looked_up_again():
    """Its base is what an earlier handshake gives, and is not remembered."""
    store = _store([SYN, SYN_ACK])
    index, reader = SequenceIndex(), SequenceReader()
    index.extend(store.snapshot(), Budget())
    before = index.published
    store.append(batch_of([tcp_frame(flags="syn", sequence=70_000), tcp_frame(sequence=70_001)]))
    snapshot = store.snapshot()
    assert reader.base(NO_SEQUENCES, snapshot, 4) is None
    assert reader.base(before, snapshot, 4) == SequenceBase(1_000, 5_000)
    index.extend(snapshot, Budget())
    assert reader.base(index.published, snapshot, 4) == SequenceBase(70_000, 5_000)
    assert before.through == 2
    assert reader.base(before, snapshot, 2) == SequenceBase(5_000, 1_000)


def test_a_handshake_that_was_evicted_still_gives_the_base():
    """The index keeps SYN segments longer than the store keeps packets."""
    store = _store([SYN], limit=1 << 18)
    index = SequenceIndex()
    index.extend(store.snapshot(), Budget())
    for _ in range(10):
        store.append(batch_of([b"x" * 1_000] * 100))
    store.append(batch_of([DATA]))
    snapshot = store.snapshot()
    assert snapshot.evicted > 0
    index.forget(snapshot.first)
    index.extend(snapshot, Budget())
    assert SequenceReader().base(index.published, snapshot, snapshot.count) == SequenceBase(
        1_000, None
    )


def test_a_spent_budget_ends_each_step_after_one_chunk():
    """Steps come to an end, and their results agree with one long step."""
    store = _store(*[[SYN, *[udp_frame()] * 4_999]] * 40)
    snapshot = store.snapshot()
    index, steps = SequenceIndex(), 1
    while index.extend(snapshot, Budget(0)):
        steps += 1
    assert steps == len(snapshot.chunks) > 1
    assert index.published.through == snapshot.count
    assert _bases(store, index) == _bases(store)
