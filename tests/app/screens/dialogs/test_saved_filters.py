"""The list of saved filters: apply, rename, delete, undo, by key and by mouse."""

from __future__ import annotations

from contextlib import asynccontextmanager

from textual.widgets import Button

from app.config.config_file import load
from app.config.paths import Paths
from app.screens.dialogs.saved_filters import SavedFilterList
from tests.helpers.idle import eventually, screen_text
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor

SAVED = """[filters]
saved = {web = "tcp.port == 80", names = "dns", old = "no.such.field"}
"""


@asynccontextmanager
async def opened(tmp_path, text=SAVED):
    """Open the list from the filter bar."""
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    paths.config.write_text(text)
    async with scripted_monitor(scripted_store(), paths=paths).run_test(size=(80, 24)) as pilot:
        screen = await filled(pilot)
        await pilot.press("slash", "ctrl+o")
        assert isinstance(pilot.app.screen, SavedFilterList)
        yield pilot, screen, lambda: dict(load(paths.config).filters.saved)


async def press(pilot, action):
    """Click the button of an action."""
    await pilot.click(next(b for b in pilot.app.screen.query(Button) if b.name == action))


async def test_one_is_applied(tmp_path):
    async with opened(tmp_path) as (pilot, screen, _):
        await pilot.press("j", "enter")
        assert "column 1" in screen_text(pilot.app)  # the fields of "old" do not exist
        await pilot.press("k", "enter")
        assert screen.filter.text == "dns"
        assert screen.focused is screen.table
        assert not screen.filter.bar.is_editing


async def test_one_is_renamed_and_deleted_by_key_and_both_are_undone(tmp_path):
    async with opened(tmp_path) as (pilot, screen, saved):
        await pilot.press("r", "end", *"er", "enter")
        assert "names is nameser now" in screen_text(pilot.app)
        await pilot.press("d")
        await eventually(lambda: set(saved()) == {"web", "old"}, "the file")
        await pilot.press("u", "u", "u")
        assert "nothing to undo" in screen_text(pilot.app)
        await eventually(lambda: set(saved()) == {"web", "old", "names"}, "the file")
        await pilot.press("d", "escape")
        assert [name for name, _ in screen.filter.hints.items[:3]][:2] == ["old", "web"]


async def test_the_mouse_does_the_same(tmp_path):
    async with opened(tmp_path) as (pilot, screen, saved):
        await press(pilot, "delete")
        await eventually(lambda: set(saved()) == {"web", "old"}, "the file")
        await press(pilot, "undo")
        await press(pilot, "rename")
        await pilot.press("ctrl+u", "x", "enter")
        await eventually(lambda: set(saved()) == {"web", "old", "x"}, "the file")
        await press(pilot, "apply")
        assert screen.filter.text == "dns"


async def test_an_empty_list_says_how_to_save_one(tmp_path):
    async with opened(tmp_path, "") as (pilot, _, _saved):
        assert "none yet" in screen_text(pilot.app)
        for key in ("enter", "r", "d", "u"):
            await pilot.press(key)
        assert isinstance(pilot.app.screen, SavedFilterList)
