"""Recording beside dumpcap: 300,000 packets a second for 5 seconds, with the monitor on screen.

The monitor records to a file in memory while it shows the packets in a pty of 160×45; dumpcap
records the same flood in the same run. The processor time of each thread is that of the kernel
(/proc/PID/task/TID/stat), from the beginning of the flood until everything is in the file.

Bounds: the threads that capture and record take at most dumpcap's processor time a packet; the
screen takes at most a quarter of a processor; every packet that arrived is in the file or counted
as lost. Needs root, trafgen, and dumpcap.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.files.reader import open_capture
from tests.bench.bench_monitor import ROOT, verdict
from tests.bench.terminal import Terminal
from tests.bench.traffic.flood import Flood
from tests.helpers.emulator import Emulator
from tests.helpers.support import require_peer
from tests.helpers.waiting import until

RATE = 300_000  # packets/s
SECONDS = 5
SIZE = 160, 45
WORKER, RECORDER, SCREEN = "rawscope worker", "rawscope recorder", "MainThread"
SCREEN_SHARE = 0.25  # of a processor
_EACH_S = 0.2
_TICKS = os.sysconf("SC_CLK_TCK")


def monitor(interface: str, file: str, report: str) -> None:
    """Run the monitor, and report its threads and counts several times a second."""
    from app.monitor import Monitor
    from core.capture.options import CaptureOptions
    from core.engine.engine import Engine
    from core.forge.host import ForgeHost
    from core.net.sockets import LOCAL_SOCKETS
    from core.recording.plan import RecordingPlan
    from core.recording.recorder import Recorder
    from core.store.packet_store import PacketStore

    engine = Engine(PacketStore(), LOCAL_SOCKETS)
    engine.start()
    engine.record(Recorder(RecordingPlan(Path(file))))
    engine.capture(CaptureOptions((interface,)))

    def sample() -> None:
        seconds: dict[str, float] = {}
        with Path(report).open("w") as lines:
            while True:
                lines.write(json.dumps(_figures(engine, seconds)) + "\n")
                lines.flush()
                time.sleep(_EACH_S)

    threading.Thread(target=sample, daemon=True, name="sampler").start()
    Monitor(engine, lambda: ForgeHost(LOCAL_SOCKETS)).run()
    engine.close()


def _figures(engine: Any, threads: dict[str, float]) -> dict[str, Any]:
    """Return the processor seconds of each thread, and the counts of the engine.

    `threads` has the seconds of earlier calls: a thread that ended keeps its last ones.
    """
    for thread in threading.enumerate():
        with suppress(OSError):  # a thread may end meanwhile
            stat = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rpartition(")")[2]
            user, system = stat.split()[11:13]
            threads[thread.name] = (int(user) + int(system)) / _TICKS
    snapshot = engine.snapshot()
    state = snapshot.recording
    return {
        "threads": threads, "dropped": snapshot.dropped, "received": snapshot.received,
        "packets": state.packets if state else 0, "lost": state.lost if state else 0,
    }  # fmt: skip


def _last(report: Path) -> dict[str, Any]:
    """Return the figures of the last whole line."""
    until(lambda: "\n" in report.read_text(), "the first figures")
    figures: dict[str, Any] = json.loads(report.read_text().split("\n")[-2])
    return figures


def run(flood: Flood, folder: Path) -> tuple[dict[str, Any], dict[str, Any], float, float]:
    """Return the figures before and after the flood, its seconds, and dumpcap's µs a packet."""
    report, own, peers = folder / "report", folder / "rawscope.pcapng", folder / "peer.pcapng"
    peer = subprocess.Popen(
        [*flood.inside, require_peer("dumpcap"), "-q", "-i", flood.receiver, "-w", str(peers)],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    program = [
        *flood.inside, sys.executable, "-m", "tests.bench.bench_record",
        flood.receiver, str(own), str(report),
    ]  # fmt: skip
    terminal = Terminal(program, *SIZE, ROOT, screen=Emulator(*SIZE))
    terminal.wait_for(b"rec rawscope", 20)
    terminal.drain(1)
    until(peers.exists, "dumpcap's file")
    before, arrived, began = _last(report), flood.arrived, time.monotonic()
    flood.start(SECONDS)
    while flood.sending:
        terminal.drain(0.1)
    took = time.monotonic() - began
    count = flood.arrived - arrived
    after = _last(report)
    deadline = time.monotonic() + 30
    while after["packets"] + after["lost"] + after["dropped"] < count:
        terminal.drain(0.3)
        after = _last(report)
        if time.monotonic() > deadline:
            break
    terminal.drain(0.5)
    terminal.close()
    peer.send_signal(signal.SIGINT)
    assert peer.stderr is not None
    words = peer.stderr.read()
    _pid, _status, usage = os.wait4(peer.pid, 0)
    found = re.search(r"received/dropped on interface '\w+': (\d+)/(\d+)", words)
    assert found is not None, words
    cost_us = (usage.ru_utime + usage.ru_stime) / max(1, int(found[1])) * 1e6
    print(f"dumpcap: {int(found[1]):,} packets, {int(found[2]):,} dropped, {cost_us:.2f} µs each")
    return before, {**after, "arrived": count}, took, cost_us


def main() -> int:
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with Flood(RATE) as flood, tempfile.TemporaryDirectory(dir=memory) as name:
        before, after, took, peer_us = run(flood, Path(name))
        with open_capture(str(Path(name) / "rawscope.pcapng")) as reader:
            in_file = sum(map(len, reader.batches()))
            is_whole = not reader.damaged
    spent = {
        thread: seconds - before["threads"].get(thread, 0)
        for thread, seconds in after["threads"].items()
    }
    counted = in_file + after["lost"] + after["dropped"]
    cost_us = (spent[WORKER] + spent[RECORDER]) / max(1, after["packets"]) * 1e6
    share = spent[SCREEN] / took
    print(
        f"rawscope: {after['arrived']:,} packets arrived in {took:.1f} s; {in_file:,} in the file, "
        f"{after['lost']:,} lost, {after['dropped']:,} dropped"
    )
    print(
        f"  worker {spent[WORKER]:.2f} s, recorder {spent[RECORDER]:.2f} s: {cost_us:.2f} µs each, "
        f"{cost_us / peer_us:.2f} of dumpcap: {verdict(cost_us <= peer_us)}"
    )
    print(f"  screen {share:.2f} of a processor: {verdict(share <= SCREEN_SHARE)}")
    is_counted = counted >= after["arrived"] and is_whole
    print(f"  everything is in the file or counted: {verdict(is_counted)}")
    return 0 if cost_us <= peer_us and share <= SCREEN_SHARE and is_counted else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        monitor(*sys.argv[1:])
    else:
        sys.exit(main())
