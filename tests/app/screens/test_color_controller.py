"""The color of one conversation: a rule that lasts until the program ends."""

from __future__ import annotations

from contextlib import asynccontextmanager

from app.config.config_file import load
from app.config.paths import Paths
from app.screens.color_controller import NO_CONVERSATION
from core.analysis.color_rules.rule import DEFAULT_RULES, Color
from core.analysis.filter.value_expression import packet_conversation
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor

SYN = 5  # number of a packet that begins a connection


@asynccontextmanager
async def running(tmp_path, number=SYN):
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    async with scripted_monitor(scripted_store(), paths=paths).run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        screen.table.select(number)
        await pilot.pause()
        yield pilot, screen, paths.config


async def color(pilot, screen, key):
    screen.coloring.color_conversation()
    await pilot.pause()
    await pilot.press(key)


async def test_a_conversation_gets_a_color_of_its_own_another_and_none(tmp_path):
    async with running(tmp_path) as (pilot, screen, _):
        table, expression = screen.table, packet_conversation(screen.panels.selected.layers())
        for key, wanted in (("2", Color.WARNING), ("6", Color.ACCENT)):
            await color(pilot, screen, key)
            first, *others = screen.bridge.colors.rules
            assert (first.filter, first.color, first.whole_row) == (expression, wanted, True)
            assert tuple(others) == DEFAULT_RULES
            assert table.row_colors.rule_of(SYN) == first
        await color(pilot, screen, "0")
        assert screen.bridge.colors.rules == DEFAULT_RULES
        await color(pilot, screen, "0")  # not offered anymore
        assert screen.bridge.colors.rules == DEFAULT_RULES


async def test_the_color_is_not_saved_until_the_user_edits_its_rule(tmp_path):
    async with running(tmp_path) as (pilot, screen, config):
        await color(pilot, screen, "3")
        await pilot.press("f6", "j", "J")  # another change of the list is saved
        swapped = (DEFAULT_RULES[1], DEFAULT_RULES[0], *DEFAULT_RULES[2:])
        await eventually(lambda: load(config).colors.rules == swapped, "the file")
        assert screen.bridge.colors.rules[1:] == swapped
        await pilot.press("g", "k", "k", "e", "enter")
        await eventually(lambda: len(load(config).colors.rules) == len(swapped) + 1, "the file")


async def test_a_packet_without_addresses_is_refused(tmp_path):
    async with running(tmp_path) as (pilot, screen, _):
        screen.panels.selected = None
        screen.coloring.color_conversation()
        await pilot.pause()
        assert [each.message for each in pilot.app._notifications] == [NO_CONVERSATION]
