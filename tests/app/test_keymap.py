"""The actions: unique names, one meaning for a key, and a method behind every command."""

from __future__ import annotations

import subprocess
import sys

import pytest
from textual.actions import parse
from textual.widgets import Input

from app.keymap import ACTIONS, HEARD_TOGETHER, KeyContext, grouped
from app.monitor import Monitor
from app.screens.forge.panel import ForgePanel
from app.screens.lab import LabScreen
from app.screens.main import MainScreen
from app.screens.workspace import Workspace
from app.textual_bindings import bindings, key_label
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor
from tests.helpers.support import ROOT
from widgets.detail.packet_detail import PacketDetail
from widgets.echo.clients import EchoClients
from widgets.echo.panel import EchoPanel
from widgets.flows.flow_list import FlowList
from widgets.flows.panel import FlowsPanel
from widgets.follow.panel import StreamPanel
from widgets.follow.stream_view import StreamView
from widgets.forge.form import ForgeForm
from widgets.forge.outcome import ForgeOutcome
from widgets.hex.hex_view import HexView
from widgets.packets.packet_table import PacketTable
from widgets.statistics.panel import StatisticsPanel
from widgets.statistics.plot import TimePlot
from widgets.statistics.table import StatisticsTable

NODES = {
    KeyContext.TABLE: (PacketTable,),
    KeyContext.FILTER: (Input,),
    KeyContext.DETAIL: (PacketDetail,),
    KeyContext.HEX: (HexView,),
    KeyContext.CLIENTS: (EchoClients,),
    KeyContext.ECHO: (EchoPanel,),
    KeyContext.FLOWS: (FlowsPanel,),
    KeyContext.STREAM: (StreamPanel,),
    KeyContext.LAB: (LabScreen,),
    KeyContext.STATISTICS: (StatisticsPanel,),
    KeyContext.COUNTS: (StatisticsTable,),
    KeyContext.RATE: (TimePlot,),
    KeyContext.FORM: (ForgeForm,),
    KeyContext.RESULT: (ForgeOutcome,),
    KeyContext.FORGE: (ForgePanel,),
    KeyContext.LIST: (
        PacketTable,
        PacketDetail,
        HexView,
        EchoClients,
        FlowList,
        ForgeOutcome,
        StatisticsTable,
        StreamView,
    ),
    KeyContext.PANELS: (Workspace,),
    KeyContext.MAIN: (MainScreen,),
    KeyContext.PROGRAM: (Monitor,),
}


def test_names_are_unique():
    names = [action.name for action in ACTIONS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("places", HEARD_TOGETHER, ids=lambda places: min(p.name for p in places))
def test_no_key_has_two_meanings(places):
    """With any focus, each key has one meaning."""
    keys = [key for binding in bindings(*places) for key in binding.key.split(",")]
    assert sorted(keys) == sorted(set(keys))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_command_has_a_method(action):
    namespace, method, _ = parse(action.command)
    nodes = {"app": (Monitor,), "screen": (MainScreen,)}.get(namespace, NODES[action.place])
    for node in nodes:
        assert callable(getattr(node, f"action_{method}"))


async def test_every_call_has_a_method_of_a_part():
    """``call('forge.send')`` and the like, also those of clicks on the echo panel's head."""
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        paths = [arguments[0] for _, method, arguments in commands() if method == "call"]
        assert "forge.send" in paths
        for path in paths:
            assert callable(screen.part_method(path))


def commands():
    return [parse(action.command) for action in ACTIONS]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_says_what_it_does(action):
    assert action.help[0].isupper()
    assert not action.help.endswith(".")
    assert len(action.help) <= 38  # one line of the help screen


def test_keys_that_work_in_an_input_are_not_letters():
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


async def test_every_panel_has_the_keys_of_its_contexts_and_no_others():
    expected = {
        "packets": (KeyContext.TABLE, KeyContext.LIST),
        "detail": (KeyContext.DETAIL, KeyContext.LIST),
        "hex": (KeyContext.HEX, KeyContext.LIST),
        "statistics-table": (KeyContext.COUNTS, KeyContext.LIST),
        "time-plot": (KeyContext.RATE,),
        "form": (KeyContext.FORM,),
        "bytes": (KeyContext.HEX, KeyContext.LIST),
        "result": (KeyContext.RESULT, KeyContext.LIST),
        "clients": (KeyContext.CLIENTS, KeyContext.LIST),
    }
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        await eventually(lambda: pilot.app.screen_stack[0].sides.are_mounted, "the side panels")
        for name, contexts in expected.items():
            (widget,) = pilot.app.screen_stack[0].query(f"#{name}")
            bound = {binding.id for _, binding in widget._bindings}
            assert bound == {binding.id for binding in bindings(*contexts)}, name


def test_the_keymap_is_data_without_textual():
    code = "import sys, app.keymap; print('textual' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
