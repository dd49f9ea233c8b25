"""The list of side panels: mounted once, after the first rows; then called one by one."""

from __future__ import annotations

from app.screens.side_panels import MOUNT_AFTER_POLLS, SIDE_PANELS, SideController, SidePanels
from core.store.selected_packet import select_packet
from core.wire.present.faults import Faults
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor


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
    sides = SidePanels(Timers())
    sides._controllers = {str(number): one for number, one in enumerate(recorders)}
    return sides


def test_rows_mount_the_panels_once():
    timers = Timers()
    sides = SidePanels(timers)
    sides.mount_soon(has_rows=True)
    sides.mount_soon(has_rows=True)
    assert len(timers.set) == 1


def test_without_rows_the_panels_are_mounted_after_some_polls():
    timers = Timers()
    sides = SidePanels(timers)
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
    sides = SidePanels(Timers())
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
