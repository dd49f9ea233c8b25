"""The help screen: its columns; every key, sign, and term of the screen; the program's files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config.config_file import load
from app.config.schema import Config, ForgeSettings
from app.keymap import ACTIONS, KeyGroup
from app.screens.dialogs.help import CONFIG_EXAMPLE, SIGNS, WORDS, Help, _height, packed
from tests.app.terminal.test_encoding import TABLES, texts
from tests.helpers.idle import screen_text
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import NOWHERE, filled, scripted_monitor
from tests.helpers.support import ROOT

SHOWN_BY = ("widgets", "app/screens", "core/wire/present")
# Letters, arithmetic, arrows between two ends, and the lines and bars of drawings.
PLAIN = set("µ×−→←↑↓⏎“”‘’─│└▌█░▁▂▃▄▅▆▇") | {" "}
# Only in the laboratory, beside the word that says what it marks.
WITH_WORDS = {"◀"}

WIDTH = 38
TITLES = [*(group.value for group in KeyGroup), *SIGNS, *WORDS]
SECTIONS = st.lists(
    st.tuples(st.just("T"), st.lists(st.tuples(st.just("k"), st.text("a ", max_size=90)))).map(
        lambda section: (section[0], tuple(section[1]))
    ),
    min_size=1,
    max_size=12,
)


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
        files = dict(row for _, rows in pilot.app.screen._sections() for row in rows)
        assert files["settings"].startswith(str(NOWHERE.config))
        assert files["example"] == CONFIG_EXAMPLE[0]
        assert files["sent"].startswith(str(NOWHERE.state_folder))


def test_the_example_of_the_configuration_file_is_valid(tmp_path: Path) -> None:
    """Each of its lines changes a setting."""
    path = tmp_path / "config.toml"
    path.write_text("\n".join(CONFIG_EXAMPLE))
    assert load(path) == Config({"view.pause": "f11"}, ForgeSettings(audit=False))


def heights(columns):
    return [sum(_height(section, WIDTH) for section in column) for column in columns]


@given(SECTIONS, st.integers(1, 4))
def test_the_sections_keep_their_order_in_columns_as_low_as_possible(sections, count):
    columns = packed(sections, count, WIDTH)
    assert [section for column in columns for section in column] == sections
    assert len(columns) <= count
    highest = max(heights(columns))
    assert highest >= max(_height(section, WIDTH) for section in sections)
    if count == 1:
        assert highest == sum(_height(section, WIDTH) for section in sections)
    else:
        assert highest <= max(heights(packed(sections, count - 1, WIDTH)))


def test_nothing_needs_no_column_break():
    assert packed((), 3, WIDTH) == [[]]


@pytest.mark.parametrize(("size", "columns"), [((160, 45), 3), ((120, 36), 2), ((80, 24), 1)])
async def test_every_action_and_sign_is_there(size, columns):
    """Scrolled through page by page; the headings begin in as many columns."""
    async with scripted_monitor(scripted_store()).run_test(size=size) as pilot:
        await pilot.app.push_screen(Help({}, NOWHERE))
        await pilot.pause()
        frame = pilot.app.screen.query_one("#help")
        seen = screen_text(pilot.app)
        headings = re.split(" {2,}", seen.splitlines()[1])
        assert sum(words.strip("│ ") in TITLES for words in headings) == columns
        while frame.scroll_y < frame.max_scroll_y:
            frame.scroll_page_down(animate=False)
            await pilot.pause()
            seen += screen_text(pilot.app)
    for action in ACTIONS:
        assert not action.keys or action.help in seen, action.name
    for signs in (SIGNS | WORDS).values():
        for sign, words in signs:
            assert sign in seen
            assert words.split()[0] in seen
