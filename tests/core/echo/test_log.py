"""Which clients have a log: the first few from their start on, and those selected last."""

from __future__ import annotations

from core.echo.log import MOST_LOGS, EventLogs, LogStep, lines
from core.echo.options import Trigger
from core.echo.server import EchoServer
from core.net.event_loop import EpollLoop
from tests.core.echo.serving import Served, receive_exactly


def noted(log, *steps):
    for step in steps:
        log.add(1.0, step)


def steps_of(logs, client):
    return [entry.step for entry in logs.entries(client)]


def test_the_first_clients_have_logs_without_a_request():
    logs = EventLogs(2)
    first, second = logs.begin(1), logs.begin(2)
    assert logs.begin(3) is None
    noted(first, LogStep.READ)
    noted(second, LogStep.END)
    assert steps_of(logs, 1) == [LogStep.READ]
    assert steps_of(logs, 2) == [LogStep.END]
    assert logs.entries(3) == logs.entries(None) == ()
    noted(first, LogStep.CLOSED)
    logs.end(1)
    assert steps_of(logs, 1) == [LogStep.READ, LogStep.CLOSED], "it is kept a while"
    assert logs.begin(4) is not None, "and counts no more"


def test_the_log_that_was_shown_longest_ago_is_dropped():
    logs = EventLogs(0)
    for client in range(1, MOST_LOGS + 1):
        log, gone = logs.select(client)
        noted(log, LogStep.READ)
        assert gone is None
    assert logs.select(1)[1] is None, "it has one, and is the newest now"
    assert logs.select(100)[1] == 2
    assert logs.entries(2) == ()
    assert steps_of(logs, 1) == [LogStep.READ]


def test_logs_of_closed_clients_are_dropped():
    logs = EventLogs(1)
    for client in range(1, 3 * MOST_LOGS):
        noted(logs.begin(client), LogStep.CLOSED)
        logs.end(client)
    kept = [client for client in range(1, 3 * MOST_LOGS) if logs.entries(client)]
    assert kept == list(range(2 * MOST_LOGS, 3 * MOST_LOGS))


def test_clients_keep_their_logs_while_others_are_shown():
    with Served(logs=2) as served:
        port = served.listen(Trigger.LEVEL), served.listen(Trigger.EDGE)
        clients = []
        for each in (*port, port[0]):
            clients.append(served.connect(each))
            served.until(lambda s: len(s.clients) == len(clients))
        for _ in range(2):
            for client in clients:
                client.sendall(bytes(64))
                assert receive_exactly(client, 64) == bytes(64)
        told = []
        for identifier in (1, 2, 3, 1):
            served.do(served.server.select, identifier)
            told.append([words for _, words in lines(served.snapshot().log)])
        clients[2].sendall(b"!")
        assert receive_exactly(clients[2], 1) == b"!"
        served.do(served.server.select, 3)
        third = [words for _, words in lines(served.snapshot().log)]
    assert told[0] == told[3] == ["EPOLLIN → read 64 → wrote 64"] * 2
    assert told[1] == ["EPOLLIN → read 64 → wrote 64 → EAGAIN"] * 2
    assert told[2] == [], "it came when there were enough"
    assert third == ["EPOLLIN → read 1 → wrote 1"], "from when it was selected"


def test_a_server_that_nobody_watches_counts_all_the_same():
    with Served(watched=False) as served:
        client = served.connect(served.listen(Trigger.LEVEL))
        client.sendall(bytes(64))
        assert receive_exactly(client, 64) == bytes(64)
        served.do(served.server._tick)
        table = served.server.take_snapshot().clients
        assert (table.bytes_in[0], table.sampled_s[0]) == (64, 0)
        assert len(served.server.snapshot().clients) == 0, "nobody asks for it"


def test_nothing_is_logged_unless_asked_for():
    loop = EpollLoop()
    server = EchoServer(loop)
    assert server._logs.begin(1) is None
    server.close()
    loop.close()
