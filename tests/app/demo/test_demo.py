"""The demo's conversations are real: the kernel's own answers show their effects."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from app.demo import traffic
from app.demo.echo_clients import CHAT, HALF_CLOSE_EVERY, PORTS, DemoClients
from core.echo.options import Drain, Switches, Trigger
from core.echo.snapshot import CloseReason, EchoSnapshot
from core.engine.engine import Engine
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore
from tests.helpers.waiting import PATIENCE_S, until
from widgets.echo.columns import Condition, conditions


def test_every_conversation_comes_to_its_end() -> None:
    """None of them fails or hangs on this host's loopback."""
    held = list(traffic.conversations())
    assert len(held) >= 4
    for conversation in held:
        conversation()


def test_nothing_leaves_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every address that is bound or connected to is loopback, with a port of the kernel's."""
    seen: list[tuple[str, int]] = []

    class Watched(socket.socket):
        def bind(self, address: tuple[str, int]) -> None:
            assert address[1] == 0
            seen.append(address)
            super().bind(address)

        def connect(self, address: tuple[str, int]) -> None:
            seen.append(address)
            super().connect(address)

    monkeypatch.setattr(socket, "socket", Watched)
    for conversation in traffic.conversations():
        conversation()
    assert {address[0] for address in seen} <= {"127.0.0.1", "::1"}
    assert "127.0.0.1" in {address[0] for address in seen}


def test_runs_until_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread cycles through all conversations, counts them, and ends with the block."""
    twice = threading.Event()
    rounds = 0

    def conversation() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            twice.set()

    def failing() -> None:
        raise OSError("no route")

    monkeypatch.setattr(traffic, "conversations", lambda: iter([conversation, failing]))
    with traffic.Demo(pause_s=0) as running:
        assert twice.wait(timeout=PATIENCE_S)
    assert running.completed >= 3
    assert running.failed >= 2
    assert not any(thread.name == "demo" for thread in threading.enumerate())


def test_clients_of_the_echo_server_of_every_kind() -> None:
    """They chat, half-close, and the slow one is backed up, as the server reports."""
    engine = Engine(PacketStore(), LOCAL_SOCKETS)
    engine.start()
    clients = DemoClients(engine.echo, threading.Event().wait)
    try:
        for _ in range(2 * HALF_CLOSE_EVERY):
            clients.step()
        said = 2 * HALF_CLOSE_EVERY * len(CHAT)

        def told() -> EchoSnapshot | None:
            shown = engine.echo.snapshot()
            chatting = (shown.clients.bytes_out == said).sum()
            finished = shown.totals.closed[CloseReason.FINISHED]
            met = (chatting, finished) == (2, 2) and shown.clients.held.any()
            return shown if met else None

        shown = until(told, "two that chat, two that finished, one held", engine.echo.snapshot)
        assert shown is not None
        assert {info.trigger for info in shown.listeners} == set(Trigger)
        assert Condition.BACKED_UP in conditions(shown.clients)
    finally:
        clients.close()
        engine.close()


def test_a_client_that_the_user_closes_connects_again() -> None:
    engine = Engine(PacketStore(), LOCAL_SOCKETS)
    engine.start()
    clients = DemoClients(engine.echo, threading.Event().wait)

    def clients_when(accepted: int, there: int) -> list[int]:
        def counts() -> tuple[int, int]:
            shown = engine.echo.snapshot()
            return shown.totals.accepted, len(shown.clients)

        until(lambda: counts() == (accepted, there), f"{accepted} accepted, {there} there", counts)
        identifiers: list[int] = engine.echo.snapshot().clients.identifier.tolist()
        return identifiers

    try:
        clients.step()
        for client in clients_when(3, 3):
            engine.echo.close_client(client)
        clients_when(3, 0)
        clients.step()  # each sees that it was closed
        clients.step()
        clients_when(6, 3)
    finally:
        clients.close()
        engine.close()


def test_teaching_switches_do_not_stop_the_clients() -> None:
    """They continue when one byte per wake-up brings nothing back in time."""
    engine = Engine(PacketStore(), LOCAL_SOCKETS)
    engine.start()
    clients = DemoClients(engine.echo, threading.Event().wait)

    def left_unread() -> bool:
        clients.step()
        shown = engine.echo.snapshot()
        return bool((shown.clients.unread > 0)[shown.clients.edge == 1].any())

    try:
        engine.echo.set_switches(Switches(1, drain=Drain.ONCE))
        until(left_unread, "an edge triggered client whose bytes stay unread")
    finally:
        clients.close()
        engine.close()


def test_another_programs_port_is_left_to_it() -> None:
    engine = Engine(PacketStore(), LOCAL_SOCKETS)
    engine.start()
    clients = DemoClients(engine.echo, threading.Event().wait)
    with contextlib.ExitStack() as stack:
        stack.callback(engine.close)
        stack.callback(clients.close)
        for _, port in PORTS:
            taken = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):  # it is in use already: as good
                taken.bind(("127.0.0.1", port))
                taken.listen()
        clients.step()
        shown = engine.echo.snapshot()
        assert len(shown.listeners) == len(PORTS)
        assert not {info.port for info in shown.listeners} & {port for _, port in PORTS}


def test_a_closed_udp_port_answers() -> None:
    """The port the demo calls closed is closed: the kernel refuses the datagram."""
    host, port = traffic._closed_port("127.0.0.1", socket.SOCK_DGRAM)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE_S)
        client.connect((host, port))
        client.send(b"x")
        with pytest.raises(ConnectionRefusedError):
            client.recv(1)
