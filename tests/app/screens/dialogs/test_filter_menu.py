"""The menu of filters: what chooses a line, where it opens, and what closes it."""

from __future__ import annotations

from contextlib import asynccontextmanager

from textual.geometry import Offset

from app.screens.dialogs.filter_menu import FilterChoice, FilterMenu
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor

CHOICES = (
    FilterChoice("=", "Show only", "tcp", "tcp", "REPLACE"),
    FilterChoice("!", "Hide", "not tcp", "tcp", "AND_NOT"),
    FilterChoice("y", "Copy value", "TCP"),
)


@asynccontextmanager
async def monitor(size=(160, 45)):
    async with scripted_monitor(scripted_store()).run_test(size=size) as pilot:
        await filled(pilot)
        yield pilot


async def opened(pilot, at=None, choices=CHOICES):
    """Open the menu; return the list of what it will return."""
    found = []
    await pilot.app.push_screen(FilterMenu("Source", choices, at), found.append)
    await pilot.pause()
    return found


async def test_keys_and_clicks_choose_a_line():
    async with monitor() as pilot:
        for keys, choice in (
            (["="], 0), (["!"], 1), (["y"], 2), (["enter"], 0), (["end", "enter"], 2),
        ):  # fmt: skip
            found = await opened(pilot)
            await pilot.press(*keys)
            assert found == [CHOICES[choice]]
        for button in (1, 3):
            found = await opened(pilot, Offset(20, 10))
            await pilot.click(offset=(25, 12), button=button)
            assert found == [CHOICES[1]]


async def test_escape_and_a_click_beside_the_menu_close_it():
    async with monitor() as pilot:
        found = await opened(pilot, Offset(20, 10))
        await pilot.press("x")
        assert found == []
        await pilot.click(offset=(5, 30))
        assert found == [None]
        found = await opened(pilot)
        await pilot.press("escape")
        assert found == [None]


async def test_the_menu_opens_at_the_pointer_and_stays_on_the_screen():
    async with monitor() as pilot:
        for at in ((0, 0), (20, 10), (159, 44), (100, 44), (159, 3)):
            await opened(pilot, Offset(*at))
            frame = pilot.app.screen.query_one(".dialog").region
            assert frame.x == min(at[0], 160 - frame.width)
            assert frame.y == min(at[1], 45 - frame.height)
            await pilot.app.screen.dismiss(None)


async def test_a_small_screen_shows_the_menu_and_safe_text():
    evil = (FilterChoice("y", "Copy value", "\x1b[2J\u202e" + "x" * 200),)
    async with monitor((40, 10)) as pilot:
        await opened(pilot, Offset(30, 8), evil)
        frame = pilot.app.screen.query_one(".dialog").region
        assert (frame.x, frame.width) == (0, 40)
        assert frame.bottom <= 10
        (line,) = pilot.app.screen._lines
        assert line.plain.startswith(r"y  Copy value  \x1b[2J\u202exx")
