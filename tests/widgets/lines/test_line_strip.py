"""A line is freed without a collection of garbage, whatever was painted of it."""

from __future__ import annotations

import gc
from collections import Counter
from typing import Any

import pytest
from rich.segment import Segment
from textual.strip import Strip

from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor
from widgets.lines.line_renderer import LineRenderer
from widgets.lines.line_strip import LineStrip

KEYS = "j" * 12 + "k" * 6


@pytest.mark.parametrize("cuts", [[3], [1, 3], [2]])
def test_a_line_is_divided_as_every_strip(cuts):
    strip = Strip([Segment("ab"), Segment("c")], 3)
    parts = LineStrip.of(strip).divide(cuts)
    assert [part.text for part in parts] == [part.text for part in strip.divide(cuts)]
    assert all(type(part) is LineStrip for part in parts) == (cuts == [3])


async def test_moving_the_cursor_leaves_no_lines_as_garbage(monkeypatch):
    """The strips of ten packets were 1,500 objects that only a full collection freed."""
    drawn: set[str] = set()
    row = LineRenderer.row

    def noted_row(*arguments: Any) -> Strip:
        strip = row(*arguments)
        drawn.add(strip.text.strip())
        return strip

    monkeypatch.setattr(LineRenderer, "row", noted_row)
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        await filled(pilot)
        await pilot.press("g", *KEYS)  # what is imported and remembered once
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            await pilot.press(*KEYS)
            gc.collect()
            kinds = Counter(type(each).__name__ for each in gc.garbage)
            texts = {each.text.strip("│ ") for each in gc.garbage if isinstance(each, Strip)}
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    assert kinds["LineStrip"] == kinds["_Packets"] == kinds["ChunkValues"] == 0, kinds
    assert not texts & (drawn - {""})
