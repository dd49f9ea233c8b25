"""The keys that a dialog names in its hint or frame work in it."""

from __future__ import annotations

import re

import pytest
from rich.text import Text
from textual.widgets import Button, Static

from app.screens.dialogs.filter_menu import FilterMenu
from app.screens.dialogs.go_to import GoTo
from app.screens.dialogs.palette import Palette
from tests.app.test_key_queue import TYPED_AHEAD, running
from tests.helpers.idle import eventually

WITHOUT_KEYS = {FilterMenu, GoTo, Palette}  # lines with keys, a range of numbers, no hint
KEYS = {"esc": "escape", "enter": "enter", "tab": "tab", "space": "space"}
SIGNS = {"+": "plus", "-": "minus"}
_NAMED = re.compile(rf"(?:^|· )({'|'.join(KEYS)}|[a-z]) |\((.)\)")


def hints(screen) -> str:
    """Return the hints, the words in the frames, and the buttons of a dialog, separated by dots."""
    texts = [Text.from_markup(node.border_subtitle or "").plain for node in screen.query("*")]
    texts += [str(hint.content) for hint in screen.query(".dialog-hint").results(Static)]
    texts += [str(button.label) for button in screen.query(Button)]
    return " · ".join(text for text in texts if text)


def named_keys(words: str) -> set[str]:
    """Return the keys that hints name: ``enter opens · tab list`` → ``enter``, ``tab``."""
    found = (one or letter for one, letter in _NAMED.findall(words))
    return {(KEYS | SIGNS).get(name, name) for name in found}


@pytest.mark.parametrize("dialog", TYPED_AHEAD, ids=lambda dialog: dialog.__name__)
async def test_every_key_in_a_hint_works(dialog, tmp_path):
    async with running(tmp_path, dialog) as pilot:
        await pilot.press(*TYPED_AHEAD[dialog][0])
        await eventually(lambda: isinstance(pilot.app.screen, dialog), dialog.__name__)
        await pilot.pause()
        named = named_keys(hints(pilot.app.screen))
        assert bool(named) is (dialog not in WITHOUT_KEYS)
        assert named <= set(pilot.app.screen.active_bindings)


def test_named_keys():
    assert named_keys("port 0: any free port · tab next · enter adds") == {"tab", "enter"}
    assert named_keys("To a file instead (s) · d deletes") == {"s", "d"}
