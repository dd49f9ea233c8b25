"""Finding actions by words."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.action_search import OTHER_WORDS, Rank, in_order, rank
from app.keymap import ACTIONS, BY_NAME, KeyGroup
from app.textual_bindings import key_label
from tests.helpers.support import ROOT


def best(query: str) -> str:
    """Return the name of the action that the palette puts first."""
    ranked = [(rank(action, key_label(action.keys), query), action) for action in in_order()]
    highest = max(value for value, _ in ranked)
    return next(action.name for value, action in ranked if value is highest)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("resend", "packets.resend"),
        ("send again", "packets.resend"),
        ("replay", "packets.resend"),
        ("stop capture", "capture.toggle"),
        ("Start Capture", "capture.toggle"),
        ("follow", "packets.follow"),
        ("tail", "list.last"),
        ("copy", "packets.copy"),
        ("clipboard", "packets.copy"),
        ("edit", "packets.forge"),
        ("bookmark", "packets.mark"),
        ("stop sending", "packets.stop_sending"),
        ("maximize", "panel.zoom"),
        ("full screen", "panel.zoom"),
        ("fullscreen", "panel.zoom"),
        ("go to number", "packets.go_to"),
        ("jump", "packets.go_to"),
        ("timestamp", "packets.time"),
        ("freeze", "view.pause"),
        ("resume", "view.pause"),
        ("pcap", "capture.open"),
        ("open file", "capture.open"),
        ("network card", "capture.interface"),
        ("dark", "program.theme"),
        ("exit", "program.quit"),
        ("shortcuts", "program.help"),
        ("settings", "program.help"),
        ("preferences", "program.help"),
        ("EAGAIN", "echo.drain"),
        ("disconnect", "echo.close"),
        ("f4", "panel.zoom"),
        ("^e", "capture.toggle"),
        ("edge trigger", "echo.add"),
        ("templates", "forge.drafts"),
    ],
)
def test_words_that_a_user_would_type(query, name):
    assert best(query) == name


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_is_found_by_its_words(action):
    """By its help text, its label, and each other word, among at most a few equal ones."""
    keys = key_label(action.keys)
    assert rank(action, keys, action.help) >= Rank.HELP
    if action.label:
        assert rank(action, keys, action.label.upper()) is Rank.LABEL
    for word in OTHER_WORDS.get(action.name, "").split():
        assert rank(action, keys, word) >= Rank.OTHER_WORDS


def test_other_words_belong_to_actions_and_say_something_new():
    for name, words in OTHER_WORDS.items():
        action = BY_NAME[name]
        known = f"{action.help} {action.label}".casefold().split()
        assert not set(words.casefold().split()) & set(known), name


def test_a_query_without_words_finds_nothing():
    assert rank(BY_NAME["program.quit"], "q", "  ") is Rank.NONE
    assert rank(BY_NAME["program.quit"], "q", "zebra") is Rank.NONE


def test_a_part_of_a_word_finds_it_after_all_others():
    action = BY_NAME["packets.mark"]
    assert rank(action, "m", "ookmark") is Rank.PART


def test_the_order_has_each_action_once_by_group():
    actions = list(in_order())
    assert sorted(action.name for action in actions) == sorted(BY_NAME)
    groups = [list(KeyGroup).index(action.group) for action in actions]
    assert groups == sorted(groups)


def test_the_search_imports_no_textual():
    code = "import sys, app.action_search; print('textual' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
