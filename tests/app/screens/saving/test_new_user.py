"""Capturing and saving as a new user tries it, by keys alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import DataTable

from app.config.paths import Paths
from app.screens.dialogs.save_capture import SaveCapture
from core.capture.capture_filter import CaptureFilter
from tests.core.files.writing.test_round_trip import content_of
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import LIVE, ScriptedEngine, filled, main, scripted_monitor


async def test_a_filtered_capture_and_its_marked_packets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store, engine = scripted_store(), ScriptedEngine(LIVE)
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    async with scripted_monitor(store, engine, paths=paths).run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        await pilot.press("i")
        await eventually(lambda: pilot.app.screen.query_one(DataTable).row_count > 1, "the rows")
        await pilot.press("f", *"port 53", "enter")
        await eventually(lambda: engine.told == [CaptureFilter("port 53")], "the filter")
        await pilot.press("g", "j", "m", "j", "j", "m", "w")
        await eventually(lambda: isinstance(pilot.app.screen, SaveCapture), "the dialog")
        await pilot.press("ctrl+u", *"mine.pcapng")
        await pilot.press("tab", "down", "enter")
        await eventually(lambda: pilot.app.screen is main(pilot), "the main screen")
    chunk = store.snapshot().chunks[0]
    assert content_of(tmp_path / "mine.pcapng").frames == [chunk.frame(1), chunk.frame(3)]
