"""A stream of a growing store: found by packet or number, read in steps, kept after eviction."""

from __future__ import annotations

import pytest

from core.analysis.follow.follower import StreamChoice, StreamFollower
from core.decode.batch import CaptureInterface
from core.store.budget import UNLIMITED, Budget
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import IpProtocol
from tests.core.analysis.reassembly import fragmented
from tests.core.decode.frames import arp_frame, ethernet, ipv4, tcp, tcp_frame, udp_frame
from tests.core.decode.support import batch_of


def other(payload: bytes, number: int) -> bytes:
    """Return a segment of another client."""
    return ethernet(ipv4(tcp(payload), IpProtocol.TCP, src=0x0A000100 + number))


FRAMES = [
    arp_frame(),
    tcp_frame(b"one "),
    other(b"first", 1),
    udp_frame(b"ping"),
    tcp_frame(b"answer", back=True),
    tcp_frame(b"two", sequence=5),
    other(b"second", 2),
]


def store_of(*frames: bytes) -> PacketStore:
    store = PacketStore()
    store.add_interface(CaptureInterface("lo", LinkType.ETHERNET))
    store.append(batch_of(list(frames)))
    return store


def followed(snapshot: Snapshot, choice: StreamChoice) -> StreamFollower:
    follower = StreamFollower(choice)
    while follower.extend(snapshot, Budget(0)):
        pass
    return follower


@pytest.mark.parametrize(
    ("choice", "number", "data"),
    [
        (StreamChoice(packet=2), 0, b"one answertwo"),
        (StreamChoice(packet=6), 0, b"one answertwo"),
        (StreamChoice(packet=4), 0, b"ping"),
        (StreamChoice("tcp", 2), 2, b"second"),
        (StreamChoice("tcp", 0, step=1), 1, b"first"),
        (StreamChoice("tcp", 2, step=-1), 1, b"first"),
        (StreamChoice("tcp", 2, step=1), None, b""),
        (StreamChoice("tcp", 0, step=-1), None, b""),
        (StreamChoice(packet=1), None, b""),
        (StreamChoice("tcp", 9), 9, b""),
    ],
)
def test_choices(choice: StreamChoice, number: int | None, data: bytes) -> None:
    stream = followed(store_of(*FRAMES).snapshot(), choice).stream
    assert stream.number == number
    assert stream.is_absent == (number is None)
    assert stream.contents.data.tobytes() == data


def test_the_ends_and_the_filter() -> None:
    stream = followed(store_of(*FRAMES).snapshot(), StreamChoice(packet=5)).stream
    assert stream.ends == (("10.0.0.1", 40000), ("10.0.0.2", 80))
    assert (stream.expression, stream.packets) == ("tcp.stream == 0", 3)
    assert stream.contents.packet.tolist() == [2, 5, 6]


def test_the_times_of_turns() -> None:
    snapshot = store_of(*FRAMES).snapshot()
    times = snapshot.chunks[0].timestamp_ns
    contents = followed(snapshot, StreamChoice(packet=5)).stream.contents
    assert contents.elapsed_ns.tolist() == (times[[1, 4, 5]] - times[1]).tolist()
    assert contents.wait_ns.tolist() == [0, times[4] - times[1], times[5] - times[4]]
    assert contents.elapsed_ns[2] > contents.elapsed_ns[1] > 0


def test_a_stream_grows_with_the_store() -> None:
    store = store_of(*FRAMES)
    follower = followed(store.snapshot(), StreamChoice(packet=2))
    early = follower.stream.contents
    store.append(batch_of([tcp_frame(b"!", sequence=8), other(b"x", 3)]))
    assert not follower.extend(store.snapshot(), UNLIMITED)
    assert follower.stream.contents.data.tobytes() == b"one answertwo!"
    assert follower.stream.contents.token is early.token
    assert not follower.extend(store.snapshot(), UNLIMITED)  # nothing twice
    assert len(follower.stream.contents) == 4


def test_a_full_stream_reads_no_more() -> None:
    follower = StreamFollower(StreamChoice(packet=2), most_bytes=10)
    snapshot = store_of(*FRAMES).snapshot()
    assert not follower.extend(snapshot, UNLIMITED)
    assert follower.stream.contents.is_full
    assert not follower.extend(snapshot, UNLIMITED)
    assert follower.stream.contents.data.tobytes() == b"one answer"


def test_datagrams_in_fragments_are_whole() -> None:
    snapshot = fragmented.store_of(
        [[arp_frame(), *fragmented.pieces(), udp_frame(b"x")]]
    ).snapshot()
    stream = followed(snapshot, StreamChoice("udp", 0)).stream
    assert stream.contents.data.tobytes() == fragmented.DATA + b"x"
    assert stream.contents.packet.tolist() == [4, 5]
