"""The processor time of ``dump -r`` for lines, beside tshark's and tcpdump's in the same rounds.

The captures are mixed packets (`tests.bench.traffic.mixed`) and TCP connections with handshakes and
timestamps (`tests.bench.traffic.connections`). A figure is the difference between a large and a
small capture, without the program's start, the median of some rounds in which the programs take
turns. Bound: no more than tshark. It also prints the share of packets that columns describe
(`core.decode.summaries`); the others are dissected one at a time.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from core.decode.summaries import summaries
from core.files.chunks import iter_chunks
from core.files.reader import open_capture
from tests.bench.bench_commands import RAWSCOPE, measure
from tests.bench.traffic import connections, mixed

SMALL, LARGE = 20_000, 100_000
ROUNDS = 5
COMMANDS = {
    "rawscope dump": [*RAWSCOPE, "dump", "-r"],
    "tshark": ["tshark", "-n", "-r"],
    "tcpdump": ["tcpdump", "-n", "-r"],
}


def share_of_columns(path: Path) -> float:
    """Return which part of the packets of a capture columns describe."""
    described = total = 0
    with open_capture(str(path)) as reader:
        for chunk in iter_chunks(reader):
            infos = summaries(chunk).info.tolist()
            described += sum(info is not None for info in infos)
            total += len(infos)
    return described / total


def microseconds(command: list[str], small: Path, large: Path) -> float:
    """Return the processor time of a command per packet."""
    few_s, many_s = (measure([*command, str(path)])[1] for path in (small, large))
    return (many_s - few_s) / (LARGE - SMALL) * 1e6


def compare(name: str, write: Callable[[Path, int], None], folder: Path) -> bool:
    """Print the figures of one kind of traffic; return True if the bound holds."""
    small, large = folder / "small.pcap", folder / "large.pcap"
    write(small, SMALL)
    write(large, LARGE)
    print(f"{name}: {share_of_columns(large):.1%} of the packets by columns")
    present = {each: command for each, command in COMMANDS.items() if shutil.which(command[0])}
    rounds = [
        {each: microseconds(command, small, large) for each, command in present.items()}
        for _ in range(ROUNDS)
    ]
    figures = {each: median(times[each] for times in rounds) for each in present}
    for each, figure in figures.items():
        print(f"    {each}: {figure:.1f} µs a packet")
    if "tshark" not in figures:
        print("    tshark is missing, nothing to compare with")
        return True
    ratio = median(times["rawscope dump"] / times["tshark"] for times in rounds)
    print(f"    rawscope / tshark: {ratio:.2f}; bound 1")
    return ratio <= 1


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        kinds = {"mixed": mixed.write_pcap, "connections": connections.write_pcap}
        held = [compare(kind, write, Path(name)) for kind, write in kinds.items()]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
