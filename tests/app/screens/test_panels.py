"""The selected packet on the main screen: what arrives later, and the bytes of a datagram."""

from __future__ import annotations

from app.screens.panels import PanelTabs
from core.store.packet_store import PacketStore
from tests.core.analysis.reassembly.fragmented import WHOLE, pieces, store_of
from tests.core.decode.support import batch_of
from tests.helpers.idle import eventually
from tests.helpers.scripted_monitor import filled, main, scripted_monitor
from widgets.detail.packet_detail import PacketDetail
from widgets.hex.hex_view import HexView


def select_row(pilot, key: str) -> None:
    """Put the cursor of the detail tree on a visible row."""
    detail = main(pilot).panels.detail
    keys = [line.row.key for line in detail.model.lines]
    detail.move_to_line(keys.index(key))


def row_keys(pilot) -> list[str]:
    return [row.key for row in main(pilot).panels.selected.rows]


async def test_a_datagram_and_its_fragments():
    store: PacketStore = store_of([pieces()[:2]])
    async with scripted_monitor(store).run_test(size=(160, 45)) as pilot:
        await filled(pilot)
        table, panels = main(pilot).table, main(pilot).panels
        table.select(1)
        await pilot.pause()
        assert "udp" not in row_keys(pilot)
        assert "Reassembled" not in table.rows.read(0).info

        store.append(batch_of(pieces()[2:]))
        await eventually(lambda: "[Reassembled in #3]" in table.rows.read(0).info)
        await eventually(lambda: "ip.reassembled_in" in _shown_keys(pilot))
        await pilot.press("enter")  # the detail tree
        select_row(pilot, "ip.reassembled_in")
        await pilot.press("enter")
        assert table.selected == 3
        assert "udp" in row_keys(pilot)
        assert main(pilot).focused is panels.detail

        select_row(pilot, "udp.srcport")
        await pilot.pause()
        assert panels.hex.dump.data == WHOLE
        assert panels.hex.border_title == "Reassembled datagram"
        tabs = main(pilot).query_one(PanelTabs)
        assert "─ Detail ─ Reassembled datagram ─" in tabs.render().plain
        panels.post_message(HexView.ByteSelected(panels.hex, 2))
        await eventually(lambda: panels.detail.selected_row.key == "udp.dstport")
        select_row(pilot, "ip.src")
        await pilot.pause()
        assert panels.hex.dump.data == pieces()[2]
        assert panels.hex.border_title == "Hex"
        assert "─ Detail ─ Hex ─" in tabs.render().plain

        select_row(pilot, "ip.fragments")
        await pilot.press("right", "right", "enter")  # the first fragment
        assert table.selected == 1

        panels.detail.post_message(PacketDetail.PacketChosen(panels.detail, 99))
        await pilot.pause()
        assert table.selected == 1
        (notice,) = pilot.app._notifications
        assert notice.message == "packet 99 is not in the table: filtered out, or removed"


def _shown_keys(pilot) -> list[str]:
    return [line.row.key for line in main(pilot).panels.detail.model.lines]
