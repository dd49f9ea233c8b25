"""The TX ring and replay: what arrives, what is counted, and when."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.cli.output import CommandError
from app.cli.send import replay_output
from app.cli.send.replay import ReplayRequest
from core.decode.batch import Batch
from core.files.reader import open_capture
from core.files.writing.pcapng_writer import PcapngWriter
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.replay_job import ReplayPlan
from core.forge.send_errors import Circumstances, SendError, refused
from core.forge.transmit import tx_ring
from core.forge.transmit.frame_assembly import repeated
from core.forge.transmit.replay import Replay
from core.forge.transmit.schedule import ReplayPace
from core.forge.transmit.tx_ring import TxRing
from core.net.routes import group_address
from core.net.sockets import LOCAL_SOCKETS
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType
from tests.app.made import capture_of, udp_frame
from tests.core.wire.frames import ethernet
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.forge.replaying import quietly
from tests.live.network import FAR_ADDRESS, NEAR_ADDRESS, Network, run
from tests.live.numbered import frame, numbered
from tests.live.watching import mac, watching

pytestmark = pytest.mark.live
ONE_BY_ONE = ReplayPace(max_gap_s=0)  # each round by itself, since its frames have times
REPLAYS = 10  # attempts to replay without a delay by a busy host


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


def batch_of(frames: list[bytes], times_ns: list[int]) -> Batch:
    sizes = np.array([len(one) for one in frames], np.uint32)
    offsets = np.cumsum(sizes, dtype=np.int64) - sizes
    data = np.frombuffer(b"".join(frames), np.uint8)
    zeros = np.zeros(len(frames), np.uint16)
    return Batch(data, offsets, sizes, sizes, np.array(times_ns, np.int64), zeros, zeros, True)


@pytest.mark.parametrize("bypass", [False, True], ids=["queued", "bypass"])
def test_frames_arrive_in_order_and_whole(network: Network, bypass: bool) -> None:
    """More than the ring has slots, of every size."""
    sent = [frame(number, 60 + number % 1400) for number in range(6000)]
    # the far end's packets are captured at the near end, whose taps see all that arrives
    with watching(network, ring_bytes=64 << 20) as watch:

        def send() -> int:
            with TxRing("far0", 1500, 2000, LOCAL_SOCKETS, bypass=bypass) as ring:
                ring.put(sent)
                ring.flush()
                return ring.sent

        assert network.in_far(send) == 6000
        assert numbered(watch.wait_for(6000)) == sent


def test_frames_of_an_array_arrive_in_order_and_whole(network: Network) -> None:
    """Of every size, the last of them at the array's very end, twice around the ring."""
    sent = [frame(number, 60 + number * 7 % 1400) for number in range(9000)]
    batch = batch_of(sent, [0] * len(sent))
    with watching(network, ring_bytes=128 << 20) as watch:

        def send() -> int:
            with TxRing("far0", 1500, 2000, LOCAL_SOCKETS) as ring:
                ring.put([frame(7)])
                Replay(ring, ReplayPace(None)).feed(batch)
                return ring.sent

        assert network.in_far(send) == 9001
        assert numbered(watch.wait_for(9001)) == [frame(7), *sent]


@pytest.mark.parametrize("cycle", [0, 5])
def test_repeated_frames_arrive_in_order_and_whole_also_after_others(
    network: Network, cycle: int
) -> None:
    """If the ring has whole cycles, frames that are in it are not copied again."""
    sent = [frame(number, 60 + number * 300) for number in range(5)]
    batch = repeated(batch_of(sent, [0] * len(sent)), 1700)
    other = frame(7, 1000)
    with watching(network, ring_bytes=128 << 20) as watch:

        def send() -> int:
            with TxRing("far0", 1500, 2000, LOCAL_SOCKETS, cycle=cycle) as ring:
                replay = Replay(ring, ReplayPace(None))
                replay.feed(batch)
                ring.put([other])
                replay.feed(batch.part(0, 5000))
                return ring.sent

        assert network.in_far(send) == 13_501
        assert numbered(watch.wait_for(13_501)) == [*sent * 1700, other, *sent * 1000]


def test_a_file_that_is_sent_often_arrives_as_often_in_order(
    network: Network, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without times, many rounds are sent together; the last of them are fewer."""
    sent = [frame(number, 60 + number * 100) for number in range(3)]
    path = capture_of(tmp_path / "a.pcap", [*sent, frame(9, 1900)])
    with watching(network, ring_bytes=128 << 20) as watch:
        plan = ReplayPlan(path, ReplayPace(None), loops=3000)
        request = ReplayRequest(plan, "far0", yes=True, audit=False)
        assert network.in_far(lambda: quietly(request)) == 1
        assert numbered(watch.wait_for(9000)) == sent * 3000
    told = capfd.readouterr()
    assert "sent 9,000 of 12,000 frames" in told.out
    assert "3,000 frames are longer than far0 accepts" in told.err


def test_a_frame_of_the_mtu_may_have_a_tag_and_nothing_else_may_be_longer(
    network: Network,
) -> None:
    """As the kernel has it for packet sockets: 1514 bytes, or 1518 with a tag."""
    tagged = [ethernet(bytes(4), EtherType.VLAN).ljust(size, b"\x55") for size in (1518, 1519)]
    sizes = [60, 1514, 1515, 1516, 1518, 60]
    batch = batch_of([*(frame(7, size) for size in sizes), *tagged], [0] * 8)

    def send() -> tuple[int, int]:
        with TxRing("far0", 1500, 2000, LOCAL_SOCKETS) as ring:
            replay = Replay(ring, ReplayPace(None))
            replay.feed(batch)
            return ring.sent, replay.counts.too_long

    assert network.in_far(send) == (4, 4)


def test_a_frame_longer_than_the_mtu_is_refused_with_its_length(network: Network) -> None:
    def send() -> tuple[int, str]:
        with TxRing("far0", 1500, 2000, LOCAL_SOCKETS) as ring:
            with pytest.raises(SendError) as caught:
                ring.put([frame(1), frame(2, 1516), frame(3)])
            ring.flush()
            return ring.sent, str(caught.value)

    sent, told = network.in_far(send)
    assert sent == 1
    assert told.startswith("EMSGSIZE: the packet has 1516 bytes and the MTU on far0 is 1500 bytes")


def test_frames_of_an_array_that_do_not_fit_are_refused_before_any_leaves(
    network: Network,
) -> None:
    def send(sizes: list[int]) -> tuple[int, str]:
        batch = batch_of([frame(1, size)[:size] for size in sizes], [0] * len(sizes))
        with TxRing("far0", 1500, 2000, LOCAL_SOCKETS) as ring:
            with pytest.raises(SendError) as caught:
                ring.put_many(batch.data, batch.offset, batch.captured.astype(np.int64))
            ring.flush()
            return ring.sent, caught.value.name

    assert network.in_far(lambda: send([60, 1900, 60])) == (0, "EMSGSIZE")
    assert network.in_far(lambda: send([60, 5000])) == (0, "EMSGSIZE")
    assert network.in_far(lambda: send([60, 13])) == (0, "EINVAL")


def test_replay_follows_a_change_of_the_mtu(network: Network) -> None:
    """The MTU is lowered while the ring is open: the replay skips frames that are now too long."""
    frames = batch_of([frame(1, 1514), frame(2, 900)], [0, 0])

    def send() -> tuple[int, int]:
        with TxRing("far0", 1500, 2000, LOCAL_SOCKETS) as ring:
            replay = Replay(ring, ReplayPace(None))
            replay.feed(frames)
            network.ip_far("link", "set", "far0", "mtu", "900")
            replay.feed(frames)
            return ring.sent, replay.counts.too_long

    try:
        assert network.in_far(send) == (3, 1)
    finally:
        network.ip_far("link", "set", "far0", "mtu", "1500")


def test_drops_of_the_other_end_are_reported(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A veth whose other end takes less answers ENOBUFS forever."""
    monkeypatch.setattr(tx_ring, "_PATIENCE_S", 0.2)
    network.ip_near("link", "set", "near0", "mtu", "900")

    def send() -> tuple[int, str]:
        with TxRing("far0", 1500, 2000, LOCAL_SOCKETS) as ring:
            ring.put([frame(1), frame(2, 1514)])
            with pytest.raises(SendError) as caught:
                ring.flush()
            return ring.sent, str(caught.value)

    try:
        sent, told = network.in_far(send)
    finally:
        network.ip_near("link", "set", "near0", "mtu", "1500")
    assert sent == 1
    assert told.startswith("ENOBUFS: far0 took no frame")
    assert "the other end of a veth" in told


@pytest.mark.parametrize("method", ["put", "put_many", "replay"])
def test_nothing_is_sent_after_frames_that_a_stop_withdrew(network: Network, method: str) -> None:
    """The other end of the veth drops frame 9 forever; more frames follow than the ring holds."""
    sizes = [1514 if number == 9 else 60 for number in range(12_000)]
    frames = [frame(number, size) for number, size in enumerate(sizes)]
    batch = batch_of(frames, [0] * len(frames))
    journal: list[int] = []

    class Observer:
        def leaving(self, *frames: object) -> None:
            pass

        def left(self, count: int) -> None:
            journal.append(count)

        def waiting(self, wait_s: float) -> None:
            pass

    def send() -> tuple[int, int]:
        with TxRing("far0", 1500, 2000, LOCAL_SOCKETS, stopped=lambda: True) as ring:
            if method == "put":
                ring.put(frames)
            elif method == "put_many":
                ring.put_many(batch.data, batch.offset, batch.captured.astype(np.int64))
            else:
                Replay(ring, ReplayPace(None), observer=Observer()).feed(batch)
            ring.flush()
            at_the_stop = ring.sent
            ring.put([frame(1)])
            ring.flush()
            return at_the_stop, ring.sent

    network.ip_near("link", "set", "near0", "mtu", "900")
    try:
        with watching(network, ring_bytes=32 << 20) as watch:
            assert network.in_far(send) == (9, 9)
            assert numbered(watch.wait_for(9)) == frames[:9]
    finally:
        network.ip_near("link", "set", "near0", "mtu", "1500")
    assert sum(journal) == (9 if method == "replay" else 0)


def test_long_frames_are_copied_in_part_and_arrive_whole(network: Network) -> None:
    """Around the length up to which the kernel copies, and far above."""
    sizes = [60, 2047, 2048, 2049, 4096, 9000, 60]
    sent = [frame(number, size) for number, size in enumerate(sizes)]
    network.ip_far("link", "set", "far0", "mtu", "9000")
    network.ip_near("link", "set", "near0", "mtu", "9000")
    try:
        with watching(network, ring_bytes=32 << 20) as watch:

            def send() -> int:
                with TxRing("far0", 9000, 9014, LOCAL_SOCKETS) as ring:
                    ring.put(sent)
                    ring.flush()
                    return ring.sent

            assert network.in_far(send) == len(sizes)
            assert numbered(watch.wait_for(len(sizes))) == sent
    finally:
        network.ip_far("link", "set", "far0", "mtu", "1500")
        network.ip_near("link", "set", "near0", "mtu", "1500")


def test_an_interface_that_goes_down_is_reported_with_the_count(network: Network) -> None:
    network.ip_near("link", "add", "spare0", "type", "veth", "peer", "name", "spare1")
    try:
        network.ip_near("link", "set", "spare0", "up")

        def send() -> tuple[int, str]:
            with TxRing("spare0", 1500, 60, LOCAL_SOCKETS) as ring:
                network.ip_near("link", "set", "spare0", "down")
                ring.put([frame(1)] * 10)
                with pytest.raises(SendError) as caught:
                    ring.flush()
                return ring.sent, caught.value.name

        assert network.in_near(send) == (0, "ENETDOWN")
    finally:
        network.ip_near("link", "del", "spare0")


def test_a_slow_device_slows_the_ring_down_and_loses_nothing(network: Network) -> None:
    tc = ("tc", "-n", network.near, "qdisc")
    run(
        *tc, "add", "dev", "near0", "root", "tbf", "rate", "1mbit", "burst", "1600", "limit", "3000"
    )
    try:

        def send() -> tuple[int, float]:
            began = time.monotonic()
            with TxRing("near0", 1500, 60, LOCAL_SOCKETS) as ring:
                ring.put([frame(1)] * 300)
                ring.flush()
                return ring.sent, time.monotonic() - began

        sent, took = network.in_near(send)
    finally:
        run(*tc, "del", "dev", "near0", "root")
    assert sent == 300
    assert took > 0.1, "1 Mbit/s carries 300 frames in 0.14 s"


def replayed(network: Network, pace: ReplayPace, gaps_ms: list[int]) -> tuple[list[float], float]:
    """Replay frames at a distance; return the gaps at arrival (s), and the duration."""
    times = [1_000_000 * at for at in np.cumsum([0, *gaps_ms]).tolist()]
    batch = batch_of([frame(number) for number in range(len(times))], times)
    with watching(network, ring_bytes=32 << 20) as watch:

        def send() -> float:
            began = time.monotonic()
            with TxRing("far0", 1500, 60, LOCAL_SOCKETS) as ring:
                Replay(ring, pace).feed(batch)
            return time.monotonic() - began

        took = network.in_far(send)
        arrived = [packet.timestamp_ns for packet in watch.wait_for(len(times))]
    return (np.diff(arrived) / 1e9).tolist(), took


def replay_until(
    network: Network, pace: ReplayPace, gaps_ms: list[int], expected: list[float]
) -> float:
    """Replay until the gaps at arrival are as expected (s); return the duration.

    A busy host may delay a frame, but not in every replay.
    """
    for _ in range(REPLAYS):
        gaps, took = replayed(network, pace, gaps_ms)
        if gaps == pytest.approx(expected, abs=0.03):
            return took
    pytest.fail(f"the gaps are {gaps}, not {expected}, in {REPLAYS} replays")


@pytest.mark.timed
def test_replay_keeps_the_captured_timing(network: Network) -> None:
    took = replay_until(network, ReplayPace(), [50, 0, 100, 10, 40], [0.05, 0, 0.1, 0.01, 0.04])
    assert took >= 0.2


@pytest.mark.timed
def test_replay_by_a_factor_and_at_a_rate(network: Network) -> None:
    replay_until(network, ReplayPace(speed=2.0), [100, 200], [0.05, 0.1])
    replay_until(network, ReplayPace(rate=20.0), [0, 0, 5000], [0.05] * 3)


@pytest.mark.timed
def test_time_that_goes_back_does_not_hold_the_replay_up(network: Network) -> None:
    replay_until(network, ReplayPace(), [60, -50, 10], [0.06, 0, 0])


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "rawscope"


def test_frames_that_do_not_fit_are_skipped_and_reported(
    network: Network, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    frames = [frame(1), frame(2, 1600), b"", frame(3)[:13], frame(3)]
    request = ReplayRequest(
        ReplayPlan(capture_of(tmp_path / "a.pcap", frames), ReplayPace(None)), "far0", yes=True
    )
    with watching(network) as watch:
        assert network.in_far(lambda: quietly(request)) == 1
        assert numbered(watch.wait_for(2)) == [frame(1), frame(3)]
    out, said = capfd.readouterr()
    assert out.startswith("sent 2 of 5 frames")
    assert "1 frame is longer than far0 accepts" in said
    assert "2 frames are shorter than a link header" in said
    assert (state / "sent-frames.pcapng").stat().st_size > 0


def test_a_replay_that_fails_says_what_left_and_has_it_in_the_audit(
    network: Network,
    tmp_path: Path,
    state: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The interface goes down in the second of three rounds."""
    real = TxRing.flush

    def flush(ring: TxRing) -> None:
        real(ring)
        if ring.sent == 4:
            raise refused(errno.ENETDOWN, Circumstances("far0", "far0"))

    monkeypatch.setattr(TxRing, "flush", flush)
    monkeypatch.setattr(replay_output, "REPORT_S", 0)
    path = capture_of(tmp_path / "a.pcap", [frame(1), frame(2)])
    request = ReplayRequest(ReplayPlan(path, ONE_BY_ONE, loops=3), "far0", yes=True)
    with pytest.raises(CommandError, match="ENETDOWN"):
        network.in_far(lambda: quietly(request))
    out, said = capfd.readouterr()
    assert out.startswith("sent 4 of 6 frames")
    assert "2 of 6 frames sent" in said
    with open_capture(state / "sent-frames.pcapng") as reader:
        assert sum(len(batch) for batch in reader.batches()) == 4


def test_a_replay_as_json(
    network: Network,
    tmp_path: Path,
    state: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames = [frame(1), frame(2, 1600), frame(3)[:13], frame(4)]
    path = capture_of(tmp_path / "a.pcap", frames)
    request = ReplayRequest(ReplayPlan(path, ONE_BY_ONE, loops=2), "far0", yes=True, as_json=True)
    assert network.in_far(lambda: quietly(request)) == 1
    (end,) = (json.loads(line) for line in capfd.readouterr().out.splitlines())
    assert end.pop("seconds") > 0
    assert end == {
        "event": "sent", "frames": 8, "sent": 4, "too_long": 2, "too_short": 2, "unresolved": 0,
        "without_ip": 0, "unsendable": 0, "cut": 0, "rewritten": None, "written_down": 4,
        "interrupted": False, "interface": "far0",
    }  # fmt: skip
    monkeypatch.setattr(replay_output, "REPORT_S", 0)
    network.in_far(lambda: quietly(request))
    first, *_, last = (json.loads(line) for line in capfd.readouterr().out.splitlines())
    assert first == {"event": "progress", "sent": 2, "of": 8, "next_in": None, "next_at": None}
    assert last["event"] == "sent"


def test_the_first_frames_of_a_file(
    network: Network, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = capture_of(tmp_path / "a.pcap", [frame(number) for number in range(5)])
    request = ReplayRequest(
        ReplayPlan(path, ReplayPace(None), loops=2, loop_delay_s=0.01, limit=3),
        "far0",
        yes=True,
        as_json=True,
    )
    with watching(network) as watch:
        assert network.in_far(lambda: quietly(request)) == 0
        assert numbered(watch.wait_for(6)) == [frame(0), frame(1), frame(2)] * 2
    end = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (end["frames"], end["sent"]) == (6, 6)


def test_a_replay_without_an_end_is_a_question_and_ends_by_a_signal(
    network: Network, tmp_path: Path
) -> None:
    path = capture_of(tmp_path / "a.pcap", [frame(1)])
    command = [
        *network.inside(network.far), sys.executable, "-m", "app", "replay", path, "--link",
        "far0", "--loop", "0", "--loop-delay", "0.01", "--no-audit",
    ]  # fmt: skip
    asked = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
        timeout=PATIENCE_S,
    )  # fmt: skip
    assert asked.returncode == 1
    assert "is sent again and again until you stop it." in asked.stderr
    with watching(network) as watch:
        sender = subprocess.Popen([*command, "--yes"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert numbered(watch.wait_for(3))[:3] == [frame(1)] * 3
            sender.send_signal(signal.SIGINT)
            out, _ = sender.communicate(timeout=PATIENCE_S)
        finally:
            sender.kill()
            sender.wait()
    assert out.endswith(", interrupted\n")
    assert sender.returncode == 1


def test_a_replay_that_is_interrupted_says_so(network: Network, tmp_path: Path) -> None:
    """After the first of two frames that are a minute apart, by the signal of ^c."""
    path = capture_of(tmp_path / "a.pcap", [frame(1), frame(2)])
    command = [sys.executable, "-m", "app", "replay", path, "--link", "far0", "--yes", "--no-audit"]
    with watching(network) as watch:
        sender = subprocess.Popen(
            [*network.inside(network.far), *command, "--rate", "0.016"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert numbered(watch.wait_for(1)) == [frame(1)]
            assert sender.stderr is not None
            assert any("1 of 2 frames sent; the next is due at " in line for line in sender.stderr)
            sender.send_signal(signal.SIGINT)
            out, _ = sender.communicate(timeout=PATIENCE_S)
        finally:
            sender.kill()
            sender.wait()
    assert out.startswith("sent 1 of 2 frames")
    assert out.endswith(", interrupted\n")
    assert sender.returncode == 1


def of_link(path: str, link_type: LinkType) -> str:
    """The same file with another link type."""
    content = bytearray(Path(path).read_bytes())
    content[20:24] = link_type.to_bytes(4, "little")
    Path(path).write_bytes(content)
    return path


def test_ip_packets_leave_behind_the_header_that_leads_to_them(
    network: Network, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two to a neighbor that the kernel has to ask for, one to a group, one to nobody."""
    aims = (NEAR_ADDRESS, "239.1.2.3", NEAR_ADDRESS, "10.77.0.99")
    drafts = [Draft(("ip",), {"ip.src": FAR_ADDRESS, "ip.dst": aim}) for aim in aims]
    packets = [evaluate(draft).data for draft in drafts]
    path = of_link(capture_of(tmp_path / "raw.pcap", [*packets, b""]), LinkType.RAW)
    request = ReplayRequest(ReplayPlan(path, ReplayPace(None)), "far0", yes=True, as_json=True)
    network.ip_far("neigh", "flush", "dev", "far0")
    with watching(network) as watch:
        assert network.in_far(lambda: quietly(request)) == 1

        def arrived() -> list[bytes]:
            watch.read()
            return [one.data for one in watch.packets if one.data[ETHERNET.size :] in packets]

        until(lambda: len(arrived()) == 3)
        found = arrived()
    near, far = mac(network, "near0"), mac(network, "far0")
    receivers = [near, group_address(bytes((239, 1, 2, 3))), near]
    kind = EtherType.IPV4.to_bytes(2, "big")
    assert found == [
        receiver + far + kind + packet for receiver, packet in zip(receivers, packets, strict=False)
    ]
    out, said = capfd.readouterr()
    end = json.loads(out)
    assert (end["frames"], end["sent"], end["unresolved"], end["too_short"]) == (5, 3, 1, 1)
    assert "1 frame is for an address that no host on the link answers for: skipped" in said


def test_a_file_of_many_links_sends_the_rest_and_counts_every_record(
    network: Network, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Twice, with records that cannot be sent at the end and a record without bytes."""
    draft = Draft(("ip",), {"ip.src": FAR_ADDRESS, "ip.dst": NEAR_ADDRESS})
    packet = evaluate(draft).data
    path = tmp_path / "many.pcapng"
    bodies = (packet, frame(1)[ETHERNET.size :])
    writer = PcapngWriter(path)
    for kind, data in (
        (LinkType.ETHERNET, frame(1)), (LinkType.RAW, packet),
        (LinkType.NULL, b"\2\0\0\0" + packet), (LinkType.ETHERNET, b""),
        (LinkType.PPP, b"\xff\x03"), (147, b"whatever"), (147, b""),
    ):  # fmt: skip
        number = writer.add_interface("x", kind)
        writer.write(data, timestamp_ns=1, interface=number, flags=0, comments=())
    writer.close()
    request = ReplayRequest(
        ReplayPlan(str(path), ReplayPace(None), loops=2), "far0", yes=True, as_json=True
    )
    with watching(network) as watch:
        assert network.in_far(lambda: quietly(request)) == 1

        def arrived() -> list[bytes]:
            watch.read()
            return [one.data for one in watch.packets if one.data[ETHERNET.size :] in bodies]

        until(lambda: len(arrived()) == 6)
    out, said = capfd.readouterr()
    end = json.loads(out)
    assert (end["frames"], end["sent"], end["too_short"], end["unsendable"]) == (14, 6, 2, 6)
    assert "4 frames are of link type 147, which far0 cannot send: skipped" in said
    assert "2 frames are of PPP, which far0 cannot send: skipped" in said


def test_frames_of_another_link_are_refused(network: Network, tmp_path: Path, state: Path) -> None:
    path = of_link(capture_of(tmp_path / "x.pcap", [udp_frame(b"x")]), LinkType.PPP)
    request = ReplayRequest(ReplayPlan(path, ReplayPace(None)), "far0", yes=True)
    with pytest.raises(CommandError, match="only Ethernet frames and IP packets"):
        network.in_far(lambda: quietly(request))
