"""The speed of finding packets in capture files, compared with tshark.

1,500,000 packets of 54 to 90 bytes, as pcap (119 MB) and as pcapng (146 MB), are generated here and
read from the page cache. The figure is the processor time of the reading thread, from opening to
the last batch, next to the elapsed time. tshark prints a tenth of the same packets (``-T psml``,
the comparison of issue 2), and its time is scaled up.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.files.reader import open_capture

PACKETS = 1_500_000
BOUND_OF_TSHARK = 0.1  # of tshark's processor time
FIRST_BATCH_BOUND_S = 0.1
_SIZES = (54, 60, 66, 74, 90)
_SHARES = (0.3, 0.3, 0.2, 0.1, 0.1)
_PCAP_HEADER = np.array([0xA1B2C3D4, 4 << 16 | 2, 0, 0, 262_144, 1], "<u4")
_SECTION = np.array([0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0xFFFFFFFF, 0xFFFFFFFF, 28], "<u4")
_INTERFACE = np.array([1, 20, 1, 0, 20], "<u4")


def write(
    path: Path, header: bytes, words: NDArray[np.uint32], sizes: NDArray[np.int64], tail: int
) -> None:
    """Write records of `words` (n, k), a frame of `sizes` (n,) each, and a padded tail."""
    head = words.shape[1] * 4
    room = sizes if not tail else sizes + (-sizes & 3)
    lengths = head + room + tail
    offsets = len(header) + np.concatenate(([0], np.cumsum(lengths)[:-1]))
    data = np.random.default_rng(1).integers(0, 256, len(header) + int(lengths.sum()), np.uint8)
    data[: len(header)] = np.frombuffer(header, np.uint8)
    raw = words.astype("<u4").view(np.uint8).reshape(len(words), head)
    for byte in range(head):
        data[offsets + byte] = raw[:, byte]
    for byte in range(tail):
        data[offsets + lengths - tail + byte] = raw[:, 4 + byte]
    data.tofile(path)


def make(folder: Path) -> tuple[Path, Path]:
    """Write the same packets as pcap and as pcapng."""
    sizes = np.random.default_rng(2).choice(_SIZES, PACKETS, p=_SHARES).astype(np.int64)
    numbers = np.arange(PACKETS)
    seconds, fraction = 1_700_000_000 + numbers // 100_000, numbers % 100_000 * 10
    pcap, pcapng = folder / "bench.pcap", folder / "bench.pcapng"
    write(pcap, _PCAP_HEADER.tobytes(), np.stack([seconds, fraction, sizes, sizes], 1), sizes, 0)
    stamps = seconds * 1_000_000 + fraction
    zeros = np.zeros(PACKETS, np.int64)
    length = 32 + sizes + (-sizes & 3)
    columns = [zeros + 6, length, zeros, stamps >> 32, stamps & 0xFFFFFFFF, sizes, sizes]
    write(pcapng, (_SECTION.tobytes() + _INTERFACE.tobytes()), np.stack(columns, 1), sizes, 4)
    return pcap, pcapng


def measure(path: Path) -> tuple[float, float, float]:
    """Return processor time, elapsed time, and time to the first batch, in seconds."""
    processor, clock = time.thread_time(), time.perf_counter()
    first, packets = 0.0, 0
    with open_capture(path) as reader:
        for batch in reader.batches():
            first = first or time.perf_counter() - clock
            packets += len(batch)
    assert packets == PACKETS
    return time.thread_time() - processor, time.perf_counter() - clock, first


def tshark_s(path: Path) -> float:
    """Return tshark's processor time for the whole file, or infinity if tshark is missing."""
    tshark = shutil.which("tshark")
    if tshark is None:
        return float("inf")
    command = [tshark, "-n", "-r", str(path), "-T", "psml", "-c"]
    times = []
    for count in (1, PACKETS // 10):
        before = _children_s()
        subprocess.run(
            [*command, str(count)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
        )
        times.append(_children_s() - before)
    return (times[1] - times[0]) * 10 + times[0]


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for path in make(Path(folder)):
            peer = tshark_s(path)
            processor, clock, first = min(measure(path) for _ in range(3))
            print(
                f"{path.suffix[1:]}: {processor / PACKETS * 1e9:.0f} ns a packet "
                f"({processor:.2f} s of processor, {clock:.2f} s by the clock), first batch after "
                f"{first * 1e3:.1f} ms; tshark -T psml {peer:.1f} s of processor"
            )
            good &= processor < peer * BOUND_OF_TSHARK and first < FIRST_BATCH_BOUND_S
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
