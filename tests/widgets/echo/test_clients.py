"""The list of echo clients: columns, order, conditions, the cursor, and thousands of rows."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import numpy as np
import pytest

from core.echo.client_columns import ClientColumns
from core.echo.options import Drain, Switches, Trigger
from core.echo.sampler import Sampler
from tests.core.echo.serving import Served, receive_exactly
from tests.scripted_echo import (
    BACKED_UP,
    ENDED,
    NOW_S,
    PAUSED,
    STALLED,
    client_table,
    echo_snapshot,
    many_clients,
)
from tests.widgets.stage import play, screen_text, styles_at
from widgets.echo.clients import EchoClients
from widgets.echo.columns import (
    AGE,
    CLIENT,
    COLUMNS,
    DESCRIPTOR,
    FIXED,
    IN,
    NOW,
    UNREAD,
    Condition,
    condition_of,
    conditions,
    count_text,
    explanation,
    round_trip_text,
    span_text,
)
from widgets.echo.order import OLDEST_FIRST, ClientOrder, Sort

WIDE = (180, 20)


def shown_clients(widget):
    """The first column of the lines on the screen."""
    return [line[2:].split()[0] for line in screen_text(widget)[1:] if line]


def many(count):
    return echo_snapshot(clients=many_clients(count), talkers=())


# -- what a client is said to be -------------------------------------------------------------


def test_every_condition_in_a_word_and_a_sentence():
    table = client_table()
    row = {name: table.row(number) for name, number in
           (("stalled", STALLED), ("backed up", BACKED_UP), ("paused", PAUSED))}  # fmt: skip
    assert {word: condition_of(table, at).word for word, at in row.items()} == {
        word: word for word in row
    }
    assert "48 bytes unread in the kernel" in explanation(table, row["stalled"])
    assert "does not read: 262,144 bytes wait here" in explanation(table, row["backed up"])
    taking = replace(table, active_s=table.active_s + table.idle_s)
    assert "reads slowly: 262,144 bytes wait here" in explanation(taking, row["backed up"])
    assert "192 bytes unread" in explanation(table, row["paused"])
    assert "reads slowly: 180,000" in explanation(table, table.row(ENDED))
    assert condition_of(table, 0) is Condition.OPEN


def test_a_half_closed_client_without_a_backlog():
    accounts = ClientColumns()
    slot = accounts.open(9, 1, Trigger.LEVEL, ("::1", 5), NOW_S)
    accounts.ended[slot] = 1
    table = accounts.table(NOW_S)
    assert condition_of(table, 0) is Condition.ENDED
    assert "FIN" in explanation(table, 0)


def test_unread_bytes_of_a_moment_are_no_stall():
    accounts = ClientColumns()
    slot = accounts.open(9, 1, Trigger.EDGE, ("::1", 5), NOW_S)
    accounts.unread[slot] = 48
    accounts.sampled_s[slot] = accounts.unread_s[slot] = NOW_S + 1.0  # long idle, seen once
    for later_s in (1.0, 9.0):
        table = accounts.table(NOW_S + later_s)
        assert condition_of(table, 0) is Condition.OPEN
        assert explanation(table, 0).startswith("48 bytes were unread in the kernel when")
    accounts.sampled_s[slot] = NOW_S + 1.9
    assert condition_of(accounts.table(NOW_S + 9.0), 0) is Condition.OPEN
    accounts.sampled_s[slot] = NOW_S + 2.0
    assert condition_of(accounts.table(NOW_S + 2.0), 0) is Condition.STALLED
    accounts.active_s[slot] = NOW_S + 1.5  # some of it was read
    assert condition_of(accounts.table(NOW_S + 2.0), 0) is Condition.OPEN
    accounts.active_s[slot] = NOW_S + 2.1  # what was seen may be gone
    assert explanation(accounts.table(NOW_S + 2.2), 0) == "every byte that was read has gone back"


def test_a_sample_of_a_moment_never_grows_into_a_stall(monkeypatch):
    """64 bytes lie there when the client is looked at, and are echoed before the next look."""
    with Served() as served:
        client = served.connect(served.listen(Trigger.LEVEL))
        served.until(lambda s: len(s.clients) == 1)

        def look_while_they_lie_there():
            client.sendall(bytes(64))
            while not served.server.snapshot().clients.unread[0]:
                served.server._publish()
            monkeypatch.setattr(Sampler, "beat", lambda _self: 0)  # 10,000 others come first

        served.do(look_while_they_lie_there)
        assert receive_exactly(client, 64) == bytes(64)
        table = served.until(lambda s: s.clients.bytes_in[0] == 64).clients
    assert table.unread[0] == 64, "as it was seen"
    for later_s in (0.0, 1.0, 5.0):
        assert condition_of(replace(table, taken_s=table.taken_s + later_s), 0) is Condition.OPEN


def test_bytes_that_stay_unread_become_a_stall():
    with Served() as served:
        client = served.connect(served.listen(Trigger.EDGE))
        served.do(served.server.set_switches, Switches(16, drain=Drain.ONCE))
        client.sendall(bytes(64))
        assert receive_exactly(client, 16) == bytes(16)
        served.until(lambda s: conditions(s.clients).tolist() == [Condition.STALLED])
        client.sendall(b"!")
        assert receive_exactly(client, 16) == bytes(16)
        snapshot = served.snapshot()
        assert conditions(snapshot.clients).tolist() == [Condition.OPEN]


def test_after_a_fin_no_event_is_promised():
    with Served() as served:
        client = served.connect(served.listen(Trigger.EDGE))
        served.do(served.server.set_switches, Switches(1, drain=Drain.ONCE))
        client.sendall(bytes(64))
        client.shutdown(socket.SHUT_WR)
        stalled = served.until(lambda s: conditions(s.clients).tolist() == [Condition.STALLED])
    said = explanation(stalled.clients, 0)
    assert said.endswith("bytes unread in the kernel; after its FIN no event can come")


def test_only_an_edge_client_waits_for_more_bytes():
    for trigger, promise in ((Trigger.EDGE, True), (Trigger.LEVEL, False)):
        accounts = ClientColumns()
        slot = accounts.open(9, 1, trigger, ("::1", 5), NOW_S)
        accounts.unread[slot] = 48
        accounts.sampled_s[slot] = NOW_S + 1.0
        said = explanation(accounts.table(NOW_S + 1.0), 0)
        assert said.startswith("48 bytes unread in the kernel")
        assert ("no event until more come" in said) == promise


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (count_text(999_999), "999,999"),
        (count_text(1_000_000), "1.0M"),
        (span_text(0.9), "0 s"),
        (span_text(119.9), "119 s"),
        (span_text(120), "2 min"),
        (span_text(7200), "2 h"),
        (round_trip_text(0), ""),
        (round_trip_text(999), "999 µs"),
        (round_trip_text(1240), "1.2 ms"),
    ],
)
def test_figures_in_words(text, words):
    assert text == words


# -- order ------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.heading)
def test_every_column_sorts_both_ways_as_its_values_say(column):
    table, order = client_table(), ClientOrder()
    values = column.values(table)
    assert values.shape == (len(table),)
    for descending in (False, True):
        order.arrange(table, Sort(column, descending))
        assert sorted(order.rows.tolist()) == list(range(len(table)))
        steps = np.diff(values[order.rows].astype(float))
        assert (steps <= 0).all() if descending else (steps >= 0).all()
        equal = [row for row in order.rows.tolist() if values[row] == values[order.rows[0]]]
        assert equal == sorted(equal)  # as they came


def test_addresses_sort_as_numbers_not_as_text():
    accounts = ClientColumns()
    for port, address in ((9, "10.0.0.9"), (10, "10.0.0.10"), (80, "10.0.0.9"), (1, "::1")):
        accounts.open(5, 1, Trigger.LEVEL, (address, port), NOW_S)
    table, order = accounts.table(NOW_S), ClientOrder()
    order.arrange(table, Sort(CLIENT, False))
    peers = [table.peer(row) for row in order.rows]
    assert peers == [("::1", 1), ("10.0.0.9", 9), ("10.0.0.9", 80), ("10.0.0.10", 10)]


def test_rows_settle_for_a_second():
    """In between, those who go fall out, and those who come stand at the end."""
    accounts, order, sort = ClientColumns(), ClientOrder(), Sort(IN, True)
    slots = [accounts.open(5, 1, Trigger.LEVEL, ("::1", port), NOW_S) for port in (1, 2, 3)]
    for slot, count in zip(slots, (10, 30, 20), strict=True):
        accounts.bytes_in[slot] = count

    def ports(now_s):
        table = accounts.table(now_s)
        order.arrange(table, sort)
        return [table.peer(row)[1] for row in order.rows]

    assert ports(NOW_S) == [2, 3, 1]
    accounts.bytes_in[slots[0]] = 99
    accounts.close(slots[2])
    fourth = accounts.open(5, 1, Trigger.LEVEL, ("::1", 4), NOW_S)
    accounts.bytes_in[fourth] = 1000
    assert ports(NOW_S + 0.5) == [2, 1, 4]
    assert ports(NOW_S + 1.0) == [4, 1, 2]
    assert ports(NOW_S) == [4, 1, 2]  # another server's clock is no reason to wait
    for slot in (slots[0], slots[1], fourth):
        accounts.close(slot)
    assert ports(NOW_S + 0.1) == []


# -- the list on the screen ---------------------------------------------------------------------


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
        assert screen_text(clients)[0].split()[: FIXED + 1] == ["Client", "Now", "In"]
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
        def on_echo_clients_picked(self, message):
            picked.append(message.client)

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


def test_conditions_of_none():
    assert len(conditions(many_clients(0))) == 0
