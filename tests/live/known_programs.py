"""Programs whose connections are known, on loopback, and a capture that finds their programs."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from core.analysis.programs.program_table import programs_of
from core.analysis.programs.program_watch import ProgramWatch
from core.analysis.tcp.flow_index import index_of
from core.capture.options import CaptureOptions
from core.engine.engine import Engine
from core.engine.snapshot import EngineState
from core.net.sockets import LOCAL_SOCKETS
from core.store.budget import Budget
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from tests.helpers.waiting import until

SERVER = """
import selectors, socket
listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
print(listener.getsockname()[1], flush=True)
waiting = selectors.DefaultSelector()
waiting.register(listener, selectors.EVENT_READ)
while True:
    for key, _ in waiting.select():
        if key.fileobj is listener:
            waiting.register(listener.accept()[0], selectors.EVENT_READ)
        elif not key.fileobj.recv(4096):
            waiting.unregister(key.fileobj)
            key.fileobj.close()
"""
CLIENT = """
import heapq, socket, sys, time
port, count, *lives = sys.argv[1:]
open_until = []
for number in range(int(count)):
    client = socket.create_connection(("127.0.0.1", int(port)))
    client.send(b"x")
    life = float(lives[number % len(lives)])
    print(client.getsockname()[1], life, flush=True)
    heapq.heappush(open_until, (time.monotonic() + life, number, client))
    while open_until and (open_until[0][0] <= time.monotonic() or len(open_until) > 3):
        until, _, oldest = heapq.heappop(open_until)
        time.sleep(max(0, until - time.monotonic()))
        oldest.close()
for until, _, client in sorted(open_until):
    time.sleep(max(0, until - time.monotonic()))
    client.close()
"""
"""Connects so many times, a few connections at once, and prints the port and life of each."""


@dataclass(frozen=True)
class Connection:
    """A connection of a known process; `life_s` is how long it was open, at least."""

    port: int
    pid: int
    life_s: float


@contextlib.contextmanager
def server() -> Iterator[tuple[int, int]]:
    """Yield the port and the number of a process that takes connections."""
    with start_python(SERVER) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.kill()


def start_client(port: int, count: int, *lives: float) -> subprocess.Popen[str]:
    """Start a process that opens connections."""
    return start_python(CLIENT, str(port), str(count), *map(str, lives))


def start_python(code: str, *words: str) -> subprocess.Popen[str]:
    """Start a program in Python, without its packages, which would delay it."""
    command = [sys.executable, "-S", "-E", "-c", code, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def connections_of(client: subprocess.Popen[str]) -> list[Connection]:
    """Wait for a client to end. Return its connections."""
    output, _ = client.communicate()
    pairs = (line.split() for line in output.splitlines())
    return [Connection(int(port), client.pid, float(life)) for port, life in pairs]


class Lateness:
    """Measures how late a thread of this process wakes up while the host is busy."""

    PAUSE_S = 0.02

    def __init__(self) -> None:
        self._late_s: list[float] = [0.0]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._measure)

    def _measure(self) -> None:
        while not self._ended.is_set():
            due_s = time.monotonic() + self.PAUSE_S
            self._ended.wait(self.PAUSE_S)
            self._late_s.append(time.monotonic() - due_s)

    def __enter__(self) -> Lateness:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def usual_worst_s(self) -> float:
        """The lateness that one of twenty exceeds."""
        return sorted(self._late_s)[len(self._late_s) * 19 // 20]


class ProgramCapture:
    """Captures loopback and finds programs. `analyze` analyzes flows, as the screen does."""

    def __init__(self) -> None:
        self.engine = Engine(PacketStore(), LOCAL_SOCKETS)
        self.watch = ProgramWatch(self._captured)
        self._is_live = False

    def __enter__(self) -> ProgramCapture:
        self.engine.start()
        self.engine.capture(CaptureOptions(("lo",)))
        until(lambda: self.engine.snapshot().state is EngineState.LIVE, "the capture")
        self._is_live = True
        self.watch.wake()
        return self

    def __exit__(self, *_: object) -> None:
        self.watch.close()
        self.engine.close()

    def _captured(self) -> tuple[Snapshot, bool]:
        return self.engine.store.snapshot(), self._is_live

    def analyze(self) -> Snapshot:
        """Analyze the flows of all packets until now, and return these."""
        snapshot = self._captured()[0]
        index_of(snapshot).extend(snapshot, Budget())
        return snapshot

    def settle(self) -> Snapshot:
        """Wait until all questions are answered."""

        def settled() -> Snapshot | None:
            snapshot = self.analyze()
            through = programs_of(snapshot).published.settled
            return snapshot if through is not None and through >= snapshot.count else None

        found: Snapshot = until(settled, "the answers")
        return found


def other_tools(port: int) -> Iterator[list[str]]:
    """Yield commands of other programs that connect once, as far as this host has them."""
    if curl := shutil.which("curl"):
        yield [curl, "-s", "--max-time", "0.5", f"telnet://127.0.0.1:{port}"]
    if socat := shutil.which("socat"):
        yield [socat, "-u", "EXEC:sleep 0.5", f"TCP:127.0.0.1:{port}"]
