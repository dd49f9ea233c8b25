"""The demo's conversations are real: what they must cause is seen in the kernel's own answers."""

from __future__ import annotations

import socket
import threading

import pytest

from app import demo


def test_every_conversation_comes_to_its_end() -> None:
    """None of them fails or hangs on this machine's loopback."""
    held = list(demo.conversations())
    assert len(held) >= 4
    for conversation in held:
        conversation()


def test_nothing_leaves_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
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
    for conversation in demo.conversations():
        conversation()
    assert {address[0] for address in seen} <= {"127.0.0.1", "::1"}
    assert "127.0.0.1" in {address[0] for address in seen}


def test_runs_until_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread goes round through all conversations, counts, and ends with the block."""
    twice = threading.Event()
    rounds = 0

    def conversation() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            twice.set()

    def failing() -> None:
        raise OSError("no route")

    monkeypatch.setattr(demo, "conversations", lambda: iter([conversation, failing]))
    with demo.Demo(pause_s=0) as running:
        assert twice.wait(timeout=5)
    assert running.held >= 3
    assert running.failed >= 2
    assert not any(thread.name == "demo" for thread in threading.enumerate())


def test_a_closed_udp_port_answers() -> None:
    """The port the demo calls closed is closed: the kernel refuses the datagram."""
    host, port = demo._closed_port("127.0.0.1", socket.SOCK_DGRAM)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        client.connect((host, port))
        client.send(b"x")
        with pytest.raises(ConnectionRefusedError):
            client.recv(1)
