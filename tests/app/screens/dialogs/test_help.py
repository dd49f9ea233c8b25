"""The help screen explains every sign and term of the screen, and names the program's files."""

from __future__ import annotations

import re

import pytest
from textual.widgets import Static

from app.screens.dialogs.help import SIGNS, WORDS, Help
from tests.app.terminal.test_encoding import TABLES, texts
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import NOWHERE, filled, scripted_monitor
from tests.helpers.support import ROOT

SHOWN_BY = ("widgets", "app/screens", "core/wire/present")
# Letters, arithmetic, arrows between two ends, and the lines and bars of drawings.
PLAIN = set("µ×−→←↑↓⏎“”‘’─█░▁▂▃▄▅▆▇") | {" "}
# Only in the laboratory, beside the word that says what it marks.
WITH_WORDS = {"◀"}


def legend() -> set[str]:
    """Return all characters that the help screen explains."""
    meanings = [meaning for group in SIGNS.values() for _, meaning in group]
    signs = [sign for group in SIGNS.values() for sign, _ in group]
    return set("".join([*signs, *meanings]))


def test_every_sign_of_the_screen_is_in_the_legend() -> None:
    unexplained = {
        (str(path.relative_to(ROOT)), character)
        for top in SHOWN_BY
        for path in (ROOT / top).rglob("*.py")
        if str(path.relative_to(ROOT)) not in TABLES
        for text in texts(path.read_text())
        for character in text
        if not character.isascii() and character not in legend() | PLAIN | WITH_WORDS
    }
    assert not unexplained


def test_the_readme_explains_the_same_signs_of_packets_and_states() -> None:
    text = (ROOT / "README.md").read_text()
    table = text.split("| sign | where | meaning |")[1].split("\n\n")[0]
    in_readme = set(re.findall(r"^\| `(.)` \|", table, re.MULTILINE))
    in_help = {
        sign
        for name in ("Signs: state", "Signs: checksums", "Signs: packets")
        for sign, _ in SIGNS[name]
    }
    assert in_readme == in_help


@pytest.mark.parametrize("word", ["dropped", "evicted"])
def test_the_losses_are_explained_in_both(word: str) -> None:
    assert word in {word for word, _ in WORDS["Words: packets"]}
    assert f"*{word.capitalize()}* packets" in (ROOT / "README.md").read_text()


async def test_the_files_are_named_by_their_paths() -> None:
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        await filled(pilot)
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, Help)
        sections = pilot.app.screen.query(Static)
        rows = [row for section in sections for row in getattr(section, "_rows", ())]
        files = dict(rows)
        assert files["settings"].startswith(str(NOWHERE.config))
        assert files["sent"].startswith(str(NOWHERE.state_folder))
