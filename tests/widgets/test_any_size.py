"""No terminal is too small for the widgets, and resizing it repeatedly breaks nothing."""

import pytest
from rich.cells import cell_len

from core.wire.dissect import dissect
from core.wire.model.field import Span
from core.wire.present.detail import each_row
from tests.helpers.scripted import BAD_CHECKSUM, scripted_store
from tests.widgets.stage import play
from widgets.detail.packet_detail import PacketDetail
from widgets.hex.hex_view import HexView
from widgets.packets.packet_table import PacketTable
from widgets.status.bar import StatusBar
from widgets.status.line import StatusLine, StatusState

SNAPSHOT = scripted_store().snapshot()
PACKET = SNAPSHOT.packet(BAD_CHECKSUM)
DISSECTION = dissect(PACKET.data, PACKET.link_type, PACKET.original_length)


def fill_table(table):
    table.show(SNAPSHOT)


def fill_detail(view):
    view.show(tuple(each_row(DISSECTION)))


def fill_hex(view):
    view.show(PACKET.data, PACKET.original_length + 9)
    view.highlight(Span(14, 60))


def fill_bar(bar):
    line = StatusLine(
        StatusState.LIVE, "eth0", 10**9, (1.0, 2.0), 1e9, 10**6, 10**6, clock="12:03:44"
    )
    bar.show(line)


@pytest.mark.parametrize(
    ("make", "fill"),
    [
        (PacketTable, fill_table),
        (PacketDetail, fill_detail),
        (HexView, fill_hex),
        (StatusBar, fill_bar),
    ],
)
def test_every_line_fits_at_every_size(make, fill):
    async def scene(pilot):
        widget = pilot.app.widget
        for size in ((100, 30), (1, 1), (20, 5), (7, 2), (300, 80), (2, 40), (40, 10)):
            await pilot.resize_terminal(*size)
            fill(widget)
            await pilot.pause()
            for strip in widget.render_lines(widget.size.region):
                assert strip.cell_length == cell_len(strip.text) == widget.size.width
                assert not strip.text[widget.scrollable_content_region.width :].strip()

    play(make(), scene)
