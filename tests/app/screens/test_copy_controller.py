"""Copying: the packet is dissected once, and each panel decides what it offers."""

from __future__ import annotations

import pytest

from app.screens.dialogs.copy import Copy
from core.store import captured_packet
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor
from widgets.packets.row import RowReader

SYN = 5  # number of a packet that begins a connection


async def test_a_selected_packet_is_not_dissected_again(monkeypatch):
    """Neither to copy it nor to fill the form or resend it."""
    dissected = []
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        screen.table.select(SYN)
        await pilot.pause()  # until the table has drawn its rows
        selected = screen.panels.selected
        right = captured_packet.dissect
        monkeypatch.setattr(
            captured_packet, "dissect", lambda *of: dissected.append(of[0]) or right(*of)
        )
        await pilot.press("y")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Copy)
        await pilot.press("escape", "f")
        await pilot.pause()
        assert screen.panels.selected is selected
        assert selected.packet.data not in dissected


@pytest.mark.parametrize("number", range(1, 12))
async def test_the_row_of_the_selected_packet_is_that_of_the_table(number):
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        screen.table.select(number)
        rows = screen.table.rows
        row = RowReader(screen.bridge.faults).selected_row(
            screen.panels.selected, screen.shown, rows.flows
        )
        assert row == rows.read(rows.row_of(number))


@pytest.mark.parametrize(
    ("keys", "first"), [("", "Row"), ("tab", "Field"), ("tab tab right", "Selected bytes")]
)
async def test_the_focused_panel_comes_first(keys, first):
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        screen.table.select(SYN)
        await pilot.press(*keys.split())
        screen.copier.choose()
        await pilot.pause()
        assert pilot.app.screen.choices[0][0] == first


async def test_a_side_panel_may_offer_choices_of_its_own():
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        screen.workspace.focus_panel("forge")
        screen.copier.choose()
        await pilot.pause()
        assert pilot.app.screen.choices == screen.sides["forge"].copy_choices()
