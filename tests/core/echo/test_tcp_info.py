"""The fields read of a TCP socket are those of the kernel's own header."""

from __future__ import annotations

import ctypes
import socket

import pytest

from core.echo.tcp_info import sample, state_name, unread
from tests.core.echo.serving import receive_exactly
from tests.helpers.waiting import PATIENCE_S


class TcpInfo(ctypes.Structure):
    """The beginning of `struct tcp_info` (linux/tcp.h), field by field."""

    _fields_ = (
        *((f"tcpi_{name}", ctypes.c_uint8) for name in (
            "state", "ca_state", "retransmits", "probes", "backoff", "options", "wscales",
            "app_limited",
        )),
        *((f"tcpi_{name}", ctypes.c_uint32) for name in (
            "rto", "ato", "snd_mss", "rcv_mss", "unacked", "sacked", "lost", "retrans", "fackets",
            "last_data_sent", "last_ack_sent", "last_data_recv", "last_ack_recv", "pmtu",
            "rcv_ssthresh", "rtt", "rttvar",
        )),
    )  # fmt: skip


@pytest.fixture
def pair():
    """Return a connection that has echoed a little, so that both ends know a round-trip time."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname(), PATIENCE_S) as one,
        listening.accept()[0] as other,
    ):
        for _ in range(5):
            exchange(one, other)
        yield one, other


def exchange(one: socket.socket, other: socket.socket) -> None:
    """Send a few bytes to the other end and back."""
    one.sendall(b"there")
    other.sendall(receive_exactly(other, 5))
    receive_exactly(one, 5)


def info_of(connected: socket.socket) -> TcpInfo:
    size = ctypes.sizeof(TcpInfo)
    return TcpInfo.from_buffer_copy(connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, size))


def test_state_and_round_trip_time_are_those_of_the_header(pair):
    """The time changes only with an acknowledgment, and without data none arrives."""
    for connected in pair:
        info = info_of(connected)
        while info.tcpi_rtt in (info.tcpi_rttvar, info.tcpi_rto):  # equal once in a while
            exchange(*pair)
            info = info_of(connected)
        assert sample(connected).rtt_us == info.tcpi_rtt > 0
        assert sample(connected).state == info.tcpi_state
        assert state_name(info.tcpi_state) == "ESTABLISHED"


def test_unread_is_what_recv_will_give(pair):
    one, other = pair
    one.sendall(bytes(1000))
    while unread(other) < 1000:
        pass
    assert sample(other).unread == 1000
    other.recv(400)
    assert sample(other).unread == 600


def test_unsent_is_what_the_peer_has_not_acknowledged(pair):
    one, other = pair
    one.setblocking(False)
    sent = 0
    try:
        while True:
            sent += one.send(bytes(1 << 16))
    except BlockingIOError:
        pass
    while sample(one).unsent + sample(other).unread != sent:
        pass  # on its way between the two
    assert sample(one).unsent > 0


def test_a_state_that_a_newer_kernel_may_have_is_a_number():
    assert state_name(77) == "77"
