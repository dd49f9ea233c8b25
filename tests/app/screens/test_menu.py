"""The menus over the main screen, which offer with the mouse what keys do."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from app.config.paths import Paths
from app.keymap import BY_NAME
from app.screens.dialogs.filter_menu import FilterMenu
from app.screens.dialogs.palette import Palette
from app.screens.dialogs.search import SearchDialog
from app.screens.menu import PACKET_ACTIONS, SCREEN_ACTIONS
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import NOWHERE, filled, scripted_monitor
from widgets.packets.headings import links_in


@asynccontextmanager
async def running(size=(160, 45), paths=NOWHERE):
    async with scripted_monitor(scripted_store(), paths=paths).run_test(size=size) as pilot:
        yield pilot, await filled(pilot)


async def click_link(pilot, screen, word):
    """Click a word at the right end of the headings."""
    start = {word: start for start, word in links_in(screen.table.window.width)}[word]
    await pilot.click(screen.table, offset=(start + 1, 0))
    await pilot.pause()


def choices(pilot):
    assert isinstance(pilot.app.screen, FilterMenu)
    return {choice.name: choice.key for choice in pilot.app.screen.choices}


def test_every_entry_is_an_action():
    for name in filter(None, (*PACKET_ACTIONS, *SCREEN_ACTIONS)):
        assert BY_NAME[name].help


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (40, 10)])
async def test_the_headings_open_the_menu_whose_lines_do_what_keys_do(size):
    async with running(size) as (pilot, screen):
        await click_link(pilot, screen, "menu")
        offered = choices(pilot)
        assert offered["Search for text, bytes, or a filter"] == "^f"
        assert offered["Next bad checksum"] == ")"
        assert pilot.app.screen.query_one(".dialog").region.bottom <= size[1]
        await pilot.press("ctrl+f")
        await pilot.pause()
        assert isinstance(pilot.app.screen, SearchDialog)
        await pilot.press("escape", "f10", "slash")
        await pilot.pause()
        assert screen.filter.bar.is_editing


async def test_the_last_line_of_the_menu_opens_the_palette():
    async with running((80, 24)) as (pilot, screen):
        await click_link(pilot, screen, "menu")
        await pilot.press("end", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Palette)


async def test_the_headings_open_the_filter_bar():
    async with running() as (pilot, screen):
        await click_link(pilot, screen, "filter")
        assert screen.filter.bar.is_editing


async def test_the_menu_of_a_packet_has_its_actions_and_leads_to_all():
    async with running() as (pilot, screen):
        await pilot.click(screen.table, offset=(40, 6), button=3)
        await pilot.press("m")
        await pilot.pause()
        number = screen.table.selected
        assert screen.table.marks == {number}
        await pilot.click(screen.table, offset=(40, 6), button=3)
        await pilot.press("T")
        await pilot.pause()
        assert screen.table.rows.is_reference(number)
        await pilot.click(screen.table, offset=(40, 6), button=3)
        await pilot.press("f10")
        await pilot.pause()
        assert choices(pilot)["Next TCP reset"] == "}"


async def test_remapped_keys_are_in_the_menu(tmp_path):
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    paths.config.write_text('[keys]\n"search.open" = "f11"\n')
    async with running(paths=paths) as (pilot, _screen):
        await pilot.press("f10")
        assert choices(pilot)["Search for text, bytes, or a filter"] == "f11"
