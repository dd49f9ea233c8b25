"""The engine on links that go down, come back, and are deleted; and under a flood."""

from __future__ import annotations

import contextlib
import threading

import pytest

from core.capture.options import CaptureOptions
from core.echo.options import Trigger
from core.engine.capture_end import NO_END, CaptureEnd
from core.engine.engine import Engine
from core.engine.snapshot import EngineState, NoticeSeverity
from core.files.reader import open_capture
from core.net.sockets import LOCAL_SOCKETS
from core.recording.plan import RecordingPlan, Rotation
from core.recording.recorder import Recorder
from core.store.packet_store import PacketStore
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.network import Network
from tests.live.watching import (
    ETH_P_EXPERIMENTAL,
    ethernet,
    promiscuity,
    send_frames,
    send_udp,
)

pytestmark = pytest.mark.live


@pytest.fixture
def network():
    with Network() as made:
        yield made


@contextlib.contextmanager
def capturing(network, *names, end=NO_END, **options):
    """Yield an engine that captures in the near namespace, and its store."""
    store = PacketStore()
    engine = Engine(store, LOCAL_SOCKETS)
    network.in_near(engine.start)  # a thread inherits its creator's namespace
    try:
        engine.capture(CaptureOptions(names, **{"ring_bytes": 4 << 20, **options}), end)
        until(lambda: engine.snapshot().state is EngineState.LIVE, "live")
        yield engine, store
    finally:
        engine.close()
        assert engine.failure is None


def frame(network, text=b"frame"):
    return ethernet(network, ETH_P_EXPERIMENTAL, text)


def stored(store):
    return store.snapshot().count


def test_frames_arrive_promptly_and_are_counted(network):
    with capturing(network, "near0") as (engine, store):
        send_frames(network, *[frame(network)] * 3)
        until(lambda: stored(store) == 3, "three packets")
        until(lambda: engine.snapshot().received == 3, "the count")
        snapshot = engine.snapshot()
    assert (snapshot.captured, snapshot.dropped, snapshot.message) == (3, 0, "")
    assert snapshot.loop.events > 0


def test_a_recording_has_every_packet_of_every_capture(network, tmp_path):
    """It begins while packets are captured, and lasts over a restart of the capture."""
    with capturing(network, "near0") as (engine, store):
        send_frames(network, *[frame(network)] * 3)
        until(lambda: stored(store) == 3, "three packets")
        engine.record(Recorder(RecordingPlan(tmp_path / "t.pcapng")))
        until(lambda: engine.snapshot().recording is not None, "the recording")
        send_frames(network, frame(network, b"one"))
        until(lambda: stored(store) == 4, "the fourth packet")
        engine.stop_capture()
        until(lambda: engine.snapshot().state is EngineState.STOPPED, "stopped")
        engine.capture(CaptureOptions(("near0",), ring_bytes=4 << 20))
        until(lambda: engine.snapshot().state is EngineState.LIVE, "live again")
        send_frames(network, frame(network, b"two"))
        until(lambda: engine.snapshot().recording.packets == 2, "the recorded packets")
        send_frames(network, frame(network, b"last"))
        until(lambda: stored(store) == 6, "the last packet")
    with open_capture(str(tmp_path / "t.pcapng")) as reader:  # closing the engine ended the file
        packets = sum(map(len, reader.batches()))
        assert (packets, reader.damaged) == (3, False)
        assert [interface.name for interface in reader.interfaces] == ["near0"]


def test_a_capture_ends_after_its_packets(network, tmp_path):
    with capturing(network, "near0", end=CaptureEnd(packets=2)) as (engine, store):
        engine.record(Recorder(RecordingPlan(tmp_path / "t.pcapng")))
        until(lambda: engine.snapshot().recording is not None, "the recording")
        send_frames(network, *[frame(network)] * 3)
        until(lambda: engine.snapshot().state is EngineState.STOPPED, "the end")
        assert stored(store) == engine.snapshot().captured == 2
        until(lambda: engine.snapshot().recording.packets == 2, "the recorded packets")


def test_a_capture_ends_after_its_time(network):
    with capturing(network, "near0", end=CaptureEnd(seconds=0.2)) as (engine, _store):
        until(lambda: engine.snapshot().state is EngineState.STOPPED, "the end")


def test_a_complete_recording_ends_the_capture(network, tmp_path):
    plan = RecordingPlan(tmp_path / "t.pcapng", Rotation(size_bytes=1), most_files=1)
    with capturing(network, "near0") as (engine, _store):
        engine.record(Recorder(plan))
        until(lambda: engine.snapshot().recording is not None, "the recording")
        send_frames(network, *[frame(network)] * 3)
        until(lambda: engine.snapshot().state is EngineState.STOPPED, "the end")
        assert engine.snapshot().recording.packets == 1


def test_stop_keeps_frames_in_the_ring(network):
    """A frame in a block of the ring is not lost when the capture stops."""
    with capturing(network, "near0") as (engine, store):
        send_frames(network, *[frame(network)] * 5)
        engine.stop_capture()
        until(lambda: engine.snapshot().state is EngineState.STOPPED, "stopped")
        assert stored(store) == 5
        assert engine.snapshot().captured == engine.snapshot().received == 5
        assert promiscuity(network) == 0


def test_totals_continue_over_captures(network):
    with capturing(network, "near0") as (engine, store):
        for total in (2, 4):
            send_frames(network, *[frame(network)] * 2)
            engine.stop_capture()
            until(lambda: engine.snapshot().state is EngineState.STOPPED, "stopped")
            assert engine.snapshot().received == stored(store) == total
            engine.capture(CaptureOptions(("near0",)))
            until(lambda: engine.snapshot().state is EngineState.LIVE, "live again")


@pytest.mark.parametrize("method", ["ring", "datagram"])
def test_a_link_down_is_reported_and_the_capture_resumes(network, method):
    with capturing(network, "near0", method=method) as (engine, store):
        send_frames(network, frame(network, b"before"))
        until(lambda: stored(store) == 1, "the first packet")
        network.ip_near("link", "set", "near0", "down")
        until(lambda: engine.snapshot().message, "the message")
        snapshot = engine.snapshot()
        assert snapshot.message == "near0 is down; waiting for it to come up"
        assert (snapshot.state, snapshot.severity) == (EngineState.LIVE, NoticeSeverity.WARNING)
        network.ip_near("link", "set", "near0", "up")
        until(lambda: not engine.snapshot().message, "the end of the message")
        send_frames(network, frame(network, b"after"))
        until(lambda: stored(store) == 2, "the second packet")


def test_far_end_down_is_loss_of_carrier(network):
    with capturing(network, "near0") as (engine, _store):
        network.ip_far("link", "set", "far0", "down")
        until(lambda: engine.snapshot().message, "the message")
        assert engine.snapshot().message == "near0 has no carrier; waiting for it"


def test_an_interface_that_is_down_at_the_start_is_awaited(network):
    network.ip_near("link", "set", "near0", "down")
    with capturing(network, "near0") as (engine, store):
        assert engine.snapshot().message == "near0 is down; waiting for it to come up"
        network.ip_near("link", "set", "near0", "up")
        until(lambda: not engine.snapshot().message, "the end of the message")
        send_frames(network, frame(network))
        until(lambda: stored(store) == 1, "a packet")


@pytest.mark.parametrize("method", ["ring", "datagram", "inet"])
def test_deleted_interface_ends_the_capture_and_keeps_the_packets(network, method):
    with capturing(network, "near0", method=method) as (engine, store):
        if method != "inet":
            send_frames(network, frame(network))
            until(lambda: stored(store) == 1, "a packet")
        network.ip_near("link", "del", "near0")
        until(lambda: engine.snapshot().state is EngineState.FAILED, "the failure")
        snapshot = engine.snapshot()
        assert snapshot.message.startswith("near0 was deleted; the captured packets are kept;")
        assert snapshot.severity is NoticeSeverity.ERROR
        assert snapshot.captured == stored(store)
        network.add_pair()
        engine.capture(CaptureOptions(("near0",)))  # the new interface of the same name
        until(lambda: engine.snapshot().state is EngineState.LIVE, "live again")
        send_frames(network, frame(network))
        until(lambda: stored(store) == snapshot.captured + 1, "a packet of the new interface")


def test_other_interfaces_continue_when_one_is_deleted(network):
    with capturing(network, "near0", "lo") as (engine, store):
        network.ip_near("link", "del", "near0")
        until(lambda: "deleted" in engine.snapshot().message, "the message")
        assert engine.snapshot().state is EngineState.LIVE
        send_udp(network, b"on loopback")
        until(lambda: stored(store) == 2, "the packets on loopback")
        assert "near0 was deleted" in engine.snapshot().message


def test_flood_is_stored_or_counted(network):
    """Four senders flood a small ring while another thread reads snapshots."""
    total = 40_000
    with capturing(network, "near0", ring_bytes=2 << 20) as (engine, store):
        seen = []
        done = threading.Event()

        def look():
            while not done.is_set():
                seen.append((engine.snapshot().received, engine.snapshot().dropped, stored(store)))

        looker = threading.Thread(target=look)
        looker.start()
        send_frames(network, *[frame(network)] * total)
        done.set()
        looker.join()
        engine.stop_capture()
        until(lambda: engine.snapshot().state is EngineState.STOPPED, "stopped")
        snapshot = engine.snapshot()
        assert snapshot.received == total
        assert stored(store) == snapshot.captured == total - snapshot.dropped
        assert seen == sorted(seen)  # no count ever decreases


def test_captured_packets_and_those_of_a_file_never_mix(network, tmp_path):
    """Not even if the capture has no packet, or if its last ones are still in the ring."""
    path = tmp_path / "empty.pcap"
    path.write_bytes(bytes.fromhex("d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000"))
    with capturing(network, "near0") as (engine, store):
        for sent in (0, 3):
            captured = engine.store
            send_frames(network, *[frame(network)] * sent)
            engine.open_file(str(path))
            until(lambda: engine.snapshot().state is EngineState.DONE, "the end of the file")
            assert stored(captured) == sent
            assert engine.store is not captured
            assert stored(engine.store) == engine.snapshot().captured == 0
            engine.capture(CaptureOptions(("near0",), ring_bytes=4 << 20))
            until(lambda: engine.snapshot().state is EngineState.LIVE, "live again")
        assert engine.store is not store


def test_a_broken_socket_ends_the_worker_with_a_message(network):
    """Every later call of the session also fails, the counters and closing included."""
    store = PacketStore()
    engine = Engine(store, LOCAL_SOCKETS)
    network.in_near(engine.start)
    try:
        engine.capture(CaptureOptions(("near0",), ring_bytes=4 << 20))
        until(lambda: engine.snapshot().state is EngineState.LIVE, "live")
        engine.echo.listen("127.0.0.1", 0, Trigger.LEVEL)
        send_frames(network, *[frame(network)] * 3)
        until(lambda: engine.snapshot().received == stored(store) == 3, "the count")
        engine._worker._session.feeds[0].source._packet_socket.socket.close()
        until(lambda: engine.snapshot().state is EngineState.FAILED, "the failure")
        snapshot = engine.snapshot()
        assert snapshot.message.startswith("the capture thread failed (OSError: ")
        assert snapshot.severity is NoticeSeverity.ERROR
        assert (snapshot.captured, snapshot.received) == (3, 3)
        assert isinstance(engine.failure, OSError)
        engine._thread.join(PATIENCE_S)
        assert not engine._thread.is_alive()
        assert engine.echo.snapshot().listeners == ()
        assert promiscuity(network) == 0
        assert store.snapshot().packet(3).data == frame(network)
    finally:
        engine.close()


def test_close_leaves_promiscuous_mode_and_no_thread(network):
    before = set(threading.enumerate())
    with capturing(network, "near0"):
        assert promiscuity(network) == 1
    assert promiscuity(network) == 0
    assert set(threading.enumerate()) == before
