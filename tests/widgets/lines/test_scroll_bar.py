"""The scroll bar keeps its strips, and always looks as Textual would draw it."""

from textual.scrollbar import ScrollBar

from tests.widgets.packets.test_packet_table import filled
from tests.widgets.stage import play
from widgets.packets.packet_table import PacketTable


def test_the_scroll_bar_equals_that_of_textual_at_every_position():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(filled(500).snapshot())
        bar = table.vertical_scrollbar
        for line in (0, 1, 2, 7, 100, 101, 250, 479, 480):
            table.scroll_to(y=line)
            await pilot.pause()
            everything = bar.size.region
            kept = bar.render_lines(everything)
            bar._styles_cache.clear()
            assert kept == ScrollBar.render_lines(bar, everything)

    play(PacketTable(), scene)


def test_one_line_among_many_draws_nothing():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(filled(5000).snapshot())
        table.scroll_to(y=0)
        await pilot.pause()
        bar = table.vertical_scrollbar
        kept = bar.render_lines(bar.size.region)
        table.scroll_to(y=1)
        await pilot.pause()
        assert bar.render_lines(bar.size.region) is kept
        table.scroll_to(y=2500)
        await pilot.pause()
        assert bar.render_lines(bar.size.region) != kept

    play(PacketTable(), scene)
