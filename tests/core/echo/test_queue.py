"""Edge-triggered clients that send without end: the queue of those that used up their turn."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing
from itertools import count
from types import SimpleNamespace

import pytest

from core.echo.client import Client
from core.echo.log import lines
from core.echo.options import READS_PER_TURN, Switches, Trigger
from core.echo.server import EchoServer
from core.net.event_loop import EpollLoop
from tests.core.echo.serving import reset
from tests.helpers.waiting import PATIENCE_S

HOSES, BUDGET = 64, 64
TURNS = 6  # for which the bytes of each hose are enough
A_PASS = 3  # clients, by a clock that advances a millisecond at each reading


@pytest.fixture
def stage(monkeypatch):
    """A server whose loop the test runs step by step, and its only listener, edge-triggered."""
    with ExitStack() as stack:
        loop = EpollLoop(2 * HOSES)  # all in one batch
        stack.callback(loop.close)
        server = stack.enter_context(closing(EchoServer(loop)))
        server.set_switches(Switches(BUDGET))
        info = server.listen(trigger=Trigger.EDGE)

        def connect():
            made = socket.create_connection((info.address, info.port), PATIENCE_S)
            known = len(server._clients)
            while len(server._clients) == known:
                loop.run_once(1000)
            return stack.enter_context(made), server._clients[max(server._clients)]

        ticks = count()
        clock = SimpleNamespace(monotonic=lambda: next(ticks) / 1000)
        monkeypatch.setattr("core.echo.server_context.time", clock)
        yield SimpleNamespace(loop=loop, server=server, connect=connect)


def _pour(stage, hose, client, turns=TURNS):
    """Send the bytes of `turns` turns while the client is paused, so that all are there at once."""
    client.pause(True)
    hose.sendall(bytes(turns * READS_PER_TURN * BUDGET))
    while _unread(stage, client) < turns * READS_PER_TURN * BUDGET:
        stage.server._sampler.tick()
    client.pause(False)


def _unread(stage, client):
    return stage.server._context.columns.unread[client.slot]


def test_the_loop_gets_back_to_epoll_and_its_timers_between_turns(stage, monkeypatch):
    small, _ = stage.connect()
    hoses = [stage.connect() for _ in range(HOSES)]
    for hose, client in hoses:
        _pour(stage, hose, client)
    queue, turns, beats = stage.server._context.queued, [], []
    whole = Client._take_turn
    monkeypatch.setattr(Client, "_take_turn", lambda self: (turns.append(self), whole(self)))
    stage.loop.call_every(1e-6, lambda: beats.append(True))
    stage.loop.run_once(1000)
    assert len(queue) == HOSES
    small.sendall(b"x")
    small.setblocking(False)
    passes = 0
    while queue:
        before = len(turns), len(beats)
        stage.loop.run_once(1000)
        assert len(turns) - before[0] <= A_PASS
        assert len(beats) == before[1] + 1
        passes += 1
        if passes == 2:
            assert small.recv(2) == b"x"
    # each was read once more after its last bytes, with EAGAIN
    assert len(turns) == HOSES * TURNS
    first_round = [client.identifier for client in turns[:HOSES]]
    assert len(set(first_round)) == HOSES, "nobody had a second turn before all had one"
    assert stage.server.take_snapshot().totals.bytes_in == HOSES * TURNS * 1024 + 1


def test_an_event_gives_nobody_a_second_turn(stage):
    hose, client = stage.connect()
    stage.server.select(client.identifier)
    _pour(stage, hose, client, turns=3)
    stage.loop.run_once(1000)  # its first turn, and into the queue
    hose.sendall(b"more")
    stage.loop.run_once(1000)
    while stage.server._context.queued:
        stage.loop.run_once(1000)
    said = [text.replace(" → 16 × (read 64 → wrote 64)", " → 16 reads") for _time, text in
            lines(stage.server.take_snapshot().log)]  # fmt: skip
    said = said[said.index("EPOLLIN → 16 reads → turn over, queued") :]
    assert said.count("EPOLLIN → already queued") == 1
    said.remove("EPOLLIN → already queued")
    assert said == [
        "EPOLLIN → 16 reads → turn over, queued",
        *["next turn → 16 reads → turn over, queued"] * 2,
        "next turn → read 4 → wrote 4 → EAGAIN",
    ]


def test_a_reset_in_the_queue_is_seen_though_reading_was_paused_there(stage):
    hoses = [stage.connect() for _ in range(3 * A_PASS)]
    for hose, client in hoses:
        _pour(stage, hose, client)
    stage.loop.run_once(1000)
    hose, client = hoses[-1]  # whose turn does not come in the next pass
    assert client._queued
    client.pause(True)
    reset(hose)
    while client.is_open:
        assert stage.loop.run_once(1000), "nothing will tell of it any more"


def test_one_hose_asks_the_loop_for_one_pass_at_a_time(stage):
    """The queue is empty while its only client reads; that must not schedule a second pass."""
    hose, client = stage.connect()
    _pour(stage, hose, client, turns=12)
    most = 0
    stage.loop.run_once(1000)
    while stage.server._context.queued:
        most = max(most, len(stage.loop._calls))
        stage.loop.run_once(1000)
    assert most == 1
