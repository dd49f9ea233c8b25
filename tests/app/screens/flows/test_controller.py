"""The flows panel on the screen: its keys and its mouse, and the filters that flows become."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from app.screens.flows.controller import NO_FILTER, FlowsController
from core.analysis.flows.level import Level
from tests.helpers.idle import eventually
from tests.helpers.idle import screen_text as all_text
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, main, scripted_monitor
from tests.widgets.stage import screen_text


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Pilot[Any], FlowsController]]:
    """Run the monitor with the panel open, its flows listed."""
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        await pilot.press("f7")
        controller = screen.sides["flows"]
        assert isinstance(controller, FlowsController)
        await eventually(lambda: len(controller.list.listing) > 0)
        yield pilot, controller


def level_of(controller: FlowsController) -> Level:
    return controller.list.listing.question.level


async def test_enter_shows_only_the_packets_of_a_flow_and_a_key_hides_them() -> None:
    async with opened() as (pilot, controller):
        screen = main(pilot)
        count = controller.list.listing.number("packets", 0)
        await pilot.press("enter")
        await eventually(lambda: screen.table.line_count == count)
        assert screen.filter.text.startswith("tcp.stream == ")
        await pilot.press("a")  # the flows of these packets
        await eventually(lambda: controller.list.listing.total == 1)
        assert controller.list.listing.packets == count
        await pilot.press("enter")  # the same flow: shows all
        await eventually(lambda: screen.filter.text == "")
        await pilot.press("a", "exclamation_mark")
        total = screen.shown.count
        await eventually(lambda: screen.table.line_count == total - count)
        assert screen.filter.text.startswith("not tcp.stream")
        assert controller.offered_stream() == ("tcp", controller.list.listing.number("stream", 0))


async def test_the_cursor_follows_the_selected_packet_and_stays_while_the_user_moves_it() -> None:
    async with opened() as (pilot, controller):
        screen = main(pilot)
        for level in (Level.TCP, Level.UDP, Level.IPV4, Level.ETHERNET):
            controller.choose_level(level.name)
            await eventually(lambda level=level: level_of(controller) is level)
            listing, last = controller.list.listing, len(controller.list.listing) - 1
            screen.workspace.focus_table()
            await eventually(lambda: screen.table.has_focus)
            screen.table.select(listing.number("first_packet", last))
            await eventually(lambda last=last: controller.list.row == last)
            screen.workspace.focus_panel("flows")
            await eventually(lambda: controller.list.has_focus)
            screen.table.select(listing.number("first_packet", 0))
            assert controller.list.row == last


async def test_levels_endpoints_texts_and_orders_by_keys_and_by_the_mouse() -> None:
    async with opened() as (pilot, controller):
        await pilot.press("v")
        await eventually(lambda: level_of(controller) is Level.UDP)
        assert controller.offered_stream() is not None
        await pilot.press("V", "E")
        await eventually(lambda: controller.list.listing.question.endpoints)
        assert controller.offered_stream() is None
        head = controller.panel.head
        at = screen_text(head)[0].index("IPv4") + 1
        await pilot.click(head, offset=(at, 0))
        await eventually(lambda: level_of(controller) is Level.IPV4)
        before = [controller.list.listing.end_text(row) for row in range(3)]
        await pilot.press("S")
        await eventually(lambda: not controller.list.listing.question.descending)
        assert before != [controller.list.listing.end_text(row) for row in range(3)]
        await pilot.press("c", *"192.0.2.53")
        await eventually(lambda: controller.list.listing.question.text == "192.0.2.53")
        total = controller.list.listing.total
        assert 0 < len(controller.list.listing) < total
        await pilot.press("enter")
        assert controller.list.has_focus
        await pilot.press("escape")
        await eventually(lambda: len(controller.list.listing) == total)
        assert main(pilot).workspace.side == "flows"  # escape did only that
        names = [name for name, _ in controller.copy_choices() or ()]
        assert names == ["Ends", "Filter", "JSON"]
        await pilot.press("a")
        assert NO_FILTER in [each.message for each in pilot.app._notifications]


async def test_the_mouse_scrolls_the_columns_and_follows_a_conversation() -> None:
    async with opened() as (pilot, controller):
        flows = controller.list
        width = flows.window.width
        assert screen_text(flows)[0].rstrip().endswith("›")
        before = flows.shown_columns[-1]
        await pilot.click(flows, offset=(width - 1, 0))
        assert flows.shift.value == 1
        assert flows.shown_columns[-1] != before
        assert screen_text(flows)[0].startswith("‹")
        await pilot.click(flows, offset=(0, 0))
        assert flows.shift.value == 0
        assert not screen_text(flows)[0].startswith("‹")
        await pilot.click(flows, offset=(5, 1), button=3)
        await eventually(lambda: pilot.app.screen is not main(pilot))
        await eventually(lambda: "Follow the stream" in all_text(pilot.app))


async def test_chosen_words_have_brackets() -> None:
    async with opened() as (pilot, controller):
        text = "  ".join(screen_text(controller.panel.head))
        for word in ("[TCP]", " UDP ", "[conversations]", " endpoints ", "[all]", " filtered"):
            assert word in text
        await pilot.press("v", "E", "a")
        await eventually(lambda: "[UDP]" in screen_text(controller.panel.head)[0])
        text = "  ".join(screen_text(controller.panel.head))
        for word in (" TCP ", " conversations ", "[endpoints]", "[filtered]"):
            assert word in text
