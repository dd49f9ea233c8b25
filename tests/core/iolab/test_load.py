"""The load generator counts whole messages, and checks every byte of the server."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from core.echo.options import Trigger
from core.iolab.load import Load, LoadError, connect
from tests.core.echo.serving import Served
from tests.helpers.waiting import PATIENCE_S


@contextlib.contextmanager
def _answering(answer):
    """Run a server of one client that sends back `answer(data)`, or ends for None."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listening, listening.accept()[0] as client:
            while data := client.recv(4096):
                back = answer(data)
                if back is None:
                    return
                client.sendall(back)

    thread = threading.Thread(target=serve)
    thread.start()
    yield listening.getsockname()
    thread.join(PATIENCE_S)


@pytest.mark.parametrize("size", [1, 64, 100_000])
def test_the_load_sends_exactly_the_messages_requested(size):
    with Served() as served:
        listener = served.listen(Trigger.EDGE)
        with Load(listener.address, listener.port, clients=7, idle=3, size=size) as load:
            result = load.run(seconds=60, most=100)
            snapshot = served.until(lambda s: s.totals.bytes_in == 100 * size)
            assert len(snapshot.clients) == 10
    assert result.messages == 100
    assert result.rate > 0
    assert 0 < result.p50_us <= result.p99_us


@pytest.mark.parametrize("most", [1, 10, 99])
def test_fewer_messages_than_clients_are_so_many(most):
    with Served() as served:
        listener = served.listen()
        with Load(listener.address, listener.port, clients=100, idle=0, size=64) as load:
            served.until(lambda s: len(s.clients) == 100)
            result = load.run(seconds=60, most=most)
            snapshot = served.until(lambda s: s.totals.bytes_in >= most * 64)
    assert result.messages == most
    assert snapshot.totals.bytes_in == most * 64
    assert snapshot.totals.reads == most


@pytest.mark.parametrize("trigger", Trigger)
def test_once_it_has_settled_the_server_has_accepted_all(trigger):
    with Served() as served:
        listener = served.listen(trigger)
        with Load(listener.address, listener.port, clients=5, idle=300, size=64) as load:
            load.settle()
            assert len(served.snapshot().clients) == 305


def test_bytes_that_differ_are_an_error():
    with (
        _answering(lambda data: data[:-1] + b"!") as (address, port),
        Load(address, port, clients=1, idle=0, size=64) as load,
        pytest.raises(LoadError, match="differs from what was sent"),
    ):
        load.run(seconds=60, most=5)


def test_a_server_that_ends_is_an_error():
    with (
        _answering(lambda _data: None) as (address, port),
        Load(address, port, clients=1, idle=0, size=64) as load,
        pytest.raises(LoadError, match="ended a connection"),
    ):
        load.run(seconds=60, most=5)


def test_nobody_listening_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(LoadError, match=f"127.0.0.1 port {port}"):
        connect("127.0.0.1", port)
