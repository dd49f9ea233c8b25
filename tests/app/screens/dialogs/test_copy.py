"""The copy menu, and the file that it offers in place of the clipboard."""

from __future__ import annotations

import os
import stat

import pytest
from textual.widgets import Button, Input

from app.screens.dialogs.dialog import Confirm, Hint
from app.screens.dialogs.save_text import SaveText
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor

ROW = "5  "  # the beginning of the fifth row


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def opened(pilot, *keys):
    """Select the fifth packet, open the copy menu, and press keys."""
    screen = await filled(pilot)
    screen.table.select(5)
    await pilot.press("y", *keys)


def hint(pilot):
    return str(pilot.app.screen.query_one(Hint).render())


def notices(pilot):
    return [notice.message for notice in pilot.app._notifications]


def is_asked(pilot):
    return isinstance(pilot.app.screen, Confirm) and pilot.app.screen.accepts_keys


async def test_the_row_is_saved_under_the_offered_name(folder):
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        await opened(pilot, "s", "enter")
        assert isinstance(pilot.app.screen, SaveText)
        await pilot.press("enter")
        path = folder / "packet-5-row.txt"
        await eventually(lambda: notices(pilot) == [f"Saved to {path}"], "the notice")
        assert path.read_text().startswith(ROW)
        assert path.read_text().endswith("\n")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not pilot.app.clipboard


async def test_the_target_can_be_chosen_with_the_mouse(folder):
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        await opened(pilot)
        assert "OSC 52" in hint(pilot)
        await pilot.click("#target")
        assert hint(pilot) == "enter saves it to a file"
        assert "clipboard" in str(pilot.app.screen.query_one("#target", Button).label)
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, SaveText)


async def test_an_existing_file_is_replaced_only_after_a_yes(folder):
    path = folder / "packet-5-row.txt"
    path.write_text("old")
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        await opened(pilot, "s", "enter", "enter")
        await eventually(lambda: is_asked(pilot), "the question")
        await pilot.press("n")
        assert isinstance(pilot.app.screen, SaveText)
        assert path.read_text() == "old"
        await pilot.press("enter")
        await eventually(lambda: is_asked(pilot), "the question")
        await pilot.press("y")
        await eventually(lambda: path.read_text().startswith(ROW), "the new text")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "type the path"),
        ("none/x", "there is no such folder"),
        ("link", "is a symbolic link"),
        ("fifo", "is a FIFO"),
        (".", "is a directory"),
        ("/", "is a directory"),
        ("a\0b", "not a path"),
        ("~no-such-user/x", "not a path"),
    ],
)
async def test_a_failed_save_stays_in_the_dialog(typed, says, folder):
    (folder / "target").write_text("old")
    (folder / "link").symlink_to("target")
    os.mkfifo(folder / "fifo")
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        await opened(pilot, "s", "enter")
        pilot.app.screen.query_one(Input).value = typed
        await pilot.press("enter")
        await eventually(lambda: says in hint(pilot), "the reason")
        assert isinstance(pilot.app.screen, SaveText)
        await pilot.press("x")
        assert "only you can read" in hint(pilot)
    assert (folder / "target").read_text() == "old"


async def test_a_terminal_without_a_clipboard_says_so_first(folder):
    monitor = scripted_monitor(scripted_store(), environment={"TERM": "linux"})
    async with monitor.run_test(size=(80, 25)) as pilot:
        await opened(pilot)
        assert hint(pilot) == "the Linux console has no clipboard: enter saves to a file"
        assert not pilot.app.screen.query_one("#target").display
        await pilot.press("s", "enter")
        assert isinstance(pilot.app.screen, SaveText)


async def test_the_forge_saves_a_packet_as_a_command(folder):
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        await filled(pilot)
        await pilot.press("f2", "ctrl+y", "s", "enter")
        name = pilot.app.screen.query_one(Input).value
        assert name.startswith("packet-")
        await pilot.press("enter")
        await eventually(lambda: notices(pilot), "the notice")
        assert (folder / name).read_text().strip()
