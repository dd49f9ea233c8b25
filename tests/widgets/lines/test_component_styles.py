"""Styles are kept until the theme changes."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.widgets.stage import play
from widgets.packets.packet_table import PacketTable


def test_a_style_is_computed_once_until_it_is_cleared() -> None:
    table = PacketTable()

    async def scene(pilot: Pilot[None]) -> None:
        styles = table.component
        name = "packet-table--cursor"
        assert styles(name) is styles(name)
        assert styles.base is styles.base
        assert styles(name) == table.get_component_rich_style(name)
        before = styles(name), styles.base
        pilot.app.theme = "textual-light"
        await pilot.pause()
        assert (styles(name), styles.base) != before
        assert styles.base == table.rich_style

    play(table, scene)
