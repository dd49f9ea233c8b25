"""Pictures of the filter bar; `make test` compares them."""

from __future__ import annotations

import pytest

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
        await pilot.pause()
        if kind == "completion":
            await pilot.press("down")

    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=size, run_before=act)


def test_empty_result(snap_compare):
    async def act(pilot):
        screen = await filled(pilot)
        screen.filter.apply("sctp")
        await pilot.pause()

    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=SMALL, run_before=act)
