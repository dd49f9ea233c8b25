"""The main screen as it connects its parts: `escape` in each state, and its number of methods."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from app.screens.main import TICKS_BELOW_DIALOG, MainScreen
from app.screens.search_line import SearchLine
from app.screens.workspace import BESIDE, WIDE
from core.engine.snapshot import EngineSnapshot, EngineState, NoticeSeverity
from tests.helpers.idle import eventually
from tests.helpers.scripted_echo import echo_snapshot, echo_store
from tests.helpers.scripted_monitor import ScriptedEngine, filled, scripted_monitor
from tests.helpers.support import combinations

LO = EngineSnapshot(EngineState.LIVE, interfaces=("lo",), captured=42, received=42)
MOST_METHODS = 40


@asynccontextmanager
async def running(size=(160, 45)):
    engine = ScriptedEngine(LO, echo_snapshot())
    async with scripted_monitor(echo_store(), engine).run_test(size=size) as pilot:
        yield pilot, await filled(pilot)


def test_the_main_screen_is_one_class_of_few_methods():
    project = [cls for cls in MainScreen.__mro__ if cls.__module__.startswith("app.")]
    methods = {name for cls in project for name, value in vars(cls).items() if callable(value)}
    assert project == [MainScreen]
    assert len(methods) <= MOST_METHODS


async def test_escape_closes_one_thing_after_the_other():
    """The edit of the filter, the search, zoom, the side panel, the filter, the banner."""
    async with running() as (pilot, screen):
        await pilot.press("e", "j")
        await eventually(lambda: screen.filter.text, "the filter", screen.poll)
        screen.banner.show("eth0 went away", NoticeSeverity.WARNING)
        await pilot.press("z")
        screen.search.next_of("mark")
        await pilot.press("slash")
        is_open = {
            "edit": lambda: screen.filter.bar.is_editing,
            "search": lambda: screen.query_one(SearchLine).display,
            "zoom": lambda: screen.workspace.zoomed,
            "side panel": lambda: bool(screen.workspace.side),
            "filter": lambda: bool(screen.filter.text),
            "banner": lambda: bool(screen.banner.message),
        }
        remaining = [*is_open]
        while remaining:
            assert [name for name, is_shown in is_open.items() if is_shown()] == remaining
            await pilot.press("escape")
            del remaining[0]
        await pilot.press("enter", "escape")
        assert screen.focused is screen.table


async def test_escape_stops_sending_before_it_closes_anything():
    """Even in a zoomed panel."""
    async with running((80, 24)) as (pilot, screen):
        forge = screen.sides["forge"]
        stops = []
        forge.stop = lambda: not stops and not stops.append("stop")
        await pilot.press("f2")
        assert screen.workspace.zoomed
        await pilot.press("escape")
        assert (stops, screen.workspace.zoomed) == (["stop"], True)
        await pilot.press("escape")
        assert not screen.workspace.zoomed


@pytest.mark.parametrize("size", [(160, 45), (120, 36), (80, 24)])
@pytest.mark.parametrize(("key", "panel"), [("f2", "forge"), ("e", "echo")])
async def test_a_side_panel_opens_and_closes_by_its_key(size, key, panel):
    async with running(size) as (pilot, screen):
        widget = screen.sides[panel].widget
        await pilot.press(key)
        assert screen.workspace.panel == panel
        assert widget.display
        await pilot.press(key)
        assert screen.focused is screen.table
        assert (screen.workspace.side, screen.workspace.zoomed) == ("", False)


async def test_only_the_forge_takes_all_of_a_narrow_screen():
    async with running((BESIDE - 1, 36)) as (pilot, screen):
        await pilot.press("e")
        assert not screen.workspace.zoomed
        await pilot.press("f2")
        assert screen.workspace.zoomed


@pytest.mark.parametrize(
    ("width", "side"),
    combinations([BESIDE, 120, WIDE - 1, WIDE, 160], [("f2", "forge"), ("e", "echo")]),
)
async def test_zoom_after_opening_a_panel_gives_it_all_of_the_room(width, side):
    """A panel opens beside or below others; a second press of the key restores them."""
    key, panel = side
    async with running((width, 40)) as (pilot, screen):
        widget = screen.sides[panel].widget
        await pilot.press(key)
        assert screen.table.display
        before = widget.size
        await pilot.press("f4")
        assert not screen.table.display
        assert widget.size.height > before.height
        assert screen.focused in (widget, *widget.query("*"))
        await pilot.press("f4")
        assert (screen.table.display, widget.size) == (True, before)


@pytest.mark.parametrize("size", [(160, 45), (80, 24)], ids=lambda size: f"{size[0]}")
async def test_a_key_right_after_opening_a_panel_finds_its_content(size, monkeypatch):
    """No later scene is needed for the first row to be there."""
    async with running(size) as (pilot, screen):
        monkeypatch.setattr(screen, "poll", lambda: None)
        await pilot.press("e", "j")
        assert screen.sides["echo"].clients.selected is not None


async def test_scenes_are_rare_below_a_dialog(monkeypatch):
    """Textual draws and tints the whole screen below a dialog for each."""
    async with running() as (pilot, screen):
        polls = []
        monkeypatch.setattr(screen, "poll", lambda: polls.append(screen.is_active))
        await pilot.press("colon")
        await eventually(lambda: not screen.is_active, "the dialog")
        polls.clear()
        screen._ticks = 0
        for _ in range(4 * TICKS_BELOW_DIALOG):
            screen._tick()
        assert polls.count(False) == 4
        await pilot.press("escape")
        await eventually(lambda: screen.is_active, "the end of the dialog")
        polls.clear()
        for _ in range(10):
            screen._tick()
        assert len(polls) >= 10
