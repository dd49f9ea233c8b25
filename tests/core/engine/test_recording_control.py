"""Which recorder gets packets, and what was recorded of the present store."""

from __future__ import annotations

from core.capture.packet_sink import PacketFanOut
from core.engine.recording_control import RecordingControl
from core.recording.plan import RecordingPlan, Rotation
from core.recording.recorded_range import RecordedRange
from core.recording.recorder import Recorder
from core.recording.state import RecordingStatus
from core.store.packet_store import PacketStore
from tests.core.recording.made import ETH0, TUN0, numbered, numbers_in
from tests.helpers.waiting import PATIENCE_S, until


def made(on_complete=lambda: None) -> tuple[PacketFanOut, RecordingControl]:
    store = PacketStore()
    sink = PacketFanOut((store,))
    return sink, RecordingControl(sink, store, on_complete)


def test_one_recorder_at_a_time_gets_packets(tmp_path):
    sink, control = made()
    assert (control.state, control.recorded) == (None, ())
    sink.add_interface(ETH0)
    sink.append(numbered(0, 1))  # before the recording
    control.begin(Recorder(RecordingPlan(tmp_path / "a")))
    sink.append(numbered(1, 2))
    assert control.recorded == (RecordedRange(2, None),)  # however far it has written
    control.begin(Recorder(RecordingPlan(tmp_path / "b")))
    sink.append(numbered(3, 4))
    assert control.recorded == (RecordedRange(2, 3), RecordedRange(4, None))
    control.stop()
    sink.append(numbered(7, 1))
    assert control.recorded == (RecordedRange(2, 3), RecordedRange(4, 7))
    control.join(PATIENCE_S)
    assert control.state.status is RecordingStatus.ENDED
    assert control.states[-1].packets == 4
    assert (numbers_in(tmp_path / "a"), numbers_in(tmp_path / "b")) == ([1, 2], [3, 4, 5, 6])


def test_a_new_store_has_no_recorded_packets(tmp_path):
    """The recording continues with the packets of the next store."""
    before, control = made()
    store = PacketStore()
    after = PacketFanOut((store,))
    before.add_interface(ETH0)
    control.begin(Recorder(RecordingPlan(tmp_path / "a")))
    before.append(numbered(0, 3))
    control.move_to(after, store)
    assert control.recorded == (RecordedRange(-2, None),)
    after.add_interface(ETH0)
    after.append(numbered(3, 2))
    control.stop()
    assert control.recorded == (RecordedRange(-2, 2),)
    control.join(PATIENCE_S)
    assert numbers_in(tmp_path / "a") == [0, 1, 2, 3, 4]


def test_a_recording_that_ends_by_itself_has_what_it_wrote_and_lost(tmp_path):
    """Packets that arrive before the worker notices the end belong to no recording."""
    sink, control = made()
    sink.add_interface(ETH0)
    other = sink.add_interface(TUN0)
    control.begin(Recorder(RecordingPlan(tmp_path / "a.pcap")))
    sink.append(numbered(0, 3))
    sink.append(numbered(3, 2, interface=other))
    until(lambda: control.state.status is RecordingStatus.FAILED, "the failure")
    sink.append(numbered(5, 4))
    assert control.recorded == (RecordedRange(1, 5, lost=2),)
    control.join(PATIENCE_S)


def test_a_complete_recording_ends_the_capture_once(tmp_path):
    ended = []

    def end() -> None:
        ended.append(True)
        sink.append(numbered(3, 2))  # were still in the kernel

    sink, control = made(end)
    sink.add_interface(ETH0)
    plan = RecordingPlan(tmp_path / "a", Rotation(packets=2), most_files=1)
    control.begin(Recorder(plan))
    control.update()
    assert not ended
    sink.append(numbered(0, 3))
    until(lambda: control.state.status is RecordingStatus.COMPLETE, "the end")
    assert control.recorded == (RecordedRange(1, 2),)
    control.update()
    control.update()
    assert ended == [True]
    sink.append(numbered(5, 1))  # of another capture
    assert control.recorded == (RecordedRange(1, 2, unwanted=5),)
    control.join(PATIENCE_S)
