"""A dialog may be closed while a thread works for it: the program continues."""

from __future__ import annotations

import asyncio
import threading

import pytest
from textual.widgets import DataTable, Input

from app.screens.dialogs.record import RecordTo
from app.screens.dialogs.save_text import SaveText
from core.engine.snapshot import EngineSnapshot
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import ScriptedEngine, filled, main, scripted_monitor
from tests.helpers.waiting import PATIENCE_S


@pytest.fixture
def held(monkeypatch):
    """Hold all threads that dialogs start once `held.begin` was called, until `gate` is set."""

    class Held:
        gate, started = threading.Event(), 0

    run = asyncio.to_thread

    async def to_thread(function, /, *arguments, **named):
        def wait():
            Held.started += 1
            assert Held.gate.wait(PATIENCE_S)
            return function(*arguments, **named)

        return await run(wait)

    Held.begin = lambda: monkeypatch.setattr(asyncio, "to_thread", to_thread)
    return Held


async def _closed_while_held(pilot, held) -> None:
    """Close the dialog in front while a thread works for it, then let the thread end."""
    app = pilot.app
    await eventually(lambda: held.started, "the thread")
    app.screen.dismiss(None)
    await eventually(lambda: app.screen is main(pilot), "the main screen")
    held.gate.set()
    await app.workers.wait_for_complete()
    assert app.is_running


@pytest.mark.parametrize("name", ["new", "there", "absent/x"])
@pytest.mark.parametrize("dialog", [RecordTo, SaveText], ids=lambda dialog: dialog.__name__)
async def test_a_file_is_created_for_a_closed_dialog(tmp_path, dialog, name, held):
    (tmp_path / "there").write_text("there")
    path = str(tmp_path / name)
    async with scripted_monitor(scripted_store()).run_test(size=(80, 24)) as pilot:
        await filled(pilot)
        given = (path,) if dialog is RecordTo else (path, "text")
        await pilot.app.push_screen(dialog(*given))
        held.begin()
        await pilot.press("enter")
        await _closed_while_held(pilot, held)


async def test_packets_are_saved_for_a_closed_dialog(tmp_path, held):
    async with scripted_monitor(scripted_store()).run_test(size=(80, 24)) as pilot:
        await filled(pilot)
        await pilot.press("w")
        pilot.app.screen.query_one("#path", Input).value = str(tmp_path / "a.pcap")
        held.begin()
        await pilot.press("enter")
        await _closed_while_held(pilot, held)


@pytest.mark.parametrize("text", ["tcp port 4", "tcp port"])
async def test_a_filter_is_checked_for_a_closed_dialog(text, held):
    engine = ScriptedEngine(EngineSnapshot())
    async with scripted_monitor(scripted_store(), engine).run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        await pilot.press("i")
        await eventually(lambda: pilot.app.screen.query_one(DataTable).row_count > 1, "the rows")
        held.begin()
        pilot.app.screen.query_one(Input).value = text
        await _closed_while_held(pilot, held)
