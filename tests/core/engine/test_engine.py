"""The engine without privileges: files, failures, and an orderly end. Links: tests/live."""

from __future__ import annotations

import contextlib
import gc
import os
import struct
import threading
import weakref
from pathlib import Path

import pytest

from core.capture.options import CaptureOptions
from core.engine import file_import
from core.engine.engine import Engine
from core.engine.snapshot import EngineSnapshot, EngineState, NoticeSeverity
from core.files.merging import open_captures
from core.net.sockets import LOCAL_SOCKETS
from core.recording.plan import RecordingPlan
from core.recording.recorder import Recorder
from core.recording.state import RecordingStatus
from core.store.packet_store import PacketStore
from tests.helpers.waiting import until

FRAME = bytes.fromhex("ffffffffffff 020000000001 88b5") + bytes(46)


def pcap(*frames):
    """A classic capture file, one packet a second."""
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    return header + b"".join(record(frame, second) for second, frame in enumerate(frames))


def record(frame, second=0):
    return struct.pack("<IIII", second, 0, len(frame), len(frame)) + frame


def pcapng_with_comment(frame, comment):
    """Section header, interface, and one packet with a comment."""

    def block(kind, body):
        length = 12 + len(body)
        return struct.pack("<II", kind, length) + body + struct.pack("<I", length)

    padded = comment.encode().ljust((len(comment) + 3) & ~3, b"\0")
    option = struct.pack("<HH", 1, len(comment)) + padded + struct.pack("<HH", 0, 0)
    packet = struct.pack("<IIIII", 0, 0, 0, len(frame), len(frame)) + frame + option
    return (
        block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
        + block(1, struct.pack("<HHI", 1, 0, 0))
        + block(6, packet)
    )


@pytest.fixture
def store():
    return PacketStore()


@pytest.fixture
def engine(store):
    made = Engine(store, LOCAL_SOCKETS)
    made.start()
    yield made
    made.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("rawscope")]


def settle(engine: Engine, *states: EngineState) -> EngineSnapshot:
    until(lambda: engine.snapshot().state in states, f"one of {states}")
    return engine.snapshot()


def test_idle_at_first(engine):
    assert engine.snapshot() == EngineSnapshot()


def test_file_is_read_to_its_end(engine, store, tmp_path):
    path = tmp_path / "three.pcap"
    path.write_bytes(pcap(FRAME, FRAME[:20], FRAME))
    engine.open_file(str(path))
    snapshot = settle(engine, EngineState.DONE, EngineState.FAILED)
    assert (snapshot.state, snapshot.message, snapshot.damaged) == (EngineState.DONE, "", False)
    assert (snapshot.file, snapshot.progress) == (str(path), 1.0)
    assert [len(store.snapshot().packet(number).data) for number in (1, 2, 3)] == [60, 20, 60]
    assert snapshot.received == 0  # that counts live packets


def test_second_file_gets_a_store_of_its_own_and_the_first_is_let_go(tmp_path):
    made = Engine(PacketStore(limit_bytes=1 << 24), LOCAL_SOCKETS)
    made.start()
    first = weakref.ref(made.store)
    for name, frames in (("a.pcap", 1), ("b.pcap", 2)):
        (tmp_path / name).write_bytes(pcap(*[FRAME] * frames))
        made.open_file(str(tmp_path / name))
        until(lambda name=name: made.snapshot().file.endswith(name), name)
        settle(made, EngineState.DONE)
        assert made.store.snapshot().count == frames
    assert made.store.limit_bytes == 1 << 24
    until(lambda: not readers(), "the end of the reader")
    gc.collect()
    assert first() is None
    made.close()


def test_first_file_goes_into_the_store_that_was_given(engine, store, tmp_path):
    (tmp_path / "a.pcap").write_bytes(pcap(FRAME))
    engine.open_file(str(tmp_path / "a.pcap"))
    settle(engine, EngineState.DONE)
    assert engine.store is store


def test_a_snapshot_has_the_packets_of_its_own_state(engine, tmp_path):
    """No snapshot combines a new store with the state before it, or an old store with a new one."""
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(FRAME))
    for _ in range(20):
        before = engine.store
        engine.capture(CaptureOptions(("no such",)))
        until(lambda: engine.snapshot().state is EngineState.FAILED, "the failure")
        between = engine.snapshot().store_generation
        engine.open_file(str(path))
        seen = []
        while not seen or seen[-1].state is not EngineState.DONE:
            seen.append(engine.snapshot())
        for each in seen:
            is_old = each.store_generation == between
            assert is_old == (each.state is EngineState.FAILED)
        assert seen[-1].store_generation > between
        assert seen[-1].packets.count == 1
        assert engine.store is not before


@pytest.mark.parametrize(
    ("make", "piped"),
    [(lambda path: path.write_bytes(pcap(FRAME)), False), (os.mkfifo, True)],
    ids=["file", "fifo"],
)
def test_only_a_pipe_is_one_whatever_its_name(engine, tmp_path, monkeypatch, make, piped):
    monkeypatch.chdir(tmp_path)
    make(Path("7"))
    engine.open_file("7")
    snapshot = settle(engine, EngineState.READING, EngineState.DONE)
    assert (snapshot.file, snapshot.piped) == ("7", piped)


@pytest.mark.parametrize("piped", [True, False])
def test_a_descriptor_is_named_standard_input(engine, tmp_path, piped):
    path = tmp_path / "one.pcap"
    path.write_bytes(pcap(FRAME))
    file_import, writing = os.pipe()
    with open(file_import, "rb") as pipe, open(writing, "wb"), path.open("rb") as file:
        engine.open_file(pipe.fileno() if piped else file.fileno())
        snapshot = settle(engine, EngineState.READING, EngineState.DONE)
        assert (snapshot.file, snapshot.piped) == ("standard input", piped)
        engine.stop_capture()
        until(lambda: readers() == [], "the end of the reader")


def test_comments_of_a_file_come_along(engine, store, tmp_path):
    path = tmp_path / "remark.pcapng"
    path.write_bytes(pcapng_with_comment(FRAME, "look here"))
    engine.open_file(str(path))
    settle(engine, EngineState.DONE)
    assert store.snapshot().comments == {1: ("look here",)}


def test_damaged_file_keeps_what_was_good_and_says_so(engine, store, tmp_path):
    path = tmp_path / "cut.pcap"
    path.write_bytes(pcap(FRAME, FRAME)[:-1])
    engine.open_file(str(path))
    snapshot = settle(engine, EngineState.DONE, EngineState.FAILED)
    assert (snapshot.state, snapshot.severity) == (EngineState.DONE, NoticeSeverity.WARNING)
    assert snapshot.damaged
    assert "cut short" in snapshot.message
    assert snapshot.message in snapshot.notes
    assert store.snapshot().count == 1


@pytest.mark.parametrize(
    ("content", "expected"), [(None, "no such file"), (b"just text\n" * 20, "not a")]
)
def test_unreadable_file_is_a_failure_in_one_line(engine, store, tmp_path, content, expected):
    path = tmp_path / "file\x1b[31m"
    if content is not None:
        path.write_bytes(content)
    engine.open_file(str(path))
    snapshot = settle(engine, EngineState.DONE, EngineState.FAILED)
    assert (snapshot.state, snapshot.severity) == (EngineState.FAILED, NoticeSeverity.ERROR)
    assert expected in snapshot.message
    assert snapshot.message.isprintable()
    assert store.snapshot().count == 0


def test_pipe_is_followed_live_and_can_be_canceled(engine, store):
    file_import, writing = os.pipe()
    with open(file_import, "rb"), open(writing, "wb", buffering=0) as pipe:
        engine.open_file(file_import)
        pipe.write(pcap(FRAME))
        for count in (1, 2, 3):
            until(lambda count=count: store.snapshot().count == count, f"{count} packets")
            pipe.write(record(FRAME))
        until(lambda: store.snapshot().count == 4, "the last packet")
        assert settle(engine, EngineState.READING).progress is None
        engine.stop_capture()
        settle(engine, EngineState.STOPPED)
        until(lambda: readers() == [], "the end of the reader")  # though the pipe stays open


@pytest.mark.parametrize("sent", [b"", pcap()[:10]])
def test_pipe_that_says_nothing_can_be_left(engine, sent):
    file_import, writing = os.pipe()
    with open(file_import, "rb"), open(writing, "wb", buffering=0) as pipe:
        pipe.write(sent)
        engine.open_file(file_import)
        until(readers, "a reader")
        engine.stop_capture()
        settle(engine, EngineState.STOPPED)
        until(lambda: readers() == [], "the end of the reader")


def test_close_right_after_open_file_waits_for_the_reader(store, monkeypatch, tmp_path):
    """Also for one that the worker had not begun yet when `close` was called."""
    engine = Engine(store, LOCAL_SOCKETS)

    def open_late(*arguments, **options):
        until(lambda: not engine._thread.is_alive(), "the end of the worker")
        return open_captures(*arguments, **options)

    monkeypatch.setattr(file_import, "open_captures", open_late)
    engine.start()
    engine.open_file(str(tmp_path / "absent"))
    engine.close()
    assert readers() == []


def test_close_after_a_crash_leaves_no_reader(engine):
    pipe, writing = os.pipe()
    with open(pipe, "rb"), open(writing, "wb"):
        engine.open_file(pipe)
        until(readers, "a reader")
        engine._loop.call(lambda: [][0])
        settle(engine, EngineState.FAILED)
        engine.close()
        assert readers() == []


def test_capture_takes_over_from_a_file_that_is_still_read(engine, store):
    file_import, writing = os.pipe()
    with open(file_import, "rb"), open(writing, "wb", buffering=0) as pipe:
        engine.open_file(file_import)
        pipe.write(pcap(FRAME))
        until(lambda: store.snapshot().count == 1, "a packet")
        engine.capture(CaptureOptions(("no such",)))
        settle(engine, EngineState.FAILED)
        assert engine.snapshot().file == ""
        assert engine.store is not store
        with contextlib.suppress(BrokenPipeError):
            pipe.write(record(FRAME))
        until(lambda: readers() == [], "the end of the reader")
    assert store.snapshot().count == 1
    assert engine.store.snapshot().count == 0


def readers():
    return [one for one in threading.enumerate() if one.name == "rawscope reader"]


def test_an_unknown_interface_is_a_failure_and_the_engine_continues(engine, tmp_path):
    engine.capture(CaptureOptions(("esc\x1b[0m",)))
    snapshot = settle(engine, EngineState.FAILED)
    assert snapshot.severity is NoticeSeverity.ERROR
    assert "there are: lo" in snapshot.message
    assert snapshot.message.isprintable()
    path = tmp_path / "one.pcap"
    path.write_bytes(pcap(FRAME))
    engine.open_file(str(path))
    settle(engine, EngineState.DONE)


class NoMemoryStore(PacketStore):
    """A store that fails as one does when memory runs out."""

    def add_interfaces(self, interfaces):
        raise MemoryError("no room")


def test_fault_of_the_reader_is_shown(tmp_path):
    engine = Engine(NoMemoryStore(), LOCAL_SOCKETS)
    engine.start()
    path = tmp_path / "one.pcap"
    path.write_bytes(pcap(FRAME))
    engine.open_file(str(path))
    snapshot = settle(engine, EngineState.FAILED, EngineState.DONE)
    assert snapshot.message == "reading failed (MemoryError: no room)"
    assert isinstance(engine.failure, MemoryError)
    engine.close()


def test_fault_of_the_worker_is_shown_and_what_was_captured_stays(engine, store, tmp_path):
    path = tmp_path / "one.pcap"
    path.write_bytes(pcap(FRAME))
    engine.open_file(str(path))
    settle(engine, EngineState.DONE)
    engine.record(Recorder(RecordingPlan(tmp_path / "t.pcapng")))
    engine._loop.call(lambda: [][0])
    snapshot = settle(engine, EngineState.FAILED)
    until(lambda: engine.snapshot().recording.status is RecordingStatus.ENDED, "the recording")
    assert snapshot.severity is NoticeSeverity.ERROR
    assert snapshot.message.startswith("the capture thread failed (IndexError: ")
    assert isinstance(engine.failure, IndexError)
    assert store.snapshot().packet(1).data == FRAME
    engine.capture(CaptureOptions(("lo",)))  # nobody listens, and nothing is raised


def test_snapshot_is_renewed_while_nothing_happens(engine):
    first = engine.snapshot()
    until(lambda: engine.snapshot().loop.waits > first.loop.waits, "a new snapshot")


def test_close_without_start_and_twice():
    engine = Engine(PacketStore(), LOCAL_SOCKETS)
    gc.collect()  # files of earlier tests
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    engine.close()
    engine.close()
    engine.capture(CaptureOptions(("lo",)))
    engine.stop_capture()
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors - 2  # epoll and wake-up


def test_files_are_read_as_one(engine, tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(pcap(FRAME, FRAME))
    engine.open_file(str(tmp_path / "a"), str(tmp_path / "b"))
    snapshot = settle(engine, EngineState.DONE, EngineState.FAILED)
    assert snapshot.file == f"{tmp_path / 'a'} and 1 more"
    assert snapshot.packets.count == 4
    assert snapshot.progress == 1.0


def test_a_file_is_followed_until_the_reading_is_stopped(engine, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(pcap(FRAME))
    engine.open_file(str(path), follows=True)
    until(lambda: engine.snapshot().packets.count == 1, "the first packet")
    with path.open("ab") as file:
        file.write(pcap(FRAME)[24:])
    until(lambda: engine.snapshot().packets.count == 2, "the second packet")
    assert engine.snapshot().followed
    assert engine.snapshot().state is EngineState.READING
    engine.stop_capture()
    assert settle(engine, EngineState.STOPPED).packets.count == 2
