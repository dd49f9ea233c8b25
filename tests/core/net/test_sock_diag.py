"""The sockets of this process, as the kernel lists them."""

from __future__ import annotations

import os
import socket

import pytest

from core.net.sock_diag import TCP_LISTEN, DiagnosedSockets, dump_sockets
from core.wire.model.address_texts import MAPPED


def row_of(found: DiagnosedSockets, own: socket.socket) -> int:
    (row,) = (found.inode == os.fstat(own.fileno()).st_ino).nonzero()[0].tolist()
    return row


def port(number: int) -> bytes:
    return number.to_bytes(2, "big")


def test_a_connection_has_the_inodes_of_its_sockets() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
    ):
        served, _peer = listener.accept()
        with served:
            found = dump_sockets(socket.IPPROTO_TCP)
            rows = [row_of(found, each) for each in (client, served, listener)]
            ports = [port(each.getsockname()[1]) for each in (client, listener)]
    loopback = MAPPED + bytes((127, 0, 0, 1))
    ends = [found.ends[row].tobytes() for row in rows]
    assert ends[0] == ports[0] + ports[1] + loopback + loopback
    assert ends[1] == ports[1] + ports[0] + loopback + loopback
    assert ends[2] == ports[1] + bytes(2) + loopback + MAPPED + bytes(4)
    assert found.state[rows[2]] == TCP_LISTEN


@pytest.mark.parametrize("is_only", [False, True])
def test_a_datagram_socket_has_its_user_and_says_if_it_is_for_ipv6_only(is_only) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as own:
        own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, is_only)
        own.bind(("::", 0))
        found = dump_sockets(socket.IPPROTO_UDP)
        row = row_of(found, own)
        local = port(own.getsockname()[1])
    assert found.ends[row].tobytes() == local + bytes(34)
    assert bool(found.ipv6_only[row]) is is_only
    assert int(found.uid[row]) == os.geteuid()
