"""The registry: no name twice, no key twice in one place, a method behind every command."""

from __future__ import annotations

import re

import pytest

from app.keymap import ACTIONS, HEARD_TOGETHER, KeyContext, bindings, grouped, key_label
from app.monitor import Monitor
from app.screens.echo import Clients, Echo
from app.screens.forge import ForgePanel
from app.screens.forge_parts import Bytes, Form, Result
from app.screens.lab import LabScreen
from app.screens.main import MainScreen
from app.screens.panels import Detail, Hex
from app.screens.workspace import Packets, Workspace

NODES = {
    KeyContext.TABLE: (Packets,),
    KeyContext.DETAIL: (Detail,),
    KeyContext.HEX: (Hex,),
    KeyContext.CLIENTS: (Clients,),
    KeyContext.ECHO: (Echo,),
    KeyContext.LAB: (LabScreen,),
    KeyContext.FORM: (Form,),
    KeyContext.RESULT: (Result,),
    KeyContext.FORGE: (ForgePanel,),
    KeyContext.LIST: (Packets, Detail, Hex, Clients, Bytes, Result),
    KeyContext.PANELS: (Workspace,),
    KeyContext.MAIN: (MainScreen,),
    KeyContext.PROGRAM: (Monitor,),
}


def test_names_are_unique():
    names = [action.name for action in ACTIONS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("places", HEARD_TOGETHER, ids=lambda places: min(p.name for p in places))
def test_no_key_has_two_meanings(places):
    """Under one focus every key that is bound anywhere means one thing."""
    keys = [key for binding in bindings(*places) for key in binding.key.split(",")]
    assert sorted(keys) == sorted(set(keys))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_command_has_a_method(action):
    namespace, _, command = action.command.rpartition(".")
    nodes = {"app": (Monitor,), "screen": (MainScreen,)}.get(namespace, NODES[action.place])
    method, argument = re.fullmatch(r"(\w+)(?:\('?([\w-]+)'?\))?", command).groups()
    for node in nodes:
        assert callable(getattr(node, f"action_{method}"))
    if method == "on_table":
        assert callable(getattr(Packets, argument))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_says_what_it_does(action):
    assert action.help[0].isupper()
    assert not action.help.endswith(".")
    assert len(action.help) <= 38  # one line of the help screen


def test_keys_that_work_in_an_input_are_no_letters():
    for action in ACTIONS:
        if action.everywhere:
            assert all("+" in key for key in action.keys.split(","))


def test_key_labels():
    assert key_label("up,k") == "↑ k"
    assert key_label("ctrl+e") == "^e"
    assert key_label("colon,ctrl+g") == ": ^g"
    assert key_label("shift+tab") == "shift+tab"


def test_help_shows_remapped_keys():
    rows = {
        action.name: keys
        for _, actions in grouped({"view.pause": "f7"})
        for keys, action in actions
    }
    assert rows["view.pause"] == "f7"
    assert rows["packets.mark"] == "m"
