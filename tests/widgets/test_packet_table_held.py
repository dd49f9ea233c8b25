"""A held packet table while the store evicts packets: their rows stay and report it."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.packet_analysis import AnalyzedPackets
from core.store.budget import Budget
from core.store.filtered_view import View
from tests.widgets.packets.test_packet_table import ManyPackets, add, filled, numbers
from tests.widgets.stage import play, screen_text, styles_at
from widgets.packets.packet_table import PacketTable
from widgets.packets.paint import EVICTED
from widgets.packets.time_format import TimeFormat


def test_held_rows_stay_in_their_places_and_report_the_eviction():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(ManyPackets(1000))
        table.select(2)
        table.toggle_mark()
        table.select(10)
        table.scroll_to(y=0)
        top, count = table.window.top, table.line_count
        table.hold(ManyPackets(1000, first=6))
        lines = screen_text(table)[1:]
        assert (table.window.top, table.line_count) == (top, count)
        assert ["evicted" in line for line in lines[:8]] == [True] * 5 + [False] * 3
        assert [int(line.split()[0]) for line in lines[:8]] == list(range(1, 9))
        assert table.selected == 10
        assert table.marks == frozenset()
        assert table.rows.held_count == 995
        assert not table.select(5)
        assert table.select(6)
        table.move_to_line(0)  # the cursor can be there nevertheless
        assert table.selected == 1
        assert styles_at(table, 1)[0][1] == table.component("packet-table--cursor")
        table.hold(ManyPackets(1000, first=1001))
        assert all("evicted" in line for line in screen_text(table)[1:])
        assert (table.rows.held_count, table.line_count) == (0, 1000)
        await pilot.pause()

    assert play(PacketTable(), scene).heard == []


@pytest.mark.parametrize("time_format", TimeFormat)
@pytest.mark.parametrize("width", [20, 40, 80, 160])
def test_held_rows_are_drawn_at_every_width_and_with_every_time(time_format, width):
    """Draw rows before, after, and at the boundary between evicted and other packets."""

    async def scene(pilot):
        table = pilot.app.widget
        table.time_format = time_format
        table.show(ManyPackets(1000))
        table.select(1)
        for first in (2, 5, 30, 1000, 1001):
            table.hold(ManyPackets(1000, first=first))
            table.scroll_to(y=max(0, first - 4))
            for line, text in enumerate(screen_text(table)[1:], start=table.window.top):
                assert str(line + 1) in text
                gone = EVICTED[:7] in text
                assert gone == (line + 1 < first) or width < 40
            assert table.widest_shift() >= 0

    play(PacketTable(), scene, size=(width, 20))


def test_a_held_view_continues_where_it_was():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(ManyPackets(1000))
        table.select(700)
        before = numbers(table)
        table.hold(ManyPackets(1000, first=400))
        table.show(ManyPackets(1500, version=2, first=400))
        assert numbers(table) == before
        assert table.line_count == table.rows.held_count == 1101
        table.hold(ManyPackets(1500, version=2, first=800))
        assert table.selected == 700
        table.show(ManyPackets(2000, version=3, first=800))
        assert table.selected == 800
        await pilot.pause()

    heard = play(PacketTable(), scene).heard
    assert [(message.number, message.now) for message in heard] == [(700, 800)]


def test_a_filter_keeps_no_row_of_an_evicted_packet():
    async def scene(pilot):
        table = pilot.app.widget
        store = filled(10_000, limit_bytes=1 << 19)
        table.show(store.snapshot())
        held = store.snapshot()
        while store.snapshot().first == held.first:
            add(store, 100)
        held = held.without_evicted(store.snapshot())
        table.hold(held)
        assert 0 < table.rows.held_count < table.line_count
        view = View(lambda chunk, *_: np.ones(len(chunk), bool))
        view.extend(held, Budget())
        table.hold(held, AnalyzedPackets(view.packets))
        assert table.rows.held_count == table.line_count == held.count - held.evicted

    play(PacketTable(), scene)
