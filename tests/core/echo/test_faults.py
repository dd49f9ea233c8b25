"""Faults of the network, with real sockets: each affects only its own client."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from core.echo.descriptors import SpareDescriptor
from core.echo.listener import EchoError, Listener
from core.echo.options import Drain, EchoOptions, Switches, Trigger
from core.echo.snapshot import CloseReason, EchoTotals, ListenerInfo
from core.echo.tcp_info import unread
from core.net.event_loop import EpollLoop
from tests.core.echo.serving import (
    Served,
    ServedProcess,
    noise,
    receive_exactly,
    reset,
    send_and_hash,
    unacknowledged,
)
from tests.helpers.support import ROOT, require_unshare
from tests.helpers.waiting import PATIENCE_S

BOTH = pytest.mark.parametrize("trigger", list(Trigger))


def _ask(connected, data=b"ping"):
    """Return the seconds that one message takes there and back."""
    started = time.perf_counter()
    connected.sendall(data)
    assert receive_exactly(connected, len(data)) == data
    return time.perf_counter() - started


def _fill(connected):
    """Send without reading until the kernel takes no more."""
    connected.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            connected.send(bytes(1 << 16))


def _p99(delays):
    return sorted(delays)[int(len(delays) * 0.99)]


# -- a port that cannot be had


def test_port_in_use_is_one_line(served):
    taken = served.listen()
    with pytest.raises(EchoError, match=f"port {taken.port} on 127.0.0.1 is in use"):
        served.listen(port=taken.port)
    assert len(served.snapshot().listeners) == 1


@pytest.mark.parametrize("address", ["192.0.2.1", "nonsense", "127.0.0.1.1", "", "\udcff"])
def test_address_of_another_host_is_one_line(served, address):
    with pytest.raises(EchoError, match="address"):
        served.listen(address=address)


def test_port_out_of_range_is_one_line(served):
    with pytest.raises(EchoError):
        served.listen(port=65536)


def test_privileged_port_is_one_line_and_exit_status_1():
    first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if first <= 1:
        pytest.skip("no port is reserved here (ip_unprivileged_port_start)")
    code = (
        "import sys\n"
        "from tests.helpers.unprivileged import drop_capabilities\n"
        "drop_capabilities()\n"
        "from app.cli.echo import run_echo\n"
        "from app.cli.output import CommandError\n"
        "try: run_echo([1], [], 'level', True)\n"
        "except CommandError as error: sys.exit(str(error))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "port 1 on 127.0.0.1 is reserved for privileged programs: choose a port from 1024 up\n"
    )


# -- no descriptors


@BOTH
def test_out_of_descriptors_serves_those_it_has_and_recovers(trigger):
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))"
    with ServedProcess(trigger.value, limit) as served:
        clients = [socket.create_connection(served.address, PATIENCE_S) for _ in range(200)]
        full = served.totals_when(lambda t: t["turned_away"] + t["accepted"] == 200)
        assert full["turned_away"] >= 168
        alive = [client for client in clients if _is_served(client)]
        assert len(alive) == full["accepted"] == full["clients"]
        before = served.cpu_s
        for _ in range(100):
            _ask(alive[0])
        served.totals_when(lambda t: t["seconds"] > full["seconds"] + 1)
        assert served.cpu_s - before < 0.5, "it spins"
        for client in clients:
            client.close()
        served.totals_when(lambda t: t["clients"] == 0)
        with socket.create_connection(served.address, PATIENCE_S) as late:
            late.settimeout(PATIENCE_S)
            _ask(late)
        status, last = served.end()
        assert status == 0
        assert last["turned_away"] == full["turned_away"]


LOSES_ITS_SPARE = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
from core.echo import server
class Lost(server.SpareDescriptor):
    def __init__(self):
        super().__init__()
        self.close()
server.SpareDescriptor = Lost
"""


@BOTH
def test_a_spare_descriptor_that_was_lost_comes_back(trigger):
    with ServedProcess(trigger.value, LOSES_ITS_SPARE) as served:
        served.totals_when(lambda t: t["seconds"] > 0.5)  # its ticks have replaced it
        clients = [socket.create_connection(served.address, PATIENCE_S) for _ in range(60)]
        full = served.totals_when(lambda t: t["turned_away"] + t["accepted"] == 60)
        assert full["turned_away"] > 20
        assert sum(_is_served(client) for client in clients) == full["accepted"]
        for client in clients:
            client.close()


def test_a_lost_spare_takes_the_first_descriptor_that_is_free():
    """No descriptor is free when the listener resumes; later one is, and the queue empties."""

    class Scarce(SpareDescriptor):
        free = False

        def open(self):
            if self.free:
                super().open()

    class Full:
        """A listening socket that can accept only while the spare descriptor is closed."""

        def __init__(self, real):
            self.real = real

        def accept(self):
            if spare._descriptor is None and spare.free:
                return self.real.accept()
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        def fileno(self):
            return self.real.fileno()

        def close(self):
            self.real.close()

    loop, totals, spare = EpollLoop(), EchoTotals(), Scarce()
    real = socket.create_server(("127.0.0.1", 0))
    real.setblocking(False)
    info = ListenerInfo(1, *real.getsockname(), Trigger.LEVEL)
    listener = Listener(loop, Full(real), info, totals, spare, lambda *_given: None)
    clients = [socket.create_connection(real.getsockname(), PATIENCE_S) for _ in range(3)]
    loop.run_once(5000)
    assert totals.turned_away == 0
    spare.free = True
    while totals.turned_away < 3:
        loop.run_once(5000)
    for client in clients:
        assert client.recv(1) == b""
        client.close()
    listener.close()
    spare.close()
    loop.close()
    assert totals.accepted == 0


def _is_served(client):
    client.settimeout(PATIENCE_S)
    try:
        _ask(client)
    except (AssertionError, ConnectionError):
        return False
    return True


def test_without_even_a_spare_descriptor_the_listener_rests_and_comes_back():
    class Exhausted:
        """A listening socket for which no descriptor is free until `cured`."""

        def __init__(self, real):
            self.real, self.tries, self.cured = real, 0, False

        def accept(self):
            self.tries += 1
            if self.cured:
                return self.real.accept()
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        def fileno(self):
            return self.real.fileno()

        def close(self):
            self.real.close()

    loop, accepted, totals = EpollLoop(), [], EchoTotals()
    real = socket.create_server(("127.0.0.1", 0))
    real.setblocking(False)
    listening = Exhausted(real)
    info = ListenerInfo(1, *real.getsockname(), Trigger.EDGE)
    listener = Listener(
        loop, listening, info, totals, SpareDescriptor(), lambda *given: accepted.append(given[0])
    )
    with socket.create_connection(real.getsockname()):
        loop.run_once(5000)
        tries = listening.tries
        loop.run_once(0)
        assert listening.tries == tries == 2, "it spins"
        listening.cured = True
        while not accepted:
            loop.run_once(5000)
    accepted[0].close()
    listener.close()
    loop.close()
    assert totals.accepted == 1


@pytest.mark.parametrize("code", [errno.ECONNABORTED, errno.EPROTO, errno.EPERM])
def test_connection_that_is_gone_before_it_is_accepted_is_counted(code):
    """Linux accepts such a connection and fails the first read; other errors are possible."""

    class OneIsGone:
        def __init__(self, real):
            self.real, self.gone = real, False

        def accept(self):
            if not self.gone:
                self.gone = True
                raise OSError(code, os.strerror(code))
            return self.real.accept()

        def fileno(self):
            return self.real.fileno()

        def close(self):
            self.real.close()

    loop, accepted, totals = EpollLoop(), [], EchoTotals()
    real = socket.create_server(("127.0.0.1", 0))
    real.setblocking(False)
    listener = Listener(
        loop, OneIsGone(real), ListenerInfo(1, *real.getsockname(), Trigger.LEVEL), totals,
        SpareDescriptor(), lambda *given: accepted.append(given[0]),
    )  # fmt: skip
    with socket.create_connection(real.getsockname()):
        loop.run_once(5000)
    accepted[0].close()
    listener.close()
    loop.close()
    assert (totals.accepted, totals.aborted) == (1, 1)


def test_client_that_epoll_cannot_watch_is_turned_away(served, monkeypatch):
    listener = served.listen()

    def full(*_given, **_named):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(served.loop, "add", full)
        refused = served.connect(listener)
        assert refused.recv(1) == b""
    _ask(served.connect(listener))
    snapshot = served.snapshot()
    assert (snapshot.totals.turned_away, snapshot.totals.accepted) == (1, 1)
    assert [info.accepted for info in snapshot.listeners] == [1]


# -- peers that do not read, do not write, or vanish


@pytest.mark.timed
@BOTH
def test_client_that_never_reads_is_held_at_the_high_water_mark(trigger):
    offered = 1 << 30
    with (
        ServedProcess(trigger.value) as served,
        socket.create_connection(served.address, PATIENCE_S) as greedy,
        socket.create_connection(served.address, PATIENCE_S) as other,
    ):
        _ask(other)
        before = served.status("VmRSS")
        greedy.setblocking(False)
        piece, sent = bytes(1 << 20), 0
        writable = select.poll()
        writable.register(greedy, select.POLLOUT)
        while sent < offered and writable.poll(300):
            sent += greedy.send(piece)
        assert sent < 100 << 20, "the kernel's and the server's buffers are bounded"
        delays = [_ask(other) for _ in range(500)]
        held = served.totals_when(lambda t: t["pending"])
        assert 256 * 1024 <= held["pending"] < 256 * 1024 + 64 * 1024
        assert served.status("VmRSS") - before < 4096, "KiB"
        assert _p99(delays) < 0.1
        before_s = served.cpu_s
        served.totals_when(lambda t: t["seconds"] > held["seconds"] + 1)
        assert served.cpu_s - before_s < 0.5, "it spins"
        greedy.close()
        served.totals_when(lambda t: t["clients"] == 1)


@BOTH
def test_silent_and_stuck_clients_are_closed_by_the_idle_timeout(trigger):
    with Served(EchoOptions(idle_timeout_s=0.4)) as served:
        listener = served.listen(trigger)
        silent, stuck, slow = (served.connect(listener) for _ in range(3))
        _fill(stuck)
        while served.snapshot().totals.closed[CloseReason.IDLE] < 2:
            _ask(slow, b"s")  # slow, but not idle
        snapshot = served.snapshot()
        assert len(snapshot.clients) == 1
        assert snapshot.clients.peer(0) == slow.getsockname()
        assert silent.recv(1) == b""
        served.until(lambda s: s.totals.closed[CloseReason.IDLE] == 3)


VANISHING = '''
import fcntl, socket, struct
from core.echo.options import EchoOptions
from core.echo.snapshot import CloseReason
from tests.core.echo.serving import Served

SIOCSIFFLAGS, IFF_UP = 0x8914, 1

def loopback(flags):
    """Turn the interface on or off (netdevice(7))."""
    with socket.socket(type=socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))

loopback(IFF_UP)
options = EchoOptions(keepalive_idle_s=1, keepalive_interval_s=1, keepalive_probes=1)
with Served(options) as served:
    served.connect(served.listen())
    served.until(lambda s: len(s.clients) == 1)
    loopback(0)
    served.until(lambda s: s.totals.closed[CloseReason.VANISHED] == 1)
'''


def test_client_that_vanished_is_found_by_keepalive():
    """The loopback of a network namespace goes down: no FIN, no RST, no answer arrives."""
    code = [require_unshare(), "--net", sys.executable, "-c", VANISHING]
    done = subprocess.run(
        code, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr


# -- ends of every kind


@BOTH
def test_half_close_after_100_megabytes(served, trigger):
    data = noise(100 << 20)
    digest, length = send_and_hash(served.connect(served.listen(trigger)), data, piece=1 << 20)
    assert length == len(data)
    assert digest == hashlib.sha256(data).hexdigest()
    snapshot = served.until(lambda s: not len(s.clients))
    assert snapshot.totals.closed[CloseReason.FINISHED] == 1
    assert snapshot.totals.bytes_in == snapshot.totals.bytes_out == len(data)


@BOTH
def test_reset_in_the_middle_of_a_write_ends_only_that_connection(served, trigger):
    listener = served.listen(trigger)
    other = served.connect(listener)
    breaking = served.connect(listener, receive_buffer=4096)
    _fill(breaking)

    def all_lies_still(snapshot):
        """Return True if every echoed byte is unread at the peer or in the kernel's send buffer."""
        table = snapshot.clients
        under_way = unread(breaking) + int(table.unsent.sum())
        return table.held.any() and int(table.bytes_out.sum()) == under_way

    before = served.until(all_lies_still).clients
    reset(breaking)
    snapshot = served.until(lambda s: len(s.clients) == 1)
    totals = snapshot.totals
    assert totals.closed[CloseReason.RESET] == 1
    assert totals.unsent == before.pending.sum() > 0
    assert totals.bytes_out == before.bytes_out.sum()
    _ask(other)


@BOTH
def test_reset_before_accept_ends_only_that_connection(served, trigger):
    listener = served.listen(trigger)

    def while_the_loop_stands_still():
        gone = socket.create_connection((listener.address, listener.port))
        reset(gone)
        return socket.create_connection((listener.address, listener.port), PATIENCE_S)

    with served.do(while_the_loop_stands_still) as other:
        _ask(other)
        snapshot = served.until(lambda s: s.totals.aborted or s.totals.closed[CloseReason.RESET])
        assert len(snapshot.clients) == 1


@BOTH
def test_data_that_came_with_the_end_is_read_first(served, trigger):
    """EPOLLIN, EPOLLRDHUP (and after a reset EPOLLHUP, EPOLLERR) in one event."""
    listener = served.listen(trigger)

    def while_the_loop_stands_still():
        ended = socket.create_connection((listener.address, listener.port), PATIENCE_S)
        ended.sendall(b"all of it")
        ended.shutdown(socket.SHUT_WR)
        broken = socket.create_connection((listener.address, listener.port), PATIENCE_S)
        broken.sendall(b"12345")
        reset(broken)
        return ended

    with served.do(while_the_loop_stands_still) as ended:
        assert receive_exactly(ended, 100) == b"all of it"
        snapshot = served.until(lambda s: not len(s.clients) and s.totals.accepted == 2)
    assert snapshot.totals.closed[CloseReason.FINISHED] == 1
    assert snapshot.totals.closed[CloseReason.RESET] == 1
    totals = snapshot.totals
    assert (totals.bytes_in, totals.bytes_out, totals.unsent) == (9 + 5, 9, 5)


def test_stale_event_for_a_client_closed_in_the_same_batch_is_ignored(served):
    """Both are ready; the handler of the first closes the second, whose number goes to a new one.

    So the event that is still in the batch is for a closed client, under a number that is in use
    again.
    """
    listener = served.listen()
    first, second = served.connect(listener), served.connect(listener)
    served.until(lambda s: len(s.clients) == 2)
    stale = served.loop.counters.stale
    late, numbers = served.enter(socket.socket()), []

    def make_both_ready():
        for one, other in ((1, 2), (2, 1)):
            client = served.client(one)

            def serve_and_close(events, own=client._on_ready, other=other):
                own(events)
                if numbers:
                    return
                numbers.append(served.client(other).connected.fileno())
                served.server.close_client(other)
                late.connect((listener.address, listener.port))
                served.server._listeners[listener.identifier]._on_ready(0)

            served.loop.remove(client.connected)
            served.loop.add(client.connected, serve_and_close)
        first.sendall(b"1")
        second.sendall(b"2")

    served.do(make_both_ready)
    snapshot = served.until(lambda s: s.totals.accepted == 3)
    assert served.loop.counters.stale == stale + 1
    assert snapshot.totals.closed[CloseReason.CLOSED] == 1
    assert snapshot.clients.descriptor[-1:].tolist() == numbers, "one closed, its number used again"
    assert snapshot.clients.reads[-1] == 0, "the event was not for the new one"
    _ask(late)


# -- fairness


@pytest.mark.timed
@BOTH
def test_a_firehose_does_not_starve_500_small_clients(trigger):
    with ServedProcess(trigger.value) as served:
        small = [socket.create_connection(served.address, PATIENCE_S) for _ in range(500)]
        hose = subprocess.Popen([sys.executable, "-c", FIREHOSE, str(served.address[1])])
        try:
            served.totals_when(lambda t: t["bytes_in"] > 10 << 20)
            delays = [_ask(client) for _ in range(3) for client in small]
        finally:
            hose.kill()
            hose.wait()
            for client in small:
                client.close()
        assert _p99(delays) < 0.1


FIREHOSE = """
import socket, sys, threading
hose = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
piece = bytes(1 << 18)
def drink():
    while hose.recv(1 << 18): pass
threading.Thread(target=drink, daemon=True).start()
while True: hose.sendall(piece)
"""


@BOTH
def test_a_turn_of_one_client_is_bounded(served, trigger):
    """Other clients are served after 16 reads, however many bytes have arrived."""
    served.do(served.server.set_switches, Switches(64, drain=Drain.EAGAIN))
    listener = served.listen(trigger)
    full, other = served.connect(listener), served.connect(listener)
    table = served.until(lambda s: len(s.clients) == 2).clients
    identifier = int(table.identifier[table.row_of_peer(*full.getsockname())])
    served.do(served.server.pause_client, identifier)
    _fill(full)
    before = served.until(lambda s: s.clients.unread.max() > 1000 * 64)
    reads = []

    def one_turn():
        served.server.pause_client(identifier, False)
        other.sendall(b"x")
        served.loop.run_once(1000)
        reads.append(served.server.take_snapshot().clients.reads)

    row = before.clients.row(identifier)
    served.do(one_turn)
    assert reads[0][row] - before.clients.reads[row] == 16
    assert receive_exactly(other, 1) == b"x"


# -- the kernel takes little at a time, and signals interrupt it


@BOTH
@pytest.mark.parametrize(
    ("watched", "receive_buffer"),
    [(False, 0), (True, 0), (False, 1)],
    ids=["much is read", "with a log", "little is read"],
)
def test_partial_writes_with_the_smallest_buffers_lose_nothing(
    trigger, watched, receive_buffer, monkeypatch
):
    data, partial = noise(3_000_000), []

    def counting(descriptor, data, write=os.write):
        """Record writes of which the kernel took only a part."""
        sent = write(descriptor, data)
        if sent < len(data):
            partial.append(sent)
        return sent

    monkeypatch.setattr(os, "write", counting)
    with Served(EchoOptions(send_buffer=1, receive_buffer=receive_buffer)) as served:
        client = served.connect(served.listen(trigger), receive_buffer=1)
        identifier = served.until(lambda s: len(s.clients) == 1).clients.identifier[0]
        served.do(served.server.select, int(identifier) if watched else None)
        digest, length = send_and_hash(
            client,
            data,
            piece=777,
            before_reading=lambda: served.until(lambda s: s.clients.pending.max() >= 64 * 1024),
        )
        assert length == len(data)
        assert digest == hashlib.sha256(data).hexdigest()
    assert len(partial) > 10, "the kernel took everything at once"


@BOTH
def test_a_storm_of_signals_changes_nothing(trigger, tmp_path):
    count = tmp_path / "signals"
    storm = (
        "import atexit, signal\narrived = []\n"
        "signal.signal(signal.SIGALRM, lambda *_: arrived.append(1))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)\n"
        f"atexit.register(lambda: open({str(count)!r}, 'w').write(str(len(arrived))))\n"
        "atexit.register(lambda: signal.setitimer(signal.ITIMER_REAL, 0))"  # before that
    )
    data = noise(20_000_000)
    with ServedProcess(trigger.value, storm) as served:
        with socket.create_connection(served.address, PATIENCE_S) as client:
            digest, length = send_and_hash(client, data)
        assert length == len(data)
        assert digest == hashlib.sha256(data).hexdigest()
        assert served.end()[0] == 0
    assert int(count.read_text()) > 10


# -- coming and going


@BOTH
def test_churn_leaves_nothing_behind(trigger):
    """Four threads make 8,000 connections as fast as they can, in four steps.

    A leak of one descriptor or of 200 bytes per client would show in each step; memory that the
    allocator takes once shows only in one. `tests.bench.bench_churn` does this for ten minutes.
    """
    with ServedProcess(trigger.value) as served:
        descriptors, resident = [], []
        for made in range(2000, 8001, 2000):
            _churn(served.address, 2000)
            served.totals_when(lambda t, made=made: t["clients"] == 0 and t["accepted"] == made)
            descriptors.append(served.descriptors())
            resident.append(served.status("VmRSS"))
        assert len(set(descriptors)) == 1
        assert sorted(after - before for before, after in pairwise(resident))[1] < 400, "KiB"
        status, last = served.end()
        assert status == 0
        assert last["bytes_in"] == last["bytes_out"] == 8000


def _churn(address, count):
    """Connect, exchange one byte, and close, in four threads."""

    def come_and_go():
        for _ in range(count // 4):
            with socket.create_connection(address, PATIENCE_S) as client:
                client.sendall(b"x")
                assert client.recv(1) == b"x"
                reset(client)  # no TIME-WAIT on this host

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)


@BOTH
def test_sigterm_drains(trigger):
    data = noise(300_000)
    with ServedProcess(trigger.value) as served:
        client = socket.create_connection(served.address, PATIENCE_S)
        client.sendall(data)
        served.totals_when(lambda totals: not unacknowledged(client))
        served.process.send_signal(signal.SIGTERM)
        assert receive_exactly(client, 400_000) == data[:300_000]
        client.close()
        served.process.communicate(timeout=PATIENCE_S)
        assert served.process.returncode == 0


def test_second_sigterm_ends_it_at_once():
    with ServedProcess() as served:
        client = socket.create_connection(served.address, PATIENCE_S)
        _ask(client)
        served.process.send_signal(signal.SIGTERM)
        assert client.recv(1) == b"", "it has begun to drain, and we do not end"
        served.process.send_signal(signal.SIGTERM)
        served.process.communicate(timeout=PATIENCE_S)
        assert served.process.returncode == -signal.SIGTERM
        client.close()
