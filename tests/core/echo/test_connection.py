"""EchoConnection: every byte comes out, in order, in whatever pieces the kernel takes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.echo.connection import EchoConnection


class Shell:
    """The server's use of a connection, with a kernel that takes as many bytes as the test says."""

    def __init__(self, connection):
        self.connection = connection
        self.taken = bytearray()

    def read(self, data, most):
        if not self.connection.pending:
            self.taken += data[:most]
            data = data[most:]
        if data:
            self.connection.keep(data)

    def write(self, most):
        output = self.connection.output()
        self.taken += output[:most]
        self.connection.sent(min(most, len(output)))


@pytest.mark.parametrize("taken", range(5))
def test_bytes_not_taken_are_pending_and_come_next(taken):
    connection = EchoConnection()
    connection.keep(b"hello")
    connection.sent(taken)
    assert connection.pending == 5 - taken
    assert bytes(connection.output()) == b"hello"[taken:]


def test_new_bytes_queue_behind_the_backlog():
    connection = EchoConnection()
    connection.keep(b"one")
    connection.keep(b"two")
    assert bytes(connection.output()) == b"onetwo"


def test_connections_do_not_share_a_backlog():
    first, second = EchoConnection(), EchoConnection()
    first.keep(b"mine")
    assert second.pending == 0
    assert bytes(second.output()) == b""


def test_a_borrowed_output_does_not_hinder_sent():
    connection = EchoConnection()
    connection.keep(bytes(200_000))
    borrowed = connection.output()
    connection.sent(100_000)
    assert connection.pending == 100_000
    assert len(connection.output()) == 100_000
    assert len(borrowed) == 200_000


def test_reading_stops_at_the_high_water_mark_and_continues_below_half_of_it():
    connection = EchoConnection(high_water=100)
    connection.keep(b"x" * 99)
    assert connection.wants_read
    connection.keep(b"x")
    assert not connection.wants_read
    connection.sent(49)
    assert not connection.wants_read
    connection.sent(1)
    assert connection.wants_read


def test_half_close_is_finished_when_the_last_byte_went_back():
    connection = EchoConnection()
    connection.keep(b"last words")
    connection.receive_end()
    assert connection.ended
    assert not connection.wants_read
    connection.sent(9)
    assert not connection.finished
    connection.sent(1)
    assert connection.finished
    assert not connection.wants_read, "no bytes follow the end"


def test_end_without_bytes_is_finished_at_once():
    connection = EchoConnection()
    connection.receive_end()
    assert connection.finished


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=200), max_size=30),
    takes=st.lists(st.integers(0, 150), max_size=90),
    high_water=st.integers(1, 500),
)
def test_bytes_come_back_in_order_and_none_is_lost(chunks, takes, high_water):
    shell = Shell(EchoConnection(high_water))
    connection, limits, received = shell.connection, iter(takes), bytearray()
    for chunk in chunks:
        while not connection.wants_read:
            shell.write(next(limits, 1))
        shell.read(chunk, next(limits, 0))
        received += chunk
        assert len(received) == len(shell.taken) + connection.pending
        assert connection.pending < high_water + len(chunk)
    connection.receive_end()
    while not connection.finished:
        shell.write(7)
    assert shell.taken == received
