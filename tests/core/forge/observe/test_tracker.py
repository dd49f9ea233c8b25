"""Finding copies and replies among other packets of a store."""

from __future__ import annotations

import dataclasses

import numpy as np

from core.decode.batch import CaptureInterface
from core.forge.observe.tracker import MOST_REPLIES, Tracker
from core.forge.values import SendMethod
from core.store.budget import Budget
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from tests.helpers.scripted import (
    ACK,
    HOST,
    PSH,
    RST,
    SERVER,
    START_NS,
    SYN,
    Frame,
    batch,
    conversations,
    ethernet,
    icmp,
    scripted_store,
    tcp,
)

PORTS = (51999, 81)
FRAME = tcp(HOST, SERVER, PORTS, SYN, (1000, 0))
RESET = tcp(SERVER, HOST, PORTS[::-1], RST | ACK, (0, 1001))
NOISE = list(conversations())


def renumbered(frame: bytes, number: int) -> bytes:
    """A copy with another identification, as the kernel gives one; its sum is made up."""
    return frame[:18] + number.to_bytes(2, "big") + frame[20:24] + b"\x12\x34" + frame[26:]


def tracked(
    store: PacketStore,
    method: SendMethod = SendMethod.LINK,
    packet: bytes = FRAME,
    count: int = 100,
) -> Tracker:
    return Tracker([packet], method, store.snapshot().count + 1, count=count)


def test_a_copy_and_its_reply_are_found_among_others():
    store = scripted_store()
    tracker = tracked(store)
    store.append(batch([*NOISE, Frame(FRAME, 10), *NOISE, Frame(RESET, 250), *NOISE]))
    assert not tracker.extend(store.snapshot(), Budget())
    (outcome,) = tracker.published.outcomes
    number = 2 * len(NOISE) + 1
    assert tracker.published.sent_numbers == {number}
    assert (outcome.number, outcome.copies, outcome.reply_count) == (number, 1, 1)
    (reply,) = outcome.replies
    assert (reply.sender, reply.seen.number) == (SERVER, number + len(NOISE) + 1)
    between_ns = 1000 * (sum(frame.gap_us for frame in NOISE) + 250)
    assert reply.delay_ns == between_ns


def test_packets_captured_before_do_not_count_as_sent():
    store = scripted_store()
    store.append(batch([Frame(FRAME, 10), Frame(RESET, 250)]))
    tracker = tracked(store)
    tracker.extend(store.snapshot(), Budget())
    assert (tracker.published.sent_numbers, tracker.published.outcomes[0].copies) == (set(), 0)


def test_a_delay_counts_from_the_last_copy_before():
    store = scripted_store()
    tracker = tracked(store)
    for step in range(3):
        store.append(batch([Frame(FRAME, 10), Frame(RESET, 100 * (step + 1))], START_NS + step))
        tracker.extend(store.snapshot(), Budget())
    (outcome,) = tracker.published.outcomes
    assert outcome.copies == len(tracker.published.sent_numbers) == 3
    assert [reply.delay_ns for reply in outcome.replies] == [100_000, 200_000, 300_000]


def test_copies_to_which_the_kernel_gave_numbers_are_all_found():
    store = scripted_store()
    packet = FRAME[14:18] + b"\0\0" + FRAME[20:]
    tracker = tracked(store, SendMethod.IP, packet)
    store.append(batch([Frame(renumbered(FRAME, number), 5) for number in range(7, 57)]))
    tracker.extend(store.snapshot(), Budget())
    (outcome,) = tracker.published.outcomes
    assert outcome.copies == len(tracker.published.sent_numbers) == 50
    assert {change.name for change in outcome.changes} == {"ip.id", "ip.checksum"}


def test_an_error_of_a_router_on_the_way_is_a_reply():
    store = scripted_store()
    tracker = tracked(store)
    error = icmp("192.0.2.254", HOST, 11, 0, bytes(4) + FRAME[14:42])
    store.append(batch([Frame(FRAME, 10), Frame(error, 30)]))
    tracker.extend(store.snapshot(), Budget())
    (reply,) = tracker.published.outcomes[0].replies
    assert (reply.sender, reply.protocol) == ("192.0.2.254", "ICMP")


def test_replies_beyond_the_bound_are_counted():
    store = scripted_store()
    tracker = tracked(store)
    store.append(batch([Frame(FRAME, 10), *[Frame(RESET, 1)] * (MOST_REPLIES + 50)]))
    tracker.extend(store.snapshot(), Budget())
    (outcome,) = tracker.published.outcomes
    assert (len(outcome.replies), outcome.reply_count) == (MOST_REPLIES, MOST_REPLIES + 50)


def test_a_connection_that_continues_is_not_a_reply():
    """An old segment that is sent again: only the next empty segment may be about it."""
    store = scripted_store()
    old = tcp(HOST, SERVER, PORTS, PSH | ACK, (1000, 500), b"old")
    live = [
        Frame(tcp(SERVER, HOST, PORTS[::-1], PSH | ACK, (900 + step, 7000), b"live"), 10)
        for step in range(50)
    ]
    again = Frame(tcp(SERVER, HOST, PORTS[::-1], ACK, (950, 7000)), 10)
    before = store.snapshot().count
    tracker = tracked(store, SendMethod.LINK, old)
    store.append(batch([Frame(old, 10), *live, again, *live, again]))
    tracker.extend(store.snapshot(), Budget())
    (outcome,) = tracker.published.outcomes
    assert (outcome.copies, outcome.reply_count) == (1, 1)
    assert outcome.replies[0].seen.number == before + 52


def test_a_short_frame_is_found_with_its_padding():
    store = scripted_store()
    tracker = tracked(store)
    store.append(batch([Frame(FRAME + bytes(60 - len(FRAME)), 10)]))
    tracker.extend(store.snapshot(), Budget())
    assert tracker.published.outcomes[0].copies == 1


def test_eviction_while_tracking():
    store = PacketStore(limit_bytes=1 << 20)
    store.add_interface(scripted_store().snapshot().interfaces[0])
    tracker = tracked(store)
    store.append(batch([Frame(FRAME, 10)]))
    tracker.extend(store.snapshot(), Budget())
    for _ in range(300):
        store.append(batch(NOISE * 4))
    store.append(batch([Frame(RESET, 10)]))
    assert store.snapshot().first > 1
    assert not tracker.extend(store.snapshot(), Budget())
    assert tracker.published.outcomes[0].reply_count == 1


def test_garbage_is_compared_and_skipped():
    store = scripted_store()
    tracker = tracked(store, SendMethod.LINK, b"\xff" * 20)
    store.append(batch([Frame(bytes(20), 1), Frame(b"\xff" * 20, 1), Frame(ethernet(b""), 1)]))
    tracker.extend(store.snapshot(), Budget())
    (outcome,) = tracker.published.outcomes
    assert outcome.copies == 1
    assert dataclasses.asdict(outcome)["changes"] == ()


def test_packets_that_are_evicted_before_they_are_compared_are_skipped():
    """A spent budget leaves packets for later; the store may evict them meanwhile."""
    store = PacketStore(1 << 18)
    store.add_interface(CaptureInterface("eth0", LinkType.ETHERNET))
    tracker = tracked(store)
    store.append(batch([Frame(FRAME, 10)] * 9))
    assert tracker.extend(store.snapshot(), Budget(0))
    while store.snapshot().first == 1:
        store.append(batch(NOISE * 10))
    store.append(batch([Frame(FRAME, 10)]))
    snapshot = store.snapshot()
    tracker.forget(snapshot.first)
    assert not tracker.extend(snapshot, Budget())
    assert tracker.published.sent_numbers == {1, snapshot.count}


def test_equal_frames_of_others_after_the_last_copy_do_not_count_as_sent():
    """The kernel asks for a link address with the bytes of a forged ARP request."""
    store = scripted_store()
    other = store.add_interface(CaptureInterface("eth1", LinkType.ETHERNET))
    tracker = tracked(store, count=2)
    begin = store.snapshot().count
    store.append(batch([Frame(FRAME, 10)] * 3))
    bridged = batch([Frame(FRAME, 10)] * 3)
    store.append(dataclasses.replace(bridged, interface=np.full(3, other, bridged.interface.dtype)))
    tracker.extend(store.snapshot(), Budget())
    assert tracker.published.sent_numbers == {begin + row for row in (1, 2, 4, 5)}
    assert tracker.published.outcomes[0].copies == 4
