"""``make soak``: a real monitor under mixed load, which must not grow, and must count all losses.

The monitor (`tests.soak.program`) runs in its own network namespace on a pseudo-terminal. It
captures a flood, 300 echo clients connect and leave, random keys are pressed (`tests.soak.keys`),
and the terminal changes its size. For half of the time the view is paused. Once a second, and not
only at the end:

* resident memory (``Rss`` of smaps_rollup, which includes libraries and capture rings) is at most
  the store's bound + the rings + 150 MiB, for the program and its analyses;
* captured + dropped never exceed what the kernel received, and stored + evicted are exactly what
  was captured, in the store and on the screen.

At the end, without the load, descriptors and threads are back at their numbers before it, captured
+ dropped = received, and the store counted as many packets as were captured.

``SOAK_SECONDS`` (600) is the duration of the load, ``SOAK_STORE`` (64) the store's bound in MiB.
The seed is fixed: the same keys in the same order. Their effect depends on when they are answered.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from core.capture.options import DEFAULT_RING_BYTES
from tests.bench.terminal import ESCAPES, Terminal
from tests.bench.traffic.flood import Flood
from tests.helpers.waiting import PATIENCE_S
from tests.soak import keys

ROOT = Path(__file__).resolve().parent.parent.parent
MEBIBYTE = 1 << 20
SEED = 10
PORT = 7
CLIENTS = 300
PACKETS_PER_SECOND = 20_000
PRESS_EACH_S = 0.1
PAUSED_S = 30.0  # and as long unpaused: time to replace the whole store
PAUSE_CHECK_S = 5.0
RESIZE_EACH_S = 7.0
TABLE_EACH_S = 10.0
REST_S = 30.0  # until all resources are back to normal
OVERHEAD_BYTES = 150 * MEBIBYTE
LAST_WORDS = 4096  # bytes of painted output, shown if the program ends by itself
SIZES = ((160, 45), (80, 24), (120, 40), (40, 12), (200, 50))

Sample = dict[str, Any]


class Soak:
    """The monitor in its terminal, and its reports."""

    def __init__(self, terminal: Terminal, reports: int, bound_bytes: int) -> None:
        self.terminal = terminal
        self.samples: list[Sample] = []
        self.faults: list[str] = []
        self._bound_bytes = bound_bytes
        self._reports = reports
        self._rest = self._painted = b""
        self._began_s = self._told_s = time.monotonic()
        os.set_blocking(reports, False)

    @property
    def last(self) -> Sample:
        return self.samples[-1]

    def run(self, seconds: float, pressed: Iterator[bytes], rng: random.Random) -> None:
        """Press keys, pause, resize, and read what the program paints and reports."""
        began_s = now_s = time.monotonic()
        pause_s, resize_s = now_s, now_s + RESIZE_EACH_S
        while now_s - began_s < seconds:
            if now_s >= pause_s:
                pause_s += PAUSE_CHECK_S
                self.pause(int((now_s - began_s) // PAUSED_S) % 2 == 1)
            if now_s >= resize_s:
                resize_s += RESIZE_EACH_S
                self.resize(*rng.choice(SIZES))
            if (key := next(pressed, None)) is None:
                return
            self.press(key)
            now_s = time.monotonic()

    def pause(self, wanted: bool) -> None:
        """Pause or resume the view; has no effect while an editor takes the key."""
        if self.samples and self.last["paused"] is not wanted:
            for key in (keys.ESC, keys.ESC, keys.ESC, keys.SPACE):
                self.press(key)

    def press(self, key: bytes) -> None:
        os.write(self.terminal.fd, key)
        self.wait(PRESS_EACH_S)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait(self, seconds: float) -> None:
        """Read the painted output and the reports."""
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            self._painted = (self._painted + self.terminal.read(left_s))[-LAST_WORDS:]
        try:
            read = os.read(self._reports, 1 << 16)
        except BlockingIOError:
            return
        if not read:
            words = ESCAPES.sub(b"", self._painted).decode(errors="replace")
            raise SystemExit(f"the program ended by itself; the last that it painted:\n{words}")
        self._rest += read
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def wait_until(self, condition: Callable[[Sample], bool], seconds: float) -> bool:
        end_s = time.monotonic() + seconds
        while not (self.samples and condition(self.last)):
            if time.monotonic() > end_s:
                return False
            self.wait(PRESS_EACH_S)
        return True

    def _take(self, sample: Sample) -> None:
        before = self.samples[-1] if self.samples else None
        self.samples.append(sample)
        wrong = list(broken(sample, self._bound_bytes))
        self.faults += [f"sample {len(self.samples)}: {fault}" for fault in wrong]
        if wrong or time.monotonic() - self._told_s >= TABLE_EACH_S or before is None:
            self._told_s = time.monotonic()
            self._print(sample, wrong)

    def _print(self, sample: Sample, wrong: list[str]) -> None:
        if len(self.samples) == 1:
            print("  time   RSS MiB  anon  store  bound    captured   dropped   evicted paused"
                  "  fds threads clients accepted  frozen")  # fmt: skip
        rss, anonymous, store = (
            sample[name] / MEBIBYTE for name in ("rss", "anonymous", "bytes_held")
        )
        print(
            f"{time.monotonic() - self._began_s:5.0f} s {rss:9.1f} {anonymous:5.0f} {store:6.1f}"
            f" {self._bound_bytes / MEBIBYTE:6.0f} {sample['captured']:11,} {sample['dropped']:9,}"
            f" {sample['evicted']:9,} {'yes' if sample['paused'] else 'no':>6}"
            f" {sample['descriptors']:4} {sample['threads']:7} {sample['clients']:7}"
            f" {sample['accepted']:8,} {sample['frozen']:7,}",
            *wrong,
            flush=True,
        )


def broken(sample: Sample, bound_bytes: int) -> Iterator[str]:
    """Return the promises that a sample breaks."""
    if sample["rss"] > bound_bytes:
        yield f"{sample['rss'] / MEBIBYTE:.0f} MiB resident, over the bound"
    if sample["captured"] + sample["dropped"] > sample["received"]:
        yield "captured + dropped > received"
    for prefix, count in (("", "count"), ("shown_", "shown_count")):
        if sample[f"{prefix}held"] + sample[f"{prefix}evicted"] != sample[count]:
            yield f"{prefix}held + evicted != captured"
    if sample["captured"] > sample["count"]:  # the worker was read first
        yield "captured more than the store has"


def settle(soak: Soak, base: Sample) -> None:
    """Check that all resources return to normal without the load, and that no packet is missing."""

    def is_settled(sample: Sample) -> bool:
        return (
            sample["descriptors"] <= base["descriptors"]
            and sample["threads"] <= base["threads"]
            and sample["clients"] == 0
            and sample["captured"] + sample["dropped"] == sample["received"]
            and sample["captured"] == sample["count"]
        )

    for _ in range(4):
        soak.press(keys.ESC)
    if not soak.wait_until(is_settled, REST_S):
        names = ("descriptors", "names", "clients", "captured", "dropped", "received")
        left = {name: soak.last[name] for name in names}
        soak.faults.append(f"not back at {base['descriptors']} descriptors, {base['threads']} "
                           f"threads and a balanced ledger: {left}")  # fmt: skip


def soak_monitor(stack: ExitStack, seconds: float, store_bytes: int) -> Soak:
    """Start everything, press keys for so many seconds, and let it settle."""
    flood = stack.enter_context(Flood(PACKETS_PER_SECOND))
    home = stack.enter_context(tempfile.TemporaryDirectory())
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        os.environ[f"XDG_{name}_HOME"] = home
    reports, descriptor = os.pipe()
    os.set_inheritable(descriptor, True)
    interfaces = (flood.receiver, "lo")
    program = [sys.executable, "-m", "tests.soak.program", str(descriptor), str(store_bytes)]
    terminal = Terminal([*flood.inside, *program, str(PORT), *interfaces], *SIZES[0], ROOT)
    stack.callback(terminal.close)
    os.close(descriptor)
    rings = len(interfaces) * DEFAULT_RING_BYTES
    soak = Soak(terminal, reports, store_bytes + rings + OVERHEAD_BYTES)
    terminal.wait_for(b"live", PATIENCE_S)
    rng = random.Random(SEED)
    soak.run(float("inf"), keys.warm_up(), rng)
    for _ in range(4):
        soak.press(keys.ESC)
    soak.wait_until(lambda sample: sample["windows"] == 1, REST_S)
    base = soak.last
    flood.start(int(seconds))
    churn = subprocess.Popen(
        [*flood.inside, sys.executable, "-m", "tests.soak.churn", str(PORT), str(CLIENTS),
         str(int(seconds))],
        cwd=ROOT,
    )  # fmt: skip
    stack.callback(churn.wait)
    stack.callback(churn.kill)
    soak.run(seconds, keys.moves(rng), rng)
    while flood.sending or churn.poll() is None:
        soak.wait(PRESS_EACH_S)
    settle(soak, base)
    return soak


def main() -> int:
    if os.geteuid() != 0:
        print("the soak needs root: raw sockets, and a network namespace of its own")
        return 2
    seconds = float(os.environ.get("SOAK_SECONDS", "600"))
    store_bytes = int(os.environ.get("SOAK_STORE", "64")) * MEBIBYTE
    with ExitStack() as stack:
        soak = soak_monitor(stack, seconds, store_bytes)
    samples = soak.samples
    if {sample["paused"] for sample in samples} != {True, False}:
        soak.faults.append("the view was never paused, or always")
    figures = [sample["rss"] / MEBIBYTE for sample in samples]
    print(
        f"resident: {figures[0]:.0f} MiB at the start, {max(figures):.0f} at most, "
        f"{figures[-1]:.0f} at the end; {samples[-1]['captured']:,} packets captured, "
        f"{samples[-1]['accepted']:,} clients served, {len(samples)} samples"
    )
    for fault in soak.faults[:20]:
        print(fault)
    print("holds" if not soak.faults else f"{len(soak.faults)} FAULTS")
    return 1 if soak.faults else 0


if __name__ == "__main__":
    sys.exit(main())
