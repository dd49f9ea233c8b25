"""The line between the table and the panels: keys, mouse, memory, and few packets."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from textual.pilot import Pilot

from app.config.paths import Paths
from app.config.value_types import SPLIT_LEAST, SPLIT_MOST
from app.screens.main import MainScreen
from core.engine.snapshot import EngineSnapshot, EngineState
from core.store.packet_store import PacketStore
from tests.helpers.idle import eventually
from tests.helpers.scripted import batch, conversations, scripted_store
from tests.helpers.scripted_monitor import ScriptedEngine, filled, scripted_monitor

OF_FILE = EngineSnapshot(EngineState.DONE, file="/tmp/day.pcap", progress=1.0)
SIZES = [(160, 45), (80, 24)]


def lines(screen: MainScreen) -> int:
    """Return the height of the table, its heading included."""
    return screen.table.outer_size.height


def share(screen: MainScreen) -> int:
    """Return the percentage of the room that the table has."""
    return round(100 * lines(screen) / (lines(screen) + screen.panels.outer_size.height))


async def drag(pilot: Pilot, screen: MainScreen, by: int, x: int = 30) -> None:
    """Drag the line by lines."""
    y = screen.table.region.bottom
    await pilot.mouse_down(offset=(x, y))
    for line in (y + by // 2, y + by):
        await pilot.hover(offset=(x, line))
    await pilot.mouse_up(offset=(x, y + by))
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
async def test_keys_and_mouse_move_the_line(size: tuple[int, int]) -> None:
    async with scripted_monitor(scripted_store(3)).run_test(size=size) as pilot:
        screen = await filled(pilot)
        default = lines(screen)
        await pilot.press("<", "<")
        lower = lines(screen)
        assert lower < default
        await pilot.press(">", ">", ">", ">")
        assert lines(screen) > default
        for steps, bound in ((-20, SPLIT_LEAST), (20, SPLIT_MOST)):
            screen.workspace.action_split(steps)
            await pilot.pause()
            assert abs(share(screen) - bound) < 6  # in whole lines
        before = lines(screen)
        await drag(pilot, screen, -9)
        assert lines(screen) == before - 9
        await drag(pilot, screen, 4)
        assert lines(screen) == before - 5
        assert not screen.get_selected_text()
        assert pilot.app.mouse_captured is None


async def test_a_click_on_the_tabs_of_the_line_chooses_a_panel() -> None:
    async with scripted_monitor(scripted_store()).run_test(size=(80, 24)) as pilot:
        screen = await filled(pilot)
        await pilot.click("#tabs", offset=(11, 0))
        assert screen.workspace.panel == "hex"
        await drag(pilot, screen, -3, x=11)
        assert screen.workspace.panel == "hex"


async def test_the_line_is_remembered_with_and_without_a_side_panel(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    async with scripted_monitor(scripted_store(3), paths=paths).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        before = share(screen)
        await pilot.press(">")
        await pilot.press("e")
        beside = share(screen)
        await pilot.press("<")
        assert share(screen) < beside
        await pilot.press("e")
        assert share(screen) > before
        await eventually(lambda: "side_split" in paths.config.read_text(), "the saved line")
        await eventually(lambda: share(screen) > before, "the line without the panel")
    table = tomllib.loads(paths.config.read_text())["table"]
    assert table.keys() == {"split", "side_split"}
    async with scripted_monitor(scripted_store(3), paths=paths).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        await eventually(lambda: abs(share(screen) - table["split"]) < 3, "the remembered line")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
async def test_a_file_with_few_packets_leaves_its_lines_to_the_panels(size) -> None:
    frames = list(conversations())
    store = PacketStore()
    store.add_interface(scripted_store().snapshot().interfaces[0])
    store.append(batch(frames[:2]))
    engine = ScriptedEngine(OF_FILE)
    async with scripted_monitor(store, engine).run_test(size=size) as pilot:
        screen = await filled(pilot)
        assert lines(screen) == 3
        room = screen.workspace.size.height - screen.query_one("#tabs").outer_size.height
        assert screen.panels.outer_size.height >= room - 4
        store.append(batch(frames[2:5]))  # still being read
        screen.poll()
        await pilot.pause()
        assert lines(screen) == 6
        await pilot.press("z")
        assert lines(screen) == screen.workspace.size.height
        await pilot.press("z")
        assert lines(screen) == 6


async def test_a_live_capture_does_not_move_the_line() -> None:
    store = PacketStore()
    store.add_interface(scripted_store().snapshot().interfaces[0])
    store.append(batch(list(conversations())[:2]))
    async with scripted_monitor(store).run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        before = lines(screen)
        assert before > 10
        store.append(batch(list(conversations())))
        screen.poll()
        await pilot.pause()
        assert lines(screen) == before
