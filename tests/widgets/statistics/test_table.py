"""The tables of the statistics: columns that fit, a cursor that stays with its row, bars."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.analysis.statistics.statistics import Statistics
from core.analysis.statistics.talkers import Talker
from tests.widgets.stage import play, screen_text
from widgets.statistics.rows import StatisticsTab, table_rows
from widgets.statistics.table import StatisticsTable, bar_of


def _talkers(*sizes: int) -> tuple[Talker, ...]:
    return tuple(
        Talker("ipv6.addr", f"2001:db8:85a3:1111:2222:3333:4444:{size}", 1, size, 0, 0)
        for size in sizes
    )


FOUND = Statistics(packets=60, bytes=6_000, talkers=_talkers(3_000, 2_000, 1_000))


@pytest.mark.parametrize(
    ("share", "bar"), [(0, ""), (1e-9, "▌"), (0.5, "████"), (0.55, "████▌"), (1, "████████")]
)
def test_bars(share, bar) -> None:
    assert bar_of(share, 8) == bar


def test_columns_that_do_not_fit_are_dropped() -> None:
    async def scene(pilot) -> None:
        table = pilot.app.widget
        table.show(StatisticsTab.TALKERS, table_rows(StatisticsTab.TALKERS, FOUND))
        for width, headings in ((160, 8), (70, 4), (20, 1), (5, 1)):
            await pilot.resize_terminal(width, 10)
            await pilot.pause()
            heading, *lines = screen_text(table)
            shown = heading.replace("Bytes ", "").replace("Packets ", "").split()
            assert len(shown) <= headings
            assert all(len(line) <= width for line in lines)
        await pilot.resize_terminal(30, 10)
        await pilot.pause()
        assert "2001:db8:85a3:…:4444:3000" in screen_text(table)[1]  # cut between groups

    play(StatisticsTable(), scene)


def test_the_cursor_stays_with_its_row() -> None:
    async def scene(pilot) -> None:
        table = pilot.app.widget
        table.show(StatisticsTab.TALKERS, table_rows(StatisticsTab.TALKERS, FOUND))
        table.action_move("down")
        assert table.selected.expression.endswith(":2000")
        other = replace(FOUND, talkers=_talkers(2_000, 4_000, 3_000, 1_000))
        table.show(StatisticsTab.TALKERS, table_rows(StatisticsTab.TALKERS, other))
        assert table.cursor_line == 0
        table.show(StatisticsTab.TALKERS, ())
        assert table.selected is None
        table.show(StatisticsTab.LENGTHS, table_rows(StatisticsTab.LENGTHS, FOUND))
        assert table.selected.name == "Length"

    play(StatisticsTable(), scene)
