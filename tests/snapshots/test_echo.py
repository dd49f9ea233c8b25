"""Pictures of the echo panel and of the laboratory; `make test` compares them."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from app.config.paths import Paths
from core.echo.options import Switches
from tests.helpers.scripted_echo import BACKED_UP, EMPTY, PACKETS_EACH, STALLED, echo_snapshot
from tests.helpers.scripted_echo_monitor import echo_monitor, in_the_lab, opened
from tests.helpers.scripted_monitor import main

WIDE, MEDIUM, SMALL = (160, 45), (120, 36), (80, 24)


def test_empty(snap_compare):
    assert snap_compare(echo_monitor(EMPTY), terminal_size=WIDE, run_before=opened())


@pytest.mark.parametrize("size", [WIDE, MEDIUM, SMALL], ids=lambda size: f"{size[0]}")
def test_stalled(snap_compare, size):
    """The edge-triggered client that is read once per wake-up."""
    assert snap_compare(echo_monitor(), terminal_size=size, run_before=opened(STALLED, "v"))


def test_backed_up(snap_compare):
    """The client that does not read, among the others, sorted by condition."""
    said = echo_snapshot(switches=Switches(), selected=None, log=())
    act = opened(BACKED_UP, "s", "s", "s", "s")
    assert snap_compare(echo_monitor(said), terminal_size=WIDE, run_before=act)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=lambda size: f"{size[0]}")
def test_only_one_clients_packets(snap_compare, size):
    async def act(pilot: Pilot) -> None:
        await opened(STALLED, "enter")(pilot)
        screen = main(pilot)
        assert screen.table.line_count == PACKETS_EACH
        screen.table.render_lines(screen.table.size.region)
        await pilot.pause()

    assert snap_compare(echo_monitor(), terminal_size=size, run_before=act)


def test_zoomed(snap_compare):
    assert snap_compare(echo_monitor(), terminal_size=WIDE, run_before=opened(STALLED, "z"))


def test_failure(snap_compare):
    said = echo_snapshot(
        message="port 7007 on 127.0.0.1 is in use already: choose another port, or 0 for a free one"
    )
    assert snap_compare(echo_monitor(said), terminal_size=WIDE, run_before=opened())


def test_add_listener(snap_compare):
    assert snap_compare(echo_monitor(), terminal_size=MEDIUM, run_before=opened(None, "a"))


@pytest.mark.parametrize("theme", ["high-contrast", "textual-light"])
def test_theme(snap_compare, theme, tmp_path):
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")

    async def act(pilot: Pilot) -> None:
        pilot.app.theme = theme
        await opened(STALLED)(pilot)

    assert snap_compare(echo_monitor(paths=paths), terminal_size=WIDE, run_before=act)


@pytest.mark.parametrize("size", [WIDE, MEDIUM, SMALL], ids=lambda size: f"{size[0]}")
def test_lab(snap_compare, size):
    assert snap_compare(echo_monitor(), terminal_size=size, run_before=in_the_lab)
