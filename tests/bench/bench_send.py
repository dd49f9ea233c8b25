"""Sending compared with trafgen, hping3 and scapy: one veth pair, one frame, one run.

Each sender runs in its own process until it is killed. Its rate is what the far end of the pair
counted (``ip -s link``) in `WINDOW_S` seconds of steady sending, so start-up does not count. The
processor time of that window is that of the sender and its children (/proc/PID/stat, proc(5)). Each
sender is a single thread that does nothing but send, so its packets per second of processor time
are its rate on an otherwise idle host. The senders take turns, `ROUNDS` times, and the best round
of each counts: other work on the host can only slow them down.

The frame is a TCP SYN of 54 bytes to an unused link address, so the far kernel drops it at once and
only the senders are measured.

Bounds, in elapsed time and per second of processor time: replay through the TX ring sends at least
as many as trafgen, both bypassing the queueing discipline; a plain ``send --link --count`` at least
3 times as many as ``hping3 --flood``; each at least 50 times scapy's ``sendp``. Through IP_HDRINCL
the kernel looks up a route and makes a destination entry for each packet, for rawscope as for
hping3, so ``send --count`` without ``--link`` must only be the faster of the two.

Needs root, trafgen, hping3 and scapy (``RAWSCOPE_SCAPY`` names a Python that has it, if the
system's does not).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from tests.app.made import capture_of
from tests.helpers.support import ROOT, require_command, require_peer, require_scapy
from tests.helpers.waiting import until
from tests.live.network import NEAR_ADDRESS, Network, run

WINDOW_S = 0.7
ROUNDS = 6
ENOUGH = 100_000_000  # packets: every sender is killed before
NOBODY = "02:00:5e:10:00:99"
TARGET = "10.77.0.3"
FIELDS = {
    "eth.dst": NOBODY, "eth.src": "02:00:5e:10:00:01", "ip.src": NEAR_ADDRESS, "ip.dst": TARGET,
    "ip.id": "7", "tcp.srcport": "1025", "tcp.dstport": "9", "tcp.flags.syn": "1",
}  # fmt: skip
REPLAYED = 100_000  # frames of the replayed file, sent over and over


def received(network: Network) -> tuple[float, int]:
    """Return the time, and the number of packets that the far end has received."""
    answer = json.loads(run("ip", "-n", network.far, "-s", "-j", "link", "show", "far0"))
    return time.monotonic(), answer[0]["stats64"]["rx"]["packets"]


def processor_s(group: int) -> float:
    """Return the processor time that all processes of a group have used."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:  # pgrp; after the name: state, ppid, pgrp
                ticks += int(fields[11]) + int(fields[12])  # utime, stime
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Rate:
    """Packets per second of elapsed time, and of the sender's processor time."""

    clock: float = 0.0
    processor: float = 0.0

    def better(self, other: Rate) -> Rate:
        return Rate(max(self.clock, other.clock), max(self.processor, other.processor))


def rate(network: Network, command: list[str], environment: dict[str, str]) -> Rate:
    """Measure a sender in steady state."""
    before = received(network)[1]
    sender = subprocess.Popen(
        [*network.inside(network.near), *require_command(*command)],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        until(lambda: received(network)[1] > before + 200 or sender.poll() is not None, "packets")
        used_s = processor_s(sender.pid)
        start_s, start = received(network)
        pause_s = WINDOW_S
        while pause_s > 0:
            time.sleep(min(pause_s, 0.1))
            pause_s = start_s + WINDOW_S - time.monotonic()
        stop_s, stop = received(network)
        used_s = processor_s(sender.pid) - used_s
        assert sender.poll() is None, sender.stderr.read() if sender.stderr else ""
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(sender.pid, signal.SIGKILL)  # trafgen works in children
        sender.wait()
        assert sender.stderr is not None
        sender.stderr.close()
    return Rate((stop - start) / (stop_s - start_s), (stop - start) / used_s)


def commands(folder: Path) -> dict[str, list[str]]:
    """Return the command of every sender by name."""
    frame = evaluate(Draft(("eth", "ip", "tcp"), FIELDS)).data
    rawscope = [sys.executable, "-m", "app"]
    typed = [word for key, text in FIELDS.items() for word in (f"--{key}", text)]
    packet = [word for key, text in FIELDS.items() if not key.startswith("eth")
              for word in (f"--{key}", text)]  # fmt: skip
    plain = ["--count", str(ENOUGH), "--yes", "--no-audit"]
    replayed = capture_of(folder / "frames.pcap", [frame] * REPLAYED)
    replay = [*rawscope, "replay", replayed, "--link", "near0", "--topspeed", "--yes",
              "--loop", str(ENOUGH // REPLAYED)]  # fmt: skip
    configuration = folder / "trafgen.cfg"
    configuration.write_text("{ " + ", ".join(f"0x{byte:02x}" for byte in frame) + " }")
    found = {
        "replay, TX ring": [*replay, "--no-audit"],
        "replay, TX ring, bypass": [*replay, "--no-audit", "--bypass"],
        "replay, bypass, with audit": [*replay, "--bypass"],
        "send --link": [*rawscope, "send", "--link", "near0", *typed, *plain],
        "send --link --bypass": [*rawscope, "send", "--link", "near0", "--bypass", *typed, *plain],
        "send (IP_HDRINCL)": [*rawscope, "send", *packet, *plain],
        "trafgen": [require_peer("trafgen"), "--dev", "near0", "--conf", str(configuration),
                    "--cpus", "1", "--num", str(ENOUGH)],
        "hping3 --flood": [require_peer("hping3"), "--flood", "-S", "-p", "9", TARGET],
    }  # fmt: skip
    code = (
        "from scapy.all import *\n"
        f"frame = Ether(bytes.fromhex('{frame.hex()}'))\n"
        f"sendp(frame, iface='near0', count={ENOUGH}, verbose=0)\n"
    )
    return {**found, "scapy sendp": [require_scapy(), "-c", code]}


def bounds(best: dict[str, Rate]) -> list[tuple[str, bool]]:
    """Return each bound as text, and True if it is met."""
    ring = best["replay, TX ring, bypass"]  # trafgen bypasses the queue by default, too
    plain, routed = best["send --link"], best["send (IP_HDRINCL)"]
    return [
        _at_least("TX ring", ring, 1, "trafgen", best["trafgen"]),
        _at_least("send --link --count", plain, 3, "hping3 --flood", best["hping3 --flood"]),
        _at_least("TX ring", ring, 50, "scapy sendp", best["scapy sendp"]),
        _at_least("send --link --count", plain, 50, "scapy sendp", best["scapy sendp"]),
        _at_least("send --count, IP_HDRINCL", routed, 1, "hping3 --flood", best["hping3 --flood"]),
    ]


def _at_least(name: str, rawscope: Rate, factor: int, other: str, peer: Rate) -> tuple[str, bool]:
    by_clock, ratio = rawscope.clock / peer.clock, rawscope.processor / peer.processor
    words = f"{name} / {other} = {ratio:.2f} ({by_clock:.2f} by the clock), at least {factor}"
    return words, min(ratio, by_clock) >= factor


def measure(network: Network, folder: Path, report: Callable[[str], None]) -> dict[str, Rate]:
    """Return the best rate of each sender."""
    environment = {**os.environ, "XDG_STATE_HOME": str(folder)}
    senders = commands(folder)
    best = dict.fromkeys(senders, Rate())
    for _ in range(ROUNDS):
        for name, command in senders.items():
            best[name] = best[name].better(rate(network, command, environment))
            for audit in (folder / "rawscope").glob("sent*.pcapng"):
                audit.unlink()
    for name, found in best.items():
        report(
            f"  {name:28} {found.clock:>10,.0f} packets/s {found.processor:>12,.0f} a CPU second"
        )
    return best


def main() -> int:
    with Network() as network, tempfile.TemporaryDirectory(dir=_memory_folder()) as name:
        network.ip_near("neigh", "add", TARGET, "lladdr", NOBODY, "dev", "near0")
        print(f"one frame of 54 bytes over a veth pair, best of {ROUNDS} rounds of {WINDOW_S} s")
        best = measure(network, Path(name), print)
    held = bounds(best)
    for words, holds in held:
        print(f"  {words}: {'yes' if holds else 'NO'}")
    return 0 if all(holds for _, holds in held) else 1


def _memory_folder() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


if __name__ == "__main__":
    sys.exit(main())
