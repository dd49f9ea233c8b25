"""Searching on the main screen: what a search finds, says, and highlights, and how it ends."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager

import pytest
from textual.widgets import Input

from app.screens.dialogs.search import SearchDialog
from app.screens.search_line import SearchLine
from core.analysis.analyzer import AnalysisEndedError
from core.analysis.search.criteria import FilterCriterion
from core.store.packet_store import PacketStore
from tests.helpers.idle import eventually
from tests.helpers.scripted import BAD_CHECKSUM, HTTP_REQUEST, MALFORMED, scripted_store
from tests.helpers.scripted_monitor import ScriptedEngine, filled, main, scripted_monitor
from tests.helpers.waiting import PATIENCE_S

REQUEST = 8
RESET = 22


@asynccontextmanager
async def running(store=None, engine=None):
    monitor = scripted_monitor(store or scripted_store(), engine)
    async with monitor.run_test(size=(120, 40)) as pilot:
        await filled(pilot)
        await pilot.press("g")
        yield pilot


async def search(pilot, text: str, *keys: str) -> None:
    """Search for a text; `keys` are pressed in the dialog before enter."""
    await pilot.press("ctrl+f", *keys)
    pilot.app.screen.query_one(Input).value = text
    await pilot.press("enter")
    assert pilot.app.screen is main(pilot)


def line(pilot) -> str:
    return main(pilot).query_one(SearchLine).words


def highlighted(pilot) -> bytes:
    panels = main(pilot).panels
    span = panels.hex.highlighted
    return panels.selected.packet.data[span.start : span.stop]


async def test_a_text_is_found_and_its_bytes_are_highlighted():
    async with running() as pilot:
        table = main(pilot).table
        await search(pilot, "get /STATUS")
        assert line(pilot) == f"'get /STATUS': packet {REQUEST}"
        assert table.selected == REQUEST
        assert highlighted(pilot) == b"GET /status"
        await pilot.press("n")
        assert table.selected == BAD_CHECKSUM
        await pilot.press("n")
        assert line(pilot) == f"'get /STATUS': packet {REQUEST}, wrapped to the first packet"
        await pilot.press("N")
        assert table.selected == BAD_CHECKSUM
        assert line(pilot).endswith("wrapped to the last packet")
        await pilot.press("ctrl+f", "enter")  # the last query again
        assert table.selected == REQUEST


@pytest.mark.parametrize(
    ("text", "keys", "found"),
    [
        ("47 45 54", ["down"], REQUEST),
        ("tcp.flags.reset == 1", ["up"], RESET),
        ("who has", [], 1),
    ],
)
async def test_kinds(text, keys, found):
    async with running() as pilot:
        await search(pilot, text, *keys)
        assert main(pilot).table.selected == found


async def test_the_line_says_that_no_packet_has_it():
    async with running() as pilot:
        await search(pilot, "nowhere")
        assert line(pilot) == "no packet contains 'nowhere'"
        assert main(pilot).table.selected == 1
        await search(pilot, "who HAS", "tab", "tab", "space")  # the case counts
        assert line(pilot) == "no packet contains 'who HAS'"
        await pilot.press("escape")
        assert not line(pilot)
        await pilot.press("right_square_bracket")
        assert line(pilot) == "no packet is marked"


async def test_the_only_match():
    async with running() as pilot:
        await search(pilot, "frame.number == 1", "up")
        assert line(pilot) == "frame.number == 1: packet 1, the only one"


async def test_references_mean_the_packet_that_was_selected():
    async with running() as pilot:
        await pilot.press("colon", "7", "enter")
        await search(pilot, "frame.number > ${frame.number}", "up")
        assert main(pilot).table.selected == 8
        await pilot.press("N")
        assert main(pilot).table.selected == 28


async def test_jumps():
    async with running() as pilot:
        table = main(pilot).table
        for key, number in (
            ("right_parenthesis", BAD_CHECKSUM),
            ("right_curly_bracket", RESET),
            ("full_stop", MALFORMED),
            ("left_parenthesis", BAD_CHECKSUM),
            ("left_curly_bracket", RESET),
            ("comma", MALFORMED),
        ):
            await pilot.press(key)
            assert table.selected == number, key
        await pilot.press("n")
        assert line(pilot) == f"malformed: packet {MALFORMED}, the only one"


async def test_a_search_is_among_the_packets_that_pass_the_filter():
    async with running() as pilot:
        screen = main(pilot)
        screen.filter.apply(f"frame.number in {{1, {BAD_CHECKSUM}}}")
        await search(pilot, "GET /")
        assert screen.table.selected == BAD_CHECKSUM
        await search(pilot, "dns")
        assert line(pilot) == "no packet that passes the filter contains 'dns'"


async def test_the_next_match_of_a_mark_knows_the_marks_of_now():
    async with running() as pilot:
        table = main(pilot).table
        table.select(5)
        await pilot.press("m", "g", "right_square_bracket")
        assert table.selected == 5
        table.select(9)
        await pilot.press("m", "g", "n", "n")
        assert table.selected == 9


async def test_the_first_search_by_its_next_match_asks_for_a_query():
    async with running() as pilot:
        await pilot.press("n")
        assert isinstance(pilot.app.screen, SearchDialog)


async def test_a_running_search_shows_progress_and_can_be_canceled(monkeypatch):
    gate = threading.Event()
    find = FilterCriterion.find

    def wait(criterion, *arguments):
        assert gate.wait(PATIENCE_S)
        return find(criterion, *arguments)

    monkeypatch.setattr(FilterCriterion, "find", wait)
    async with running() as pilot:
        screen = main(pilot)
        screen.bridge.analysis.patience_s = 0
        await pilot.press("full_stop")
        assert line(pilot) == "searching for malformed: 0%"
        await pilot.press("escape")
        assert not screen.query_one(SearchLine).display
        await pilot.press("full_stop")
        gate.set()
        await eventually(lambda: screen.poll() or screen.table.selected == MALFORMED, "the packet")
        assert line(pilot) == f"malformed: packet {MALFORMED}"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AnalysisEndedError("the expression takes too long"), "the expression takes too long"),
        (ValueError("a fault"), "ValueError: a fault"),
    ],
)
async def test_a_search_that_fails_says_so(error, words, monkeypatch):
    def fail(*_arguments):
        raise error

    monkeypatch.setattr(FilterCriterion, "find", fail)
    async with running() as pilot:
        await pilot.press("full_stop")
        assert line(pilot) == f"the search failed: {words}"


async def test_the_key_of_the_search_keeps_its_meaning_in_an_input():
    async with running() as pilot:
        await pilot.press("slash", *"tcp", "home", "ctrl+f")
        assert main(pilot).filter.bar.input.value == ""
        assert pilot.app.screen is main(pilot)


async def test_another_store_ends_the_search():
    engine = ScriptedEngine()
    async with running(engine=engine) as pilot:
        await search(pilot, "GET /")
        assert line(pilot)
        engine.store = scripted_store()
        main(pilot).poll()
        assert not line(pilot)


async def test_without_packets_nothing_is_found():
    async with running(PacketStore()) as pilot:
        await pilot.press("full_stop")
        assert line(pilot) == "no packet is malformed"
        await search(pilot, HTTP_REQUEST.decode()[:3])
        assert line(pilot) == "no packet contains 'GET'"


async def test_the_keys_in_the_line_work_by_click():
    async with running() as pilot:
        screen = main(pilot)
        await search(pilot, "GET /")
        shown = screen.query_one(SearchLine).render().plain
        assert shown.endswith("n next  N previous  esc close")
        for word, selected in (("next", BAD_CHECKSUM), ("previous", REQUEST)):
            await pilot.click(SearchLine, offset=(shown.index(word) + 2, 0))
            assert screen.table.selected == selected
        await pilot.click(SearchLine, offset=(3, 0))  # no key
        assert line(pilot)
        await pilot.click(SearchLine, offset=(shown.index("close") + 2, 0))
        assert not line(pilot)
