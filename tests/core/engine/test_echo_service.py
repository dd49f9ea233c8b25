"""The echo server inside the engine: commands, refusals, and faults that stay there."""

from __future__ import annotations

import errno
import os
import socket
import struct
import threading
from contextlib import ExitStack, suppress

import pytest

from core.echo.log import LogStep
from core.echo.options import Drain, Switches, Trigger
from core.engine.echo_service import NO_SERVER
from core.engine.engine import Engine
from core.engine.snapshot import EngineState
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore
from tests.helpers import waiting
from tests.helpers.waiting import PATIENCE_S

ADDRESS = "127.0.0.1"
EDGE_ONLY = [Trigger.EDGE]


@pytest.fixture
def engine():
    made = Engine(PacketStore(), LOCAL_SOCKETS)
    made.start()
    yield made
    made.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("rawscope")]


def until(engine, condition):
    """The first snapshot that `condition` holds for."""

    def look():
        snapshot = engine.echo.snapshot()
        return snapshot if condition(snapshot) else None

    return waiting.until(look, seen=engine.echo.snapshot)


def listening(engine, trigger=Trigger.LEVEL):
    known = {info.identifier for info in engine.echo.snapshot().listeners}
    engine.echo.listen(ADDRESS, 0, trigger)
    shown = until(engine, lambda shown: len(shown.listeners) > len(known))
    return next(info for info in shown.listeners if info.identifier not in known)


def connect(info):
    return socket.create_connection((info.address, info.port), timeout=PATIENCE_S)


def test_nothing_is_made_before_it_is_needed(engine):
    assert engine.echo.snapshot() is NO_SERVER
    assert len(NO_SERVER.clients) == 0


def test_level_and_edge_side_by_side(engine):
    for trigger in Trigger:
        with connect(listening(engine, trigger)) as client:
            client.sendall(b"there and back")
            assert client.recv(64) == b"there and back"
    shown = until(engine, lambda shown: shown.totals.bytes_in == 28)
    assert [info.trigger for info in shown.listeners] == list(Trigger)


def test_commands_reach_the_client_they_name(engine):
    info = listening(engine)
    with connect(info) as one, connect(info) as other:
        table = until(engine, lambda shown: len(shown.clients) == 2).clients
        first = int(table.identifier[table.row_of_peer(*one.getsockname())])
        engine.echo.toggle_pause(first)
        engine.echo.select(first)
        until(engine, lambda shown: shown.clients.paused[0] == 1 and shown.selected == first)
        engine.echo.set_switches(Switches(16, drain=Drain.ONCE))
        steps = [one.step for one in until(engine, lambda s: s.switches.read_budget == 16).log]
        assert steps == [LogStep.PAUSED, LogStep.INTEREST]
        engine.echo.close_client(first)
        until(engine, lambda shown: len(shown.clients) == 1)
        assert one.recv(1) == b""
        other.sendall(b"still here")
        assert other.recv(64) == b"still here"
    engine.echo.stop_listening(info.identifier)
    until(engine, lambda shown: not shown.listeners)
    with pytest.raises(ConnectionRefusedError):
        connect(info)


def test_one_command_shows_both_triggers(engine):
    engine.echo.demonstrate(64)
    shown = until(engine, lambda shown: sum(each.received for each in shown.builtin_clients) == 128)
    assert [info.trigger for info in shown.listeners] == list(Trigger)
    assert all(one.intact for one in shown.builtin_clients)
    level = shown.builtin_clients[0]
    engine.echo.talk(level.listener, 1000)
    shown = until(engine, lambda shown: shown.builtin_clients[0].received == 1064)
    assert shown.clients.row_of_peer(level.address, level.port) is not None


def test_two_quick_steps_are_two_steps(engine):
    """No snapshot comes between the commands: each is carried out where the last one left it."""
    with connect(listening(engine)):
        client = int(until(engine, lambda shown: len(shown.clients) == 1).clients.identifier[0])
        engine.echo.step_budget(-1)
        engine.echo.step_budget(-1)
        engine.echo.next_drain()
        engine.echo.next_drain()
        for _ in range(3):
            engine.echo.toggle_pause(client)
        asked = Switches(16, drain=Drain.SHORT)
        shown = until(engine, lambda shown: shown.switches == asked and shown.clients.paused[0])
        assert shown.message == ""


def test_a_reopened_built_in_client_waits_before_its_first_bytes(engine, monkeypatch):
    """As the first time: a new one says nothing before `FIRST_BYTES_AFTER_S` is over."""
    monkeypatch.setattr("core.engine.echo_service.FIRST_BYTES_AFTER_S", 0.0)
    info = listening(engine)
    engine.echo.talk(info.identifier, 10)
    first = until(
        engine, lambda shown: shown.builtin_clients and shown.builtin_clients[0].received == 10
    )
    engine.echo.close_client(int(first.clients.identifier[0]))
    until(engine, lambda shown: not len(shown.clients))
    monkeypatch.setattr("core.engine.echo_service.FIRST_BYTES_AFTER_S", 3600.0)
    engine.echo.talk(info.identifier, 10)
    until(engine, lambda shown: len(shown.clients) == 1)
    with connect(info) as other:  # the loop has gone round since the new one was connected
        other.sendall(b"x")
        assert other.recv(1) == b"x"
    assert until(engine, lambda shown: shown.totals.bytes_in == 11).builtin_clients[0].sent == 0


def test_a_refused_listener_is_one_line_until_the_next_command_works(engine):
    info = listening(engine)
    engine.echo.listen(ADDRESS, info.port, Trigger.EDGE)
    said = until(engine, lambda shown: shown.message).message
    assert said == (
        f"port {info.port} on {ADDRESS} is in use already: choose another port, or 0 for a free one"
    )
    listening(engine)
    assert engine.echo.snapshot().message == ""


def test_a_listener_that_epoll_cannot_watch_is_one_line(engine, monkeypatch):
    with connect(listening(engine)) as client:
        until(engine, lambda shown: len(shown.clients) == 1)
        before = len(os.listdir("/proc/self/fd"))

        def full(*_given, **_named):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(engine._loop, "add", full)
            engine.echo.listen(ADDRESS, 0, Trigger.LEVEL)
            said = until(engine, lambda shown: shown.message).message
        assert said.endswith("epoll cannot watch it: No space left on device")
        assert len(os.listdir("/proc/self/fd")) == before
        client.sendall(b"still here")
        assert client.recv(10) == b"still here"
    assert engine.failure is None


def test_a_fault_in_the_server_is_reported_and_ends_nothing_else(engine, tmp_path, monkeypatch):
    info = listening(engine)

    def broken(self, most, events):
        raise RuntimeError("\x1bof the test")

    with connect(info) as client:
        shown = until(engine, lambda shown: len(shown.clients) == 1)
        engine.echo.select(int(shown.clients.identifier[0]))  # whose log is kept is read by `_read`
        until(engine, lambda shown: shown.selected is not None)
        with monkeypatch.context() as patch:
            patch.setattr("core.echo.client.Client._read", broken)
            client.sendall(b"x")
            said = until(engine, lambda shown: shown.message).message
        assert "the echo server failed (RuntimeError: " in said
        assert "\x1b" not in said
        assert isinstance(engine.failure, RuntimeError)
        with pytest.raises(ConnectionResetError):  # its byte was never read
            client.recv(1)
    path = tmp_path / "one.pcap"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    engine.open_file(str(path))
    waiting.until(lambda: engine.snapshot().state is EngineState.DONE, "that the worker lives")
    with connect(listening(engine)) as client:  # and so is a new server
        client.sendall(b"again")
        assert client.recv(5) == b"again"
    assert engine.echo.snapshot().message == ""


@pytest.mark.parametrize(
    "broken",
    [
        "core.echo.client_columns.ClientColumns.close",
        "core.echo.client.Client.close",
        "core.echo.listener.Listener.close",
        "core.echo.sampler.Sampler.tick",
    ],
)
def test_a_fault_in_closing_leaves_no_server_behind(engine, monkeypatch, broken):
    def fail(self, *arguments):
        raise RuntimeError("of the test")

    info = listening(engine)
    engine.echo.talk(info.identifier, 10)
    with ExitStack() as stack, monkeypatch.context() as patch:
        ended, *others = [stack.enter_context(connect(info)) for _ in range(3)]
        until(engine, lambda shown: len(shown.clients) == 4 and shown.builtin_clients)
        before = len(os.listdir("/proc/self/fd"))
        patch.setattr(broken, fail)
        ended.sendall(b"the last")
        ended.shutdown(socket.SHUT_WR)
        if "Listener" in broken:
            engine.echo.stop_listening(info.identifier)
        until(engine, lambda shown: "the echo server failed" in shown.message)
        for client in (ended, *others):
            with suppress(ConnectionResetError):
                while client.recv(64):
                    pass
        with pytest.raises(ConnectionRefusedError):
            connect(info)
        gone = 4 + len(("listener", "built-in client", "spare"))  # four clients' other ends
        until(engine, lambda _shown: len(os.listdir("/proc/self/fd")) <= before - gone)
        waits = engine._loop.counters.waits
    with connect(listening(engine)) as client:
        client.sendall(b"again")
        assert client.recv(5) == b"again"
    assert engine._loop.counters.waits - waits < 1000, "the loop spins"


def test_a_fault_in_a_command_does_not_lose_those_behind_it(engine, monkeypatch):
    def broken(self):
        raise RuntimeError("of the test")

    with connect(listening(engine)):
        until(engine, lambda shown: len(shown.clients) == 1)
        with monkeypatch.context() as patch:
            patch.setattr("core.echo.client.Client.apply_switches", broken)
            engine.echo.set_switches(Switches(16))
            engine.echo.listen(ADDRESS, 0, Trigger.EDGE)
            until(engine, lambda shown: [each.trigger for each in shown.listeners] == EDGE_ONLY)
    assert engine.echo.snapshot().message == ""


def test_the_end_closes_every_connection(engine):
    with connect(listening(engine)) as client:
        until(engine, lambda shown: len(shown.clients) == 1)
        engine.close()
        assert client.recv(1) == b""
