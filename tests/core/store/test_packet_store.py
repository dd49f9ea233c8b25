"""The packet store: numbers, eviction, memory, and readers beside the writer."""

from __future__ import annotations

import mmap
import random
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from core.decode import batch_decoder
from core.decode.batch import Batch, CaptureInterface, FileBlock
from core.decode.batch_decoder import decode_batch
from core.decode.chunk import COLUMN_BYTES, COLUMN_TYPES, Chunk
from core.decode.header_index import HeaderOffsets
from core.store import comments
from core.store.arena import Arena
from core.store.interface_numbers import INTERFACES, MORE, OWN
from core.store.packet_store import KEPT_IN_PLACE, PacketStore
from tests.core.decode.frames import tcp_frame, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of


def _store(limit: int = 1 << 30) -> PacketStore:
    store = PacketStore(limit)
    store.add_interface(ETHERNET_INTERFACE)
    return store


def _frames(count: int, seed: int = 0) -> list[bytes]:
    """Frames of many lengths, each different from all others."""
    generator = random.Random(seed)
    lengths = generator.choices([0, 1, 3, 14, 60, 64, 127, 128, 1514, 4095, 4096, 9014], k=count)
    return [generator.randbytes(length) for length in lengths]


def test_columns_take_at_most_40_bytes_a_packet():
    """The bound of the architecture, and that a chunk holds no other array a packet."""
    chunk = Chunk.allocate(1, np.zeros(0, dtype=np.uint8), np.zeros(1, dtype=np.int32), 1_000)
    held = sum(getattr(chunk, name).nbytes for name in COLUMN_TYPES)
    slots = [(chunk, name) for name in Chunk.__slots__]
    slots += [(chunk.index, name) for name in HeaderOffsets.__slots__]
    arrays = [name for owner, name in slots if isinstance(getattr(owner, name), np.ndarray)]
    assert sorted(arrays) == sorted([*COLUMN_TYPES, "data", "link_types"])
    assert held == 1_000 * COLUMN_BYTES
    assert COLUMN_BYTES <= 40


@pytest.mark.parametrize("stable", [False, True])
def test_every_frame_comes_back_as_it_was(stable):
    """Bytes, lengths, times, interfaces and flags, from batches of every size."""
    store = _store()
    second = store.add_interface(CaptureInterface("lo", 101))
    frames = _frames(KEPT_IN_PLACE + 900)
    start = 0
    for size in (1, 2, 300, KEPT_IN_PLACE, 597):
        part = frames[start : start + size]
        store.append(
            batch_of(
                part,
                gap=2,
                stable=stable,
                interface=[second] * size,
                flags=[0x11] * size,
                original=[len(frame) + 4 for frame in part],
                first_time=start,
            )
        )
        start += size
    snapshot = store.snapshot()
    assert snapshot.count == start == len(frames)
    for number, frame in enumerate(frames, start=1):
        packet = snapshot.packet(number)
        assert packet.data == frame
        assert packet.original_length == len(frame) + 4
        assert packet.timestamp_ns == snapshot.timestamp_ns(number) == number - 1
        assert (packet.number, packet.flags, packet.interface.name) == (number, 0x11, "lo")
    assert snapshot.bytes_total == sum(len(frame) + 4 for frame in frames)
    assert snapshot.first_timestamp_ns == 0


def test_numbers_outside_raise_key_error():
    """Zero, negative and beyond the last."""
    store = _store()
    assert store.snapshot().first == 1
    with pytest.raises(KeyError):
        store.snapshot().packet(1)
    store.append(batch_of([tcp_frame()]))
    for number in (0, -1, 2):
        with pytest.raises(KeyError):
            store.snapshot().packet(number)


def test_many_small_batches_make_few_chunks():
    """A slow capture hands over a packet or two at a time."""
    store = _store()
    for _ in range(500):
        store.append(batch_of([tcp_frame(), udp_frame()], stable=True))
    assert len(store.snapshot().chunks) == 1
    assert store.snapshot().count == 1_000


@pytest.mark.parametrize("frames", [[tcp_frame()] * KEPT_IN_PLACE, [bytes(60_000)] * 20])
def test_a_large_stable_batch_is_not_copied(frames):
    """By packets or by bytes: mapped files stay where they are; ring blocks do not."""
    for stable in (True, False):
        store = _store()
        batch = batch_of(frames, stable=stable)
        store.append(batch)
        shared = [np.shares_memory(chunk.data, batch.data) for chunk in store.snapshot().chunks]
        assert shared == [stable]


def test_eviction_is_counted_and_bounded():
    """captured = held + evicted at every version; numbers stay; the newest is always there."""
    limit = 1 << 20
    store = _store(limit)
    total = 0
    for round_ in range(60):
        store.append(batch_of([bytes([round_]) * 1_000] * 100, first_time=total))
        total += 100
        snapshot = store.snapshot()
        held = sum(len(chunk) for chunk in snapshot.chunks)
        assert snapshot.count == total == held + snapshot.evicted
        assert snapshot.first == snapshot.evicted + 1
        assert snapshot.bytes_held <= limit
        assert snapshot.packet(total).data[:1] == bytes([round_])
        assert snapshot.packet(snapshot.first).timestamp_ns == snapshot.first - 1
    assert snapshot.evicted > 0
    assert snapshot.bytes_total == total * 1_000
    assert snapshot.first_timestamp_ns == 0
    with pytest.raises(KeyError):
        snapshot.packet(snapshot.first - 1)


def test_an_older_snapshot_outlives_eviction():
    """A snapshot keeps all packets that it refers to."""
    store = _store(1 << 18)
    store.append(batch_of([b"first" * 100]))
    early = store.snapshot()
    for _ in range(2_000):
        store.append(batch_of([b"later" * 100]))
    assert store.snapshot().evicted > 0
    assert early.packet(1).data == b"first" * 100


def test_a_frame_greater_than_the_arena_is_kept_whole():
    """GRO makes frames of 64 KiB and more; the arena grows for them."""
    store = _store(1 << 20)  # arenas of 64 KiB
    frame = random.Random(1).randbytes(300_000)
    store.append(batch_of([b"small", frame, b"after"]))
    assert [store.snapshot().packet(n).data for n in (2, 3)] == [frame, b"after"]


def test_chunks_over_mapped_bytes_cost_only_their_columns(tmp_path):
    """A mapped file does not count as the store's memory; a stable array does."""
    frames = [tcp_frame()] * KEPT_IN_PLACE
    whole = batch_of(frames, stable=True)
    path = tmp_path / "frames"
    path.write_bytes(whole.data.tobytes())
    with path.open("rb") as file:
        mapped = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), dtype=np.uint8)
    columns = KEPT_IN_PLACE * COLUMN_BYTES
    for data, expected in ((mapped, columns), (whole.data, columns + len(whole.data))):
        store = _store()
        fields = {name: getattr(whole, name) for name in Batch.__slots__ if name != "data"}
        store.append(Batch(data=data, **fields))
        assert store.snapshot().bytes_held == expected


def test_a_span_beyond_32_bits_is_parted(monkeypatch):
    """Offsets in a chunk are 32 bits; frames further apart go into several chunks."""
    monkeypatch.setattr(batch_decoder, "OFFSET_LIMIT", 10_000)
    frames = [n.to_bytes(4, "big") * 5 for n in range(KEPT_IN_PLACE)]
    store = _store()
    store.append(batch_of(frames, stable=True))
    snapshot = store.snapshot()
    assert len(snapshot.chunks) > 5
    assert all(len(chunk.data) <= 10_000 for chunk in snapshot.chunks)
    assert [snapshot.packet(n + 1).data for n in range(len(frames))] == frames


def test_wrong_batches_are_refused():
    """A frame outside its data or an unknown interface is the caller's mistake."""
    store = _store()
    good = batch_of([b"abc"])
    fields = {name: getattr(good, name) for name in Batch.__slots__}
    beyond = np.array([4], dtype=np.uint32)
    with pytest.raises(ValueError, match="outside"):
        store.append(Batch(**{**fields, "captured": beyond}))
    with pytest.raises(ValueError, match="outside"):
        store.append(Batch(**{**fields, "offset": np.array([-1])}))
    with pytest.raises(ValueError, match="interface 7"):
        store.append(batch_of([b"abc"], interface=[7]))
    assert store.snapshot().count == 0


def test_version_grows_with_every_visible_change():
    """The screen asks the version before it takes a snapshot."""
    store = _store()
    versions = [store.version]
    store.append(batch_of([b"abc"]))
    versions.append(store.version)
    store.append(batch_of([]))
    assert versions == sorted(set(versions))
    assert store.version == versions[-1] == store.snapshot().version


def test_comments_stay_with_their_packet_and_go_with_it():
    """Several on one packet, in order."""
    store = _store(1 << 18)
    frames = batch_of([b"x" * 1_000] * 2)
    store.append(replace(frames, comments={1: ["first", "second"]}))
    assert store.snapshot().comments == {2: ("first", "second")}
    for _ in range(600):
        store.append(batch_of([b"x" * 1_000]))
    assert store.snapshot().first > 2
    assert store.snapshot().comments == {}


def test_comments_count_as_memory():
    """A file of small packets and long comments stays within the bound too."""
    limit = 1 << 20
    store = _store(limit)
    remark = "x" * 50_000
    for _ in range(200):
        store.append(replace(batch_of([b"abc"] * 2), comments={1: [remark]}))
        assert store.snapshot().bytes_held < limit + 60_000
    snapshot = store.snapshot()
    assert snapshot.first > 1
    assert sum(len(remark) for (remark,) in snapshot.comments.values()) < limit
    assert set(snapshot.comments) == set(range(snapshot.first + 1, 401, 2))
    assert snapshot.comments[400] == (remark,)


def test_one_packets_comments_are_bounded():
    """However many and however long: the detail tree shows them in one row."""
    store = _store()
    store.append(
        replace(batch_of([b"abc"] * 3), comments={0: ["a" * 100_000, "b"], 1: [""] * 9_000})
    )
    long, empty = store.snapshot().comments[1], store.snapshot().comments[2]
    assert long == ("a" * comments.LONGEST + "…",)
    assert 1 < len(empty) < 1_000


def test_interfaces_by_turns_with_packets_cost_nothing_but_themselves():
    """A file of many sections, as ``cat *.pcapng`` makes, must not evict for want of room."""
    limit = 4 << 20
    store = _store(limit)
    for index in range(1, 1_001):
        number = store.add_interface(CaptureInterface(f"if{index}", index % 7))
        store.append(batch_of([index.to_bytes(60, "big")], interface=[number]))
    snapshot = store.snapshot()
    assert (snapshot.count, snapshot.evicted, len(snapshot.chunks)) == (1_000, 0, 1)
    assert snapshot.bytes_held <= limit // 4
    for number in (1, 500, 1_000):
        assert snapshot.packet(number).interface.link_type == number % 7
        assert snapshot.packet(number).data == number.to_bytes(60, "big")
    assert snapshot.chunks[0].link_type.tolist() == [number % 7 for number in range(1, 1_001)]


def test_a_closed_arena_keeps_only_what_it_holds():
    """A large batch closes the arena of a small one before it; its room is released."""
    store = _store()
    large = [b"x" * 64] * KEPT_IN_PLACE
    for _ in range(10):
        store.append(batch_of([b"small"]))
        store.append(batch_of(large, stable=True))
    snapshot = store.snapshot()
    assert len(snapshot.chunks) == 20
    data = sum(chunk.data.nbytes for chunk in snapshot.chunks)
    assert data == 10 * (5 + 64 * KEPT_IN_PLACE)
    assert snapshot.bytes_held == data + snapshot.count * COLUMN_BYTES
    assert snapshot.packet(1).data == b"small"


def test_interfaces_beyond_what_packets_can_name_share_one_for_each_link_type():
    store = PacketStore()
    own = [CaptureInterface(f"if{index}", 1) for index in range(OWN)]
    assert store.add_interfaces(own) == list(range(OWN))
    more = [CaptureInterface(f"more{index}", (1, 101)[index % 2]) for index in range(INTERFACES)]
    assert set(store.add_interfaces(more)) == {OWN, OWN + 1}
    assert store.add_interface(CaptureInterface("last", 101)) == OWN + 1
    snapshot = store.snapshot()
    assert snapshot.interfaces[OWN:] == (CaptureInterface(MORE, 1), CaptureInterface(MORE, 101))
    store.append(batch_of([b"x" * 60] * 3, interface=[0, OWN, OWN + 1]))
    found = [store.snapshot().packet(number).interface for number in (1, 2, 3)]
    assert [(each.name, each.link_type) for each in found] == [
        ("if0", 1), (MORE, 1), (MORE, 101)
    ]  # fmt: skip


def test_more_link_types_than_can_share_are_refused_and_change_nothing():
    store = PacketStore()
    store.add_interfaces([ETHERNET_INTERFACE] * OWN)
    store.add_interfaces([CaptureInterface("", kind) for kind in range(INTERFACES - OWN)])
    before = store.snapshot()
    with pytest.raises(ValueError, match="65,536"):
        store.add_interface(CaptureInterface("", INTERFACES))
    assert store.snapshot() is before
    assert store.add_interface(CaptureInterface("again", 1)) == OWN + 1


def test_readers_beside_the_writer_see_whole_packets():
    """Every snapshot is consistent: all it counts is there, decoded, and right."""
    store = _store(1 << 20)
    frames = [tcp_frame(bytes([n]) * n) for n in range(200)]
    failures: list[str] = []
    done = threading.Event()
    started = threading.Barrier(3)

    def read() -> None:
        started.wait()
        generator = random.Random(threading.get_ident())
        while True:
            finished = done.is_set()
            snapshot = store.snapshot()
            held = sum(len(chunk) for chunk in snapshot.chunks)
            if snapshot.count != held + snapshot.evicted:
                failures.append(f"{snapshot.count} != {held} + {snapshot.evicted}")
            for _ in range(20 if snapshot.count else 0):
                number = generator.randint(snapshot.first, snapshot.count)
                packet = snapshot.packet(number)
                if packet.data != frames[(number - 1) % 200]:
                    failures.append(f"packet {number} is another")
                if (packet.network_verdict.word, packet.transport_verdict.word) != ("good", "good"):
                    failures.append(f"packet {number}: {packet}")
            if finished or failures:
                return

    readers = [threading.Thread(target=read) for _ in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for reader in readers:
            reader.start()
        started.wait()
        for _ in range(200):
            store.append(batch_of(frames))
    finally:
        done.set()
        for reader in readers:
            reader.join()
        sys.setswitchinterval(interval)
    assert failures == []
    assert store.snapshot().count == 40_000


def test_an_arena_counts_its_room_by_bytes_and_by_rows():
    """As many of the next frames as fit, none skipped."""
    arena = Arena(1, 100, np.zeros(1, dtype=np.int32))
    lengths = np.array([40, 40, 40, 10], dtype=np.uint32)
    assert arena.room_for(lengths) == 2
    arena.add(np.zeros(40, dtype=np.uint8), np.zeros(2, dtype=np.int64), lengths[:2])
    assert arena.room_for(lengths[2:]) == 0
    assert arena.room_for(lengths[3:]) == 1
    assert len(arena.published()) == 2


@pytest.mark.parametrize("count", [10, 2 * KEPT_IN_PLACE], ids=["copied", "kept"])
def test_a_decoded_chunk_is_stored_as_its_batch_would_be(count):
    """Columns, bytes, comments, and totals agree; numbers follow the last packet."""
    frames = [(tcp_frame() if row % 3 else udp_frame()) for row in range(count)]
    batch = replace(batch_of(frames, gap=5, stable=True), comments={2: ("remark",)})
    stores = PacketStore(), PacketStore()
    for store in stores:
        store.add_interface(ETHERNET_INTERFACE)
        store.append(batch_of([b"first"]))
    stores[0].append(batch)
    chunk = decode_batch(batch, np.ones(1, np.int32), first=77)
    stores[1].append_chunk(chunk)
    one, other = (store.snapshot() for store in stores)
    assert (one.count, one.bytes_total, one.bytes_held) == (
        other.count,
        other.bytes_total,
        other.bytes_held,
    )
    assert dict(other.comments) == {4: ("remark",)} == dict(one.comments)
    for expected, stored in zip(one.chunks, other.chunks, strict=True):
        assert stored.first == expected.first
        assert not stored.comments
        for name in COLUMN_TYPES:
            assert np.array_equal(getattr(stored, name), getattr(expected, name)), name
    for number in (1, 2, count + 1):
        assert other.packet(number) == one.packet(number)


def test_a_chunk_of_an_unknown_interface_is_refused():
    store = PacketStore()
    chunk = decode_batch(batch_of([b"frame"]), np.ones(1, np.int32))
    with pytest.raises(ValueError, match="interface 0 was not added"):
        store.append_chunk(chunk)
    store.append_chunk(decode_batch(batch_of([]), np.ones(1, np.int32)))
    assert store.snapshot().count == 0


def test_options_of_packets_go_with_them() -> None:
    """Options are counted and evicted as comments are; blocks of the file stay."""
    store = PacketStore(limit_bytes=1 << 20)
    store.add_interface(ETHERNET_INTERFACE)
    store.add_blocks((FileBlock(4, b"names"),))
    store.append(replace(batch_of([b"abc"] * 2), options={1: b"x" * 5_000}))
    before = store.snapshot()
    assert dict(before.options) == {2: b"x" * 5_000}
    while not store.snapshot().evicted:
        store.append(replace(batch_of([bytes(60_000)]), options={0: b"y"}))
    after = store.snapshot()
    assert min(after.options) >= after.first
    assert after.blocks == (FileBlock(4, b"names"),)


def test_comments_can_be_replaced() -> None:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(replace(batch_of([b"abc"] * 2), comments={1: ["old"]}))
    version = store.version
    store.set_comments(2, ["new", "newer"])
    assert store.version > version
    assert dict(store.snapshot().comments) == {2: ("new", "newer")}
    store.set_comments(2, [])
    store.set_comments(3, ["of no packet"])
    assert dict(store.snapshot().comments) == {}
