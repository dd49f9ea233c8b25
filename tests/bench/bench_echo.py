"""Messages a second: rawscope's echo server, asyncio's Protocol, and uvloop.

The same load (`core.iolab.load`) runs in its own process on one core, the servers on the other;
they take turns in short rounds. Other work on the host changes all rates from one second to the
next, so servers are compared within a round, and the median of the rounds' ratios counts. The load
needs about as much processor time per message as the servers, so each line also has the messages
per second of the *server's* processor time: the rate that it could reach if the load were free.

asyncio's figure depends on the heap of its process. It receives into a fresh 256 KiB object each
time, which the C library of a young and small program returns to the kernel after each message: a
page fault per message. With a larger heap it is several times as fast. So each round starts fresh
servers and measures them twice: *cold*, and *warm*, when the same server has had a load before.
Against a warm server the bound on asyncio (1.5) is out of reach: not even uvloop is that much
faster. Edge triggered, rawscope reads until a short read, which costs no more reads than level
triggering: edge must not be slower than level. The benchmark prints all ratios; the exit status
tells if those with a bound meet it.

The measurement begins when the server has accepted all clients: 10,000 accepts take as long as a
round.

rawscope's server runs as in ``rawscope echo``: its counters are on, and since there is no screen it
does not query the kernel about each client.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.echo.descriptors import raise_descriptor_limit
from core.echo.options import Trigger
from core.echo.server import EchoServer
from core.net.event_loop import EpollLoop
from tests.helpers.support import require_peer

ROOT = Path(__file__).resolve().parent.parent.parent
KINDS = ("level", "edge", "uvloop", "asyncio")
LOADS = {
    "100 clients × 64 bytes": ["--clients", "100"],
    "10,000 idle + 10 busy": ["--clients", "10", "--idle", "10000"],
}
ROUNDS, SECONDS = 14, 0.4
BOUNDS = {  # the smallest ratio of the first one's rate to the second one's
    ("level", "uvloop"): 0.9,
    ("level", "asyncio"): 1.5,
    ("edge", "level"): 0.95,
}
PAIRS = (
    ("edge", "level"),
    *((kind, "uvloop") for kind in ("level", "edge")),
    *((kind, "asyncio") for kind in ("level", "edge", "uvloop")),
)


@dataclass(frozen=True)
class Round:
    rate: float  # messages a second
    capacity: float  # messages a second of the server's processor time
    p99_us: float


def serve(kind):
    """Run the server process: print its port, and never return."""
    raise_descriptor_limit()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    loop = EpollLoop(256)
    print(EchoServer(loop, watched=False).listen(trigger=Trigger(kind)).port, flush=True)
    loop.run()


@contextmanager
def _server(kind):
    module = "bench_echo" if kind in ("level", "edge") else "programs.protocol_server"
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.bench.{module}", "serve", kind],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process.pid, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def _cpu_s(pid):
    """Return the processor time (proc(5), schedstat: nanoseconds) of the process's only thread."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _measure(pid, port, load):
    core = str(max(os.sched_getaffinity(0)))
    command = [
        require_peer("taskset"), "-c", core, sys.executable, "-m", "core.iolab.load",
        str(port), "--seconds", str(SECONDS), "--settle", *load,
    ]  # fmt: skip
    loading = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert loading.stdout is not None
    assert loading.stderr is not None
    loading.stderr.readline()  # all are accepted
    before = _cpu_s(pid)
    done = json.loads(loading.stdout.readline())
    cpu_s = _cpu_s(pid) - before
    loading.communicate()
    return Round(
        rate=done["messages"] / done["seconds"],
        capacity=done["messages"] / cpu_s,
        p99_us=done["p99_us"],
    )


def main():
    kinds = list(KINDS)
    try:
        import uvloop  # noqa: F401
    except ImportError:
        kinds.remove("uvloop")
        print("uvloop is not installed (pip install 'rawscope[bench]'): not compared")
    held = "uvloop" in kinds  # a bound that was not measured counts as missed
    for name, load in LOADS.items():
        cold: dict[str, list[Round]] = {kind: [] for kind in kinds}
        warm: dict[str, list[Round]] = {kind: [] for kind in kinds}
        for number in range(ROUNDS):
            for kind in kinds if number % 2 else reversed(kinds):
                with _server(kind) as (pid, port):
                    cold[kind].append(_measure(pid, port, load))
                    warm[kind].append(_measure(pid, port, load))
        held = _compare(f"{name}, cold", cold) and held
        held = _compare(f"{name}, warm", warm) and held
    return 0 if held else 1


def _compare(name, rounds):
    """Print the rate of each kind and the ratios; return True if the bounds are met."""
    for kind, done in rounds.items():
        print(
            f"{name}: {kind:8s} {_middle(r.rate for r in done):8,.0f} messages/s, best "
            f"{max(r.rate for r in done):8,.0f}, "
            f"{_middle(r.capacity for r in done):8,.0f} per second of server CPU, "
            f"p99 {_middle(r.p99_us for r in done):6.0f} µs",
            flush=True,
        )
    held = True
    for kind, other in PAIRS:
        if kind not in rounds or other not in rounds:
            continue
        pairs = list(zip(rounds[kind], rounds[other], strict=True))
        ratio = _middle(our.rate / their.rate for our, their in pairs)
        by_cpu = _middle(our.capacity / their.capacity for our, their in pairs)
        line = f"{name}: {kind} / {other} = {ratio:.2f} ({by_cpu:.2f} by server CPU)"
        if (bound := BOUNDS.get((kind, other))) is not None:
            line += f", at least {bound}: {'yes' if ratio >= bound else 'NO'}"
            held = held and ratio >= bound
        print(line, flush=True)
    return held


def _middle(figures):
    return statistics.median(list(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2])
    sys.exit(main())
