"""The capture filter in the dialog of interfaces, on a scripted engine."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace

from textual.widgets import DataTable, Input

from app.config.paths import Paths
from app.screens.dialogs.choices import Switched
from app.screens.dialogs.dialog import Hint
from app.screens.dialogs.interfaces import Interfaces
from core.capture.capture_filter import CaptureFilter
from core.capture.ssh_sessions import SshSession
from core.engine.snapshot import EngineSnapshot
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import LIVE, ScriptedEngine, filled, main, scripted_monitor

SESSION = SshSession("192.0.2.17", 22, "198.51.100.7", 51522)  # on eth0


@asynccontextmanager
async def choosing(tmp_path, engine, sessions=()):
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    monitor = scripted_monitor(scripted_store(), engine, paths=paths, ssh_sessions=sessions)
    async with monitor.run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        await pilot.press("i")
        await eventually(lambda: pilot.app.screen.query_one(DataTable).row_count > 1, "the rows")
        yield pilot


def hint(pilot) -> str:
    return str(pilot.app.screen.query_one(Hint).content)


async def test_a_wrong_filter_is_named_and_stays_until_it_is_right(tmp_path):
    engine = ScriptedEngine(EngineSnapshot())
    async with choosing(tmp_path, engine) as pilot:
        await pilot.press("f", *"port", "enter")
        await eventually(lambda: hint(pilot).startswith("… incomplete"), "the hint")
        assert not pilot.app.screen.query_one(Hint).has_class("-wrong")
        await pilot.press(*" xq", "enter")
        await eventually(lambda: hint(pilot) == "✗ unknown port 'xq'", "the error")
        assert pilot.app.screen.focused is pilot.app.screen.query_one(Input)
        await pilot.press("backspace", "backspace", *"53", "enter")
        await eventually(lambda: engine.told, "the capture")
        assert engine.told[0].capture_filter == CaptureFilter("port 53")
        await pilot.press("i")
        await pilot.press("f", "end", *" or x", "ctrl+u", "up")  # the earlier filter
        assert pilot.app.screen.query_one(Input).value == "port 53"


async def test_only_the_filter_of_a_running_capture_changes(tmp_path):
    engine = ScriptedEngine(LIVE)
    async with choosing(tmp_path, engine) as pilot:
        await pilot.press("f", *"udp", "enter")
        await eventually(lambda: engine.told, "the change")
        assert engine.told == [CaptureFilter("udp")]
        main(pilot).poll()
        await eventually(lambda: "only udp" in status(pilot), "the filter in the status bar")
        await pilot.press("i", "f", "ctrl+u", "enter")
        await eventually(lambda: len(engine.told) == 2, "the change")
        assert engine.told[1] is None


def status(pilot) -> str:
    return main(pilot).query_one("#status").render_line(0).text


async def test_the_session_is_left_out_where_the_capture_would_contain_it(tmp_path):
    engine = ScriptedEngine(replace(LIVE, interfaces=("eth0",)))
    async with choosing(tmp_path, engine, [SESSION]) as pilot:
        switch = pilot.app.screen.query_one(Switched)
        await eventually(lambda: switch.display, "the switch")
        assert "198.51.100.7 port 51522 (s)" in str(switch.label)
        assert not switch.value
        await pilot.press("down", "space", "up", "space")  # wg0 instead of eth0
        assert not switch.display
        await pilot.press("space", "s", "enter")
        await eventually(lambda: engine.told, "the capture")
        (options,) = engine.told
        assert options.interfaces == ("eth0", "wg0")
        assert options.capture_filter.exclusion == f"not ({SESSION.expression})"


async def test_the_session_by_mouse(tmp_path):
    engine = ScriptedEngine(replace(LIVE, interfaces=("eth0",)))
    async with choosing(tmp_path, engine, [SESSION]) as pilot:
        chooser = pilot.app.screen
        assert isinstance(chooser, Interfaces)
        await eventually(lambda: chooser.query_one(Switched).display, "the switch")
        await pilot.click("#not-ssh")
        await pilot.click("#capture")
        await eventually(lambda: engine.told, "the change")
        assert engine.told[0].label == "not my SSH"
