"""One frame sent very often: what leaves, what the queue drops, and what ends it."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from core.forge import injector
from core.forge.answers import SendError
from core.forge.departure import depart
from core.forge.injector import Way
from core.forge.pacing import Plan, Progress, send_packets
from core.forge.tx_ring import TxRing
from tests.live.network import Network, run
from tests.live.numbered import frame, ours
from tests.live.watching import watching

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


def test_one_frame_is_sent_often_around_the_ring(network: Network) -> None:
    """And others before and after it: what is repeated overwrites nothing that waits."""
    other, often = frame(1, 700), frame(2, 90)
    with watching(network, ring_bytes=64 << 20) as watch:

        def send() -> list[int]:
            with TxRing("far0", 1500, 2000) as ring:
                ring.put([other])
                counts = [ring.repeat(often, 3000) for _ in range(3)]
                ring.put([other])
                ring.flush()
                return [*counts, ring.sent]

        *counts, total = network.in_far(send)
        assert total == sum(counts) + 2
        assert ours(watch.wait_for(total)) == [other, *[often] * sum(counts), other]


def test_a_repeated_frame_that_the_queue_drops_is_told_and_no_other_is_lost(
    network: Network,
) -> None:
    tc = ("tc", "-n", network.far, "qdisc")
    run(*tc, "add", "dev", "far0", "root", "tbf", "rate", "8kbit", "burst", "1600", "limit", "3000")
    try:
        with watching(network, ring_bytes=32 << 20) as watch:

            def send() -> tuple[int, str]:
                with TxRing("far0", 1500, 60) as ring:
                    ring.repeat(frame(1), 1024)
                    with pytest.raises(SendError) as caught:
                        ring.repeat(frame(1), 1024)
                    return ring.sent, caught.value.name

            sent, name = network.in_far(send)
            run(*tc, "change", "dev", "far0", "root",
                "tbf", "rate", "100mbit", "burst", "1600", "limit", "3000")  # fmt: skip
            assert ours(watch.wait_for(sent)) == [frame(1)] * sent
    finally:
        run(*tc, "del", "dev", "far0", "root")
    assert name == "ENOBUFS"
    assert 20 < sent < 100, "what the bucket and its queue of 3,000 bytes hold"


def test_many_equal_frames_are_counted_whatever_the_queue_does(network: Network) -> None:
    """As `send --link --count` has it: those that left and those that the queue dropped."""
    tc = ("tc", "-n", network.far, "qdisc")
    run(*tc, "add", "dev", "far0", "root", "tbf", "rate", "8kbit", "burst", "1600", "limit", "3000")
    try:

        def flood() -> Progress:
            departure = depart([frame(1)], Way.LINK, "far0")
            with departure.open() as injector:
                return send_packets(injector, departure.packets, Plan(5000))

        progress = network.in_far(flood)
    finally:
        run(*tc, "del", "dev", "far0", "root")
    assert progress.error is None
    assert (progress.asked, progress.sent) == (5000, 5000)
    assert 4800 < progress.dropped < 5000


@pytest.mark.parametrize("size", [60, 1514])
@pytest.mark.parametrize("has_ring", [True, False], ids=["ring", "no ring"])
def test_many_equal_frames_arrive(
    network: Network, monkeypatch: pytest.MonkeyPatch, size: int, has_ring: bool
) -> None:
    if not has_ring:
        monkeypatch.setattr(injector, "TxRing", no_ring)
    sent = frame(3, size)
    with watching(network, ring_bytes=64 << 20) as watch:

        def send() -> Progress:
            departure = depart([sent], Way.LINK, "far0")
            with departure.open() as opened:
                return send_packets(opened, departure.packets, Plan(5001))

        progress = network.in_far(send)
        assert (progress.sent, progress.dropped, progress.error) == (5001, 0, None)
        assert ours(watch.wait_for(5001)) == [sent] * 5001


def no_ring(*arguments: object, **options: object) -> TxRing:
    raise SendError(errno.ENOMEM, "ENOMEM: no ring")


def test_a_load_ends_when_the_interface_goes_down(network: Network) -> None:
    network.ip_near("link", "add", "spare0", "type", "veth", "peer", "name", "spare1")
    try:
        network.ip_near("link", "set", "spare0", "up")
        network.ip_near("link", "set", "spare1", "up")

        def flood() -> Progress:
            departure = depart([frame(1)], Way.LINK, "spare0")

            def down(progress: Progress) -> None:
                if progress.error is None:
                    network.ip_near("link", "set", "spare0", "down")

            with departure.open() as opened:
                return send_packets(opened, departure.packets, Plan(10_000_000), report=down)

        progress = network.in_near(flood)
    finally:
        network.ip_near("link", "del", "spare0")
    assert progress.error is not None
    assert progress.error.name == "ENETDOWN"
    assert 0 < progress.sent < 10_000_000
