"""The list of flows: the cursor stays on its flow, and headings ask for another order."""

from __future__ import annotations

from dataclasses import replace

from textual.pilot import Pilot

from core.analysis.flows.conversations import FlowCounter
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowListing, FlowQuestion, listing_of
from core.analysis.tcp.flow_index import FlowIndex
from tests.core.analysis.flows.test_listing import SENT
from tests.core.analysis.tcp.conversations import Sent, chunk_of
from tests.widgets.stage import play, screen_text
from widgets.flows.flow_list import FlowList
from widgets.sorted.column import Sort

COUNTER = FlowCounter()
_CHUNK = chunk_of([*SENT, *(Sent(ports=(41_000 + port, 80)) for port in range(30))])
COUNTER.add(_CHUNK, FlowIndex().append(_CHUNK))


QUESTION = FlowQuestion()


def listed(question: FlowQuestion = QUESTION) -> FlowListing:
    return listing_of(question, COUNTER.tables[question.level], COUNTER.scale, COUNTER.packets)


def test_the_cursor_stays_on_its_flow_while_the_order_changes() -> None:
    async def scene(pilot: Pilot[None]) -> None:
        flows = pilot.app.widget
        flows.show(listed())
        assert flows.row == 0
        flows.action_move("down")
        end = flows.listing.end_text(flows.row)
        for question in (FlowQuestion(sort="a"), FlowQuestion(sort="start", descending=False)):
            flows.show(listed(question))
            assert flows.listing.end_text(flows.row) == end
            assert flows.row in flows.window.lines

    play(FlowList(FlowQuestion()), scene)


def test_a_heading_asks_for_an_order_and_the_next_listing_has_it() -> None:
    asked: list[Sort[object]] = []

    class Listening(FlowList):
        def on_flow_list_sorted(self) -> None:
            asked.append(self.sort)

    async def scene(pilot: Pilot[None]) -> None:
        flows = pilot.app.widget
        flows.show(listed())
        heading = screen_text(flows)[0]
        await pilot.click(offset=(heading.index("Packets") + 1, 0))
        await pilot.click(offset=(heading.index("Packets") + 1, 0))
        await pilot.pause()
        assert [(sort.column.heading, sort.descending) for sort in asked] == [
            ("Packets", True),
            ("Packets", False),
        ]
        assert "Packets▲" in screen_text(flows)[0]

    play(Listening(FlowQuestion()), scene)


def test_other_flows_have_other_columns_and_a_cursor_of_their_own() -> None:
    async def scene(pilot: Pilot[None]) -> None:
        flows = pilot.app.widget
        flows.show(listed())
        flows.action_move("last")
        flows.show(listed(FlowQuestion(Level.IPV4, endpoints=True)))
        heading, first, *_ = screen_text(flows)
        assert heading.split()[0] == "Endpoint"
        assert first.split()[0] in ("10.0.0.1", "10.0.0.2")
        assert flows.row == 0
        flows.show(listed(FlowQuestion(Level.IPV6)))
        assert flows.row is None
        assert screen_text(flows)[1] == ""

    play(FlowList(FlowQuestion()), scene)


def test_text_that_selects_others_leaves_the_cursor_nowhere() -> None:
    async def scene(pilot: Pilot[None]) -> None:
        flows = pilot.app.widget
        flows.show(listed())
        flows.show(listed(replace(FlowQuestion(), text="nothing")))
        assert flows.row is None
        flows.action_move("down")
        flows.show(listed(replace(FlowQuestion(), text="41005")))
        flows.action_move("first")
        assert flows.row == 0

    play(FlowList(FlowQuestion()), scene)
