"""The echo panel: the lines above the clients, the effects of clicks, and the log below."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.echo.log import Entry, LogStep
from core.echo.options import READ_SIZE, Drain, Switches, Trigger, budget_text
from core.echo.snapshot import EchoTotals, ListenerInfo
from core.net.loop_counters import LoopCounters
from tests.helpers.scripted_echo import EDGE, EMPTY, LEVEL, NOW_S, STALLED, echo_snapshot
from tests.widgets.stage import play, screen_text
from widgets.echo.clients import EchoClients
from widgets.echo.head import EchoHead
from widgets.echo.head_text import EMPTY as EMPTY_WORDS
from widgets.echo.head_text import head_lines
from widgets.echo.log import NOTHING, EchoLog
from widgets.echo.panel import EchoPanel

SIZE = (68, 20)


def ignore(_):
    """In place of a controller that acts."""


def echo_panel(on_pick=ignore, on_press=ignore):
    return EchoPanel(EchoClients(), on_pick, on_press)


def texts(snapshot, current=1, width=68, room=20):
    """Return the head's lines as text."""
    lines = head_lines(snapshot, current, width, room)
    return ["".join(piece.text for piece in line) for line in lines]


def whole(snapshot, **options):
    return "\n".join(texts(snapshot, **options))


# -- above the list -------------------------------------------------------------------------


def test_without_a_listener_it_says_how_to_start():
    assert " ".join(texts(EMPTY, current=None)) == EMPTY_WORDS


def test_a_listener_is_a_line_with_its_trigger_and_its_clients():
    first, second = texts(echo_snapshot(), current=EDGE.identifier)[:2]
    assert first.split() == ["127.0.0.1:7007", "level", "4", "open", "of", "4", "send", "stop"]
    assert second.split() == [
        "▸",
        "127.0.0.1:7008",
        "edge",
        *["3", "open", "of", "3", "send", "stop"],
    ]


def test_of_many_listeners_the_current_one_is_among_those_shown():
    infos = tuple(ListenerInfo(n, "::1", 7000 + n, Trigger.LEVEL) for n in range(1, 10))
    shown = whole(echo_snapshot(listeners=infos), current=8)
    assert [n for n in range(1, 10) if f"[::1]:700{n}" in shown] == [5, 6, 7, 8]


@pytest.mark.parametrize(
    ("trigger", "switches", "words"),
    [
        (LEVEL, Switches(16, drain=Drain.ONCE), "again and again until its buffer is empty"),
        (EDGE, Switches(16, drain=Drain.ONCE), "the client stalls until new bytes arrive"),
        (EDGE, Switches(drain=Drain.EAGAIN), "until EAGAIN"),
        (EDGE, Switches(drain=Drain.SHORT), "until a read is short, which saves the read that"),
        (EDGE, Switches(), "until a read is short (with a log: until EAGAIN)"),
    ],
)
def test_a_switch_says_in_one_sentence_what_will_be_seen(trigger, switches, words):
    said = " ".join(texts(echo_snapshot(switches=switches), current=trigger.identifier))
    assert words in " ".join(said.split())


def test_each_position_of_the_switch_has_words_of_its_own():
    positions = {
        None: "a wake-up reads as needed",
        Drain.EAGAIN: "a wake-up reads until EAGAIN",
        Drain.SHORT: "a wake-up reads until a short read",
        Drain.ONCE: "a wake-up reads once",
    }
    for drain, words in positions.items():
        lines = texts(echo_snapshot(switches=Switches(drain=drain)))
        assert any(line.endswith(words) for line in lines)


def test_budgets_in_words():
    assert [budget_text(n) for n in (1, 16, 1024, READ_SIZE)] == [
        "1 byte", "16 bytes", "1,024 bytes", "64 KiB",
    ]  # fmt: skip


def test_the_loop_and_what_was_not_served():
    totals = EchoTotals(accepted=9, turned_away=200, aborted=3)
    said = whole(echo_snapshot(totals=totals), width=140)
    assert "200 turned away: out of descriptors or epoll watches" in said
    assert "3 gone before accept" in said
    counts, times = (
        "loop 2,411 waits · 1,902 wake-ups · 1.18 events each",
        ("98% waiting 98.3 s · 2% in handlers 1.7 s · 0 stale"),
    )
    assert f"{counts} · {times}" in said
    assert texts(echo_snapshot(), width=56)[-2:] == [f"  {counts}", f"  {times}"]
    long = LoopCounters(kernel_s=7300.0, handlers_s=100.0)
    assert "99% waiting 2 h · 1% in handlers 100 s" in whole(echo_snapshot(loop=long), width=120)
    fresh = whole(echo_snapshot(loop=LoopCounters()))
    assert "0.00 events each" in fresh


def test_urgent_bytes_are_counted_where_there_were_any():
    assert "3 urgent" in whole(echo_snapshot(totals=EchoTotals(urgent=3)), width=140)
    assert "urgent" not in whole(echo_snapshot(), width=140)


def test_a_failure_is_shown_first_and_without_control_characters():
    lines = texts(echo_snapshot(message="port 7007 is in use \x1b[2J"), width=200)
    assert lines[0].startswith("✗ port 7007 is in use")
    assert "\x1b" not in lines[0]


@pytest.mark.parametrize("width", range(1, 120, 7))
@pytest.mark.parametrize("room", [1, 2, 3, 5, 8])
def test_the_head_fits_and_keeps_the_listeners(width, room):
    lines = head_lines(echo_snapshot(), 1, width, room)
    assert len(lines) <= max(room, 2)  # the listeners stay
    for line in lines[2:]:
        assert sum(len(piece.text) for piece in line) <= max(width, 60)


# -- clicks ------------------------------------------------------------------------------------


def test_a_click_on_a_word_is_the_action_of_the_registry():
    pressed = []

    async def scene(pilot):
        panel = pilot.app.widget
        panel.show(echo_snapshot())
        await pilot.pause()
        lines = screen_text(panel.head)
        for y, word in ((1, "send"), (1, "stop"), (0, "127"), (2, "−"), (2, "+"), (2, "once")):
            assert await pilot.click(panel.head, offset=(lines[y].index(word), y))
        assert await pilot.click(panel.head, offset=(4, 2))  # words that mean nothing
        await pilot.pause()

    play(echo_panel(on_press=pressed.append), scene, size=SIZE)
    assert pressed == [
        "talk(2)", "stop_listener(2)", "pick_listener(1)", "budget(-1)", "budget(1)", "drain",
    ]  # fmt: skip


def test_a_click_on_a_client_reports_it():
    picked = []

    async def scene(pilot):
        panel = pilot.app.widget
        panel.show(echo_snapshot())
        await pilot.pause()
        assert await pilot.click(panel.clients, offset=(4, 3))
        await pilot.pause()
        assert picked == [panel.clients.selected]

    play(echo_panel(on_pick=picked.append), scene, size=SIZE)


# -- the panel ---------------------------------------------------------------------------------


def test_a_new_listener_is_the_current_one_and_a_lost_one_gives_way():
    async def scene(pilot):
        panel = pilot.app.widget
        panel.show(echo_snapshot())
        assert panel.listener == 1
        panel.next_listener()
        assert panel.listener == 2
        panel.next_listener()
        assert panel.listener == 1
        third = ListenerInfo(3, "::1", 7009, Trigger.LEVEL)
        panel.show(echo_snapshot(taken_s=NOW_S + 1, listeners=(LEVEL, EDGE, third)))
        assert panel.listener == 3
        panel.show(echo_snapshot(taken_s=NOW_S + 2))
        assert panel.listener == 1
        panel.show(echo_snapshot(taken_s=NOW_S + 3, listeners=()))
        assert panel.listener is None
        panel.next_listener()

    play(echo_panel(), scene, size=SIZE)


def test_the_log_is_the_selected_clients_and_says_how_it_is():
    async def scene(pilot):
        panel = pilot.app.widget
        panel.show(echo_snapshot())
        panel.clients.select(STALLED)
        panel.show(echo_snapshot(taken_s=NOW_S + 0.1))
        title, first = screen_text(panel.log_view)[:2]
        assert title.strip() == "stalled: 48 bytes unread in the kernel; no event until more come"
        assert first.strip() == "EPOLLIN → read 16 → wrote 16"
        panel.clients.select(4)
        panel.show(echo_snapshot(taken_s=NOW_S + 0.2))  # the server has not heard of it yet
        title, first = screen_text(panel.log_view)[:2]
        assert title.strip().startswith("paused: ")
        assert first.strip() == NOTHING
        panel.clients.select(99)
        panel.show(echo_snapshot(taken_s=NOW_S + 0.3))
        assert screen_text(panel.log_view)[0].strip() == "this client is closed"

    play(echo_panel(), scene, size=SIZE)


@pytest.mark.parametrize("height", range(1, 24))
def test_at_any_height_the_clients_come_first(height):
    async def scene(pilot):
        panel = pilot.app.widget
        panel.show(echo_snapshot())
        await pilot.pause()
        assert panel.log_view.display == (height >= 12)
        if height >= 5:
            assert panel.clients.size.height >= 3

    play(echo_panel(), scene, size=(68, height))


# -- the log -------------------------------------------------------------------------------------


def steps(count):
    return tuple(
        Entry(NOW_S + n * 0.25, step, number)
        for n in range(count)
        for step, number in ((LogStep.WAKE_UP, 1), (LogStep.READ, n))
    )


def test_the_log_counts_from_the_line_before_and_follows_its_end():
    async def scene(pilot):
        log = pilot.app.widget
        log.show("a client", steps(3))
        assert [line.strip() for line in screen_text(log)[1:4]] == [
            "EPOLLIN → read 0",
            "+250.0 ms  EPOLLIN → read 1",
            "+250.0 ms  EPOLLIN → read 2",
        ]
        log.show("a client", steps(50))
        await pilot.pause()
        assert screen_text(log)[-1].endswith("read 49")
        log.scroll_to(y=0)
        log.show("a client", steps(51))
        await pilot.pause()
        assert screen_text(log)[1].endswith("read 0")  # where somebody reads, it stays

    play(EchoLog(), scene, size=(60, 8))


def test_a_log_that_grows_shows_the_new_words_of_its_last_line():
    async def scene(pilot):
        log = pilot.app.widget
        entries = steps(1)
        log.show("a client", entries)
        log.show("a client", (*entries, replace(entries[-1], step=LogStep.EAGAIN)))
        assert screen_text(log)[1].strip() == "EPOLLIN → read 0 → EAGAIN"

    play(EchoLog(), scene, size=(60, 8))


def test_a_head_without_a_snapshot_is_blank():
    async def scene(pilot):
        assert pilot.app.widget.size.height == 0

    play(EchoHead(), scene, size=SIZE)
