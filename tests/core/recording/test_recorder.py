"""The recorder's thread: what it takes, what it loses, and how it ends."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.recording import file_series
from core.recording import recorder as recorder_module
from core.recording.file_series import FileSeries
from core.recording.plan import RecordingPlan, Rotation
from core.recording.recorder import Recorder
from core.recording.state import RecordingStatus
from tests.core.recording.made import ETH0, TUN0, numbered, numbers_in
from tests.helpers.waiting import PATIENCE_S, until


def test_everything_up_to_the_stop_is_in_the_file(tmp_path):
    path = tmp_path / "t.pcapng"
    recorder = Recorder(RecordingPlan(path))
    assert recorder.add_interface(ETH0) == recorder.add_interface(ETH0) == 0
    for first in range(0, 1_000, 10):
        recorder.append(numbered(first, 10))
    recorder.stop()
    assert recorder.join(PATIENCE_S)
    assert recorder.state.status is RecordingStatus.ENDED
    assert (recorder.state.packets, recorder.state.lost) == (1_000, 0)
    assert recorder.state.size == path.stat().st_size
    assert numbers_in(path) == list(range(1_000))


@pytest.mark.parametrize("name", ["t.pcapng", "t.pcapng.gz", "t.pcapng.zst"])
def test_packets_are_in_the_file_before_the_end(tmp_path, name, monkeypatch):
    """Without another packet or a stop: the file is whole after the time of a checkpoint."""
    monkeypatch.setattr(file_series, "CHECKPOINT_S", 0.01)
    recorder = Recorder(RecordingPlan(tmp_path / name))
    recorder.add_interface(ETH0)
    recorder.append(numbered(0, 10))
    until(lambda: recorder.state.packets == 10, "the packets")
    until(lambda: _readable(tmp_path / name) == 10, "a file that can be read")
    recorder.stop()
    assert recorder.join(PATIENCE_S)


def _readable(path: Path) -> int:
    try:
        return len(numbers_in(path))
    except Exception:  # not yet
        return 0


class SlowSeries(FileSeries):
    """A disk that takes nothing until `may_write` is set."""

    may_write = threading.Event()

    def write(self, frames, interfaces):
        assert self.may_write.wait(PATIENCE_S)
        super().write(frames, interfaces)


def test_packets_that_a_slow_disk_cannot_take_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder_module, "FileSeries", SlowSeries)
    recorder = Recorder(RecordingPlan(tmp_path / "t"), backlog_bytes=20_000)
    recorder.add_interface(ETH0)
    for first in range(0, 1_000, 10):
        recorder.append(numbered(first, 10))
    SlowSeries.may_write.set()
    recorder.stop()
    assert recorder.join(PATIENCE_S)
    state = recorder.state
    assert state.lost > 500
    assert state.packets + state.lost == 1_000
    assert len(numbers_in(tmp_path / "t")) == state.packets


def test_a_failure_ends_the_recording_and_counts_what_is_lost(tmp_path):
    recorder = Recorder(RecordingPlan(tmp_path / "t.pcap"))
    recorder.add_interface(ETH0)
    other = recorder.add_interface(TUN0)
    recorder.append(numbered(0, 7))
    recorder.append(numbered(7, 5, interface=other))
    until(lambda: recorder.state.status is RecordingStatus.FAILED, "the failure")
    assert (recorder.state.packets, recorder.state.lost) == (7, 5)
    assert recorder.state.cause.startswith("t.pcap: classic pcap holds one link type")
    assert recorder.join(PATIENCE_S)
    recorder.append(numbered(12, 5))  # nothing more is taken
    assert recorder.state.lost == 5
    recorder._backlog.put(numbered(17, 5))  # by an append that began before the failure
    assert recorder.state.lost == 10
    assert recorder._backlog.take(0) is None
    assert numbers_in(tmp_path / "t.pcap") == list(range(7))


def test_an_internal_error_ends_only_the_recording(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise KeyError("a fault")

    recorder = Recorder(RecordingPlan(tmp_path / "t"))
    recorder.add_interface(ETH0)
    monkeypatch.setattr(recorder._series._format, "encoded", fail)
    recorder.append(numbered(0, 7))
    until(lambda: recorder.state.status is RecordingStatus.FAILED, "the failure")
    assert "internal error: KeyError" in recorder.state.cause
    assert recorder.state.lost == 7
    assert recorder.join(PATIENCE_S)


def test_a_recording_is_complete_by_itself(tmp_path):
    recorder = Recorder(RecordingPlan(tmp_path / "t", Rotation(packets=5), most_files=1))
    recorder.add_interface(ETH0)
    recorder.append(numbered(0, 7))
    until(lambda: recorder.state.status is RecordingStatus.COMPLETE, "the end")
    assert (recorder.state.packets, recorder.state.lost) == (5, 0)
    assert recorder.join(PATIENCE_S)


@pytest.mark.parametrize(("begins", "names"), [(False, []), (True, ["t"])])
def test_a_file_for_which_no_capture_ran_is_removed(tmp_path, begins, names):
    recorder = Recorder(RecordingPlan(tmp_path / "t"))
    recorder.has_begun = begins
    recorder.stop()
    assert recorder.join(PATIENCE_S)
    assert recorder.state.status is RecordingStatus.ENDED
    assert [path.name for path in tmp_path.iterdir()] == names
