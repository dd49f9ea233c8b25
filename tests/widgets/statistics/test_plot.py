"""The plot of the rate: its range by keys and by the mouse, at any size."""

from __future__ import annotations

import numpy as np
from rich.cells import cell_len

from core.analysis.statistics.rate import NO_BINS, RateBins
from tests.widgets.stage import play, screen_text
from widgets.statistics.plot import AXIS, TimePlot

S = 10**9
FIRST = 100 * S
COUNTS = np.array([10, 0, 40, 20, 5], np.int64)
BINS = RateBins(S, FIRST, COUNTS, COUNTS * 100)


def _range(plot: TimePlot) -> tuple[int, int] | None:
    chosen = plot.selection
    return chosen and ((chosen.start_ns - FIRST) // S, (chosen.stop_ns - FIRST) // S)


def test_a_range_by_keys() -> None:
    async def scene(pilot) -> None:
        plot = pilot.app.widget
        plot.action_step(1)
        assert plot.selection is None  # no bins yet
        plot.show(BINS, FIRST)
        plot.action_step(1)
        assert _range(plot) == (0, 1)
        plot.action_step(1)
        plot.action_step(1, extend=True)
        plot.action_step(1, extend=True)
        assert _range(plot) == (1, 4)
        for _ in range(4):
            plot.action_step(-1, extend=True)
        assert _range(plot) == (0, 2)
        plot.action_end(1)
        assert _range(plot) == (4, 5)
        plot.action_step(9)
        assert _range(plot) == (4, 5)
        assert "4 s to 5 s: 5 packets, 5/s, 4.0 kbit/s" in screen_text(plot)[0]
        assert plot.clear_selection()
        assert not plot.clear_selection()
        assert "at most 40/s in 1 s" in screen_text(plot)[0]
        plot.in_bits = True
        assert "at most 32.0 kb/s" in screen_text(plot)[0]

    play(TimePlot(), scene)


def test_a_range_by_the_mouse() -> None:
    async def scene(pilot) -> None:
        plot = pilot.app.widget
        plot.show(BINS, FIRST)
        await pilot.pause()
        step = plot.layout_now.stretch
        await pilot.mouse_down(plot, offset=(AXIS + step, 5))
        await pilot.hover(plot, offset=(AXIS + 3 * step, 5))
        await pilot.mouse_up(plot, offset=(AXIS + 3 * step, 5))
        assert _range(plot) == (1, 4)
        await pilot.hover(plot, offset=(AXIS, 5))
        assert _range(plot) == (1, 4)  # the button is up
        await pilot.click(plot, offset=(99, 5))
        assert _range(plot) == (4, 5)

    play(TimePlot(), scene)


def test_a_range_stays_while_packets_arrive() -> None:
    async def scene(pilot) -> None:
        plot = pilot.app.widget
        plot.show(BINS, FIRST)
        plot.action_end(1)
        counts = np.ones(500, np.int64)
        plot.show(RateBins(S, FIRST, counts, counts), FIRST)
        assert _range(plot) == (4, 5)

    play(TimePlot(), scene)


def test_every_line_fits_at_every_size() -> None:
    async def scene(pilot) -> None:
        plot = pilot.app.widget
        for bins in (NO_BINS, BINS):
            plot.show(bins, FIRST)
            plot.action_step(1)
            for size in ((100, 30), (1, 1), (12, 4), (300, 80), (9, 9)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
                for strip in plot.render_lines(plot.size.region):
                    assert strip.cell_length == cell_len(strip.text) == plot.size.width

    play(TimePlot(), scene)


def test_a_capture_over_years_has_rates_per_day() -> None:
    day = 86_400 * S
    bins = RateBins(7 * day, FIRST, COUNTS, COUNTS * 100)

    async def scene(pilot) -> None:
        plot = pilot.app.widget
        plot.show(bins, FIRST)
        assert "packets, at most 5.7/day in 7 days 00:00" in screen_text(plot)[0]
        plot.action_end(1)
        words = "28 days 00:00 to 35 days 00:00: 5 packets, 0.71/day, 24 bit/h"
        assert words in screen_text(plot)[0]

    play(TimePlot(), scene)
