"""Pictures of the forge. Accept a wanted change: --snapshot-update."""

from __future__ import annotations

import ipaddress

import pytest
from textual.pilot import Pilot

from app.config.paths import Paths
from app.screens.dialogs.dialog import Confirm
from tests.helpers.idle import eventually
from tests.helpers.scripted import HOST, scripted_store
from tests.helpers.scripted_forge import ScriptedHost, Wire
from tests.helpers.scripted_monitor import filled, main, scripted_monitor
from widgets.forge.outcome import ForgeOutcome

WIDE, MEDIUM, SMALL = (160, 45), (120, 36), (80, 24)
SYN = 5  # number of a packet that begins a connection


@pytest.fixture
def monitor(tmp_path, monkeypatch):
    """A monitor that records nothing, because no picture may show folders that differ by run."""
    host = ipaddress.ip_address(HOST).packed
    monkeypatch.setattr("core.forge.observe.outcome.own_addresses", lambda: {host})
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    paths.config.write_text("[forge]\naudit = false\n")
    store = scripted_store()
    return scripted_monitor(store, paths=paths, forge_host=ScriptedHost(Wire(store)))


async def until(pilot: Pilot, condition) -> None:
    await eventually(condition, ask=main(pilot).poll)


async def fill(pilot: Pilot, *keys: str) -> None:
    """Return the form filled from the SYN, with the suggestions from the routes."""
    screen = await filled(pilot)
    screen.table.select(SYN)
    await pilot.press("f", *keys)
    await until(pilot, lambda: "leaves on" in str(screen.query_one("#bytes").border_title))


def is_asked(pilot: Pilot) -> bool:
    """Return True if there is a question that keys answer."""
    screen = pilot.app.screen
    return isinstance(screen, Confirm) and screen.accepts_keys


async def ask(pilot: Pilot) -> None:
    await fill(pilot, "ctrl+s")
    await until(pilot, lambda: is_asked(pilot))


async def send(pilot: Pilot) -> None:
    """The SYN without an identification, so that the kernel has something to write."""
    screen = await filled(pilot)
    screen.table.select(SYN)
    await pilot.press("f")
    screen.sides["forge"].panel.form.select_field("ip.id")
    await pilot.press("ctrl+u", "0", "ctrl+s")
    await until(pilot, lambda: is_asked(pilot))
    await pilot.press("y")
    result = screen.query_one(ForgeOutcome)
    await until(pilot, lambda: any("RST" in line.text for line in result._lines))
    await until(pilot, lambda: screen.table.sent_numbers and not screen.sides["forge"].is_sending)
    screen.show(screen.bridge.poll())  # the key bar, too
    await pilot.pause()


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=lambda size: f"{size[0]}")
def test_empty(snap_compare, monitor, size):
    async def act(pilot: Pilot) -> None:
        await filled(pilot)
        await pilot.press("f2")
        await pilot.pause()

    assert snap_compare(monitor, terminal_size=size, run_before=act)


@pytest.mark.parametrize("size", [WIDE, MEDIUM, SMALL], ids=lambda size: f"{size[0]}")
def test_filled_from_a_packet(snap_compare, monitor, size):
    assert snap_compare(monitor, terminal_size=size, run_before=fill)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=lambda size: f"{size[0]}")
def test_a_field_in_error(snap_compare, monitor, size):
    async def act(pilot: Pilot) -> None:
        await fill(pilot)
        main(pilot).sides["forge"].panel.form.select_field("ip.ttl")
        await pilot.press("ctrl+u", "3", "0", "0")
        await pilot.pause()

    assert snap_compare(monitor, terminal_size=size, run_before=act)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=lambda size: f"{size[0]}")
def test_confirm(snap_compare, monitor, size):
    assert snap_compare(monitor, terminal_size=size, run_before=ask)


@pytest.mark.parametrize("size", [WIDE, MEDIUM, SMALL], ids=lambda size: f"{size[0]}")
def test_sent(snap_compare, monitor, size):
    assert snap_compare(monitor, terminal_size=size, run_before=send)


def test_all_the_room(snap_compare, monitor):
    async def act(pilot: Pilot) -> None:
        await send(pilot)
        await pilot.press("f4")
        await pilot.pause()

    assert snap_compare(monitor, terminal_size=WIDE, run_before=act)


def test_start_from(snap_compare, monitor):
    async def act(pilot: Pilot) -> None:
        await fill(pilot, "ctrl+o")
        await pilot.pause()

    assert snap_compare(monitor, terminal_size=MEDIUM, run_before=act)
