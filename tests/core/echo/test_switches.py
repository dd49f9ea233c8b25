"""The teaching switches show the behavior of level and edge triggering in epoll(7)."""

from __future__ import annotations

import pytest

from core.echo.log import lines
from core.echo.options import Drain, Switches, Trigger
from tests.core.echo.serving import receive_exactly

SENT, BUDGET = 64, 16


def _start(served, trigger, switches):
    """Return a client that sends 64 bytes while it is paused, so that they arrive at once."""
    served.do(served.server.set_switches, switches)
    client = served.connect(served.listen(trigger))
    identifier = int(served.until(lambda s: len(s.clients) == 1).clients.identifier[0])
    served.do(served.server.select, identifier)
    served.do(served.server.pause_client, identifier)
    client.sendall(bytes(range(SENT)))
    served.until(lambda s: s.clients.unread[0] == SENT)
    served.do(served.server.pause_client, identifier, False)
    return client


def _figures(snapshot):
    table = snapshot.clients
    names = ("wake_ups", "reads", "eagains", "unread", "bytes_in")
    return {name: int(getattr(table, name)[0]) for name in names}


@pytest.mark.parametrize("drain", [None, Drain.ONCE])
def test_level_with_a_small_budget_wakes_again_until_the_buffer_is_empty(served, drain):
    client = _start(served, Trigger.LEVEL, Switches(BUDGET, drain))
    assert receive_exactly(client, SENT) == bytes(range(SENT))
    assert _figures(served.until(lambda s: s.clients.bytes_in[0] == SENT)) == {
        "wake_ups": 4, "reads": 4, "eagains": 0, "unread": 0, "bytes_in": SENT,
    }  # fmt: skip


@pytest.mark.parametrize("drain", [None, Drain.EAGAIN])
def test_edge_with_draining_wakes_once_and_reads_until_eagain(served, drain):
    client = _start(served, Trigger.EDGE, Switches(BUDGET, drain))
    assert receive_exactly(client, SENT) == bytes(range(SENT))
    assert _figures(served.until(lambda s: s.clients.eagains[0] == 1)) == {
        "wake_ups": 1, "reads": 5, "eagains": 1, "unread": 0, "bytes_in": SENT,
    }  # fmt: skip


def test_level_with_draining_is_like_edge(served):
    client = _start(served, Trigger.LEVEL, Switches(BUDGET, drain=Drain.EAGAIN))
    receive_exactly(client, SENT)
    assert _figures(served.until(lambda s: s.clients.eagains[0] == 1)) == {
        "wake_ups": 1, "reads": 5, "eagains": 1, "unread": 0, "bytes_in": SENT,
    }  # fmt: skip


def test_edge_without_draining_stalls_until_new_bytes_arrive(served):
    client = _start(served, Trigger.EDGE, Switches(BUDGET, drain=Drain.ONCE))
    assert receive_exactly(client, BUDGET) == bytes(range(BUDGET))
    stalled = {"wake_ups": 1, "reads": 1, "eagains": 0, "unread": 48, "bytes_in": 16}
    assert _figures(served.until(lambda s: s.clients.unread[0] == 48)) == stalled
    turns = served.loop.counters.waits
    while served.loop.counters.waits < turns + 20:  # the loop turns, and this client is not in it
        assert _figures(served.snapshot()) == stalled
    client.sendall(b"!")
    assert receive_exactly(client, BUDGET) == bytes(range(BUDGET, 2 * BUDGET))
    assert _figures(served.until(lambda s: s.clients.bytes_in[0] == 32)) == {
        "wake_ups": 2, "reads": 2, "eagains": 0, "unread": 33, "bytes_in": 32,
    }  # fmt: skip


def test_level_a_drained_wake_up_ends_after_16_reads_and_epoll_reports_the_rest(served):
    client = _start(served, Trigger.LEVEL, Switches(1, drain=Drain.EAGAIN))
    assert receive_exactly(client, SENT) == bytes(range(SENT))
    assert _figures(served.until(lambda s: s.clients.bytes_in[0] == SENT)) == {
        "wake_ups": 4, "reads": 64, "eagains": 0, "unread": 0, "bytes_in": SENT,
    }  # fmt: skip


@pytest.mark.parametrize("drain", [None, Drain.EAGAIN])
def test_edge_one_wake_up_continues_after_16_reads_without_an_event(served, drain):
    client = _start(served, Trigger.EDGE, Switches(1, drain))
    assert receive_exactly(client, SENT) == bytes(range(SENT))
    snapshot = served.until(lambda s: s.clients.eagains[0] == 1)
    assert _figures(snapshot) == {
        "wake_ups": 1, "reads": 65, "eagains": 1, "unread": 0, "bytes_in": SENT,
    }  # fmt: skip
    texts = [text for _time, text in lines(snapshot.log)]
    turn = " → 16 × (read 1 → wrote 1) → turn over, queued"
    assert texts[-5:] == [
        f"EPOLLIN{turn}", *[f"next turn{turn}"] * 3, "next turn → EAGAIN",
    ]  # fmt: skip


def test_the_log_shows_the_difference(served):
    client = _start(served, Trigger.LEVEL, Switches(BUDGET))
    receive_exactly(client, SENT)
    log = served.until(lambda s: s.clients.bytes_in[0] == SENT).log
    assert [text for _time, text in lines(log)][-4:] == ["EPOLLIN → read 16 → wrote 16"] * 4


def test_the_log_of_an_edge_client_that_is_not_drained_says_why_it_stopped(served):
    client = _start(served, Trigger.EDGE, Switches(BUDGET, drain=Drain.ONCE))
    receive_exactly(client, BUDGET)
    log = served.until(lambda s: s.clients.unread[0] == SENT - BUDGET).log
    assert [text for _time, text in lines(log)][-1] == (
        "EPOLLIN → read 16 → wrote 16 → read once (switch)"
    )


def test_a_level_client_that_is_drained_is_not_queued_beside_epoll(served, monkeypatch):
    queued = []
    monkeypatch.setattr("core.echo.read_policy.READS_PER_TURN", 2)
    monkeypatch.setattr(
        "core.echo.client.Client._queue", lambda client, _events: queued.append(client)
    )
    client = _start(served, Trigger.LEVEL, Switches(BUDGET, drain=Drain.EAGAIN))
    assert len(receive_exactly(client, SENT)) == SENT
    assert not queued


def test_the_log_of_a_drained_client_is_one_line(served):
    client = _start(served, Trigger.EDGE, Switches(BUDGET))
    receive_exactly(client, SENT)
    log = served.until(lambda s: s.clients.eagains[0] == 1).log
    assert [text for _time, text in lines(log)][-1] == (
        "EPOLLIN → 4 × (read 16 → wrote 16) → EAGAIN"
    )


@pytest.mark.parametrize("trigger", Trigger)
def test_the_log_says_that_a_short_read_left_nothing(served, trigger):
    client = _start(served, trigger, Switches(1024, Drain.SHORT))
    receive_exactly(client, SENT)
    said = served.until(lambda s: s.clients.bytes_in[0] == SENT)
    assert _figures(said)["reads"] == 1
    assert [text for _time, text in lines(said.log)][-1] == (
        "EPOLLIN → read 64 → wrote 64 → short read: nothing left"
    )


@pytest.mark.parametrize(
    ("trigger", "drain", "words"),
    [
        (Trigger.LEVEL, None, "again and again"),
        (Trigger.LEVEL, Drain.EAGAIN, "until EAGAIN; after 16 reads it stops, and epoll reports"),
        (Trigger.LEVEL, Drain.SHORT, "until a read is short, which saves the read that gets"),
        (Trigger.EDGE, None, "until a read is short (with a log: until EAGAIN); after each 16"),
        (Trigger.EDGE, Drain.EAGAIN, "until EAGAIN; after each 16 reads the others get a turn"),
        (Trigger.EDGE, Drain.SHORT, "until a read is short, which saves the read that gets EAGAIN"),
        (Trigger.EDGE, Drain.ONCE, "stalls until new bytes"),
    ],
)
def test_each_setting_says_what_will_be_seen(trigger, drain, words):
    assert words in Switches(BUDGET, drain).effect(trigger)
    assert " 1 byte " in Switches(1, drain).effect(trigger)


def test_switches_go_round_and_stop_at_their_ends():
    at = Switches()
    assert at.stepped(1) == at
    assert at.stepped(-1) == Switches(1024)
    assert at.stepped(-1).stepped(-1).stepped(-1).stepped(-1) == Switches(1)
    assert Switches(20, drain=Drain.EAGAIN).stepped(1) == Switches(1024, drain=Drain.EAGAIN)
    seen = [at]
    while len(seen) < 5:
        seen.append(seen[-1].next_drain())
    assert [each.drain for each in seen] == [None, *Drain, None]
