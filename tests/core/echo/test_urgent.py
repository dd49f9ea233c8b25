"""Urgent bytes are echoed in their place and counted, and EPOLLPRI does not spin (tcp(7))."""

from __future__ import annotations

import select
import socket

import pytest

from core.echo.log import lines
from core.echo.options import READ_SIZE, Drain, Switches, Trigger
from tests.core.echo.serving import ServedProcess, receive_exactly
from tests.helpers.waiting import PATIENCE_S

BOTH = pytest.mark.parametrize("trigger", Trigger)
BUDGETS = (1, 4, 5, 16, READ_SIZE)

# what the client sends: the last byte of an urgent piece is the urgent one
PLAIN, URGENT = 0, socket.MSG_OOB
ARRANGEMENTS = {
    "only": [(URGENT, b"U")],
    "first": [(URGENT, b"U"), (PLAIN, b"after")],
    "last": [(PLAIN, b"before"), (URGENT, b"U")],
    "within": [(PLAIN, b"befor"), (URGENT, b"eU"), (PLAIN, b"after")],
    "two in a row": [(PLAIN, b"a"), (URGENT, b"U"), (URGENT, b"V"), (PLAIN, b"z")],
    "two apart": [(URGENT, b"U"), (PLAIN, b"between"), (URGENT, b"V"), (PLAIN, b"after")],
    "last of a read": [(PLAIN, b"abc"), (URGENT, b"U"), (PLAIN, b"after")],
    "first of a read": [(PLAIN, b"abcd"), (URGENT, b"U"), (PLAIN, b"after")],
    "far behind": [(PLAIN, bytes(200)), (URGENT, b"U"), (PLAIN, bytes(200))],
}
EACH = pytest.mark.parametrize("pieces", ARRANGEMENTS.values(), ids=ARRANGEMENTS.keys())


def _connect(served, trigger):
    client = served.connect(served.listen(trigger))
    return client, int(served.until(lambda s: len(s.clients) == 1).clients.identifier[0])


def _send_unseen(served, client, identifier, pieces):
    """Send while the client is paused, so that all bytes are there when it resumes."""
    served.do(served.server.pause_client, identifier)
    whole = b"".join(data for _flag, data in pieces)
    for flag, data in pieces:
        assert client.send(data, flag) == len(data)
    served.until(lambda s: s.clients.unread[0] == len(whole), "their arrival")
    served.do(served.server.pause_client, identifier, False)
    return whole


def _assert_quiet(served):
    """Assert that twenty waits of the loop do not wake the client."""
    before = int(served.snapshot().clients.wake_ups[0])
    turns = served.loop.counters.waits
    while served.loop.counters.waits < turns + 20:
        assert int(served.snapshot().clients.wake_ups[0]) == before


@BOTH
@EACH
@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("drain", [None, Drain.EAGAIN])
def test_pending_urgent_bytes_return_in_order_and_the_last_mark_counts(
    served, trigger, pieces, budget, drain
):
    served.do(served.server.set_switches, Switches(budget, drain))
    client, identifier = _connect(served, trigger)
    whole = _send_unseen(served, client, identifier, pieces)
    assert receive_exactly(client, len(whole)) == whole
    snapshot = served.until(lambda s: s.clients.urgent[0], "the mark")
    assert snapshot.clients.urgent[0] == snapshot.totals.urgent == 1
    assert snapshot.clients.wake_ups[0] <= snapshot.clients.reads[0] <= len(whole) + 2
    _assert_quiet(served)
    client.sendall(b"more")
    assert receive_exactly(client, 4) == b"more"


@BOTH
@EACH
@pytest.mark.parametrize("drain", [None, Drain.EAGAIN])
@pytest.mark.parametrize("logged", [False, True])
def test_each_mark_counts_that_is_read_before_the_next_one_comes(
    served, trigger, pieces, drain, logged
):
    served.do(served.server.set_switches, Switches(4, drain))
    client, identifier = _connect(served, trigger)
    if logged:
        served.do(served.server.select, identifier)
    for _ in range(3):
        for flag, data in pieces:
            _send_unseen(served, client, identifier, [(flag, data)])
            assert receive_exactly(client, len(data)) == data
    marks = 3 * sum(flag == URGENT for flag, _data in pieces)
    client.close()
    snapshot = served.until(lambda s: not len(s.clients))
    assert snapshot.totals.urgent == marks
    assert snapshot.totals.bytes_in == snapshot.totals.bytes_out
    told = [text for _time, text in lines(snapshot.log)]
    assert sum("EPOLLPRI" in text.split(" → ")[0] for text in told) >= marks * logged
    assert sum(text.count("urgent mark → read") for text in told) == marks * logged


@BOTH
@EACH
def test_urgent_bytes_and_the_end_together(served, trigger, pieces):
    client, identifier = _connect(served, trigger)
    served.do(served.server.pause_client, identifier)
    whole = b"".join(data for _flag, data in pieces)
    for flag, data in pieces:
        client.send(data, flag)
    client.shutdown(socket.SHUT_WR)
    served.until(lambda s: s.clients.unread[0] == len(whole))
    served.do(served.server.pause_client, identifier, False)
    assert receive_exactly(client, len(whole) + 1) == whole
    assert served.until(lambda s: not len(s.clients)).totals.urgent == 1


@BOTH
def test_a_paused_client_is_not_woken_by_an_urgent_byte(served, trigger):
    client, identifier = _connect(served, trigger)
    served.do(served.server.pause_client, identifier)
    client.send(b"U", socket.MSG_OOB)
    served.until(lambda s: s.clients.unread[0] == 1)
    _assert_quiet(served)
    served.do(served.server.pause_client, identifier, False)
    assert client.recv(10) == b"U"


@BOTH
def test_a_drained_server_echoes_what_lies_behind_the_mark(served, trigger):
    client, identifier = _connect(served, trigger)
    served.do(served.server.pause_client, identifier)
    whole = b"".join(data for _flag, data in ARRANGEMENTS["two apart"])
    for flag, data in ARRANGEMENTS["two apart"]:
        client.send(data, flag)
    served.until(lambda s: s.clients.unread[0] == len(whole))
    drained = []
    served.do(served.server.drain, lambda: drained.append(True))
    assert receive_exactly(client, len(whole) + 1) == whole
    client.close()
    assert served.until(lambda s: drained).totals.urgent == 1


def test_an_urgent_byte_is_echoed_as_a_plain_one(served):
    """The echo has no urgent byte: the peer's out-of-band read finds none."""
    client, _identifier = _connect(served, Trigger.LEVEL)
    client.send(b"abU", socket.MSG_OOB)
    assert receive_exactly(client, 3) == b"abU"
    watched = select.poll()
    watched.register(client, select.POLLPRI)
    assert not watched.poll(0)


def test_the_command_counts_them():
    with ServedProcess() as process:
        with socket.create_connection(process.address, PATIENCE_S) as client:
            client.send(b"abU", socket.MSG_OOB)
            assert receive_exactly(client, 3) == b"abU"
        status, totals = process.end()
    assert (status, totals["urgent"], totals["bytes_out"]) == (0, 1, 3)
