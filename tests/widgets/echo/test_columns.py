"""The columns of the client list: conditions, their explanations, figures as text."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from core.echo.client_columns import ClientColumns
from core.echo.options import Drain, Switches, Trigger
from core.echo.sampler import Sampler
from tests.core.echo.serving import Served, receive_exactly
from tests.helpers.scripted_echo import (
    BACKED_UP,
    ENDED,
    NOW_S,
    PAUSED,
    STALLED,
    client_table,
    many_clients,
)
from widgets.echo.columns import (
    Condition,
    condition_of,
    conditions,
    explanation,
    round_trip_text,
    span_text,
)
from widgets.status.line import count_text


def test_every_condition_in_a_word_and_a_sentence():
    table = client_table()
    row = {name: table.row(number) for name, number in
           (("stalled", STALLED), ("backed up", BACKED_UP), ("paused", PAUSED))}  # fmt: skip
    assert {word: condition_of(table, at).word for word, at in row.items()} == {
        word: word for word in row
    }
    assert "48 bytes unread in the kernel" in explanation(table, row["stalled"])
    assert "does not read: 262,144 bytes pending" in explanation(table, row["backed up"])
    taking = replace(table, active_s=table.active_s + table.idle_s)
    assert "reads slowly: 262,144 bytes pending" in explanation(taking, row["backed up"])
    assert "192 bytes unread" in explanation(table, row["paused"])
    assert "reads slowly: 180,000" in explanation(table, table.row(ENDED))
    assert condition_of(table, 0) is Condition.OPEN


def test_a_half_closed_client_without_a_backlog():
    columns = ClientColumns()
    slot = columns.open(9, 1, Trigger.LEVEL, ("::1", 5), NOW_S)
    columns.ended[slot] = 1
    table = columns.table(NOW_S)
    assert condition_of(table, 0) is Condition.ENDED
    assert "FIN" in explanation(table, 0)


def test_bytes_unread_for_a_moment_do_not_stall_a_client():
    columns = ClientColumns()
    slot = columns.open(9, 1, Trigger.EDGE, ("::1", 5), NOW_S)
    columns.unread[slot] = 48
    columns.sampled_s[slot] = columns.unread_s[slot] = NOW_S + 1.0  # long idle, seen once
    for later_s in (1.0, 9.0):
        table = columns.table(NOW_S + later_s)
        assert condition_of(table, 0) is Condition.OPEN
        assert explanation(table, 0).startswith("48 bytes were unread in the kernel at the last")
    columns.sampled_s[slot] = NOW_S + 1.9
    assert condition_of(columns.table(NOW_S + 9.0), 0) is Condition.OPEN
    columns.sampled_s[slot] = NOW_S + 2.0
    assert condition_of(columns.table(NOW_S + 2.0), 0) is Condition.STALLED
    columns.active_s[slot] = NOW_S + 1.5  # some of it was read
    assert condition_of(columns.table(NOW_S + 2.0), 0) is Condition.OPEN
    columns.active_s[slot] = NOW_S + 2.1  # what was seen may be gone
    assert explanation(columns.table(NOW_S + 2.2), 0) == "every byte read was sent back"


def test_a_sample_of_a_moment_never_grows_into_a_stall(monkeypatch):
    """64 bytes lie there when the client is sampled, and are echoed before the next sample."""
    with Served() as served:
        client = served.connect(served.listen(Trigger.LEVEL))
        served.until(lambda s: len(s.clients) == 1)

        def look_while_they_lie_there():
            client.sendall(bytes(64))
            while not served.server.snapshot().clients.unread[0]:
                served.server._publish()
            monkeypatch.setattr(Sampler, "tick", lambda _self: 0)  # 10,000 others come first

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
    assert said.endswith("bytes unread in the kernel; after the peer's FIN no event will come")


def test_only_an_edge_client_waits_for_more_bytes():
    for trigger, promise in ((Trigger.EDGE, True), (Trigger.LEVEL, False)):
        columns = ClientColumns()
        slot = columns.open(9, 1, trigger, ("::1", 5), NOW_S)
        columns.unread[slot] = 48
        columns.sampled_s[slot] = NOW_S + 1.0
        said = explanation(columns.table(NOW_S + 1.0), 0)
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


def test_conditions_of_none():
    assert len(conditions(many_clients(0))) == 0
