"""Page keys that reach a list of options before its lines are laid out."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import OptionList
from textual.worker import WorkerFailed

from app.screens.dialogs.copy import Copy
from app.screens.dialogs.drafts import Drafts
from app.screens.dialogs.palette import Palette
from core.forge.journal.send_journal import SendJournal
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import scripted_monitor

NO_STATE = SendJournal(Path("/dev/null/none"), audits=False)
LISTS = {
    "Copy": lambda: Copy([("Row", "1"), ("Value", "2")]),
    "Drafts": lambda: Drafts(NO_STATE, ()),
    "Palette": Palette,
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("action", ["page_down", "page_up"])
async def test_a_page_key_before_the_layout_ends_nothing(monkeypatch, name, action):
    """Textual raises an error there, which `make soak` found."""

    def fail(_options: OptionList, _direction: int) -> None:
        raise KeyError(0)

    async with scripted_monitor(scripted_store()).run_test() as pilot:
        window = LISTS[name]()
        await pilot.app.push_screen(window)
        monkeypatch.setattr(OptionList, "_move_page", fail)
        if isinstance(window, Palette):
            window._action_command_list(action)
        else:
            getattr(window.query_one(OptionList), f"action_{action}")()


async def test_a_search_that_fails_ends_nothing():
    monitor = scripted_monitor(scripted_store())
    async with monitor.run_test() as pilot:
        await pilot.press("ctrl+p")
        palette = pilot.app.screen

        async def search() -> None:
            palette.query_one("#gone")

        worker = palette.run_worker(search(), exit_on_error=True)
        with pytest.raises(WorkerFailed):
            await worker.wait()
        await pilot.press("escape")
        assert len(pilot.app.screen_stack) == 1
    assert monitor.failure is None


async def test_the_palettes_key_opens_it_once():
    async with scripted_monitor(scripted_store()).run_test() as pilot:
        await pilot.press("ctrl+p", *"zzzz", "pagedown", "ctrl+p")
        await pilot.pause()
        assert [type(screen) for screen in pilot.app.screen_stack[1:]] == [Palette]
