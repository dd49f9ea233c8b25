"""The processor time that finding programs costs while 1,000 connections stand.

Each connection over loopback sends a segment a second, so 2,000 packets a second arrive, and no
flow is new after the start. The figure is the processor time of the thread that finds programs, in
percent of one processor, over `SECONDS`; and of finding the 1,000 at first, in milliseconds each.
Run it as root: ``unshare --net sh -c 'ip link set lo up; exec python -m
tests.bench.programs.standing_flows'``.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from core.analysis.programs.owners import Grade
from core.analysis.programs.program_table import programs_of
from tests.bench.bench_store import Figure
from tests.live.known_programs import ProgramCapture, server, start_python

FLOWS = 1_000
SECONDS = 20
MOST_PERCENT = 1.0

STANDING = """
import socket, sys, time
clients = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(1000)]
print("ready", flush=True)
while True:
    for client in clients:
        client.send(b"x")
        time.sleep(0.001)
"""


def thread_seconds(name: str) -> float:
    """Return the processor time of the thread of this process with a name."""
    (thread,) = (each for each in threading.enumerate() if each.name == name)
    first, *_ = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text().split()
    return int(first) / 1e9  # nanoseconds on a processor, Documentation/scheduler/sched-stats.rst


def main() -> int:
    with server() as (port, _pid), ProgramCapture() as capture:
        with start_python(STANDING, str(port)) as client:
            assert client.stdout is not None
            client.stdout.readline()
            end_s = time.monotonic() + 5
            while time.monotonic() < end_s:
                capture.analyze()
                time.sleep(0.1)
            first_s = thread_seconds("rawscope programs")
            began_s, before = time.monotonic(), capture.analyze().count
            while time.monotonic() < began_s + SECONDS:
                capture.analyze()
                time.sleep(0.1)
            took_s = thread_seconds("rawscope programs") - first_s
            snapshot = capture.analyze()
            client.kill()
        percent = 100 * took_s / (time.monotonic() - began_s)
        owners = programs_of(snapshot).published.owners
        exact = sum(all(each.grade is Grade.EXACT for each in flow) for flow in owners)
    figures = [
        Figure(f"programs of {FLOWS:,} standing flows", percent, "%", MOST_PERCENT),
        Figure("packets a second", (snapshot.count - before) / SECONDS, "", 500, most=False),
        Figure("flows with exact owners", exact, "", FLOWS, most=False),
        Figure("finding each at first", 1_000 * first_s / FLOWS, "ms", 2.0),
    ]
    for figure in figures:
        print(figure, flush=True)
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
