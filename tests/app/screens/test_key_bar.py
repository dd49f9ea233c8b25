"""The key bar shows only keys that work: each runs its action, whatever part has the focus."""

from __future__ import annotations

import pytest

from app.keymap import ACTIONS, BY_NAME, KeyContext
from app.screens.key_bar import KeyBar
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_lab import scripted_lab
from tests.helpers.scripted_monitor import filled, scripted_monitor

WIDE, LOW = (300, 45), (80, 24)  # in the first, all entries fit
C = KeyContext
OF_PACKETS = {C.TABLE, C.DETAIL, C.HEX, C.PANELS, C.MAIN, C.PROGRAM}
SIDES = {  # the key that opens a side panel, and the contexts of all keys on the screen then
    "": ((), OF_PACKETS),
    "forge": (("f2",), OF_PACKETS | {C.FORM, C.RESULT, C.FORGE}),
    "echo": (("e",), OF_PACKETS | {C.CLIENTS, C.ECHO, C.FILTER}),
}


class Presses:
    """Records the actions of an application's keys, and runs none of them."""

    def __init__(self, pilot) -> None:
        self._pilot = pilot
        self._run: list[str] = []

    async def check(self, bar: KeyBar) -> set[str]:
        """Press all keys of a bar; return the names of their actions."""
        app, bound = self._pilot.app, dict(bar.screen.active_bindings)
        names = [bound[key].binding.id for key, _, _ in bar.entries()]
        before, app.run_action = app.run_action, self._note
        try:
            for (key, _, label), name in zip(bar.entries(), names, strict=True):
                self._run.clear()
                await self._pilot.press(key)
                await eventually(lambda: self._run, f"the action of {key} ({label})")
                assert self._run == [BY_NAME[name].command]
        finally:
            app.run_action = before
        return set(names)

    async def _note(self, action, *_arguments, **_options) -> bool:
        self._run.append(action)
        return True


@pytest.mark.parametrize("size", [WIDE, LOW], ids=str)
@pytest.mark.parametrize("side", SIDES)
async def test_every_key_in_the_bar_works(side, size):
    """With the focus on each part of the screen that takes it."""
    opening, contexts = SIDES[side]
    async with scripted_monitor(scripted_store()).run_test(size=size) as pilot:
        screen = await filled(pilot)
        await pilot.press(*opening)
        await pilot.pause()
        assert screen.workspace.side == side
        screen.sides["forge"].panel.outcome.display = side == "forge"  # as after a send
        bar, shown = screen.query_one(KeyBar), set()
        for widget in screen.focus_chain:
            widget.focus()
            await pilot.pause()
            shown |= await Presses(pilot).check(bar)
        labeled = {one.name for one in ACTIONS if one.label and one.keys and one.place in contexts}
        assert size == LOW or shown >= labeled


async def test_every_key_in_the_bar_of_the_laboratory_works():
    lab = scripted_lab()
    async with scripted_monitor(scripted_store()).run_test(size=WIDE) as pilot:
        await pilot.app.push_screen(lab)
        await eventually(lambda: not lab.measuring)
        await pilot.pause()
        assert "lab.run" in await Presses(pilot).check(lab.query_one(KeyBar))
