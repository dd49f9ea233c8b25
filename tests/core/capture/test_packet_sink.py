"""Captured packets, handed to several sinks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.capture.packet_sink import PacketFanOut
from core.decode.batch import Batch, CaptureInterface
from core.store.interface_numbers import MORE, OWN
from core.store.packet_store import PacketStore
from tests.core.decode.support import batch_of

ETH0 = CaptureInterface("eth0", 1)
TUN0 = CaptureInterface("tun0", 101)


class Recorder:
    """Names the interface of each packet, by numbers that begin at 5."""

    def __init__(self) -> None:
        self.interfaces: list[CaptureInterface] = []
        self.names: list[str] = []

    def add_interface(self, interface: CaptureInterface) -> int:
        self.interfaces.append(interface)
        return len(self.interfaces) + 4

    def append(self, batch: Batch) -> None:
        self.names += [self.interfaces[number - 5].name for number in batch.interface.tolist()]


def test_each_sink_gets_all_packets_by_its_own_interface_numbers():
    """The store has interfaces of an earlier capture, the recorder has none."""
    store, recorder = PacketStore(), Recorder()
    store.add_interface(CaptureInterface("earlier", 1))
    sink = PacketFanOut((store, recorder))
    numbers = [sink.add_interface(each) for each in (ETH0, TUN0)]
    sink.append(batch_of([b"one", b"two"], interface=numbers[::-1]))
    sink.append(batch_of([b"three"], interface=numbers[:1]))
    snapshot = store.snapshot()
    packets = [snapshot.packet(number) for number in (1, 2, 3)]
    assert [packet.interface for packet in packets] == [TUN0, ETH0, ETH0]
    assert [packet.data for packet in packets] == [b"one", b"two", b"three"]
    assert recorder.names == ["tun0", "eth0", "eth0"]


class Keeper:
    """Keeps the batches, and numbers two interfaces 0 and `second`."""

    def __init__(self, second: int) -> None:
        self.numbers = iter((0, second))
        self.batches: list[Batch] = []

    def add_interface(self, interface: CaptureInterface) -> int:
        return next(self.numbers)

    def append(self, batch: Batch) -> None:
        self.batches.append(batch)


def test_a_sink_with_the_same_numbers_gets_the_batch_itself():
    same, other = Keeper(second=1), Keeper(second=2)
    sink = PacketFanOut((same, other))
    numbers = [sink.add_interface(ETH0)]
    before = batch_of([b"one"], interface=numbers)
    sink.append(before)
    assert same.batches[-1] is other.batches[-1] is before
    numbers.append(sink.add_interface(TUN0))
    after = batch_of([b"two", b"three"], interface=numbers)
    sink.append(after)
    assert same.batches[-1] is after
    assert other.batches[-1].interface.tolist() == [0, 2]


def test_interfaces_beyond_the_numbers_share_one():
    """As in the store, interfaces that have no number of their own share one by link type."""
    recorder = Recorder()
    sink = PacketFanOut((recorder,))
    numbers = [sink.add_interface(CaptureInterface(f"veth{at}", 1)) for at in range(OWN + 3)]
    assert numbers[-3:] == [OWN, OWN, OWN]
    assert len(recorder.interfaces) == OWN + 1
    sink.append(batch_of([b"frame"], interface=numbers[-1:]))
    assert recorder.names == [MORE]


def test_a_sink_after_the_store_gets_the_packets_in_the_memory_of_the_store():
    """So that a recorder need not copy them again; also where an arena ends within a batch."""
    store, keeper = PacketStore(1 << 20), Keeper(second=1)
    sink = PacketFanOut((store, keeper))
    sink.add_interface(ETH0)
    frames = [bytes([number % 251]) * (number % 300) for number in range(900)]
    given = batch_of(frames)
    given = replace(given, data=given.data.copy())
    sink.append(given)
    snapshot = store.snapshot()
    assert len(keeper.batches) == len(snapshot.chunks) == 3
    assert all(batch.stable for batch in keeper.batches)
    owners = [
        np.shares_memory(each.data, chunk.data)
        for each, chunk in zip(keeper.batches, snapshot.chunks, strict=True)
    ]
    given.data[:] = 0xEE
    rows = [(batch, row) for batch in keeper.batches for row in range(len(batch))]
    assert [
        batch.data[(at := int(batch.offset[row])) : at + int(batch.captured[row])].tobytes()
        for batch, row in rows
    ] == frames
    assert owners[-1]
