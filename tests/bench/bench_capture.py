"""Live capture compared with dumpcap: 300,000 packets a second for 5 seconds over a veth pair.

Both capture the same flood in the same run. rawscope's engine captures, decodes and indexes into
the store, in its own process; dumpcap writes the frames to a file, in a tmpfs if possible. CPU is
the process's time in user and kernel mode (getrusage(2)) from the beginning of the flood to its
end, divided by the number of captured packets.

Bounds: rawscope drops nothing at its default ring size, and its CPU per packet is at most
dumpcap's. Needs root, trafgen and dumpcap.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.capture.options import CaptureOptions
from core.engine.engine import Engine
from core.engine.snapshot import EngineState
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore
from tests.bench.traffic.flood import Flood
from tests.helpers.support import ROOT, require_peer
from tests.helpers.waiting import until

RATE = 300_000
SECONDS = 5
STORE_BYTES = 1 << 30


def capture(name: str) -> None:
    """Capture until a line arrives on standard input, then print JSON. Runs in the child."""
    store = PacketStore(STORE_BYTES)
    engine = Engine(store, LOCAL_SOCKETS)
    engine.start()
    engine.capture(CaptureOptions((name,)))
    until(lambda: engine.snapshot().state is EngineState.LIVE, "live")
    before = resource.getrusage(resource.RUSAGE_SELF)
    print("ready", flush=True)
    sys.stdin.readline()
    engine.stop_capture()
    until(lambda: engine.snapshot().state is EngineState.STOPPED, "stopped")
    after = resource.getrusage(resource.RUSAGE_SELF)
    snapshot = engine.snapshot()
    engine.close()
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures = {"received": snapshot.received, "dropped": snapshot.dropped, "cpu_s": cpu_s}
    print(json.dumps({**figures, "stored": store.snapshot().count}))


def run_both(flood: Flood, folder: Path) -> tuple[dict[str, float], dict[str, float], float]:
    """Return the results of rawscope and dumpcap, and the duration of the flood."""
    rawscope = subprocess.Popen(
        [*flood.inside, sys.executable, "-m", "tests.bench.bench_capture", flood.receiver],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    peer = subprocess.Popen(
        [*flood.inside, require_peer("dumpcap"), "-q", "-i", flood.receiver,
         "-w", str(folder / "peer.pcapng")],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert rawscope.stdout is not None
    assert rawscope.stdout.readline() == "ready\n"
    until(lambda: (folder / "peer.pcapng").exists(), "dumpcap's file")
    began = time.monotonic()
    flood.start(SECONDS)
    flood.wait(60)
    took = time.monotonic() - began
    told, _nothing = rawscope.communicate("stop\n", timeout=30)
    peer.send_signal(signal.SIGINT)
    assert peer.stderr is not None
    words = peer.stderr.read()
    _pid, _status, usage = os.wait4(peer.pid, 0)
    counts = re.search(r"received/dropped on interface '\w+': (\d+)/(\d+)", words)
    assert counts is not None, words
    received, dropped = map(float, counts.groups())
    dumpcap = {
        "stored": received, "dropped": dropped, "cpu_s": usage.ru_utime + usage.ru_stime,
    }  # fmt: skip
    return json.loads(told), dumpcap, took


def main() -> int:
    with Flood(RATE) as flood, tempfile.TemporaryDirectory(dir=_memory_folder()) as name:
        rawscope, dumpcap, took = run_both(flood, Path(name))
    print(f"{RATE * SECONDS:,} packets sent in {took:.1f} s")
    costs = []
    for program, figures in (("rawscope", rawscope), ("dumpcap", dumpcap)):
        cost_us = figures["cpu_s"] / max(1, figures["stored"]) * 1e6
        costs.append(cost_us)
        print(
            f"  {program:8} captured {int(figures['stored']):,}, dropped "
            f"{int(figures['dropped']):,}, {figures['cpu_s']:.2f} s CPU, {cost_us:.2f} µs a packet"
        )
    whole = rawscope["received"] == rawscope["stored"] + rawscope["dropped"]
    print(f"  rawscope: received = captured + dropped: {'yes' if whole else 'NO'}")
    return 0 if whole and not rawscope["dropped"] and costs[0] <= costs[1] else 1


def _memory_folder() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


if __name__ == "__main__":
    if len(sys.argv) > 1:
        capture(sys.argv[1])
    else:
        sys.exit(main())
