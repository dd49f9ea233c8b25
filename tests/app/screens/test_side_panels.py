"""The list of side panels: mounted once, after the first rows; then called one by one."""

from __future__ import annotations

import ast

import pytest
from textual.widgets import Static

from app.keymap import KeyContext
from app.screens.key_bar import KeyBar
from app.screens.panels import PanelTabs
from app.screens.side_panels import (
    MOUNT_AFTER_POLLS,
    SIDE_PANELS,
    SideController,
    SidePanel,
    SidePanels,
)
from core.store.selected_packet import select_packet
from core.wire.present.faults import Faults
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor
from tests.helpers.support import ROOT


class Recorder(SideController):
    """Record the calls, and return what the test sets."""

    def __init__(self, closes: bool = False, **labels: str) -> None:
        self.asked: list[object] = []
        self._closes, self._labels = closes, labels

    def show(self, scene):
        self.asked.append(scene)

    def select(self, selected):
        self.asked.append(selected)

    def labels(self):
        return self._labels

    def close(self):
        self.asked.append("close")
        return self._closes


class Timers:
    """In place of a screen: counts the timers that are set."""

    def __init__(self) -> None:
        self.set: list[float] = []

    def set_timer(self, delay, _callback):
        self.set.append(delay)


def holding(*recorders: Recorder) -> SidePanels:
    sides = SidePanels(Timers(), ())
    sides._controllers = {str(number): one for number, one in enumerate(recorders)}
    return sides


def test_rows_mount_the_panels_once():
    timers = Timers()
    sides = SidePanels(timers, ())
    sides.mount_soon(has_rows=True)
    sides.mount_soon(has_rows=True)
    assert len(timers.set) == 1


def test_without_rows_the_panels_are_mounted_after_some_polls():
    timers = Timers()
    sides = SidePanels(timers, ())
    for _ in range(MOUNT_AFTER_POLLS - 1):
        sides.mount_soon(has_rows=False)
    assert timers.set == []
    sides.mount_soon(has_rows=False)
    assert len(timers.set) == 1


def test_everything_is_passed_on_to_every_panel():
    first, second = Recorder(a="x"), Recorder(b="y")
    sides = holding(first, second)
    selected = select_packet(scripted_store().snapshot(), 1, Faults())
    sides.show("scene")
    sides.select(selected)
    assert first.asked == second.asked == ["scene", selected]
    assert sides.labels() == {"a": "x", "b": "y"}
    assert sides.basis() == (None, None)


def test_close_ends_one_thing_at_a_time():
    first, second, third = Recorder(), Recorder(closes=True), Recorder(closes=True)
    assert holding(first, second, third).close()
    assert (first.asked, second.asked, third.asked) == (["close"], ["close"], [])
    assert not holding(first).close()


def test_no_panel_exists_before_they_are_mounted():
    sides = SidePanels(Timers(), ())
    assert not sides.are_mounted
    assert sides.get("forge") is None
    assert (sides.basis(), sides.labels(), sides.close()) == ((), {}, False)


async def test_each_registered_panel_is_mounted_with_its_title():
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        for side in SIDE_PANELS:
            widget = screen.sides[side.id].widget
            assert screen.query_one(f"#{side.id}") is widget
            assert widget.border_title == side.title
            assert widget.has_class("side-panel")


class Notes(SideController):
    """A panel that no other code knows."""

    def __init__(self) -> None:
        self.widget = Static("what the user noted", id="notes")
        self.widget.can_focus = True
        self.scenes = 0
        self.selected: list[int] = []
        self.written: list[object] = []
        self.is_busy = False

    def show(self, scene):
        self.scenes += 1

    def select(self, selected):
        self.selected.append(selected.packet.number)

    def labels(self):
        return {"panel.close": "end note"} if self.is_busy else {}

    def copy_choices(self):
        return [("the note", "words")]

    def close(self):
        was_busy, self.is_busy = self.is_busy, False
        return was_busy

    def write(self, *words):
        self.written.extend(words)


THIRD = SidePanel("notes", "Notes", KeyContext.LAB, lambda screen: Notes())


@pytest.mark.parametrize("size", [(160, 45), (120, 40), (80, 24)])
async def test_a_third_panel_is_one_entry_in_the_list(monkeypatch, size):
    """Room, tab, title, focus, scenes, selection, labels, escape, copying, and its commands."""
    monkeypatch.setattr("app.monitor.SIDE_PANELS", (*SIDE_PANELS, THIRD))
    async with scripted_monitor(scripted_store()).run_test(size=size) as pilot:
        screen = await filled(pilot)
        workspace, notes = screen.workspace, screen.sides["notes"]
        assert notes.widget.border_title == "Notes"
        assert notes.widget.has_class("side-panel")
        assert not notes.widget.display
        if size[0] == 80:
            tabs = screen.query_one(PanelTabs)
            assert await pilot.click(tabs, offset=(str(tabs.render()).index("Notes"), 0))
        else:
            workspace.action_side("notes")
        await pilot.pause()
        assert screen.focused is notes.widget
        assert (workspace.panel, workspace.side) == ("notes", "notes")
        assert notes.widget.size.width > 20
        assert workspace.has_class("-notes")
        assert not screen.sides["forge"].widget.display
        scenes = notes.scenes
        screen.show(screen.scene)
        assert notes.scenes == scenes + 1
        screen.table.follow = False
        screen.table.select(3)
        await pilot.pause()
        assert notes.selected[-1] == 3
        await pilot.press("y")
        assert pilot.app.screen.choices == [("the note", "words")]
        await pilot.press("escape")
        notes.is_busy = True
        screen.show(screen.scene)
        assert screen.query_one(KeyBar).labels["panel.close"] == "end note"
        workspace.zoomed = True
        await pilot.press("escape")
        assert (notes.is_busy, workspace.zoomed) == (False, True)
        await pilot.press("escape")
        assert not workspace.zoomed
        await pilot.app.run_action("call('notes.write', 'two')", screen)
        assert notes.written == ["two"]
        workspace.action_side("notes")
        await pilot.pause()
        assert workspace.side == ""
        assert screen.focused is screen.table


def test_the_main_screen_names_no_side_panel():
    """It knows those in the list only: no handler, attribute, or import is for one of them."""
    tree = ast.parse((ROOT / "app" / "screens" / "main.py").read_text())
    names = {side.id for side in SIDE_PANELS}
    named = set()
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)) if {*module.split(".")} & names:
                named.add(module)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if {*name.split("_")} & names:
                    named.add(name)
            case ast.Constant(value=str(text)) if text.partition(".")[0] in names:
                named.add(text)
    assert named == set()
