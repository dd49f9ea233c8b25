"""Replay compared with tcpreplay: top speed, and how accurately gaps are kept.

Both send the same files over the same veth pair, in turn, `ROUNDS` times; the best round of each
counts, because other work on the host can only make a sender slower or later.

Top speed is measured as `bench_send` measures its senders: the packets that the far end counted in
a window of steady sending, by the clock and per second of the sender's processor time. One file has
frames of 54 bytes, one has the sizes of real traffic (60 to 1,514 bytes), and one has five frames.
tcpreplay preloads its file (``--preload-pcap``), and rawscope maps it.

Accuracy is measured with a file of `FRAMES` frames whose gaps are between 0.1 and 4 ms. The far end
captures them with the kernel's timestamps. The error of a frame is the difference between its time
since the first arrival and its captured time since the first frame. The bench reports the median,
the 99th percentile, and the largest error.

Bounds, by the clock and by processor time: rawscope sends at least as many frames of 54 bytes a
second as tcpreplay, and at least 0.9 times as many of the other files: by processor time, the two
are equal within the noise of a busy host. Its median error is at most tcpreplay's.

Needs root and tcpreplay.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.files.reader import open_capture
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from tests.app.made import TIME_NS, capture_of
from tests.bench.bench_send import ENOUGH, FIELDS, NOBODY, REPLAYED, Rate, rate
from tests.helpers.support import ROOT, require_peer
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.network import Network
from tests.live.watching import watching

ROUNDS = 4
FRAMES = 2000
LEAST_RATIO = {"54 bytes": 1.0, "mixed sizes": 0.9, "five frames": 0.9}
FIVE = (60, 90, 590, 1514, 60)  # bytes
SEED = 20
SENDERS = ("rawscope", "tcpreplay")


def frame(size: int) -> bytes:
    """Return a frame of `size` bytes to a link address that nobody has."""
    return evaluate(Draft(("eth", "ip", "tcp"), FIELDS)).data.ljust(size, b"\x55")


def files(folder: Path) -> dict[str, str]:
    """Return the name of a file of each kind."""
    sizes = np.random.default_rng(SEED).choice([60, 90, 590, 1514], 10_000, p=[0.4, 0.2, 0.1, 0.3])
    gaps_ns = np.random.default_rng(SEED).integers(100_000, 4_000_000, FRAMES - 1)
    times = (TIME_NS + np.concatenate([[0], np.cumsum(gaps_ns)])).tolist()
    return {
        "54 bytes": capture_of(folder / "small.pcap", [frame(54)] * REPLAYED),
        "mixed sizes": capture_of(folder / "mixed.pcap", [frame(size) for size in sizes.tolist()]),
        "five frames": capture_of(folder / "five.pcap", [frame(size) for size in FIVE]),
        "gaps": capture_of(folder / "gaps.pcap", [frame(60)] * FRAMES, times),
    }


def command(sender: str, path: str, link: str, *, is_timed: bool = False) -> list[str]:
    """Return the command that sends a file once with its timing, or over and over without."""
    if sender == "rawscope":
        words = [sys.executable, "-m", "app", "replay", path, "--link", link, "--yes"]
        loops = [] if is_timed else ["--topspeed", "--loop", str(ENOUGH // len(FIVE))]
        return [*words, "--no-audit", *loops]
    words = [require_peer("tcpreplay"), "-q", "-i", link]
    loops = [] if is_timed else ["--topspeed", "--preload-pcap", "--loop", str(ENOUGH // len(FIVE))]
    return [*words, *loops, path]


@dataclass(frozen=True)
class Errors:
    """The errors of the frames of one file, in microseconds."""

    median: float
    most_of_all: float
    largest: float


def timing(network: Network, sender: str, path: str, due_ns: NDArray[np.int64]) -> Errors:
    """Send a file from the far end with its timing; return the errors of its frames."""
    wanted = bytes.fromhex(NOBODY.replace(":", ""))
    words = [*network.inside(network.far), *command(sender, path, "far0", is_timed=True)]
    with watching(network, ring_bytes=16 << 20) as watch:
        sending = subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

        def arrived() -> list[int]:
            watch.read()
            return [one.timestamp_ns for one in watch.packets if one.data.startswith(wanted)]

        until(lambda: watch.read() >= FRAMES and len(arrived()) >= FRAMES, "all frames")
        assert sending.wait(PATIENCE_S) == 0
        found = np.array(arrived(), np.int64)
    errors = np.abs((found - found[0]) - due_ns) / 1000
    return Errors(*(float(one) for one in np.quantile(errors, [0.5, 0.99, 1.0])))


def compare_speed(network: Network, kind: str, path: str, folder: Path) -> tuple[str, bool]:
    """Report the best rates of both senders; return the bound as text, and True if it is met."""
    best = dict.fromkeys(SENDERS, Rate())
    environment = {**os.environ, "XDG_STATE_HOME": str(folder)}
    for _ in range(ROUNDS):
        for sender in SENDERS:
            words = command(sender, path, "near0")
            best[sender] = best[sender].better(rate(network, words, environment))
    for sender, found in best.items():
        print(
            f"  {kind:12} {sender:10} {found.clock:>10,.0f} frames/s "
            f"{found.processor:>10,.0f} a CPU second"
        )
    found, other = best["rawscope"], best["tcpreplay"]
    ratios = found.clock / other.clock, found.processor / other.processor
    words = f"{kind}: {ratios[0]:.2f} × tcpreplay by the clock, {ratios[1]:.2f} by CPU"
    least = LEAST_RATIO[kind]
    return f"{words}, at least {least}", min(ratios) >= least


def compare_timing(network: Network, path: str) -> tuple[str, bool]:
    """Report the errors of both senders; return the bound as text, and True if it is met."""
    due_ns, median = times_of(path), {}
    for sender in SENDERS:
        rounds = [timing(network, sender, path, due_ns) for _ in range(ROUNDS)]
        errors = min(rounds, key=lambda one: one.median)
        median[sender] = errors.median
        print(
            f"  gaps         {sender:10} error {errors.median:.0f} µs (median), "
            f"{errors.most_of_all:.0f} µs (99 %), {errors.largest:.0f} µs (largest)"
        )
    found, other = median["rawscope"], median["tcpreplay"]
    return f"gaps: median error {found:.0f} µs, tcpreplay's {other:.0f} µs", found <= other


def main() -> int:
    with Network() as network, tempfile.TemporaryDirectory(dir=_memory_folder()) as name:
        paths = files(Path(name))
        held = [compare_speed(network, kind, paths[kind], Path(name)) for kind in LEAST_RATIO]
        held.append(compare_timing(network, paths["gaps"]))
    for words, holds in held:
        print(f"  {words}: {'yes' if holds else 'NO'}")
    return 0 if all(holds for _, holds in held) else 1


def times_of(path: str) -> NDArray[np.int64]:
    """Return the captured time of each frame of a file since the first, in nanoseconds."""
    with open_capture(path) as reader:
        times = np.concatenate([batch.timestamp_ns for batch in reader.batches()])
    return np.asarray(times - times[0])


def _memory_folder() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


if __name__ == "__main__":
    sys.exit(main())
