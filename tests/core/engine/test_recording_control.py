"""Which recorder gets packets, and what was recorded of the present store."""

from __future__ import annotations

from core.capture.packet_sink import PacketFanOut
from core.engine.recording_control import RecordingControl
from core.recording.plan import RecordingPlan, Rotation
from core.recording.recorder import Recorder
from core.recording.state import RecordingStatus
from tests.core.recording.made import ETH0, numbered, numbers_in
from tests.helpers.waiting import PATIENCE_S, until


def test_one_recorder_at_a_time_gets_packets(tmp_path):
    sink = PacketFanOut(())
    control = RecordingControl(sink, lambda: None)
    assert (control.state, control.recorded) == (None, 0)
    sink.add_interface(ETH0)
    sink.append(numbered(0, 1))  # before the recording
    control.begin(Recorder(RecordingPlan(tmp_path / "a")))
    sink.append(numbered(1, 2))
    until(lambda: control.recorded == 2, "the packets")
    control.begin(Recorder(RecordingPlan(tmp_path / "b")))
    sink.append(numbered(3, 4))
    until(lambda: control.recorded == 6, "the packets of both")
    control.stop()
    sink.append(numbered(7, 1))
    control.join(PATIENCE_S)
    assert control.state.status is RecordingStatus.ENDED
    assert (numbers_in(tmp_path / "a"), numbers_in(tmp_path / "b")) == ([1, 2], [3, 4, 5, 6])


def test_a_new_store_has_no_recorded_packets(tmp_path):
    """The recording continues with the packets of the next store."""
    before, after = PacketFanOut(()), PacketFanOut(())
    control = RecordingControl(before, lambda: None)
    before.add_interface(ETH0)
    control.begin(Recorder(RecordingPlan(tmp_path / "a")))
    before.append(numbered(0, 3))
    until(lambda: control.recorded == 3, "the packets")
    control.move_to(after)
    assert control.recorded == 0
    after.add_interface(ETH0)
    after.append(numbered(3, 2))
    until(lambda: control.recorded == 2, "the packets of the new store")
    control.join(PATIENCE_S)
    assert numbers_in(tmp_path / "a") == [0, 1, 2, 3, 4]


def test_a_complete_recording_ends_the_capture_once(tmp_path):
    ended = []
    sink = PacketFanOut(())
    control = RecordingControl(sink, lambda: ended.append(True))
    sink.add_interface(ETH0)
    plan = RecordingPlan(tmp_path / "a", Rotation(packets=2), most_files=1)
    control.begin(Recorder(plan))
    control.update()
    assert not ended
    sink.append(numbered(0, 3))
    until(lambda: control.state.status is RecordingStatus.COMPLETE, "the end")
    control.update()
    control.update()
    assert ended == [True]
    control.join(PATIENCE_S)
