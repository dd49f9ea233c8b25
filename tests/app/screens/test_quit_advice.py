"""ctrl+c on every screen: it does not quit, and names a key that does."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from textual.widgets import Input

from app.config.paths import Paths
from app.screens.dialogs.dialog import Confirm
from app.screens.quit_advice import quit_advice
from core.engine.snapshot import EngineSnapshot, EngineState
from core.store.packet_store import PacketStore
from tests.app.test_gc_policy import WINDOWS
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_lab import scripted_lab
from tests.helpers.scripted_monitor import LIVE, ScriptedEngine, filled, main, scripted_monitor

PRESS = re.compile(r"Press (\S+) to quit")
READING = EngineSnapshot(EngineState.READING, file="a.pcap", progress=0.5)


def pressed_key(shown: str) -> str:
    """Return Textual's name of a key that the program shows."""
    return shown.replace("^", "ctrl+")


def the_notice(pilot):
    """Return the newest notification."""
    return list(pilot.app._notifications)[-1]


async def check(pilot, key: str, also: str = "") -> None:
    """Press ctrl+c, and then the key that the message names: the program quits, or asks."""
    await pilot.press("ctrl+c")
    assert pilot.app.is_running
    notice = the_notice(pilot)
    assert notice.title == "ctrl+c does not quit", notice
    found = PRESS.match(notice.message)
    assert found
    assert found[1] == key
    assert also in notice.message
    assert "the app" not in notice.message
    await pilot.press(pressed_key(key))
    assert pilot.app._exit or isinstance(pilot.app.screen, Confirm)


async def test_the_next_key_removes_the_notice_and_no_two_are_shown():
    async with scripted_monitor(scripted_store()).run_test(size=(120, 40)) as pilot:
        await filled(pilot)
        pilot.app.notify("something else")
        for _ in range(3):
            await pilot.press("ctrl+c")
            shown = [notice.title for notice in pilot.app._notifications]
            assert shown == ["", "ctrl+c does not quit"]
        await pilot.press("down")
        assert [notice.message for notice in pilot.app._notifications] == ["something else"]


async def test_in_every_window():
    """One after the other in one monitor, which asks before it quits while it captures."""
    async with scripted_monitor(scripted_store()).run_test(size=(120, 40)) as pilot:
        screen = await filled(pilot)
        for window in sorted(WINDOWS, key=lambda name: (name == "Confirm", name)):
            await pilot.app.push_screen(WINDOWS[window]())
            await pilot.pause()
            if isinstance(pilot.app.focused, Input):
                await pilot.press("end")  # without selected text, which ctrl+c would copy
            also = "" if window in ("LabScreen",) else "esc to close this window"
            await check(pilot, "q" if window == "LabScreen" else "^q", also)
            if window == "Confirm":  # it asks already, so the key quits
                return
            assert len(pilot.app.screen_stack) == 3, window
            while pilot.app.screen is not screen:
                pilot.app.pop_screen()
                await pilot.pause()


@pytest.mark.parametrize(
    ("keys", "key", "also"),
    [
        ([], "q", ""),
        (["tab"], "q", ""),
        (["tab", "tab"], "q", ""),
        (["e"], "q", ""),
        (["f2"], "^q", "esc to go back"),
    ],
    ids=["table", "detail", "hex", "echo", "forge"],
)
async def test_in_every_panel(keys, key, also):
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        await filled(pilot)
        await pilot.press(*keys)
        await check(pilot, key, also)


@pytest.mark.parametrize("said", [READING, replace(LIVE, captured=0, received=0)])
async def test_before_the_first_packet_and_while_a_file_is_read(said):
    engine = ScriptedEngine(said)
    async with scripted_monitor(PacketStore(), engine).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await check(pilot, "q")


async def test_while_the_forge_sends(monkeypatch):
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        forge = type(screen.sides["forge"])
        monkeypatch.setattr(forge, "is_sending", True)
        main(pilot).show(screen.scene)
        await check(pilot, "q", "esc to stop sending")


async def test_while_the_laboratory_measures():
    async with scripted_monitor(scripted_store()).run_test(size=(120, 40)) as pilot:
        await filled(pilot)
        lab = scripted_lab()
        await pilot.app.push_screen(lab)
        await pilot.pause()
        lab.measuring = True
        lab._show()
        assert "esc to cancel the run" in quit_advice(lab, {})


async def test_remapped_keys_are_named(tmp_path):
    (tmp_path / "config.toml").write_text('[keys]\n"program.quit" = "f12"\n')
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    async with scripted_monitor(scripted_store(), paths=paths).run_test(size=(120, 40)) as pilot:
        await filled(pilot)
        await check(pilot, "f12")
