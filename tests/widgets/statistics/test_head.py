"""The tabs and the totals above the statistics."""

from __future__ import annotations

from tests.widgets.stage import play, screen_text
from widgets.statistics.head import HeadState, StatisticsHead
from widgets.statistics.rows import StatisticsTab


def test_tabs_and_totals() -> None:
    async def scene(pilot) -> None:
        head = pilot.app.widget
        head.show(HeadState(StatisticsTab.LENGTHS, 1_234, 5_000_000, 12.5))
        await pilot.pause()
        tabs, totals = screen_text(head)
        assert tabs == "  1 Protocols   2 Lengths   3 Talkers   4 Rate"
        assert totals == " all packets · 1,234 packets · 5.0 MB · 12.5 s"
        head.show(HeadState(has_filter=True, is_filtered=True, note="counting: 1 of 2 packets"))
        assert screen_text(head)[1] == " a packets that pass the filter · counting: 1 of 2 packets"

    play(StatisticsHead(), scene)


def test_clicks() -> None:
    pressed: list[str] = []

    class Head(StatisticsHead):
        def post_message(self, message) -> bool:
            if isinstance(message, StatisticsHead.Pressed):
                pressed.append(message.action)
            return super().post_message(message)

    async def scene(pilot) -> None:
        head = pilot.app.widget
        head.show(HeadState(has_filter=True))
        await pilot.pause()
        for x, y in ((5, 0), (30, 0), (70, 0), (2, 1), (8, 1), (60, 1)):
            await pilot.click(head, offset=(x, y))

    play(Head(), scene)
    assert pressed == ["tab(0)", "tab(2)", "toggle_scope()", "toggle_scope()"]
