"""The color rules in the packet table: which cells they color, and how late colors appear."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from rich.style import Style
from textual.pilot import Pilot

from core.analysis.color_rules.row_colors import RowColors
from core.analysis.color_rules.rule import Color, ColorRule
from core.analysis.color_rules.rule_matcher import RuleMatcher
from core.store.snapshot import Snapshot
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor
from tests.helpers.waiting import PATIENCE_S
from tests.widgets.stage import play, styles_at
from widgets.packets.packet_table import PacketTable
from widgets.packets.paint import rule_style

WHOLE = ColorRule("syn", "tcp.flags.syn == 1", Color.WARNING, bold=True, whole_row=True)
CELLS = ColorRule("tcp", "tcp", Color.ACCENT)
SYN, SEGMENT, DATAGRAM = 5, 7, 3  # packet numbers of the scripted store


@pytest.fixture
def colors() -> Iterator[RowColors]:
    made = RowColors([WHOLE, CELLS], patience_s=PATIENCE_S)
    yield made
    made.close()


def _style(table: PacketTable, number: int, text: str) -> Style:
    """Return the style of the cells in which a row has a text."""
    (style,) = (style for part, style in styles_at(table, number) if text in part)
    assert isinstance(style, Style)
    return style


def test_a_rule_colors_protocol_and_info_or_the_whole_row(colors: RowColors) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        table = pilot.app.widget
        table.row_colors = colors
        table.show(scripted_store().snapshot())
        table.select(1)
        await pilot.pause()
        plain = table.component("packet-table--plain")
        whole, cells = (rule_style(rule, table.component) for rule in (WHOLE, CELLS))
        assert whole.bold
        assert not cells.bold
        assert len({plain, whole, cells, table.component("packet-table--quiet")}) == 4
        assert _style(table, SYN, "198.51.100.80") == _style(table, SYN, "[SYN]") == whole
        assert _style(table, SEGMENT, "198.51.100.80") == plain
        assert _style(table, SEGMENT, "[ACK]") == cells
        assert _style(table, DATAGRAM, "api.example.net") == plain
        colors.rules = [CELLS]
        table.refresh()
        await pilot.pause()
        assert _style(table, SYN, "[SYN]") == cells

    play(PacketTable(), scene, size=(140, 40))


async def test_late_colors_appear_with_the_next_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, match = threading.Event(), RuleMatcher.match

    def slow(self: RuleMatcher, snapshot: Snapshot, *packets: Any) -> object:
        assert gate.wait(PATIENCE_S)
        return match(self, snapshot, *packets)

    monkeypatch.setattr(RuleMatcher, "match", slow)
    monitor = scripted_monitor(scripted_store())
    monitor.bridge.colors.patience_s = 0
    async with monitor.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        screen.bridge.colors.rules = [CELLS]
        table = screen.table
        table.select(1)
        plain = table.component("packet-table--plain")
        assert _style(table, SEGMENT, "[ACK]") == plain
        gate.set()
        cells = rule_style(CELLS, table.component)
        await eventually(
            lambda: _style(table, SEGMENT, "[ACK]") == cells, "the colors", screen.poll
        )
