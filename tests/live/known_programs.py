"""Programs whose connections are known, on loopback, and a capture that finds their programs."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
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
def close(until, number, began, client):
    time.sleep(max(0, until - time.monotonic()))
    port, life = client.getsockname()[1], time.monotonic() - began
    client.close()
    print(port, began, life, flush=True)
for number in range(int(count)):
    client = socket.create_connection(("127.0.0.1", int(port)))
    began = time.monotonic()
    client.send(b"x")
    life = float(lives[number % len(lives)])
    heapq.heappush(open_until, (began + life, number, began, client))
    while open_until and (open_until[0][0] <= time.monotonic() or len(open_until) > 3):
        close(*heapq.heappop(open_until))
for each in sorted(open_until):
    close(*each)
"""
"""Connects so many times, a few connections at once. Prints the port, the start, and the life."""


@dataclass(frozen=True)
class Connection:
    """A connection of a known process; `life_s` is how long it was open, at least.

    `began_s` is on the monotonic clock, which all processes share.
    """

    port: int
    pid: int
    began_s: float
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
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if os.sched_getscheduler(0) == os.SCHED_RR:
        os.sched_setscheduler(started.pid, os.SCHED_OTHER, os.sched_param(0))
    return started


def connections_of(client: subprocess.Popen[str]) -> list[Connection]:
    """Wait for a client to end. Return its connections."""
    output, _ = client.communicate()
    lines = (line.split() for line in output.splitlines())
    return [
        Connection(int(port), client.pid, float(began), float(life)) for port, began, life in lines
    ]


@contextlib.contextmanager
def first_in_line() -> Iterator[None]:
    """Let this thread, and those that it starts, go before other work of the host.

    What is promised about 200 ms is promised of a host that is not overloaded: a thread that waits
    a second for a processor cannot ask in time. The processes that are started meanwhile do not go
    first (`start_python`).
    """
    usual = os.sched_getscheduler(0), os.sched_getparam(0)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, *usual)


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
