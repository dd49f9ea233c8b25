"""``make bench``: run the benchmarks, each next to its peers, and print the figures.

Each ``bench_NAME.py`` in this folder, and in those below it, is a program, such as ``python -m
tests.bench.bench_NAME``: it prints one line per figure and exits with 0, or with 1 if a figure is
worse than its bound. This runner calls
them one after the other, because they would disturb each other, each with a time limit. ``python -m
tests.bench NAME…`` runs some of them.

RESULTS.md records the last reviewed figures and the host that produced them.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIMIT_S = 600


def describe_host() -> str:
    """Describe the host that produces the figures, in one line."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} × {model}, {system}"


def programs() -> dict[str, str]:
    """Return the modules of all benchmarks, by name."""
    found = {}
    for path in sorted(HERE.rglob("bench_*.py")):
        parts = path.relative_to(HERE.parent.parent).with_suffix("").parts
        found[path.stem.removeprefix("bench_")] = ".".join(parts)
    return found


def bench(name: str, module: str) -> bool:
    """Run one benchmark and pass its output through; return True if it met its bounds."""
    print(f"== {name}", flush=True)
    try:
        done = subprocess.run(
            [sys.executable, "-m", module],
            cwd=HERE.parent.parent,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"{name}: not done after {LIMIT_S} s", flush=True)
        return False
    return done.returncode == 0


def main(wanted: list[str]) -> int:
    there = programs()
    unknown = [name for name in wanted if name not in there]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(there)}")
        return 2
    print(describe_host())
    failed = [name for name in wanted or there if not bench(name, there[name])]
    if failed:
        print(f"worse than the bound: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
