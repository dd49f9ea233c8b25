"""The command palette: which actions it offers on which screen, their order, and where they run."""

from __future__ import annotations

import re

import pytest
from textual.command import CommandList

from app.action_commands import KEYS_WIDTH, TITLE_WIDTH, action_commands
from app.keymap import ACTIONS, BY_NAME, KeyContext, KeyGroup
from app.screens.dialogs.help import Help
from app.screens.dialogs.palette import Palette
from app.textual_bindings import key_label
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_lab import scripted_lab
from tests.helpers.scripted_monitor import NOWHERE, filled, scripted_monitor

ORDER = ["Selected packet", "Capture", "View", "Panels", "Files", "Program"]


def commands(pilot, screen, keys=None):
    return {
        command.action.name: command for command in action_commands(pilot.app, screen, keys or {})
    }


async def palette_lines(pilot, query=""):
    """Open the palette and type a query; return its lines."""
    await pilot.press("ctrl+p")
    palette = pilot.app.screen
    assert isinstance(palette, Palette)
    await eventually(lambda: palette.query_one(CommandList).option_count, "the commands")
    if query:
        found = palette.query_one(CommandList)
        before = found.option_count
        await pilot.press(*("space" if key == " " else key for key in query))
        await eventually(lambda: found.option_count not in (0, before), "the hits")
    return [str(option.prompt) for option in palette.query_one(CommandList).options]


async def test_the_main_screen_offers_everything_but_the_laboratory():
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        names = {action.name for action in ACTIONS if action.place is not KeyContext.LAB}
        assert set(commands(pilot, screen)) == names - {"program.palette"}


async def test_other_screens_offer_their_own_actions_and_the_programs():
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        await filled(pilot)
        lab = scripted_lab()
        await pilot.app.push_screen(lab)
        places = {BY_NAME[name].place for name in commands(pilot, lab)}
        assert places == {KeyContext.LAB, KeyContext.PROGRAM}
        assert {BY_NAME[name].place for name in commands(pilot, Help({}, NOWHERE))} == {
            KeyContext.PROGRAM
        }


async def test_remapped_keys_are_shown():
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        found = commands(pilot, screen, {"view.pause": "f7"})
        assert found["view.pause"].keys == "f7"
        assert found["packets.stop_sending"].keys == ""  # it has no key


async def test_the_palette_has_every_action_in_words_with_its_keys_in_order():
    """Every line of the whole palette, as it is shown; Textual's own commands are not there."""
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        await filled(pilot)
        lines = await palette_lines(pilot)
    by_help = {action.help: [] for action in ACTIONS}
    for action in ACTIONS:
        by_help[action.help].append(action)
    groups = []
    for line in lines:
        words, rest = line[:TITLE_WIDTH].strip(), line[TITLE_WIDTH:]
        keys, group = rest[:KEYS_WIDTH].strip(), rest[KEYS_WIDTH:].strip()
        assert any(
            (key_label(action.keys), action.group.value) == (keys, group)
            for action in by_help[words]
        ), line
        groups.append(group)
    shown = [action for action in ACTIONS if action.place is not KeyContext.LAB]
    assert len(lines) == len(shown) - 1  # all but the palette itself
    assert not any(action.name in line for line in lines for action in ACTIONS)
    assert [group for group in dict.fromkeys(groups) if group in ORDER] == ORDER
    assert [group.value for group in KeyGroup if group.value in groups] == [*dict.fromkeys(groups)]


def test_no_help_text_is_an_internal_name():
    for action in ACTIONS:
        assert not re.search(r"\w\.\w|_", action.help)
        assert " " in action.help


@pytest.mark.parametrize(
    ("query", "name"),
    [("resend", "packets.resend"), ("stop capture", "capture.toggle"), ("copy", "packets.copy")],
)
async def test_the_first_hit_is_what_the_words_mean(query, name):
    async with scripted_monitor(scripted_store()).run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        first, *_ = await palette_lines(pilot, query)
    assert first.startswith(BY_NAME[name].help)


async def test_letters_of_no_word_find_what_has_them_in_this_order():
    async with scripted_monitor(scripted_store()).run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        assert any(line.startswith("Mark") for line in await palette_lines(pilot, "mrkunm"))


async def test_an_action_of_a_side_panel_focuses_it_first():
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        forge = screen.sides["forge"].panel
        forge.form.state = forge.form.state.with_draft(
            forge.form.state.draft.with_text("ip.ttl", "9")
        )
        await commands(pilot, screen)["forge.new"].run()
        await pilot.pause()
        assert screen.workspace.panel == "forge"
        assert forge.form.state.draft.texts == {}
        await commands(pilot, screen)["panel.zoom"].run()
        assert screen.workspace.zoomed


OF_ONE_WIDGET = {
    KeyContext.LIST: "packets",
    KeyContext.TABLE: "packets",
    KeyContext.DETAIL: "detail",
    KeyContext.HEX: "hex",
    KeyContext.CLIENTS: "clients",
    KeyContext.FORM: "form",
    KeyContext.RESULT: "result",
}


async def test_an_action_of_a_panel_runs_in_it_from_any_other(monkeypatch):
    """The focused panel handles the action if it has the key; else the panel gets the focus."""
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        found = commands(pilot, screen)
        ran = []

        async def run_action(command, target):
            ran.append((command, target.id))

        monkeypatch.setattr(pilot.app, "run_action", run_action)
        for action in ACTIONS:
            if place := OF_ONE_WIDGET.get(action.place):
                elsewhere = "form" if place == "packets" else "packets"
                screen.query_one(f"#{elsewhere}").focus()
                await pilot.pause()
                await found[action.name].run()
                assert ran.pop() == (action.command, place), action.name
                await pilot.pause()
                assert screen.focused.id == place


async def test_an_action_of_lists_runs_in_the_focused_list():
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        screen.workspace.focus_panel("detail")
        await pilot.pause()
        await commands(pilot, screen)["list.last"].run()
        assert screen.focused.id == "detail"
        assert not screen.table.selected or screen.panels.detail.cursor_line
