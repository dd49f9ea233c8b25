"""The list of columns: every key, and the same by mouse."""

from __future__ import annotations

from textual.app import App
from textual.widgets import OptionList

from app.screens.dialogs.columns import AddColumn, Columns, matching_fields, meaning_of
from app.screens.dialogs.dialog import Hint
from app.themes import DEFAULT_VARIABLES
from core.analysis.filter.fields.catalog import CATALOG
from tests.helpers.support import ROOT
from widgets.packets.column_choice import BUILT_IN, DEFAULT_CHOICE, ColumnChoice, ColumnName

N = ColumnName
CHOICE = ColumnChoice((N.NUMBER, "ip.ttl", N.INFO), ("tcp.port",))


class Host(App[None]):
    """An application that opens the list, with the styles of the monitor."""

    CSS_PATH = str(ROOT / "app" / "styles" / "monitor.tcss")
    choice = CHOICE

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULT_VARIABLES

    async def open(self, choice: ColumnChoice) -> None:
        self.choice = choice
        await self.push_screen(Columns(choice, self.take, {N.NUMBER: 5, "ip.ttl": 6}.get))

    def take(self, choice: ColumnChoice) -> None:
        self.choice = choice


SPARE = ColumnChoice(CHOICE.shown, ("arp.opcode", "tcp.port"))
OTHER = ColumnChoice((N.NUMBER, "arp.opcode", N.INFO), ("ip.ttl", "tcp.port"))
KEYS = [
    (["space"], ColumnChoice(("ip.ttl", N.INFO), ("tcp.port",))),
    (["space", "space"], CHOICE),
    (["enter"], ColumnChoice(("ip.ttl", N.INFO), ("tcp.port",))),
    (["j", "K"], ColumnChoice(("ip.ttl", N.NUMBER, N.INFO), ("tcp.port",))),
    (["j", "ctrl+up"], ColumnChoice(("ip.ttl", N.NUMBER, N.INFO), ("tcp.port",))),
    (["J", "J"], ColumnChoice(("ip.ttl", N.INFO, N.NUMBER), ("tcp.port",))),
    (["ctrl+down", "k", "J"], CHOICE),
    (["K"], CHOICE),
    (["+", "="], CHOICE.resized(N.NUMBER, 7)),
    (["-"], CHOICE.resized(N.NUMBER, 4)),
    (["-", "w"], CHOICE),
    (["j", "d"], ColumnChoice((N.NUMBER, N.INFO), ("tcp.port",))),
    (["up", "delete"], ColumnChoice(CHOICE.shown)),
    (["up", "space"], ColumnChoice((*CHOICE.shown, "tcp.port"))),
    (["j", "space"], ColumnChoice((N.NUMBER, N.INFO), ("ip.ttl", "tcp.port"))),
    (["r"], ColumnChoice(BUILT_IN, ("ip.ttl", "tcp.port"))),
    (["a", *"arp.opcode", "enter"], CHOICE.moved("arp.opcode", 1)),
    (["j", "j", "a", *"arp.opcode", "enter"], CHOICE.moved("arp.opcode", 2)),
    (["a", *"arp.opcode", "enter", "enter"], CHOICE.moved("arp.opcode", 1)),
    (
        ["a", *"arp.opcode", "enter", "enter", "enter"],
        ColumnChoice(CHOICE.shown, ("arp.opcode", "tcp.port")),
    ),
    (
        ["a", *"arp.opcode", "enter", "space"],
        ColumnChoice(CHOICE.shown, ("arp.opcode", "tcp.port")),
    ),
    (
        ["a", *"arp.opcode", "enter", "j", "enter"],
        ColumnChoice((N.NUMBER, "arp.opcode", N.INFO), ("ip.ttl", "tcp.port")),
    ),
    (["a", *"tcp.port", "enter"], ColumnChoice((N.NUMBER, "tcp.port", "ip.ttl", N.INFO))),
    (["a", *"ip.tt", "down", "up", "enter"], CHOICE),
    (["a", *"arp.opcode", "escape"], CHOICE),
]


async def test_every_key() -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        for keys, expected in KEYS:
            await pilot.app.open(CHOICE)
            await pilot.press(*keys)
            assert pilot.app.choice == expected, keys
            assert isinstance(pilot.app.screen, Columns)
            await pilot.press("escape")


BUTTONS = [
    ("move-earlier", "K"),
    ("move-later", "J"),
    ("wider", "+"),
    ("narrower", "-"),
    ("remove", "d"),
    ("restore", "r"),
]


async def test_a_button_does_what_its_key_does() -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        for button, key in BUTTONS:
            await pilot.app.open(CHOICE)
            await pilot.press("j", key, "escape")
            by_key = pilot.app.choice
            await pilot.app.open(CHOICE)
            await pilot.press("j")
            await pilot.click(f"#{button}")
            assert pilot.app.choice == by_key != CHOICE
            assert isinstance(pilot.app.focused, OptionList)
            first = by_key.shown[0]
            await pilot.click(OptionList, offset=(3, 0))
            assert first not in pilot.app.choice.shown
            await pilot.press("escape")


REFUSALS = [
    (ColumnChoice(("ip.ttl",)), ["space"], "the table needs at least one column"),
    (ColumnChoice(("ip.ttl",)), ["d"], "the table needs at least one column"),
    (DEFAULT_CHOICE, ["d"], "built-in columns can be hidden, not removed: press space"),
    (DEFAULT_CHOICE, ["up", "+"], "Info takes the rest of the line"),
    (DEFAULT_CHOICE, ["j", "+"], "the table does not show this column now"),
]


async def test_the_second_enter_keeps_the_new_column_and_says_so() -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        await pilot.app.open(CHOICE)
        await pilot.press("a", *"arp.opcode", "enter", "enter")
        hint = pilot.app.screen.query_one(Hint)
        assert str(hint.content) == "arp.opcode is shown; space shows or hides it"
        assert pilot.app.choice.newest == "arp.opcode"


async def test_impossible_changes_are_explained() -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        for choice, keys, words in REFUSALS:
            await pilot.app.open(choice)
            await pilot.press(*keys)
            hint = pilot.app.screen.query_one(Hint)
            assert (str(hint.content), hint.has_class("-wrong")) == (words, True)
            assert pilot.app.choice == choice
            await pilot.press("r")
            assert not hint.has_class("-wrong")
            await pilot.press("escape")


async def test_a_field_is_offered_while_it_is_typed() -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        await pilot.app.open(CHOICE)
        await pilot.press("a")
        assert isinstance(pilot.app.screen, AddColumn)
        options = pilot.app.screen.query_one(OptionList)
        assert options.option_count > 100
        await pilot.press(*"tcp.window_size_vxx")
        hint = pilot.app.screen.query_one(Hint)
        assert str(hint.content) == "no field has 'tcp.window_size_vxx' in its name"
        await pilot.press("enter", "backspace", "backspace")
        assert options.highlighted_option.id == "tcp.window_size_value"
        await pilot.click(OptionList, offset=(3, 0))
        assert isinstance(pilot.app.screen, Columns)
        assert "tcp.window_size_value" in pilot.app.choice.shown


def test_names_come_before_meanings() -> None:
    found = matching_fields("WINDOW")
    assert found.index("tcp.window_size_value") < found.index("tcp.flags.cwr")
    assert matching_fields("ip.ttl")[0] == "ip.ttl"
    assert matching_fields("tcp.p")[0].startswith("tcp.p")
    assert set(matching_fields("")) == set(CATALOG.names())
    assert matching_fields("checksum")


def test_every_column_has_a_meaning() -> None:
    assert all(map(meaning_of, BUILT_IN))
