"""Pictures of the stream panel. Accept a change with --snapshot-update."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.app.screens.follow.test_controller import BOTH, opened, talk
from tests.helpers.scripted_monitor import scripted_monitor


@pytest.mark.parametrize("size", [(160, 45), (80, 24)], ids=lambda size: f"{size[0]}")
def test_stream(snap_compare, size):
    async def act(pilot: Pilot) -> None:
        await opened(pilot, 2, BOTH)
        await pilot.press(*(["v"] if size[0] == 80 else ["ctrl+f", *"hello", "enter"]))
        await pilot.pause()

    assert snap_compare(scripted_monitor(talk()), terminal_size=size, run_before=act)
