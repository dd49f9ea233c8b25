"""Recording from the screen: the key, the dialog, the status bar, and a failure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import Input

from app.screens.dialogs.dialog import Confirm, Hint
from app.screens.dialogs.record import RecordTo
from app.screens.status import message_of, status_line
from core.engine.snapshot import EngineSnapshot, EngineState, NoticeSeverity
from core.recording.recorded_range import RecordedRange
from core.recording.recorder import Recorder
from core.recording.state import RecordingState, RecordingStatus
from tests.core.recording.made import numbers_in
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import LIVE, ScriptedEngine, filled, main, scripted_monitor
from tests.helpers.waiting import PATIENCE_S
from widgets.status.bar import StatusBar
from widgets.status.line import parts_of

RUNNING = RecordingState(RecordingStatus.RECORDING, "trace.pcapng", 12_345_678, 1, 900)
FAILED = replace(
    RUNNING, status=RecordingStatus.FAILED, lost=34, cause="trace.pcapng: No space left on device"
)


async def test_the_dialog_creates_the_file_and_the_engine_records(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine = ScriptedEngine()
    async with scripted_monitor(scripted_store(), engine).run_test(size=(120, 40)) as pilot:
        await filled(pilot)
        await pilot.press("W")
        name = pilot.app.screen.query_one(Input).value
        assert name.startswith("rawscope-")
        assert name.endswith("-eth0.pcapng")
        await pilot.press("enter")
        await eventually(lambda: pilot.app.screen is main(pilot), "the main screen")
    (recorder,) = [one for one in engine.told if isinstance(one, Recorder)]
    recorder.has_begun = True  # a capture runs, as the worker says
    recorder.stop()
    assert recorder.join(PATIENCE_S)
    assert numbers_in(tmp_path / name) == []


@pytest.mark.parametrize("state", list(EngineState))
async def test_without_a_capture_it_says_what_the_file_gets(tmp_path, state):
    engine = ScriptedEngine(replace(LIVE, state=state))
    async with scripted_monitor(scripted_store(), engine).run_test(size=(120, 40)) as pilot:
        await filled(pilot)
        await pilot.press("W", "ctrl+u", *str(tmp_path / "t.pcapng"), "enter")
        await eventually(lambda: pilot.app.screen is main(pilot), "the main screen")
        shown = [note.message for note in pilot.app._notifications if "stopped" in note.title]
        is_told = any("next capture (ctrl+e" in each for each in shown)
        assert is_told == (state is not EngineState.LIVE)
    (recorder,) = [one for one in engine.told if isinstance(one, Recorder)]
    recorder.stop()
    assert recorder.join(PATIENCE_S)


async def test_an_existing_file_is_replaced_after_a_question(tmp_path):
    path = tmp_path / "old.pcapng"
    path.write_text("old")
    engine = ScriptedEngine()
    async with scripted_monitor(scripted_store(), engine).run_test(size=(120, 40)) as pilot:
        await filled(pilot)
        for answer in ("n", "y"):
            await pilot.press("W", "ctrl+u", *str(path), "enter")
            await eventually(lambda: isinstance(pilot.app.screen, Confirm), "the question")
            assert path.read_text() == "old"
            await pilot.press(answer)
            if answer == "n":
                await eventually(lambda: isinstance(pilot.app.screen, RecordTo), "the dialog")
                await pilot.press("escape")
        await eventually(lambda: pilot.app.screen is main(pilot), "the main screen")
    (recorder,) = [one for one in engine.told if isinstance(one, Recorder)]
    recorder.has_begun = True  # a capture runs, as the worker says
    recorder.stop()
    assert recorder.join(PATIENCE_S)
    assert numbers_in(path) == []


async def test_a_file_that_cannot_be_created_is_refused_in_the_dialog(tmp_path):
    async with scripted_monitor(scripted_store()).run_test(size=(120, 40)) as pilot:
        await filled(pilot)
        await pilot.press("W", "ctrl+u", *str(tmp_path / "none" / "t"), "enter")
        hint = pilot.app.screen.query_one(Hint)
        await eventually(lambda: "there is no such folder" in str(hint.content), "the reason")
        await pilot.press("escape")


async def test_the_key_and_a_click_stop_a_recording():
    engine = ScriptedEngine(replace(LIVE, recording=RUNNING))
    async with scripted_monitor(scripted_store(), engine).run_test(size=(160, 40)) as pilot:
        await filled(pilot)
        await pilot.press("W")
        assert engine.told == ["stop recording"]
        line = status_line(main(pilot).scene)
        at = "".join(part.joint * bool(index) + part.text for index, part in
                     enumerate(parts_of(line))).index("rec trace")  # fmt: skip
        await pilot.click(StatusBar, offset=(at + 2, 0))
        assert engine.told == ["stop recording"] * 2


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (RecordingState(RecordingStatus.ENDED, "t.pcapng", 4_096, 1, 24), ["24 packets, 4.1 kB"]),
        (RecordingState(RecordingStatus.ENDED, "t.pcapng"), ["nothing was captured, so t."]),
        (FAILED, []),
    ],
)
async def test_the_notice_of_the_end_has_the_counts_of_the_whole_file(end, told):
    """Not with those at the key press: packets that had arrived by then are written after it."""
    engine = ScriptedEngine(replace(LIVE, recording=RUNNING))
    async with scripted_monitor(scripted_store(), engine).run_test(size=(160, 40)) as pilot:
        screen = await filled(pilot)
        await pilot.press("W")
        screen.poll()
        assert not pilot.app._notifications
        engine.said = replace(LIVE, recording=end)
        for _ in range(2):
            screen.poll()
            await pilot.pause()
        shown = [note.message for note in pilot.app._notifications]
        assert len(shown) == len(told)
        assert all(each.startswith(words) for each, words in zip(shown, told, strict=True))


async def test_packets_of_a_file_are_not_recorded():
    engine = ScriptedEngine(EngineSnapshot(EngineState.DONE, file="a.pcap", progress=1.0))
    async with scripted_monitor(scripted_store(), engine).run_test(size=(120, 40)) as pilot:
        await filled(pilot)
        await pilot.press("W")
        assert pilot.app.screen is main(pilot)
        assert len(pilot.app._notifications) == 1


async def test_a_failure_is_in_the_banner_with_its_counts():
    engine = ScriptedEngine(replace(LIVE, recording=FAILED))
    async with scripted_monitor(scripted_store(), engine).run_test(size=(160, 40)) as pilot:
        screen = await filled(pilot)
        assert message_of(screen.scene) == (
            "recording stopped: trace.pcapng: No space left on device; 900 packets saved, 34 lost; "
            "the capture continues",
            NoticeSeverity.ERROR,
        )
        assert screen.banner.message.startswith("recording stopped")


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (RUNNING, "● rec trace.pcapng 12.3 MB"),
        (replace(RUNNING, lost=5), "● rec trace.pcapng 12.3 MB lost 5"),
        (FAILED, "rec failed"),
        (replace(RUNNING, status=RecordingStatus.ENDED), ""),
        (replace(RUNNING, status=RecordingStatus.COMPLETE), ""),
    ],
)
def test_the_status_bar_says_that_packets_are_recorded(state, text):
    engine = ScriptedEngine(replace(LIVE, recording=state))
    monitor = scripted_monitor(scripted_store(), engine)
    parts = parts_of(status_line(monitor.bridge.poll()))
    found = [part.text for part in parts if "rec " in part.text]
    monitor.bridge.close()
    assert found == ([text] if text else [])


def test_recorded_packets_are_saved():
    engine = ScriptedEngine(replace(LIVE, recorded=(RecordedRange(1, 20),)))
    monitor = scripted_monitor(scripted_store(), engine)
    count = monitor.bridge.poll().packets.count
    assert monitor.bridge.unsaved.packets == count - 20
    engine.said = replace(engine.said, recorded=(RecordedRange(1, None),))
    assert not monitor.bridge.unsaved
    monitor.bridge.close()
