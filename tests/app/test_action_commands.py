"""The command palette: which actions it offers on which screen, and where they run."""

from __future__ import annotations

from app.action_commands import action_commands
from app.keymap import ACTIONS, KeyContext
from app.screens.dialogs.help import Help
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_lab import scripted_lab
from tests.helpers.scripted_monitor import filled, scripted_monitor


def commands(pilot, screen, keys=None):
    return {
        command.help.split()[-1]: command
        for command in action_commands(pilot.app, screen, keys or {})
    }


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
        places = {action.place for action in ACTIONS if action.name in set(commands(pilot, lab))}
        assert places == {KeyContext.LAB, KeyContext.PROGRAM}
        assert {
            action.place for action in ACTIONS if action.name in set(commands(pilot, Help({})))
        } == {KeyContext.PROGRAM}


async def test_remapped_keys_are_shown():
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        found = commands(pilot, screen, {"view.pause": "f7"})
        assert found["view.pause"].help == "f7  view.pause"
        assert found["packets.stop_sending"].help == "packets.stop_sending"  # it has no key


async def test_an_action_of_a_side_panel_focuses_it_first():
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        forge = screen.sides["forge"].panel
        forge.form.held = forge.form.held.with_draft(forge.form.held.draft.with_text("ip.ttl", "9"))
        await commands(pilot, screen)["forge.new"].callback()
        await pilot.pause()
        assert screen.workspace.panel == "forge"
        assert forge.form.held.draft.texts == {}
        await commands(pilot, screen)["panel.zoom"].callback()
        assert screen.workspace.zoomed
