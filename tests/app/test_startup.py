"""The first rows wait for no module and no panel that the user does not see yet."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from app.monitor import Monitor
from app.screens.main import MainScreen
from app.screens.side_panels import SidePanels
from tests.app.made import SYN, capture_of
from tests.bench.terminal import Terminal
from tests.helpers.emulator import Emulator
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import scripted_monitor
from tests.helpers.support import ROOT
from tests.helpers.waiting import until

# imported with the side panels, with a dialog, with a command, or with the server
LATER = {
    "app.cli.echo_arguments", "app.cli.replay_arguments", "app.cli.send_arguments",
    "core.forge.service",
    "app.screens.dialogs.colors", "app.screens.dialogs.copy", "app.screens.dialogs.drafts",
    "app.screens.dialogs.filter_menu", "app.screens.dialogs.help",
    "app.screens.dialogs.interfaces", "app.screens.dialogs.open_file",
    "app.screens.copy_choices", "app.screens.echo_controller", "app.screens.forge",
    "app.screens.lab", "app.screens.value_filter.choices",
    "core.echo.server", "core.forge.compose.evaluation", "core.forge.export.recipes", "sqlite3",
    "textual_fspicker", "textual_plot", "tomlkit", "widgets.echo.clients", "widgets.forge.form",
}  # fmt: skip

# The monitor, which notes what is imported when the side panels are about to be mounted.
NOTING = """
import sys
from app.screens.side_panels import SidePanels

mount = SidePanels.mount

async def noted(sides):
    with open(sys.argv[1], "w") as file:
        file.write("\\n".join([str(sides._screen.table.line_count), *sys.modules]))
    await mount(sides)

SidePanels.mount = noted
from app.cli.main import run

sys.exit(run(sys.argv[2:]))
"""


def test_the_first_rows_wait_for_nothing_that_comes_later(tmp_path) -> None:
    noted = tmp_path / "modules"
    path = capture_of(tmp_path / "a.pcap", [SYN])
    program = [sys.executable, "-c", NOTING, str(noted), "-r", path]
    terminal = Terminal(program, 120, 36, ROOT)
    try:
        until(lambda: terminal.read(0.01) is not None and noted.exists(), "the side panels")
        rows, *modules = until(lambda: noted.read_text().split(), "the list of modules")
    finally:
        terminal.close()
    assert rows == "1"
    assert "widgets.packets.packet_table" in modules
    assert set(modules) & LATER == set()


def test_keys_that_are_typed_at_the_start_arrive(tmp_path) -> None:
    """The queue holds them until the side panels are mounted."""
    path = capture_of(tmp_path / "a.pcap", [SYN] * 9)
    screen = Emulator(80, 24)
    terminal = Terminal([sys.executable, "-m", "app", "-r", path], 80, 24, ROOT, screen=screen)

    def shows(text: str) -> bool:
        terminal.read(0.01)
        return text in screen

    try:
        until(lambda: shows("rawscope"), "the first frame")
        os.write(terminal.fd, b"zz:7\rm:5")
        until(lambda: shows("Go to packet"), "the dialog", lambda: screen.text)
        until(lambda: shows("│ 5 "), "the 5 in it", lambda: screen.text)
        (marked,) = (line for line in screen.text if "◆" in line)
        assert " 7 " in marked
    finally:
        terminal.close()


@pytest.mark.parametrize("steps", range(-12, 12))
async def test_the_program_ends_cleanly_while_panels_are_mounted(monkeypatch, steps) -> None:
    """A signal may arrive at any step of the mounting, or just before it."""
    monkeypatch.setattr(SidePanels, "mount_soon", lambda sides, has_rows: None)
    monitor = scripted_monitor(scripted_store())
    mounting = None
    async with monitor.run_test():
        screen = main_screen(monitor)
        if steps >= 0:
            mounting = asyncio.create_task(screen.sides.mount())
            await turns(steps)
            monitor.exit()
        else:
            asyncio.get_running_loop().call_soon(monitor.exit)
            shutting_down = asyncio.create_task(monitor._shutdown())
            await turns(-steps)
            mounting = asyncio.create_task(screen.sides.mount())
            await shutting_down
    await asyncio.wait([mounting])
    assert mounting.exception() is None
    assert monitor._exception is None


async def turns(count: int) -> None:
    """Run `count` turns of the event loop."""
    for _ in range(count * 3):
        await asyncio.sleep(0)


def main_screen(monitor: Monitor) -> MainScreen:
    screen = monitor.screen_stack[0]
    assert isinstance(screen, MainScreen)
    return screen
