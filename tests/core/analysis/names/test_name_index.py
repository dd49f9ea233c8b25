"""Names are collected from DNS responses and the file of a store, each packet once."""

from __future__ import annotations

import struct
from dataclasses import replace

from core.analysis.names import name_index
from core.analysis.names.name_index import NameIndex, names_of, response_places
from core.decode.batch import FileBlock
from core.store.budget import UNLIMITED, Budget
from core.store.packet_store import PacketStore
from tests.core.analysis.names.messages import A, record, response
from tests.core.analysis.statistics.packets import chunk_of
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of
from tests.helpers.scripted import tcp, udp


def _answer(number: int, port: int = 53) -> bytes:
    name = f"h{number}.example"
    message = response(name, record(name, A, bytes([10, 0, number // 250, number % 250])))
    ends = "192.0.2.53", "192.0.2.1"
    return udp(*ends, (port, 4_000), message)


def _store(*frames: bytes) -> PacketStore:
    store = PacketStore(1 << 30)
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(list(frames)))
    return store


def test_only_datagrams_from_ports_of_dns_are_read() -> None:
    segment = tcp("192.0.2.53", "192.0.2.1", (53, 4_000), 16, (1, 1), b"x")
    frames = [_answer(1), _answer(2, 54), segment]
    chunk = chunk_of([*frames, _answer(3, 5353), _answer(4, 5355)])
    rows, starts, stops = response_places(chunk)
    assert rows.tolist() == [0, 3, 4]
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        message = chunk.data[start:stop].tobytes()
        assert message.startswith(struct.pack(">HH", 7, 0x8180))
        assert message[:-1].endswith(bytes([0, 4, 10, 0, 0]))


def test_names_in_small_steps(monkeypatch) -> None:
    monkeypatch.setattr(name_index, "MOST_MESSAGES", 7)
    store = _store(*(_answer(number) for number in range(40)))
    index, steps = NameIndex(), 0
    while index.extend(store.snapshot(), Budget(0)):
        steps += 1
    assert steps > 3
    found = index.published
    assert len(found.hosts) == 40
    assert found.host("10.0.0.39") == "h39.example"
    assert found.vendors is not None
    store.append(batch_of([_answer(1), _answer(41)]))
    assert not index.extend(store.snapshot(), UNLIMITED)
    assert index.published.version > found.version
    assert index.published.host("10.0.0.41") == "h41.example"
    version = index.published.version
    index.extend(store.snapshot(), UNLIMITED)
    assert index.published.version == version


def test_the_first_name_of_an_address_stays_and_the_number_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(name_index, "MOST_HOSTS", 3)
    index = NameIndex()
    index.extend(_store(*(_answer(number) for number in range(9))).snapshot(), UNLIMITED)
    assert len(index.published.hosts) == 3


def test_the_names_of_a_file() -> None:
    entry = struct.pack("=HH", 1, 6) + bytes([192, 0, 2, 1]) + b"a\0\0\0"
    store = _store(_answer(1))
    snapshot = replace(store.snapshot(), blocks=(FileBlock(4, entry),))
    index = names_of(snapshot)
    index.extend(snapshot, UNLIMITED)
    assert index.published.host("192.0.2.1") == "a"
    assert names_of(store.snapshot()) is index


def test_tables_are_read_once_there_are_packets() -> None:
    index = NameIndex()
    assert not index.extend(_store().snapshot(), UNLIMITED)
    assert index.published.vendors is None
    assert not index.extend(_store(_answer(1)).snapshot(), UNLIMITED)
    assert index.published.vendors is not None
