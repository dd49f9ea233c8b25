"""Display filters over the packets of a store: the view of them, and the capture's own facts."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from core.analysis.analyzer import slow_note, slow_packets_of
from core.analysis.filter.evaluation import pattern_search
from core.analysis.filter.packet_filter import PacketFilter, values_of_packet
from core.decode.batch import CaptureInterface
from core.store.budget import Budget
from core.store.filtered_view import View
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import IpProtocol
from tests.core.decode.frames import ethernet, ipv4, tcp, tcp_frame, udp_frame
from tests.core.decode.support import batch_of

SECOND = 1_000_000_000
TTL_2 = ethernet(ipv4(tcp(), IpProtocol.TCP, ttl=2))


def store_of(*batches, limit_bytes=1 << 30, comments=()):
    """Return a store with one packet a second; `comments` are those of the last batch, by row."""
    store = PacketStore(limit_bytes)
    for name in ("eth0", "eth1"):
        store.add_interface(CaptureInterface(name, LinkType.ETHERNET))
    seconds = itertools.count(5)
    for frames in batches:
        batch = batch_of(frames, times_ns=[next(seconds) * SECOND for _ in frames])
        is_last = frames is batches[-1]
        store.append(replace(batch, comments=dict(comments) if is_last else {}))
    return store


def passing(store, text, selected=None):
    """Return the numbers of the packets that pass, by a view."""
    snapshot = store.snapshot()
    values = None if selected is None else values_of_packet(snapshot, selected)
    view = View(PacketFilter.compile(text, values))
    while view.extend(snapshot, Budget(0)):
        pass
    return list(view.packets)


FRAMES = [udp_frame(), tcp_frame(), TTL_2, udp_frame()]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [1, 2, 3, 4]),
        ("tcp", [2, 3]),
        ("frame.number >= 3", [3, 4]),
        ("frame.time_relative >= 2", [3, 4]),
        ("frame.time_delta == 1", [2, 3, 4]),
        ('frame.interface_name == "eth0"', [1, 2, 3, 4]),
        ('frame.comment contains "odd"', [3]),
    ],
)
def test_the_capture_is_known_in_every_chunk(text, numbers):
    """The packets come in two batches, and a view reads them piece by piece."""
    store = store_of(FRAMES[:2], FRAMES[2:], comments={0: ["odd"]})
    assert passing(store, text) == numbers


def test_times_count_from_the_first_packet_also_after_its_eviction():
    batches = [[bytes(1500)] * 100 for _ in range(20)]
    store = store_of(*batches, limit_bytes=1 << 20)
    snapshot = store.snapshot()
    assert snapshot.first > 1
    relative = passing(store, "frame.time_relative >= 1990")
    assert relative == list(range(1991, 2001))
    delta = passing(store, "frame.time_delta")
    assert delta == list(range(snapshot.first + 1, 2001))  # that of the first held is unknown


def test_references_mean_the_values_of_one_packet():
    store = store_of(FRAMES)
    assert passing(store, "ip.ttl == ${ip.ttl}", selected=3) == [3]
    assert passing(store, "frame.number < ${frame.number}", selected=3) == [1, 2]
    assert passing(store, "ip.ttl == ${ip.ttl}") == []


def test_the_values_of_one_packet_do_not_keep_its_chunk():
    snapshot = store_of(FRAMES).snapshot()
    values = values_of_packet(snapshot, 3)
    assert values.occurrences("ip.ttl").values.tolist() == [2]
    assert len(values._chunk.data) == len(TTL_2)
    with pytest.raises(KeyError):
        values_of_packet(snapshot, 5)


SLOW = b"a" * 60 + b"b"
FILTERS = (
    'tcp.payload matches "(a|aa)+$"',
    'not tcp.payload matches "(a|aa)+$"',
    'udp or tcp.payload matches "(a|aa)+$" or frame matches "(x|xx)+$"',
    'string(frame.number) matches "(1|11)+$" and frame matches "(?=a)"',
    'frame matches "(?=a)" xor tcp.payload matches "(a|aa)+$" xor frame.len > 70',
)


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_that_is_stopped_and_continued_passes_the_same_packets(text, monkeypatch):
    """Slow packets are counted once; each step answers for one packet at least."""
    monkeypatch.setattr(pattern_search, "PACKET_S", 0.002)
    payloads = [b"aaa", SLOW, b"", b"x", SLOW, b"aaab", b"a" * 9]
    store = store_of([tcp_frame(each) for each in payloads])
    whole, stepped = PacketFilter.compile(text), PacketFilter.compile(text)
    snapshot = store.snapshot()
    (chunk,) = snapshot.chunks
    expected = whole(chunk, snapshot).tolist()
    found = []
    while len(found) < len(chunk):
        part = stepped(chunk.rows(len(found), len(chunk)), snapshot, Budget(0)).tolist()
        assert part
        found += part
    assert found == expected
    view, steps = View(PacketFilter.compile(text)), 1
    while view.extend(snapshot, Budget(0)):
        steps += 1
    assert list(view.packets) == [row + 1 for row, passed in enumerate(expected) if passed]
    assert len(chunk) >= steps > 1
    assert stepped.slow_packets == whole.slow_packets == 2 * ("(a|aa)" in text)


def test_packets_that_take_too_long_are_counted_until_they_are_forgotten(monkeypatch):
    monkeypatch.setattr(pattern_search, "PACKET_S", 0.002)
    store = store_of([tcp_frame(SLOW), tcp_frame(b"a"), tcp_frame(SLOW)])
    slow = PacketFilter.compile(FILTERS[0])
    snapshot = store.snapshot()
    for _ in range(2):
        assert slow(snapshot.chunks[0], snapshot).tolist() == [False, True, False]
        assert slow_packets_of(slow) == 2
    slow.forget_slow_packets()
    assert slow_packets_of(slow) == 0
    assert slow_packets_of(lambda chunk, *_: None) == 0


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, ""),
        (1, "1 packet took too long for the regular expression and counts as without a match"),
        (
            1200,
            "1,200 packets took too long for the regular expression and count as without a match",
        ),
    ],
)
def test_the_note_about_slow_packets(count, text):
    assert slow_note(count) == text
