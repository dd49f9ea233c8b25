"""EchoServer: listeners, clients, commands, and the snapshot."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import time
from fcntl import F_GETFD, F_GETFL, FD_CLOEXEC, fcntl

import numpy as np
import pytest

from core.echo.options import READ_SIZE, Drain, EchoOptions, Switches, Trigger
from core.echo.server import EchoServer
from core.echo.snapshot import CloseReason
from core.net.event_loop import EpollLoop
from tests.core.echo.serving import (
    Served,
    noise,
    receive_exactly,
    reset,
    send_and_hash,
    unacknowledged,
)
from tests.helpers.waiting import PATIENCE_S

BOTH = pytest.mark.parametrize("trigger", list(Trigger))


def _interest(served, descriptor):
    """Return the events that epoll waits for (proc(5), fdinfo of an epoll descriptor)."""
    with open(f"/proc/self/fdinfo/{served.loop._epoll.fileno()}") as info:
        for line in info:
            words = line.split()
            if words and words[0] == "tfd:" and int(words[1]) == descriptor:
                return int(words[3], 16)
    raise KeyError(descriptor)


def _has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@BOTH
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_echoes(served, trigger, address):
    if ":" in address and not _has_ipv6():
        pytest.skip("no IPv6 on loopback here")
    listener = served.listen(trigger, address)
    client = served.connect(listener)
    client.sendall(b"hello")
    assert receive_exactly(client, 5) == b"hello"
    snapshot = served.until(lambda s: len(s.clients) == 1 and s.clients.bytes_in[0] == 5)
    table = snapshot.clients
    assert table.peer(0) == client.getsockname()[:2]
    assert table.row_of_peer(*client.getsockname()[:2]) == 0
    assert table.row_of_peer(address, 1) is None
    assert table.trigger(0) is trigger
    assert table.state(0) == "ESTABLISHED"
    assert table.rtt_us[0] > 0  # of which kind: test_tcp_info.py
    assert table.bytes_out[0] == 5
    assert (snapshot.totals.bytes_in, snapshot.totals.bytes_out) == (5, 5)


def test_one_port_connected_to_two_listeners_is_two_clients(served):
    listeners = [served.listen(trigger) for trigger in Trigger]
    port = 0
    for listener in listeners:
        client = served.enter(socket.socket())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.bind(("127.0.0.1", port))
        client.connect((listener.address, listener.port))
        peer = client.getsockname()
        port = peer[1]
    table = served.until(lambda s: len(s.clients) == 2).clients
    for listener in listeners:
        row = table.row_of_peer(*peer, listener.identifier)
        assert table.trigger(row) is listener.trigger
    assert table.rows_of_peer(*peer).tolist() == [0, 1]
    assert table.row_of_peer(*peer) == 1
    assert table.row_of_peer(*peer, 99) is None


def test_level_and_edge_listeners_side_by_side(served):
    listeners = [served.listen(trigger) for trigger in (*Trigger, *Trigger)]
    clients = [served.connect(listener) for listener in listeners]
    for client in clients:
        client.sendall(b"x")
    assert [receive_exactly(client, 1) for client in clients] == [b"x"] * 4
    snapshot = served.until(lambda s: len(s.clients) == 4)
    watched = zip(snapshot.clients.listener, snapshot.clients.edge, strict=True)
    assert sorted(watched) == [
        (info.identifier, info.trigger is Trigger.EDGE) for info in listeners
    ]
    assert [info.accepted for info in snapshot.listeners] == [1, 1, 1, 1]


@BOTH
def test_descriptors_are_non_blocking_and_close_on_exec(served, trigger):
    served.connect(served.listen(trigger))
    snapshot = served.until(lambda s: len(s.clients) == 1)
    accepted = int(snapshot.clients.descriptor[0])
    listening = served.server._listeners[1]._listening.fileno()
    for descriptor in (accepted, listening):
        assert fcntl(descriptor, F_GETFL) & os.O_NONBLOCK
        assert fcntl(descriptor, F_GETFD) & FD_CLOEXEC


def test_an_accepted_socket_has_the_options_of_its_listener():
    options = EchoOptions(keepalive_idle_s=7, keepalive_interval_s=3, keepalive_probes=2)
    with Served(options) as served:
        served.connect(served.listen())
        snapshot = served.until(lambda s: len(s.clients) == 1)
        with socket.socket(fileno=os.dup(snapshot.clients.descriptor[0])) as accepted:
            chosen = [
                accepted.getsockopt(level, name)
                for level, name in (
                    (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
                    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
                    (socket.IPPROTO_TCP, socket.TCP_NODELAY),
                    (socket.SOL_SOCKET, socket.SO_OOBINLINE),
                )
            ]
    assert chosen == [1, 7, 3, 2, 1, 1]


@BOTH
def test_epollout_is_registered_only_while_bytes_are_pending(trigger):
    with Served(EchoOptions(send_buffer=4096)) as served:
        client = served.connect(served.listen(trigger), receive_buffer=4096)
        descriptor = int(served.until(lambda s: len(s.clients) == 1).clients.descriptor[0])
        assert not served.do(_interest, served, descriptor) & 0x4  # EPOLLOUT
        data = noise(200_000)
        client.setblocking(False)
        sent = 0
        while not served.snapshot().clients.pending[0]:
            sent += client.send(data[sent : sent + 8192])
        assert served.do(_interest, served, descriptor) & 0x4
        client.settimeout(PATIENCE_S)
        assert receive_exactly(client, sent) == data[:sent]
        served.until(lambda s: s.clients.pending[0] == 0)
        assert not served.do(_interest, served, descriptor) & 0x4
        assert bool(served.do(_interest, served, descriptor) >> 31) == (trigger is Trigger.EDGE)


@BOTH
def test_half_close_gets_every_byte_and_then_the_end(served, trigger):
    client = served.connect(served.listen(trigger))
    client.sendall(b"last words")
    client.shutdown(socket.SHUT_WR)
    assert receive_exactly(client, 100) == b"last words"
    snapshot = served.until(lambda s: not len(s.clients))
    assert snapshot.totals.closed[CloseReason.FINISHED] == 1


@BOTH
def test_paused_client_is_not_read_and_continues_where_it_was(served, trigger):
    client = served.connect(served.listen(trigger))
    identifier = int(served.until(lambda s: len(s.clients) == 1).clients.identifier[0])
    served.do(served.server.pause_client, identifier)
    client.sendall(b"1234567")
    snapshot = served.until(lambda s: s.clients.unread[0] == 7)
    assert snapshot.clients.paused[0] == 1
    assert snapshot.clients.wake_ups[0] == 0
    served.do(served.server.pause_client, identifier, False)
    assert receive_exactly(client, 7) == b"1234567"


@pytest.fixture
def paused(trigger):
    """A loop that the test runs, its server, and both ends of a client that is paused."""
    with contextlib.ExitStack() as stack:
        loop = EpollLoop()
        stack.callback(loop.close)
        server = stack.enter_context(contextlib.closing(EchoServer(loop)))
        info = server.listen(trigger=trigger)
        peer = stack.enter_context(socket.create_connection((info.address, info.port), PATIENCE_S))
        while not server._clients:
            loop.run_once(1000)
        server.pause_client(1)
        yield loop, server, peer


def _events(loop):
    """Return the number of events of twenty waits."""
    return sum(loop.run_once(0) for _ in range(20))


def _wait_for_its_end(server):
    """Wait until the kernel has the FIN of the only client."""
    server._publish()
    while server.snapshot().clients.state(0) != "CLOSE_WAIT":
        server._publish()


@BOTH
def test_reset_of_a_paused_client_closes_it_and_nothing_spins(paused):
    loop, server, peer = paused
    assert _events(loop) == 0
    reset(peer)
    assert loop.run_once(10_000) == 1
    assert server.take_snapshot().totals.closed[CloseReason.RESET] == 1
    assert _events(loop) == 0


@BOTH
def test_end_of_a_paused_client_wakes_nobody_until_it_is_read_again(paused):
    loop, server, peer = paused
    peer.sendall(b"to be read later")
    peer.shutdown(socket.SHUT_WR)
    _wait_for_its_end(server)
    assert _events(loop) == 0
    server.pause_client(1, False)
    while server._clients:
        assert loop.run_once(10_000)
    assert receive_exactly(peer, 100) == b"to be read later"
    assert server.take_snapshot().totals.closed[CloseReason.FINISHED] == 1
    assert _events(loop) == 0


@BOTH
def test_end_of_a_client_at_the_high_water_mark_wakes_nobody(trigger):
    """It reads nothing back, so the buffers stay full, and the server has nothing to do."""
    with contextlib.ExitStack() as stack:
        loop = EpollLoop()
        stack.callback(loop.close)
        options = EchoOptions(high_water=10_000, send_buffer=4096)
        server = stack.enter_context(contextlib.closing(EchoServer(loop, options)))
        info = server.listen(trigger=trigger)
        peer = stack.enter_context(socket.socket())
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect((info.address, info.port))
        peer.setblocking(False)
        columns = server._context.columns
        while loop.run_once(1000) or not any(columns.held):  # until its own buffer is full, too
            if not any(columns.held):
                peer.send(bytes(8192))
        peer.shutdown(socket.SHUT_WR)
        _wait_for_its_end(server)
        assert columns.held[0]
        assert not columns.ended[0], "its FIN is behind what was not read"
        assert _events(loop) == 0


def test_closing_a_client(served):
    client = served.connect(served.listen())
    identifier = int(served.until(lambda s: len(s.clients) == 1).clients.identifier[0])
    served.do(served.server.close_client, identifier)
    assert client.recv(1) == b""
    assert served.snapshot().totals.closed[CloseReason.CLOSED] == 1
    served.do(served.server.close_client, identifier)  # gone already: nothing happens
    assert served.snapshot().totals.closed[CloseReason.CLOSED] == 1


def test_stopping_a_listener_leaves_its_clients(served):
    listener = served.listen()
    client = served.connect(listener)
    served.until(lambda s: len(s.clients) == 1)
    served.do(served.server.stop_listening, listener.identifier)
    assert served.snapshot().listeners == ()
    client.sendall(b"still here")
    assert receive_exactly(client, 10) == b"still here"
    with pytest.raises(ConnectionRefusedError):
        served.connect(listener)


def test_log_of_the_selected_client(served):
    client = served.connect(served.listen(Trigger.EDGE))
    identifier = int(served.until(lambda s: len(s.clients) == 1).clients.identifier[0])
    served.do(served.server.select, identifier)
    client.sendall(bytes(64))
    receive_exactly(client, 64)
    served.until(lambda s: s.clients.eagains[0] == 1)
    client.close()
    snapshot = served.until(lambda s: not len(s.clients))
    texts = [entry.text for entry in snapshot.log]
    assert texts[:4] == ["EPOLLIN", "read 64", "wrote 64", "EAGAIN"]
    assert texts[-3:] == ["EPOLLIN|EPOLLRDHUP", "end of stream", "closed: finished"]
    assert snapshot.selected == identifier
    served.do(served.server.select, None)
    assert served.snapshot().log == ()


def test_only_a_selected_client_has_a_log(served):
    listener = served.listen()
    first, second = served.connect(listener), served.connect(listener)
    identifiers = served.until(lambda s: len(s.clients) == 2).clients.identifier.tolist()
    served.do(served.server.select, identifiers[1])
    assert served.client(identifiers[0])._log is None
    for client in (first, second):
        client.sendall(b"x")
        receive_exactly(client, 1)
    texts = [entry.text for entry in served.until(lambda s: s.log).log]
    assert texts == ["EPOLLIN", "read 1", "wrote 1"]


def test_tables_are_ordered_by_identifier_though_slots_are_used_again(served):
    listener = served.listen()
    first = [served.connect(listener) for _ in range(5)]
    served.until(lambda s: len(s.clients) == 5)
    for client in first[1:4]:
        client.close()
    served.until(lambda s: len(s.clients) == 2)
    for _ in range(3):
        served.connect(listener)
    table = served.until(lambda s: len(s.clients) == 5).clients
    assert (np.diff(table.identifier) > 0).all()
    assert table.identifier[-1] == 8
    assert table.row(int(table.identifier[2])) == 2
    assert table.row(2) is None


def test_a_published_snapshot_does_not_change(served):
    client = served.connect(served.listen())
    before = served.until(lambda s: len(s.clients) == 1)
    client.sendall(b"x")
    served.until(lambda s: s.clients.bytes_in[0] == 1)
    assert before.clients.bytes_in[0] == 0
    assert before.totals.bytes_in == 0


def test_books_balance_over_open_and_closed_clients(served):
    listener = served.listen()
    for size in (10, 20, 30):
        client = served.connect(listener)
        client.sendall(bytes(size))
        receive_exactly(client, size)
        if size == 20:
            client.close()
    snapshot = served.until(lambda s: len(s.clients) == 2)
    totals = snapshot.totals
    assert totals.accepted == 3 == len(snapshot.clients) + sum(totals.closed.values())
    assert totals.bytes_in == totals.bytes_out == 60


@BOTH
def test_built_in_client_makes_the_bytes(served, trigger):
    listener = served.listen(trigger)
    served.do(served.server.talk, listener.identifier, 1_000_000)
    snapshot = served.until(
        lambda s: s.builtin_clients and s.builtin_clients[0].received == 1_000_000
    )
    (builtin,) = snapshot.builtin_clients
    assert builtin.intact
    assert snapshot.clients.row_of_peer(builtin.address, builtin.port) == 0
    served.do(served.server.talk, listener.identifier, 5)
    served.until(
        lambda s: s.builtin_clients[0].received == 1_000_005 and s.builtin_clients[0].intact
    )
    assert len(served.snapshot().clients) == 1


@BOTH
def test_drain_echoes_what_has_come_and_waits_for_the_peer(served, trigger):
    client = served.connect(served.listen(trigger))
    identifier = int(served.until(lambda s: len(s.clients) == 1).clients.identifier[0])
    served.do(served.server.pause_client, identifier)
    client.sendall(b"before the end")
    served.until(lambda s: s.clients.unread[0] == 14)
    drained = []
    served.do(served.server.drain, lambda: drained.append(True))
    assert receive_exactly(client, 100) == b"before the end"
    assert not drained, "the peer has not ended yet"
    reads = served.snapshot().totals.reads
    client.sendall(b"too late")
    client.close()
    snapshot = served.until(lambda s: drained and not len(s.clients))
    assert snapshot.totals.closed[CloseReason.DRAINED] == 1
    assert snapshot.totals.discarded == 8
    assert snapshot.totals.reads == reads + 2, "what was thrown away, and the end"


@BOTH
def test_drain_echoes_clients_not_accepted_yet(served, trigger):
    listener = served.listen(trigger)
    drained = []

    def while_the_loop_stands_still():
        clients = [served.connect(listener) for _ in range(3)]
        for client in clients:
            client.sendall(b"acknowledged")
        served.server.drain(lambda: drained.append(True), PATIENCE_S)
        return clients

    clients = served.do(while_the_loop_stands_still)
    assert [_received(client) for client in clients] == [b"acknowledged"] * 3
    for client in clients:
        client.close()
    totals = served.until(lambda s: drained and not len(s.clients)).totals
    assert (totals.accepted, totals.closed[CloseReason.DRAINED], totals.unsent) == (3, 3, 0)
    with pytest.raises(ConnectionRefusedError):
        served.connect(listener)


def _received(connected):
    """Return all bytes up to the end of the stream."""
    got = bytearray()
    while piece := connected.recv(1 << 20):
        got += piece
    return bytes(got)


def _send_until_nothing_moves(served, client, data):
    """Send without reading; return how many bytes were sent, and how many acknowledged."""
    client.setblocking(False)
    sent, known, ends_s = 0, None, time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < ends_s, known
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += client.send(data[sent : sent + (1 << 16)])
        table = served.snapshot().clients
        acknowledged = sent - unacknowledged(client)
        state = (sent, acknowledged, int(table.bytes_in[0]), int(table.unread[0]))
        if state == known and acknowledged == state[2] + state[3]:
            client.settimeout(PATIENCE_S)
            return sent, acknowledged
        known = state


@BOTH
@pytest.mark.parametrize(
    ("paused", "budget"),
    [(True, 16), (False, READ_SIZE)],
    ids=["paused, 16 bytes a read", "at the high-water mark"],
)
def test_drain_echoes_megabytes_that_are_acknowledged_and_unread(trigger, paused, budget):
    data = noise(40 << 20)
    options = EchoOptions(receive_buffer=4 << 20, high_water=100_000, send_buffer=65536)
    with Served(options) as served:
        client = served.connect(served.listen(trigger), receive_buffer=65536)
        table = served.until(lambda s: len(s.clients) == 1).clients
        served.do(served.server.set_switches, Switches(budget, drain=Drain.ONCE))
        if paused:
            served.do(served.server.pause_client, int(table.identifier[0]))
        sent, acknowledged = _send_until_nothing_moves(served, client, data)
        assert served.snapshot().clients.unread[0] > 2_000_000
        assert acknowledged < sent, "the peer's own buffer is full too"
        drained = []
        served.do(served.server.drain, lambda: drained.append(True), PATIENCE_S)
        echoed = _received(client)
        client.close()
        snapshot = served.until(lambda s: drained and not len(s.clients))
    assert len(echoed) >= acknowledged
    assert echoed == data[: len(echoed)]
    totals = snapshot.totals
    assert totals.closed[CloseReason.DRAINED] == 1
    assert totals.bytes_in == totals.bytes_out == len(echoed)
    assert totals.discarded == sent - len(echoed)


def test_drain_is_forced_when_the_grace_is_over(served):
    client = served.connect(served.listen())
    served.until(lambda s: len(s.clients) == 1)
    drained = []
    served.do(served.server.drain, lambda: drained.append(True), 0.05)
    snapshot = served.until(lambda s: drained and not len(s.clients))
    assert snapshot.totals.closed[CloseReason.FORCED] == 1
    assert client.recv(1) == b""


def test_drain_without_clients_is_done_at_once(served):
    drained = []
    served.listen()
    served.do(served.server.drain, lambda: drained.append(True))
    served.until(lambda s: drained and not s.listeners)


def test_large_echo_is_the_same_bytes(served):
    data = noise(5_000_000)
    for trigger in Trigger:
        digest, length = send_and_hash(served.connect(served.listen(trigger)), data)
        assert length == len(data)
        assert digest == hashlib.sha256(data).hexdigest()


def test_switches_refuse_what_no_read_can_do():
    with pytest.raises(ValueError, match="1 to 65536"):
        Switches(read_budget=0)
