"""Pictures of the filter bar; `make test` compares them."""

from __future__ import annotations

import pytest

from app.config.paths import Paths
from app.screens.key_bar import KeyBar
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor

WIDE, SMALL = (120, 36), (80, 24)
TYPED = {
    "valid": ("tcp.port == 443 and not tcp.flags.reset == 1", SMALL),
    "incomplete": ("tcp.port == 443 and", SMALL),
    "wrong": ("ip.ttl == 300 and tcp", SMALL),
    "completion": ("ip.frag", WIDE),
}


@pytest.mark.parametrize("kind", TYPED)
def test_typed(snap_compare, kind):
    text, size = TYPED[kind]

    async def act(pilot):
        screen = await filled(pilot)
        await pilot.press("slash")
        screen.filter.bar.replace(text)
        hints = screen.filter.hints
        await eventually(lambda: hints.display and hints.text == text, "the hints", screen.poll)
        bar = screen.query_one(KeyBar)
        await eventually(lambda: "panel.close" in bar.labels, "the keys", screen.poll)
        await pilot.pause()
        if kind == "completion":
            await pilot.press("down")
            await eventually(lambda: screen.filter.hints.chosen is not None, "a choice")
            await pilot.pause()

    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=size, run_before=act)


def test_saved_filters(snap_compare, tmp_path):
    """The list after a filter was deleted."""
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    paths.config.write_text(
        '[filters]\nsaved = {web = "tcp.port in {80, 443}", names = "dns or mdns", old = "udp"}\n'
    )

    async def act(pilot):
        await filled(pilot)
        await pilot.press("slash", "ctrl+o", "j", "d")
        await pilot.pause()

    monitor = scripted_monitor(scripted_store(), paths=paths)
    assert snap_compare(monitor, terminal_size=SMALL, run_before=act)


def test_empty_result(snap_compare):
    async def act(pilot):
        screen = await filled(pilot)
        screen.filter.apply("sctp")
        empty = screen.query_one("#empty")
        await eventually(lambda: empty.display, "the words", screen.poll)
        await pilot.pause()

    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=SMALL, run_before=act)
