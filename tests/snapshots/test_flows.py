"""Pictures of the flows panel; `make test` compares them."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor


@pytest.mark.parametrize("size", [(160, 45), (80, 24)], ids=lambda size: f"{size[0]}")
def test_conversations(snap_compare, size):
    async def act(pilot: Pilot) -> None:
        screen = await filled(pilot)
        await pilot.press("f7")
        flows = screen.sides["flows"].list
        await eventually(lambda: len(flows.listing) > 0)
        await pilot.press("down")
        await pilot.pause()

    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=size, run_before=act)
