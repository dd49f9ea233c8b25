"""EchoConnection: what goes in comes out, in order, however the kernel takes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.echo.connection import EchoConnection


class Wire:
    """A `send` that takes as much as the next number says; what it took."""

    def __init__(self):
        self.taken = bytearray()

    def send(self, connection, offered, most):
        if offered is None:
            return
        count = min(most, len(offered))
        self.taken += offered[:count]
        connection.sent(count)


def test_everything_taken_at_once_leaves_nothing():
    connection, data = EchoConnection(), b"hello"
    assert connection.receive(data) is data
    connection.sent(5)
    assert connection.pending == 0
    assert connection.wants_read
    assert not connection.finished


@pytest.mark.parametrize("taken", range(6))
def test_what_was_not_taken_is_pending_and_comes_next(taken):
    connection = EchoConnection()
    connection.receive(b"hello")
    connection.sent(taken)
    assert connection.pending == 5 - taken
    assert bytes(connection.output()) == b"hello"[taken:]


def test_new_bytes_queue_behind_the_backlog():
    connection = EchoConnection()
    connection.receive(b"one")
    connection.sent(0)
    assert connection.receive(b"two") is None
    assert bytes(connection.output()) == b"onetwo"


def test_borrowed_bytes_are_copied_before_the_buffer_is_used_again():
    connection, buffer = EchoConnection(), bytearray(b"abcd")
    connection.receive(memoryview(buffer))
    connection.sent(1)
    buffer[:] = b"\xee" * 4
    assert bytes(connection.output()) == b"bcd"


def test_reading_stops_at_the_high_water_mark_and_goes_on_below_half_of_it():
    connection = EchoConnection(high_water=100)
    connection.receive(b"x" * 99)
    connection.sent(0)
    assert connection.wants_read
    connection.receive(b"x")
    assert not connection.wants_read
    connection.sent(49)
    assert not connection.wants_read
    connection.sent(1)
    assert connection.wants_read


def test_half_close_is_finished_when_the_last_byte_went_back():
    connection = EchoConnection()
    connection.receive(b"last words")
    connection.sent(4)
    connection.receive_end()
    assert connection.ended
    assert not connection.wants_read
    assert not connection.finished
    connection.sent(6)
    assert connection.finished
    assert not connection.wants_read, "after the end there is nothing to read"


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
    connection, wire = EchoConnection(high_water), Wire()
    limits = iter(takes)
    received = bytearray()
    for chunk in chunks:
        while not connection.wants_read:
            wire.send(connection, connection.output(), next(limits, 1))
        wire.send(connection, connection.receive(chunk), next(limits, 0))
        received += chunk
        assert len(received) == len(wire.taken) + connection.pending
        assert connection.pending < high_water + len(chunk)
    connection.receive_end()
    while not connection.finished:
        wire.send(connection, connection.output(), 7)
    assert wire.taken == received
