"""Pictures of the statistics panel; `make test` compares them."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor

SIZES = [((160, 45), ("f8",)), ((80, 24), ("f8", "z", "4", "home", "shift+right"))]


@pytest.mark.parametrize(("size", "keys"), SIZES, ids=lambda each: str(each[0]))
def test_statistics(snap_compare, size, keys):
    """The hierarchy beside the packets, and a range of the rate on a small terminal."""

    async def act(pilot: Pilot) -> None:
        screen = await filled(pilot)
        await pilot.press(keys[0])
        head = screen.sides["statistics"].panel.head

        def is_counted() -> bool:
            screen.poll()
            return head.state.packets > 0 and not head.state.note

        await eventually(is_counted, "the count of all packets")
        await pilot.press(*keys[1:])

    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=size, run_before=act)
