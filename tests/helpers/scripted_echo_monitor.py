"""The monitor on a scripted echo server with its panel open, for pictures and tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot

from app.monitor import Monitor
from core.echo.snapshot import EchoSnapshot
from core.engine.snapshot import EngineSnapshot, EngineState
from tests.helpers.idle import eventually
from tests.helpers.scripted_echo import echo_snapshot, echo_store
from tests.helpers.scripted_lab import scripted_lab
from tests.helpers.scripted_monitor import ScriptedEngine, filled, main, scripted_monitor

LO = EngineSnapshot(EngineState.LIVE, interfaces=("lo",), captured=42, received=42)
Act = Callable[[Pilot[Any]], Awaitable[None]]


def echo_monitor(said: EchoSnapshot | None = None, **options: Any) -> Monitor:
    """Return a monitor on a capture of lo and a scripted echo server."""
    engine = ScriptedEngine(LO, echo_snapshot() if said is None else said)
    return scripted_monitor(echo_store(), engine, **options)


def opened(client: int | None = None, *keys: str) -> Act:
    """Return an action that opens the panel, selects a client, and presses keys."""

    async def act(pilot: Pilot[Any]) -> None:
        screen = await filled(pilot)
        screen.table.select(1)
        await pilot.press("e")
        await shown(pilot)
        if client is not None:
            screen.sides["echo"].clients.select(client)
        await pilot.press(*keys)
        await shown(pilot)

    return act


async def shown(pilot: Pilot[Any]) -> None:
    """Show the newest scene, and draw every row once, because the widest sets the columns."""
    screen = main(pilot)
    screen.poll()
    await pilot.pause()
    clients = screen.sides["echo"].clients
    top = clients.window.top
    for line in range(clients.line_count):
        clients.show_line(line)
        clients.render_lines(clients.size.region)
    clients.scroll_to(y=top)
    await pilot.pause()


async def in_the_lab(pilot: Pilot[Any]) -> None:
    """Open the laboratory and wait for its results."""
    lab = scripted_lab()
    await pilot.app.push_screen(lab)
    await eventually(lambda: not lab.measuring, "the end of the measuring")
