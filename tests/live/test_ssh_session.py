"""The user's SSH session beside other traffic: one key leaves out exactly its packets."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest

from core.capture.capture_filter import compile_filter
from core.capture.options import CaptureOptions
from core.capture.ssh_sessions import exclusion_of, find_ssh_sessions, would_contain
from core.engine.engine import Engine
from core.net.interfaces import list_interfaces
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.network import NEAR_ADDRESS, Network
from tests.live.numbered import KIND, frame

pytestmark = pytest.mark.live

BEFORE, AFTER = 200, 1_000  # numbered frames
_KIND_AND_NUMBER = struct.Struct(">HI")


class Session:
    """A TCP connection from the far host to the near one, with numbered frames beside it."""

    def __init__(self, network: Network) -> None:
        with network.in_near(lambda: socket.create_server((NEAR_ADDRESS, 0))) as listening:
            address = listening.getsockname()
            self.client = network.in_far(lambda: socket.create_connection(address, PATIENCE_S))
            self.server, _ = listening.accept()
        for end in (self.client, self.server):
            end.settimeout(PATIENCE_S)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.frames = network.in_far(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        self.frames.bind(("far0", 0))
        ends = (*self.client.getsockname(), *self.server.getsockname())
        self.environment = {"SSH_CONNECTION": " ".join(map(str, ends))}

    def run(self, numbers: range) -> None:
        """Send each numbered frame, then a key of the user and its echo."""
        for number in numbers:
            self.frames.send(frame(number))
            self.client.send(b"x")
            self.server.send(self.server.recv(1))
            assert self.client.recv(1) == b"x"

    def close(self) -> None:
        for end in (self.client, self.server, self.frames):
            end.close()


@pytest.fixture
def network():
    with Network() as made:
        yield made


def numbers_in(snapshot: Snapshot) -> list[int | None]:
    """Return the numbers of the frames, None for other packets."""
    packets = (snapshot.packet(at).data for at in range(1, snapshot.count + 1))
    found = (_KIND_AND_NUMBER.unpack_from(data, 12) for data in packets)
    return [number if kind == KIND else None for kind, number in found]


@pytest.mark.parametrize("name", ["near0", "any"])
def test_without_the_session_all_other_packets_arrive(network, name, tmp_path: Path) -> None:
    session, store = Session(network), PacketStore()
    engine = Engine(store, LOCAL_SOCKETS)
    network.in_near(engine.start)
    try:
        engine.capture(CaptureOptions((name,), ring_bytes=4 << 20))
        until(lambda: engine.snapshot().interfaces == (name,), "the capture")
        session.run(range(BEFORE))
        until(lambda: BEFORE - 1 in numbers_in(store.snapshot()), "the frames before")
        assert None in numbers_in(store.snapshot())

        found = find_ssh_sessions(session.environment, tmp_path)
        interfaces = network.in_near(list_interfaces)
        excluded = exclusion_of([one for one in found if would_contain(one, (name,), interfaces)])
        wanted = compile_filter("", excluded)
        engine.change_filter(wanted)
        until(lambda: engine.snapshot().capture_filter is wanted, "the change")
        last = BEFORE + AFTER - 1
        session.run(range(BEFORE, BEFORE + AFTER))
        until(lambda: numbers_in(store.snapshot())[-1:] == [last], "the last frame")
    finally:
        engine.close()
        session.close()
    assert engine.failure is None
    assert engine.snapshot().dropped == 0
    numbers = numbers_in(store.snapshot())
    assert numbers[numbers.index(BEFORE) :] == [*range(BEFORE, BEFORE + AFTER)]
