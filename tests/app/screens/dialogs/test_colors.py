"""The dialogs of the color rules: by key and by mouse, applied at once, and saved."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rich.style import Style
from textual.coordinate import Coordinate
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widgets import Button, DataTable, Input

from app.config.config_file import load
from app.config.paths import Paths
from app.key_queue import OrderedKeysApp
from app.screens.dialogs.choices import Switched
from app.screens.dialogs.color_rule import EditRule
from app.screens.dialogs.colors import ColorRules
from app.screens.dialogs.dialog import Hint
from app.themes import DEFAULT_VARIABLES
from core.analysis.color_rules.rule import DEFAULT_RULES, Color, ColorRule
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, main, scripted_monitor
from tests.helpers.support import ROOT

LAST = 28  # a packet number of the scripted store


class Stage(OrderedKeysApp[None]):
    """An application with only the list of rules. `rules` are those of the last change."""

    CSS_PATH = ROOT / "app/styles/monitor.tcss"

    def __init__(self, rules: Sequence[ColorRule]) -> None:
        super().__init__()
        self.rules = tuple(rules)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULT_VARIABLES

    def on_mount(self) -> None:
        self.push_screen(ColorRules(self.rules, self.change, lambda rule: Style(bold=rule.bold)))

    def change(self, rules: tuple[ColorRule, ...]) -> None:
        self.rules = rules


@asynccontextmanager
async def opened(rules: Sequence[ColorRule] = DEFAULT_RULES):
    """Open the list of rules alone, on a small screen."""
    async with Stage(rules).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        yield pilot


def names(pilot: Pilot) -> list[str]:
    """Return the names in the list; those of rules that are off in parentheses."""
    table = pilot.app.screen.query_one(DataTable)
    rows = (table.get_row_at(row) for row in range(table.row_count))
    return [name.plain if sign.plain == "●" else f"({name.plain})" for sign, name, _ in rows]


def hint(pilot: Pilot) -> str:
    return str(pilot.app.screen.query_one(Hint).content)


async def test_keys_change_the_list_and_undo_restores_it() -> None:
    default = [rule.name for rule in DEFAULT_RULES]
    async with opened() as pilot:
        assert names(pilot) == default
        await pilot.press("j", "space")
        assert names(pilot)[:2] == [default[0], f"({default[1]})"]
        assert not pilot.app.rules[1].enabled
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
        assert pilot.app.rules == DEFAULT_RULES


async def test_a_rule_is_added_above_the_selected_one() -> None:
    async with opened() as pilot:
        await pilot.press("a")
        assert isinstance(pilot.app.screen, EditRule)
        await pilot.press("enter")
        assert hint(pilot) == "a rule needs a filter"
        await pilot.press(*"Ping", "tab", *"icmp.type == ", "enter")
        assert hint(pilot).startswith("column 13: unexpected end")
        await pilot.press("8", "tab", "left", "tab", "space", "enter")
        assert isinstance(pilot.app.screen, ColorRules)
        added = ColorRule("Ping", "icmp.type == 8", Color.SECONDARY, bold=True)
        assert pilot.app.rules == (added, *DEFAULT_RULES)
        await pilot.press("a", "tab", *"arp", "enter")
        assert pilot.app.rules[0].name == "arp", "a rule without a name is called by its filter"


async def test_a_rule_with_a_wrong_filter_cannot_be_turned_on() -> None:
    async with opened([ColorRule("Mine", "tcp.prot == 1", Color.ERROR, enabled=False)]) as pilot:
        await pilot.press("space")
        assert hint(pilot).startswith("column 1: ")
        assert names(pilot) == ["(Mine)"]


async def test_the_list_says_that_default_rules_are_missing_and_adds_them() -> None:
    async with opened(DEFAULT_RULES[2:]) as pilot:
        assert hint(pilot) == "the list lacks 2 default rules: m adds what is missing"
        await pilot.press("m")
        assert pilot.app.rules == DEFAULT_RULES
        shown = [button.name for button in pilot.app.screen.query(Button) if button.display]
        assert "add_missing" not in shown
        await pilot.press("m")
        assert hint(pilot) == "no default rule is missing"


async def test_an_empty_list_takes_every_key() -> None:
    async with opened([]) as pilot:
        await pilot.press("space", "e", "d", "J", "K", "j", "k", "enter")
        assert isinstance(pilot.app.screen, ColorRules)
        await pilot.press("r")
        assert pilot.app.rules == DEFAULT_RULES


async def _click_row(pilot: Pilot, row: int, column: int, times: int = 1) -> None:
    table = pilot.app.screen.query_one(DataTable)
    region = table._get_cell_region(Coordinate(row, column))
    at = region.offset - table.scroll_offset.clamped + Offset(1, 0)
    await pilot.click(DataTable, offset=at, times=times)


async def test_the_mouse_does_what_the_keys_do() -> None:
    async with opened() as pilot:
        await _click_row(pilot, 1, 0)
        assert not pilot.app.rules[1].enabled
        await _click_row(pilot, 3, 1)
        screen = pilot.app.screen
        assert screen.list.selected == 3
        for button in screen.query(Button):
            assert screen.region.contains_region(button.region), button.label
        await pilot.click(next(each for each in screen.query(Button) if "(K)" in str(each.label)))
        assert [rule.name for rule in pilot.app.rules[2:4]] == ["ICMP error", "Truncated"]
        await _click_row(pilot, 0, 1, times=2)
        edit = pilot.app.screen
        assert isinstance(edit, EditRule)
        assert edit.query_one("#name", Input).value == "Bad checksum"
        await pilot.click("#bold")
        assert not edit.query_one("#bold", Switched).value
        await pilot.click(edit.query("RadioButton").filter("RadioButton")[6])
        await pilot.click("#save")
        assert (pilot.app.rules[0].bold, pilot.app.rules[0].color) == (False, Color.MUTED)


async def test_changes_color_the_table_and_apply_at_the_next_start(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    paths.config.write_text("[forge]\naudit = false  # mine\n")
    added = ColorRule("Last", "tcp.port == 51240", Color.ACCENT)
    async with scripted_monitor(scripted_store(), paths=paths).run_test() as pilot:
        colors = (await filled(pilot)).bridge.colors
        await pilot.press("f6", "a", *added.name, "tab", *added.filter, "enter", "escape")
        await eventually(lambda: colors.rule_of(LAST) == added, "the color of the row")
    config = load(paths.config)
    assert (config.colors.rules, config.complaints) == ((added, *DEFAULT_RULES), ())
    assert "audit = false  # mine" in paths.config.read_text()
    async with scripted_monitor(scripted_store(), paths=paths).run_test() as pilot:
        await filled(pilot)
        assert main(pilot).bridge.colors.rules == (added, *DEFAULT_RULES)
        await pilot.press("f6", "r")
    assert "rules" not in paths.config.read_text()
