"""The dialogs of the color rules: by key and by mouse, applied at once, and saved."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.coordinate import Coordinate
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widgets import Button, DataTable, Input

from app.config.config_file import load
from app.config.paths import Paths
from app.screens.dialogs.choices import Switched
from app.screens.dialogs.colors import ColorRules, EditRule
from app.screens.dialogs.dialog import Hint
from core.analysis.color_rules.rule import DEFAULT_RULES, Color, ColorRule
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, main, scripted_monitor

SECOND = DEFAULT_RULES[1]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config.toml", tmp_path / "state.json")


@asynccontextmanager
async def opened(paths: Paths, size: tuple[int, int] = (120, 40)):
    """Open the list of rules in a monitor with these files."""
    async with scripted_monitor(scripted_store(), paths=paths).run_test(size=size) as pilot:
        await filled(pilot)
        await pilot.press("f6")
        assert isinstance(pilot.app.screen, ColorRules)
        yield pilot


def names(pilot: Pilot) -> list[str]:
    """Return the names in the list; those of rules that are off in parentheses."""
    table = pilot.app.screen.query_one(DataTable)
    rows = (table.get_row_at(row) for row in range(table.row_count))
    return [name.plain if sign.plain == "●" else f"({name.plain})" for sign, name, _ in rows]


def hint(pilot: Pilot) -> str:
    return str(pilot.app.screen.query_one(Hint).content)


def applied(pilot: Pilot) -> tuple[ColorRule, ...]:
    return main(pilot).bridge.colors.rules


async def test_keys_change_the_list_and_undo_restores_it(paths: Paths) -> None:
    default = [rule.name for rule in DEFAULT_RULES]
    async with opened(paths) as pilot:
        assert names(pilot) == default
        await pilot.press("j", "space")
        assert names(pilot)[:2] == [default[0], f"({default[1]})"]
        assert not applied(pilot)[1].enabled
        await pilot.press("K")
        assert names(pilot)[:2] == [f"({default[1]})", default[0]]
        await pilot.press("space", "J", "d")
        assert names(pilot) == [default[0], *default[2:]]
        assert "u restores it" in hint(pilot)
        await pilot.press("r")
        assert names(pilot) == default
        for _ in range(6):
            await pilot.press("u")
        assert names(pilot) == default
        await pilot.press("u")
        assert hint(pilot) == "nothing to undo"
        assert applied(pilot) == DEFAULT_RULES


async def test_a_rule_is_added_above_the_selected_one_and_colors_the_table(paths: Paths) -> None:
    async with opened(paths) as pilot:
        await pilot.press("a")
        assert isinstance(pilot.app.screen, EditRule)
        await pilot.press(*"Ping", "tab", *"icmp.type == ", "enter")
        assert hint(pilot).startswith("column 13: unexpected end")
        await pilot.press("8", "tab", "left", "tab", "space", "enter")
        assert isinstance(pilot.app.screen, ColorRules)
        added = ColorRule("Ping", "icmp.type == 8", Color.SECONDARY, bold=True)
        assert applied(pilot) == (added, *DEFAULT_RULES)
        await pilot.press("escape")
        colors = main(pilot).bridge.colors
        await eventually(lambda: colors.rule_of(16) == added, "the color of the ping")


async def test_a_rule_without_a_name_is_called_by_its_filter(paths: Paths) -> None:
    async with opened(paths) as pilot:
        await pilot.press("a", "enter")
        assert hint(pilot) == "a rule needs a filter"
        await pilot.press("tab", *"arp", "enter")
        assert applied(pilot)[0].name == "arp"


async def test_changes_are_saved_and_apply_at_the_next_start(paths: Paths) -> None:
    paths.config.write_text("[forge]\naudit = false  # mine\n")
    async with opened(paths) as pilot:
        await pilot.press("j", "e", *"!", "enter", "escape")
        wanted = applied(pilot)
        assert wanted[1].name == "Malformed!"
    config = load(paths.config)
    assert (config.colors.rules, config.complaints) == (wanted, ())
    assert "audit = false  # mine" in paths.config.read_text()
    async with opened(paths) as pilot:
        assert applied(pilot) == wanted
        await pilot.press("r")
    assert "rules" not in paths.config.read_text()


async def test_a_rule_with_a_wrong_filter_cannot_be_turned_on(paths: Paths) -> None:
    paths.config.write_text('[colors]\nrules = [{name = "Mine", filter = "tcp.prot == 1"}]\n')
    async with opened(paths) as pilot:
        assert names(pilot) == ["(Mine)"]
        await pilot.press("space")
        assert hint(pilot).startswith("column 1: ")
        assert names(pilot) == ["(Mine)"]


async def test_an_empty_list_takes_no_key_amiss(paths: Paths) -> None:
    paths.config.write_text("[colors]\nrules = []\n")
    async with opened(paths) as pilot:
        await pilot.press("space", "e", "d", "J", "K", "j", "k", "enter")
        assert isinstance(pilot.app.screen, ColorRules)
        await pilot.press("r")
        assert applied(pilot) == DEFAULT_RULES


async def _click_row(pilot: Pilot, row: int, column: int, times: int = 1) -> None:
    table = pilot.app.screen.query_one(DataTable)
    region = table._get_cell_region(Coordinate(row, column))
    at = region.offset - table.scroll_offset.clamped + Offset(1, 0)
    await pilot.click(DataTable, offset=at, times=times)


async def test_the_mouse_does_what_the_keys_do(paths: Paths) -> None:
    async with opened(paths, (80, 24)) as pilot:
        await _click_row(pilot, 1, 0)
        assert not applied(pilot)[1].enabled
        await _click_row(pilot, 3, 1)
        screen = pilot.app.screen
        assert screen.list.selected == 3
        for button in screen.query(Button):
            assert screen.region.contains_region(button.region), button.label
        await pilot.click(next(each for each in screen.query(Button) if "(K)" in str(each.label)))
        assert [rule.name for rule in applied(pilot)[2:4]] == ["ICMP error", "Truncated"]
        await _click_row(pilot, 0, 1, times=2)
        edit = pilot.app.screen
        assert isinstance(edit, EditRule)
        assert edit.query_one("#name", Input).value == "Bad checksum"
        await pilot.click("#bold")
        assert not edit.query_one("#bold", Switched).value
        await pilot.click(edit.query("RadioButton").filter("RadioButton")[6])
        await pilot.click("#save")
        assert (applied(pilot)[0].bold, applied(pilot)[0].color) == (False, Color.MUTED)
