"""No message claims that text is on a clipboard: OSC 52 has no answer."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from textual.widgets import Input

from app.clipboard import ClipboardAccess
from app.screens.dialogs.go_to import GoTo
from tests.app.terminal.test_encoding import texts
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor
from tests.helpers.support import ROOT

CLAIM = re.compile(r"\bcopied\b(?! as binary)|\b[io]n the clipboard", re.IGNORECASE)
XTERM = {"TERM": "xterm-256color"}
CONSOLE = {"TERM": "linux"}


def test_no_message_claims_that_text_was_copied() -> None:
    """In any string of the source that is not a docstring."""
    found = [
        (str(path.relative_to(ROOT)), text)
        for top in ("app", "widgets", "core")
        for path in (ROOT / top).rglob("*.py")
        for text in texts(path.read_text())
        if CLAIM.search(text)
    ]
    assert not found


@pytest.mark.parametrize(
    ("environment", "is_refused", "words"),
    [
        (XTERM, False, "some terminals ignore that"),
        ({}, False, "some terminals ignore that"),
        (CONSOLE, True, "the Linux console has no clipboard"),
        ({"TERM": "dumb"}, True, "TERM is dumb"),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, False, "set-clipboard on"),
        ({"TERM": "screen", "STY": "1.pts-0.host"}, False, "GNU screen may ignore that"),
    ],
)
def test_terminals_known_to_lack_a_clipboard(
    environment: Mapping[str, str], is_refused: bool, words: str
) -> None:
    access = ClipboardAccess.of(environment)
    assert bool(access.refusal) is is_refused
    notice = access.notice(1234)
    assert words in notice
    assert "s, saves to a file" in notice
    assert ("1,234 characters sent to the terminal" in notice) is not is_refused


async def copy_by_menu(pilot):
    await pilot.press("y", "enter" if not pilot.app._clipboard_access.refusal else "escape")


async def copy_a_selection(pilot):
    """Drag over some text of the table, and press ctrl+c."""
    pilot.app.screen.get_selected_text = lambda: "selected"
    await pilot.press("ctrl+c")


async def copy_in_an_input(pilot):
    await pilot.press("colon", "1", "2", "shift+home", "ctrl+c")
    assert isinstance(pilot.app.screen, GoTo)
    assert pilot.app.screen.query_one(Input).selected_text == "12"


async def cut_in_an_input(pilot):
    await pilot.press("colon", "1", "2", "shift+home", "ctrl+x")


@pytest.mark.parametrize("environment", [XTERM, CONSOLE], ids=["xterm", "console"])
@pytest.mark.parametrize(
    "copy", [copy_by_menu, copy_a_selection, copy_in_an_input, cut_in_an_input]
)
async def test_every_way_to_copy_says_how(copy, environment, monkeypatch):
    """A terminal without a clipboard gets no sequence, and the message says so first."""
    monitor = scripted_monitor(scripted_store(), environment=environment)
    async with monitor.run_test(size=(160, 45)) as pilot:
        await filled(pilot)
        written = []
        monkeypatch.setattr(pilot.app._driver, "write", written.append)
        await copy(pilot)
        notices = [notice.message for notice in pilot.app._notifications]
        if copy is copy_by_menu and environment is CONSOLE:
            assert not notices
        elif environment is CONSOLE:
            assert [one.split(":")[0] for one in notices] == ["the Linux console has no clipboard"]
            assert pilot.app.clipboard
        else:
            assert len(notices) == 1
            assert "characters sent to the terminal for its clipboard (OSC 52)" in notices[0]
        sent = "".join(written)
        assert ("\x1b]52;c;" in sent) is (environment is XTERM)
