"""The user's SSH session beside other traffic: one key leaves out exactly its packets."""

from __future__ import annotations

import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
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
from tests.bench.terminal import Terminal
from tests.helpers.emulator import Emulator
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.filter_traffic import NEAR_MAC, OTHER_MAC, ipv4, udp
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
            self.type_key()

    def type_key(self) -> None:
        """Send a key of the user and its echo: at least two packets."""
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


# -- on the screen -----------------------------------------------------------------------------

PACE = 1_000  # packets/s of the session
TICK_S = 0.01
SHOWN = 20  # other packets, far less than the session has
FIRST_PORT = 30_000  # their numbers


class Typist(threading.Thread):
    """Types at `PACE` into a session, until `end`. `keys` were typed until now."""

    def __init__(self, session: Session) -> None:
        super().__init__(daemon=True)
        self._session, self._over, self.keys = session, threading.Event(), 0

    def run(self) -> None:
        began_s = time.monotonic()
        while not self._over.wait(TICK_S):
            due = int((time.monotonic() - began_s) * PACE / 2)
            while self.keys < due and not self._over.is_set():
                self._session.type_key()
                self.keys += 1

    def end(self) -> None:
        self._over.set()
        self.join(PATIENCE_S)


class Screen:
    """The monitor in a terminal of 160×45, as it is painted up to now."""

    def __init__(self, network: Network, *words: str) -> None:
        command = [*network.inside(network.near), sys.executable, "-m", "app", *words]
        self._painted = Emulator(160, 45)
        self.terminal = Terminal(command, 160, 45, ROOT, screen=self._painted)

    def lines(self) -> list[str]:
        while self.terminal.read(0):
            pass
        return self._painted.text

    def shows(self, text: str) -> bool:
        return any(text in line for line in self.lines())

    @property
    def packets(self) -> int:
        """The count in the status bar."""
        found = re.search(r"([\d,]+) pkts", "\n".join(self.lines()))
        return int(found[1].replace(",", "")) if found else 0


@contextmanager
def typing(session: Session) -> Iterator[Typist]:
    typist = Typist(session)
    typist.start()
    try:
        yield typist
    finally:
        typist.end()


def test_one_key_makes_a_busy_interface_readable(network, tmp_path, monkeypatch) -> None:
    """The session has 1,000 packets/s; after the key, the screen has only the other packets."""
    session = Session(network)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("SSH_CONNECTION", session.environment["SSH_CONNECTION"])
    session_port = f" {session.client.getsockname()[1]} "

    def send(number: int) -> None:
        datagram = ipv4(17, udp(7, FIRST_PORT + number), "198.51.100.7", "192.0.2.10")
        session.frames.send(OTHER_MAC + NEAR_MAC + b"\x08\x00" + datagram)

    with closing(session), typing(session) as typist:
        screen = Screen(network, "-i", network.near_name)
        try:
            until(lambda: screen.packets > PACE, "the session on the screen", screen.lines)
            assert screen.shows(session_port)
            screen.terminal.key(b"I", b"not my SSH")
            send(0)
            until(lambda: screen.shows(f"7 → {FIRST_PORT} "), "the first packet", screen.lines)
            packets, keys = screen.packets, typist.keys
            for number in range(1, SHOWN + 1):
                typed = keys + number * PACE // SHOWN
                until(lambda typed=typed: typist.keys >= typed, "the session's packets")
                send(number)
            last = FIRST_PORT + SHOWN
            until(lambda: screen.shows(f"7 → {last} "), "the last packet", screen.lines)
            assert screen.packets == packets + SHOWN
            ports = [
                int(port) for line in screen.lines() for port in re.findall(r"7 → (3\d+)", line)
            ]
            assert [*dict.fromkeys(ports)] == [*range(FIRST_PORT, last + 1)]
        finally:
            screen.terminal.close()
    assert typist.keys - keys >= PACE  # of two packets each
