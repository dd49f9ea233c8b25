"""The display filter on the screen: the bar, its keys, and what it does to the table."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from app.config.paths import Paths
from app.screens.key_bar import KeyBar
from core.analysis.filter.combination import Combination
from core.analysis.filter.evaluation import pattern_search
from tests.core.decode.frames import tcp_frame
from tests.core.decode.support import batch_of
from tests.helpers.idle import eventually, screen_text
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor

PACKETS = 28


@asynccontextmanager
async def running(size=(120, 36), store=None, **options):
    monitor = scripted_monitor(store or scripted_store(), **options)
    async with monitor.run_test(size=size) as pilot:
        yield pilot, await filled(pilot)


def keys(text):
    """Return Textual's names of the keys that type a text."""
    names = {" ": "space", "=": "equals_sign", ".": "full_stop"}
    return [names.get(each, each) for each in text]


async def test_a_typed_filter_selects_the_packets_and_escape_shows_all():
    async with running() as (pilot, screen):
        bar = screen.filter.bar
        assert not bar.display
        await pilot.press("slash")
        assert bar.display
        assert screen.focused is bar.input
        await pilot.press(*keys("udp"))
        assert "valid" in screen_text(pilot.app)
        assert screen.table.line_count == PACKETS  # not before enter
        await pilot.press("enter")
        shown = screen.table.line_count
        assert 0 < shown < PACKETS
        assert screen.focused is screen.table
        assert f"{shown} of {PACKETS}" in screen_text(pilot.app)
        assert "valid" not in screen_text(pilot.app)
        await pilot.press("escape")
        assert (screen.table.line_count, screen.filter.text) == (PACKETS, "")
        assert not bar.display


async def test_the_cursor_begins_behind_the_filter():
    """Typing extends the filter, by the key as after a click; ctrl+u clears it."""
    async with running() as (pilot, screen):
        screen.filter.apply("tcp")
        field = screen.filter.bar.input
        await pilot.press("slash", *keys(" or udp"))
        assert (field.value, field.selected_text) == ("tcp or udp", "")
        await pilot.press("escape", "slash", "home", "escape", "slash", *keys("x"))
        assert field.value == "tcpx"
        await pilot.press("ctrl+u")
        assert field.value == ""


async def test_escape_leaves_the_edit_and_keeps_the_old_filter():
    async with running() as (pilot, screen):
        screen.filter.apply("tcp")
        shown = screen.table.line_count
        await pilot.press("tab")
        before = screen.focused
        await pilot.press("slash", "ctrl+u", *keys("udp"))
        assert screen.filter.bar.input.value == "udp"
        await pilot.press("escape")
        assert screen.focused is before
        assert (screen.filter.text, screen.filter.bar.input.value) == ("tcp", "tcp")
        assert screen.table.line_count == shown
        await pilot.press("slash", *keys("udp"))
        await pilot.click(screen.table, offset=(5, 15))
        assert screen.focused is screen.table
        assert screen.filter.bar.input.value == "tcp"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tcp.port =", "incomplete, column 10"),
        ("tcp.port == x", 'wrong, column 13: "x" is not a number'),
        ("", "empty: all packets"),
    ],
)
async def test_a_text_that_is_wrong_says_why_and_is_not_applied(text, words):
    async with running() as (pilot, screen):
        await pilot.press("slash", *keys(text))
        assert words in " ".join(screen_text(pilot.app).split())
        await pilot.press("enter")
        is_left = not text
        assert (screen.focused is screen.table) == is_left
        assert screen.filter.text == ""
        assert screen.table.line_count == PACKETS


async def test_a_key_turns_the_filter_off_and_on_again():
    async with running() as (pilot, screen):
        await pilot.press("backslash")
        assert not screen.filter.text
        screen.filter.apply("tcp")
        shown = screen.table.line_count
        await pilot.press("backslash")
        assert screen.table.line_count == PACKETS
        assert "filter off" in screen_text(pilot.app)
        await pilot.press("backslash")
        assert screen.table.line_count == shown


async def test_the_key_brings_a_cleared_filter_back():
    async with running() as (pilot, screen):
        for clear in (["escape"], ["slash", "ctrl+u", "enter"]):
            screen.filter.apply("tcp")
            await pilot.press(*clear)
            assert screen.filter.text == ""
            await pilot.press("backslash")
            assert (screen.filter.text, screen.filter.is_on) == ("tcp", True)


async def test_the_keys_are_labeled_with_the_first_paint_of_the_edit():
    async with running() as (pilot, screen):
        bar = screen.query_one(KeyBar)
        screen.filter.edit()
        assert bar.labels["panel.close"] == "cancel"
        await pilot.press("escape")
        assert "panel.close" not in bar.labels


async def test_packets_that_come_between_the_key_and_the_focus_do_not_end_the_edit():
    """A poll before the focus arrives would hide the bar, which has no text yet."""
    async with running() as (pilot, screen):
        screen.filter.edit()
        screen.filter.show()
        await pilot.pause()
        assert screen.filter.bar.is_editing
        assert screen.filter.bar.input.has_focus
        await pilot.press("t", "c", "p", "enter")
        assert screen.filter.text == "tcp"


async def test_an_edit_that_ends_before_it_has_the_focus_does_not_begin_again():
    async with running() as (pilot, screen):
        before = screen.focused
        screen.filter.edit()
        assert screen.filter.leave()
        await pilot.pause()
        assert (screen.filter.bar.is_editing, screen.filter.bar.display) == (False, False)
        assert screen.focused is before


async def test_a_live_table_that_a_filter_empties_does_not_begin_to_follow():
    """While it follows, keys that move down do nothing: the program would seem to hang."""
    async with running() as (pilot, screen):
        screen.table.select(5)
        screen.filter.apply("sctp")
        screen.show(screen.scene)
        assert (screen.table.selected, screen.table.follow) == (None, False)
        screen.filter.apply("udp or frame.number == 5")
        screen.show(screen.scene)
        assert (screen.table.selected, screen.table.follow) == (5, False)
        await pilot.press("j")
        assert screen.table.selected == screen.table.rows[screen.table.rows.row_of(5) + 1]


async def test_clicks_turn_it_off_edit_it_and_clear_it():
    async with running() as (pilot, screen):
        screen.filter.apply("tcp")
        await pilot.pause()
        bar = screen.filter.bar
        await pilot.click(bar.label)
        assert not screen.filter.is_on
        await pilot.click(bar.label)
        assert screen.filter.is_on
        await pilot.click(bar.input)
        assert bar.is_editing
        await pilot.press("escape")
        await pilot.click(bar.count)
        assert screen.table.line_count == PACKETS


async def test_expressions_change_the_filter():
    async with running() as (_, screen):
        control = screen.filter
        assert control.combine("tcp or udp", Combination.AND)
        assert control.combine("ip.ttl == 64", Combination.AND_NOT)
        assert control.text == "(tcp or udp) and not ip.ttl == 64"
        assert not control.combine("tcp ==", Combination.AND)
        control.toggle()
        assert control.combine("icmp", Combination.AND)
        assert (control.text, control.is_on) == ("icmp", True)


async def test_references_mean_the_selected_packet():
    async with running() as (_, screen):
        screen.table.select(7)
        assert screen.filter.apply("frame.number <= ${frame.number}")
        assert screen.table.line_count == 7


async def test_an_empty_result_says_how_to_clear_it():
    async with running() as (pilot, screen):
        await pilot.press("slash", *keys("sctp"), "enter")
        advice = "no packet passes the filter; esc clears it"
        await eventually(lambda: advice in screen_text(pilot.app), advice, screen.poll)
        await pilot.press("escape")
        await eventually(lambda: advice not in screen_text(pilot.app), "all packets", screen.poll)
        assert screen.table.line_count == PACKETS


async def test_packets_that_take_too_long_for_a_regular_expression_are_reported(monkeypatch):
    monkeypatch.setattr(pattern_search, "PACKET_S", 0.01)
    store = scripted_store()
    store.append(batch_of([tcp_frame(b"a" * 60 + b"b")]))
    async with running(store=store) as (pilot, screen):
        screen.filter.apply('tcp.payload matches "(a|aa)+$"')
        words = "1 packet took too long"
        await eventually(lambda: words in screen.banner.message, "the reason", screen.poll)
        assert (screen.filter.is_on, screen.table.line_count) == (True, 0)
        await pilot.press("escape")
        assert screen.table.line_count == PACKETS + 1


async def test_the_filter_stays_while_the_terminal_has_no_focus():
    async with running() as (pilot, screen):
        await pilot.press("slash", "t")
        pilot.app.app_focus = False
        await pilot.pause()
        pilot.app.app_focus = True
        await pilot.pause()
        assert screen.filter.bar.is_editing
        assert screen.filter.bar.input.value == "t"


async def test_names_are_completed_by_keys_and_clicks():
    async with running() as (pilot, screen):
        bar, hints = screen.filter.bar, screen.filter.hints
        await pilot.press("slash", *keys("ip.tt"))
        assert "Time to live" in screen_text(pilot.app)
        await pilot.press("tab")
        assert bar.input.value == "ip.ttl"
        await pilot.press(*keys(" and udp.p"), "down", "down", "up", "enter")
        assert bar.input.value == "ip.ttl and udp.port"
        assert bar.is_editing
        await pilot.press(*keys(" or tcp.p"))
        await pilot.click(hints, offset=(5, 1))
        assert bar.input.value == "ip.ttl and udp.port or tcp.port"
        await pilot.press("enter")
        assert screen.filter.text == "ip.ttl and udp.port or tcp.port"
        assert not hints.display


async def test_up_and_down_step_through_earlier_filters(tmp_path):
    paths = Paths(tmp_path / "config.toml", tmp_path / "state" / "state.json")
    for text in ("udp", "tcp"):
        async with running(paths=paths) as (pilot, screen):
            await pilot.press("slash", *keys(text), "enter")
            assert screen.filter.text == text
    async with running(paths=paths) as (pilot, screen):
        bar = screen.filter.bar
        await pilot.press("slash", "up")
        assert bar.input.value == "tcp"
        await pilot.press("up", "up")
        assert bar.input.value == "udp"
        await pilot.press("down", "down")
        assert bar.input.value == ""
        await pilot.press("up", "enter")
        assert screen.filter.text == "tcp"


async def test_the_monitor_starts_with_the_filter_of_the_command_line():
    async with running(display_filter="udp") as (pilot, screen):
        await eventually(lambda: screen.table.line_count < PACKETS, "the filter", screen.poll)
        assert screen.filter.bar.input.value == "udp"
        await pilot.press("escape")
        assert screen.table.line_count == PACKETS


async def test_a_filter_of_several_lines_is_edited_in_one():
    async with running() as (pilot, screen):
        assert screen.filter.apply("tcp\n\tor udp\n")
        assert (screen.filter.text, screen.filter.bar.input.value) == ("tcp  or udp",) * 2
        await pilot.press("slash", "enter")
        assert screen.focused is screen.table


async def test_a_filter_for_a_value_is_in_the_history():
    async with running() as (pilot, screen):
        screen.filter.combine("ip.ttl == 64", Combination.REPLACE)
        await pilot.press("escape", "slash", "up")
        assert screen.filter.bar.input.value == "ip.ttl == 64"
