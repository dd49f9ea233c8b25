"""The list of echo clients on the screen: rows, columns, the cursor, and thousands of clients."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.scripted_echo import (
    NOW_S,
    STALLED,
    client_table,
    echo_snapshot,
    many_clients,
)
from tests.widgets.stage import play, screen_text, styles_at
from widgets.echo.clients import EchoClients
from widgets.echo.columns import AGE, COLUMNS, DESCRIPTOR, FIXED, IN, NOW, UNREAD
from widgets.echo.order import OLDEST_FIRST
from widgets.sorted.column import Sort

WIDE = (180, 20)


def shown_clients(widget):
    """Return the first column of the lines on the screen."""
    return [line[2:].split()[0] for line in screen_text(widget)[1:] if line]


def many(count):
    return echo_snapshot(clients=many_clients(count), builtin_clients=())


def test_a_row_has_every_figure():
    async def scene(pilot):
        clients = pilot.app.widget
        clients.show(echo_snapshot())
        header, first, second = screen_text(clients)[:3]
        headings = "Client Now Trig In Out Unread Wakes Reads EAGAIN Pending Unsent TCP state"
        assert header.split() == f"{headings} RTT fd Age▼ Idle Urgent".split()
        figures = "level 12,864 12,864 0 201 201 0 0 0 ESTABLISHED 34 µs 7 99 s 2 s 0"
        assert first.split() == f"127.0.0.1:40001 open {figures}".split()
        assert "backed up" in second
        assert "180,000" in second

    play(EchoClients(), scene, size=WIDE)


def test_the_built_in_client_has_a_sign_and_alarms_have_words_in_color():
    async def scene(pilot):
        clients = pilot.app.widget
        clients.show(echo_snapshot())
        lines = screen_text(clients)
        assert [line[0] for line in lines[1:8]] == list("     ↗ ")
        pieces = dict(styles_at(clients, 6))
        assert pieces["stalled   "] == clients.component("echo-clients--stalled")

    play(EchoClients(), scene, size=WIDE)


def test_columns_are_whole_and_shift_by_keys():
    async def scene(pilot):
        clients = pilot.app.widget
        clients.show(echo_snapshot())
        headings = screen_text(clients)[0].split()
        assert headings[: FIXED + 2] == ["Client", "Now", "Trig", "In"]
        assert headings[-1] == "›"
        for line in screen_text(clients)[1:8]:
            assert len(line) <= clients.window.width
        clients.action_shift(1)
        assert screen_text(clients)[0].split()[: FIXED + 2] == ["‹", "Client", "Now", "In"]
        for _ in COLUMNS:
            clients.action_shift(1)
        assert screen_text(clients)[0].split()[-1] == "Urgent"
        for _ in COLUMNS:
            clients.action_shift(-1)
        assert screen_text(clients)[0].split() == headings

    play(EchoClients(), scene, size=(70, 12))


def test_a_press_on_a_heading_sorts_and_a_second_one_turns_it_round():
    async def scene(pilot):
        clients = pilot.app.widget
        clients.show(echo_snapshot())
        x = screen_text(clients)[0].index("Unread") + 2
        await pilot.click(offset=(x, 0))
        assert clients.sort == Sort(UNREAD, True)
        assert shown_clients(clients)[0] == "127.0.0.1:40003"
        assert "Unread▼" in screen_text(clients)[0]
        await pilot.click(offset=(x, 0))
        assert clients.sort == Sort(UNREAD, False)
        assert shown_clients(clients)[-1] == "127.0.0.1:40003"

    play(EchoClients(), scene, size=WIDE)


def test_keys_sort_by_the_next_column_and_bring_it_into_sight():
    async def scene(pilot):
        clients = pilot.app.widget
        clients.show(echo_snapshot())
        assert clients.sort == OLDEST_FIRST == Sort.first_by(AGE)
        screen_text(clients)
        clients.sort = Sort.first_by(DESCRIPTOR)
        assert "fd▲" in screen_text(clients)[0]
        clients.action_sort_next()
        assert clients.sort == Sort.first_by(AGE)
        clients.action_sort_reverse()
        assert shown_clients(clients)[0] == "[2001:db8:17::5]:51234"
        clients.sort = Sort.first_by(NOW)
        assert shown_clients(clients)[0] == "127.0.0.1:40006"

    play(EchoClients(), scene, size=(70, 12))


def test_the_cursor_is_a_client_and_says_who_was_picked():
    picked = []

    class Listening(EchoClients):
        def on_sorted_list_picked(self, message):
            picked.append(message.id)

    async def scene(pilot):
        clients = pilot.app.widget
        clients.show(echo_snapshot())
        assert clients.selected == 1
        clients.action_move("down")
        await pilot.click(offset=(5, 6))
        await pilot.pause()
        assert picked == [2, 6]
        clients.sort = Sort(UNREAD, True)
        assert clients.selected == STALLED
        assert clients.select(4)
        await pilot.pause()
        assert picked == [2, 6]  # that was not the user

    play(Listening(), scene, size=WIDE)


def test_a_client_that_is_closed_leaves_the_cursor_where_it_was():
    async def scene(pilot):
        clients = pilot.app.widget
        whole = echo_snapshot()
        clients.show(whole)
        clients.move_to_line(2)
        left = client_table(NOW_S + 0.1)
        rows = np.array([0, 1, 3, 4, 5, 6])
        names = [name for name in left.__slots__ if name != "taken_s"]
        left = replace(left, **{name: getattr(left, name)[rows] for name in names})
        clients.show(replace(whole, clients=left))
        assert (clients.selected, clients.cursor_line) == (3, None)
        clients.action_move("down")
        assert clients.selected == 5  # the line after the one it stood in
        clients.show(echo_snapshot(clients=many_clients(0)))
        clients.action_move("down")
        assert clients.selected == 5

    play(EchoClients(), scene, size=WIDE)


def test_only_lines_whose_words_changed_are_painted():
    async def scene(pilot):
        clients = pilot.app.widget
        clients.show(echo_snapshot())
        screen_text(clients)
        painted = []
        clients.refresh_line = painted.append
        clients.show(echo_snapshot(clients=client_table(NOW_S)))
        assert painted == []
        table = client_table(NOW_S)
        table.bytes_in[3] += 64
        clients.show(echo_snapshot(clients=table))
        assert painted == [3]

    play(EchoClients(), scene, size=WIDE)


@pytest.mark.timed  # measures processor time
def test_ten_thousand_clients_make_values_of_those_on_the_screen_only():
    asked = []
    counted = IN.text

    async def scene(pilot):
        clients = pilot.app.widget
        snapshot = many(10_000)
        clients.show(snapshot)
        clients.action_move("last")
        await pilot.pause()
        assert shown_clients(clients)[-1] == "10.0.39.15:49999"
        asked.clear()
        clients.show(replace(snapshot, clients=many_clients(10_000, NOW_S + 0.1)))
        screen_text(clients)
        assert len(set(asked)) <= clients.window.page
        for column in COLUMNS:
            began = time.process_time()
            clients.sort = Sort.first_by(column)
            assert time.process_time() - began < 0.1

    def text(table, row):
        asked.append(row)
        return counted(table, row)

    object.__setattr__(IN, "text", text)
    try:
        play(EchoClients(), scene, size=WIDE)
    finally:
        object.__setattr__(IN, "text", counted)
