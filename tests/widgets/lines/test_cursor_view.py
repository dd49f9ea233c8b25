"""The right button on a list with a cursor."""

from __future__ import annotations

import pytest
from textual import events

from core.store.selected_packet import select_packet
from core.wire.present.faults import Faults
from tests.helpers.scripted import scripted_store
from tests.widgets.stage import play
from widgets.detail.packet_detail import PacketDetail
from widgets.hex.hex_view import HexView
from widgets.lines.cursor_view import CursorView
from widgets.packets.packet_table import PacketTable

SNAPSHOT = scripted_store().snapshot()


def fill(view: CursorView) -> None:
    """Show packets, or the first one."""
    selected = select_packet(SNAPSHOT, 1, Faults())
    assert selected is not None
    if isinstance(view, PacketTable):
        view.follow = False
        view.show(SNAPSHOT)
    elif isinstance(view, PacketDetail):
        view.show(selected.rows)
    elif isinstance(view, HexView):
        view.show(selected.packet.data)


def menus(pilot):
    return [m for m in pilot.app.heard if isinstance(m, CursorView.MenuRequested)]


@pytest.mark.parametrize("kind", [PacketTable, PacketDetail, HexView])
def test_the_right_button_moves_the_cursor_and_asks_for_the_menu(kind):
    async def scene(pilot):
        view = pilot.app.widget
        fill(view)
        await pilot.pause()
        await pilot.click(view, offset=(20, 2), button=3)
        (asked,) = menus(pilot)
        assert asked.view is view
        assert asked.at == (20, 2)
        assert view.cursor_line == 2 - view.HEADER_LINES

    play(kind(), scene)


def test_the_left_button_asks_for_no_menu():
    async def scene(pilot):
        fill(pilot.app.widget)
        await pilot.pause()
        await pilot.click(pilot.app.widget, offset=(20, 4))
        assert menus(pilot) == []

    play(PacketDetail(), scene)


@pytest.mark.parametrize("kind", [PacketTable, PacketDetail])
def test_no_menu_below_the_last_line_or_on_the_heading(kind):
    async def scene(pilot):
        view = pilot.app.widget
        fill(view)
        await pilot.pause()
        before = view.cursor_line
        await pilot.click(view, offset=(20, 59), button=3)
        if view.HEADER_LINES:
            await pilot.click(view, offset=(20, 0), button=3)
        assert menus(pilot) == []
        assert view.cursor_line == before

    play(kind(), scene, size=(100, 60))


def test_a_release_beside_the_line_cancels():
    async def scene(pilot):
        view = pilot.app.widget
        fill(view)
        await pilot.pause()
        await pilot._post_mouse_events([events.MouseDown], view, (20, 4), button=3)
        await pilot._post_mouse_events([events.MouseUp], view, (20, 6), button=3)
        assert menus(pilot) == []
        assert view.cursor_line == 4

    play(PacketDetail(), scene)


def test_the_right_button_opens_no_row():
    async def scene(pilot):
        view = pilot.app.widget
        fill(view)
        await pilot.pause()
        lines = view.line_count
        await pilot.click(view, offset=(1, 0), button=3)  # on the arrow
        await pilot.click(view, offset=(1, 0), button=3)  # twice
        assert view.line_count == lines

    play(PacketDetail(), scene)
