"""One frame sent very often: what leaves, what the queue drops, and what ends it."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

import pytest

from core.forge.transmit import injector
from core.forge.transmit.pacing import send_packets
from core.forge.transmit.repeat_ring import EqualFrames
from core.forge.transmit.transmission import prepare
from core.forge.values import SendMethod, SendPlan, SendProgress
from core.net.sockets import LOCAL_SOCKETS
from tests.live.network import Network, run
from tests.live.numbered import frame, numbered
from tests.live.watching import watching

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


SLOW = ("tbf", "rate", "200kbit", "burst", "1600", "limit", "3000")


@contextlib.contextmanager
def slow(network: Network, *how: str) -> Iterator[None]:
    """The far end sends through a token bucket."""
    tc = ("tc", "-n", network.far, "qdisc")
    run(*tc, "add", "dev", "far0", "root", *(how or SLOW))
    try:
        yield
    finally:
        run(*tc, "del", "dev", "far0", "root")


@pytest.mark.parametrize("size", [60, 1514])
def test_one_frame_is_sent_often_around_the_ring(network: Network, size: int) -> None:
    often = frame(2, size)
    with watching(network, ring_bytes=64 << 20) as watch:

        def send() -> list[tuple[int, int]]:
            with contextlib.closing(EqualFrames("far0", 1500, often, False, LOCAL_SOCKETS)) as ring:
                return [ring.send(3000) for _ in range(4)]

        sent = network.in_far(send)
        assert [number for _, number in sent] == [0] * 4
        total = sum(count for count, _ in sent)
        assert total > 4096, "once around"
        assert numbered(watch.wait_for(total)) == [often] * total


def test_drops_of_a_slow_queue_are_reported_and_counted_packets_arrive(network: Network) -> None:
    with watching(network, ring_bytes=32 << 20) as watch, slow(network):

        def send() -> tuple[int, set[int]]:
            total, numbers = 0, set()
            with contextlib.closing(
                EqualFrames("far0", 1500, frame(1), False, LOCAL_SOCKETS)
            ) as ring:
                for _ in range(300):
                    sent, number = ring.send(1024)
                    total += sent
                    numbers.add(number)
            return total, numbers

        total, numbers = network.in_far(send)
        assert numbered(watch.wait_for(total)) == [frame(1)] * total
    assert numbers == {0, errno.ENOBUFS}
    assert total > 40


def test_the_mtu_of_now_counts_for_each_burst(network: Network) -> None:
    """Also one that was raised since the ring was made."""
    long = frame(1, 1914)

    def send() -> list[tuple[int, int]]:
        with contextlib.closing(EqualFrames("far0", 1500, long, False, LOCAL_SOCKETS)) as ring:
            told = [ring.send(10)]
            for mtu in ("1900", "1500"):
                network.ip_far("link", "set", "far0", "mtu", mtu)
                network.ip_near("link", "set", "near0", "mtu", mtu)
                told.append(ring.send(10))
            return told

    assert network.in_far(send) == [(0, errno.EMSGSIZE), (10, 0), (0, errno.EMSGSIZE)]


def test_a_frame_shorter_than_a_header_is_refused(network: Network) -> None:
    def send() -> tuple[int, int]:
        with contextlib.closing(EqualFrames("far0", 1500, b"short", False, LOCAL_SOCKETS)) as ring:
            return ring.send(10)

    assert network.in_far(send) == (0, errno.EINVAL)


def test_a_slot_that_the_kernel_refuses_did_not_leave(network: Network) -> None:
    """The kernel marks the slot and stops: each call reports it, and none counts it."""

    def send() -> list[tuple[int, int]]:
        with contextlib.closing(EqualFrames("far0", 1500, frame(1), False, LOCAL_SOCKETS)) as ring:
            told = [ring.send(10)]
            ring._slots._length[12] = 1 << 20  # longer than its slot
            told += [ring.send(10), ring.send(10)]
            ring._slots.measure(slice(12, 13), 60)
            return [*told, ring.send(10)]

    first, short, refused, again = network.in_far(send)
    assert (first, short, again) == ((10, 0), (2, 0), (10, 0))
    assert refused[0] == 0
    assert refused[1] in (errno.EINVAL, errno.EMSGSIZE)


def test_a_ring_whose_frames_do_not_come_back_is_given_up(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(injector, "_RING_PATIENCE_S", 0.2)
    monkeypatch.setattr(EqualFrames, "send", lambda ring, count: (0, errno.EAGAIN))

    def send() -> SendProgress:
        transmission = prepare([frame(3)], SendMethod.LINK, "far0")
        with transmission.open(LOCAL_SOCKETS) as opened:
            return send_packets(opened, transmission.packets, SendPlan(5001))

    progress = network.in_far(send)
    assert progress.error is not None
    assert (progress.sent, progress.error.name) == (0, "EAGAIN")
    assert 0.2 <= progress.elapsed_s < 5


def test_many_equal_frames_are_counted_whatever_the_queue_does(network: Network) -> None:
    """As `send --link --count` has it: those that left and those that the queue dropped."""

    def flood() -> SendProgress:
        transmission = prepare([frame(1)], SendMethod.LINK, "far0")
        with transmission.open(LOCAL_SOCKETS) as injector:
            return send_packets(injector, transmission.packets, SendPlan(5000))

    with slow(network, "tbf", "rate", "8kbit", "burst", "1600", "limit", "3000"):
        progress = network.in_far(flood)
    assert progress.error is None
    assert (progress.asked, progress.sent) == (5000, 5000)
    assert 4800 < progress.dropped < 5000


@pytest.mark.parametrize("size", [60, 1514])
@pytest.mark.parametrize("has_ring", [True, False], ids=["ring", "no ring"])
def test_many_equal_frames_arrive(
    network: Network, monkeypatch: pytest.MonkeyPatch, size: int, has_ring: bool
) -> None:
    if not has_ring:
        monkeypatch.setattr(injector, "EqualFrames", no_ring)
    sent = frame(3, size)
    with watching(network, ring_bytes=64 << 20) as watch:

        def send() -> SendProgress:
            transmission = prepare([sent], SendMethod.LINK, "far0")
            with transmission.open(LOCAL_SOCKETS) as opened:
                return send_packets(opened, transmission.packets, SendPlan(5001))

        progress = network.in_far(send)
        assert (progress.sent, progress.dropped, progress.error) == (5001, 0, None)
        assert numbered(watch.wait_for(5001)) == [sent] * 5001


def no_ring(*arguments: object) -> EqualFrames:
    raise OSError(errno.ENOMEM, "no ring")


def test_a_load_ends_when_the_interface_goes_down(network: Network) -> None:
    network.ip_near("link", "add", "spare0", "type", "veth", "peer", "name", "spare1")
    try:
        network.ip_near("link", "set", "spare0", "up")
        network.ip_near("link", "set", "spare1", "up")

        def flood() -> SendProgress:
            transmission = prepare([frame(1)], SendMethod.LINK, "spare0")

            def down(progress: SendProgress) -> None:
                if progress.error is None:
                    network.ip_near("link", "set", "spare0", "down")

            with transmission.open(LOCAL_SOCKETS) as opened:
                return send_packets(opened, transmission.packets, SendPlan(10_000_000), report=down)

        progress = network.in_near(flood)
    finally:
        network.ip_near("link", "del", "spare0")
    assert progress.error is not None
    assert progress.error.name == "ENETDOWN"
    assert 0 < progress.sent < 10_000_000
