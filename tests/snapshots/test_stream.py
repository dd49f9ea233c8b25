"""Pictures of the stream panel. Accept a change with --snapshot-update."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from core.store.packet_store import PacketStore
from tests.app.screens.follow.test_controller import BOTH, opened, talk
from tests.core.decode.frames import tcp_frame
from tests.core.decode.support import batch_of
from tests.helpers.scripted_monitor import scripted_monitor

SEARCH = ("ctrl+f", *"hello", "enter")
KEYS: dict[str, tuple[str, ...]] = {
    "text": (),
    "hex": ("v",),
    "raw": ("v", "v"),
    "times": ("t",),
    "search": SEARCH,
    "search-in-hex-with-times": ("v", "t", *SEARCH),
}
SIZES = pytest.mark.parametrize("size", [(160, 45), (80, 24)], ids=lambda size: f"{size[0]}")


@SIZES
@pytest.mark.parametrize("name", KEYS)
def test_stream(snap_compare, name, size):
    async def act(pilot: Pilot) -> None:
        await opened(pilot, 2, BOTH)
        await pilot.press(*KEYS[name])
        await pilot.pause()

    assert snap_compare(scripted_monitor(talk()), terminal_size=size, run_before=act)


def broken_talk() -> PacketStore:
    """Return a stream with missing bytes, other content sent again, and bytes that wait."""
    store = talk()
    lost = tcp_frame(b"after the gap\n", back=True, sequence=25 + 1448)
    known = tcp_frame(b"", sequence=34, acknowledgment=25 + 1448 + 14)
    changed = tcp_frame(b"AGAIN\n", sequence=28)
    waiting = tcp_frame(b"too early", sequence=100)
    store.append(batch_of([lost, known, changed, waiting]))
    return store


@SIZES
def test_a_stream_with_a_gap(snap_compare, size):
    rows = [
        *BOTH,
        "← [1448 bytes missing in capture file]",
        "← after the gap",
        "→ [5 bytes retransmitted with other content]",
    ]

    async def act(pilot: Pilot) -> None:
        await opened(pilot, 2, rows)
        await pilot.pause()

    assert snap_compare(scripted_monitor(broken_talk()), terminal_size=size, run_before=act)
