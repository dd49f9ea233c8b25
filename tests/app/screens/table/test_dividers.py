"""The lines between the panels: the mouse moves them, and they are remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config.config_file import load
from app.config.paths import Paths
from app.screens.table.dividers import LEAST_CELLS
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor


async def drag(pilot, panel, by):
    """Drag the left line of a panel by columns."""
    x, y = panel.region.x, panel.region.y + 3
    await pilot.mouse_down(offset=(x, y))
    for column in (x + by // 2, x + by):
        await pilot.hover(offset=(column, y))
    await pilot.mouse_up(offset=(x + by, y))
    await pilot.pause()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config.toml", tmp_path / "state.json")


async def test_the_line_left_of_hex_follows_the_mouse_and_is_remembered(paths) -> None:
    async with scripted_monitor(scripted_store(), paths=paths).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        panel, detail = screen.panels.hex, screen.panels.detail
        line = panel.region.x
        await drag(pilot, panel, -20)
        assert abs(panel.region.x - (line - 20)) <= 1  # whole percents
        assert detail.region.right == panel.region.x
        assert pilot.app.mouse_captured is None
        assert not screen.get_selected_text()
        for column in (158, 1):  # each keeps some cells
            await drag(pilot, panel, column - panel.region.x)
            assert min(panel.size.width, detail.size.width) >= LEAST_CELLS - 4
        width = panel.outer_size.width
        await eventually(lambda: load(paths.config).table.hex_width > 0, "the file")
    async with scripted_monitor(scripted_store(), paths=paths).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        assert screen.panels.hex.outer_size.width == width
        await pilot.resize_terminal(100, 30)  # one panel at a time
        assert screen.panels.detail.outer_size.width == 100


async def test_a_side_panel_has_a_line_of_its_own(paths) -> None:
    async with scripted_monitor(scripted_store(), paths=paths).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        alone = screen.panels.hex.outer_size.width
        await pilot.press("f2")
        side, hex_width = screen.query_one("#forge"), screen.panels.hex.outer_size.width
        line = side.region.x
        await drag(pilot, side, 8)
        assert abs(side.region.x - (line + 8)) <= 1
        assert screen.panels.hex.outer_size.width == hex_width
        await drag(pilot, screen.panels.hex, -6)
        assert abs(screen.panels.hex.outer_size.width - (hex_width + 6)) <= 1
        await eventually(lambda: load(paths.config).table.side_hex_width > 0, "the file")
        assert load(paths.config).table.side_width > 0
        await pilot.press("f2", "f2")  # hex has the focus now
        assert screen.panels.hex.outer_size.width == alone
