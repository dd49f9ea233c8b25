"""``python -m tests.fuzz``: pass mutated frames to every reader; none may fail.

Frames are made and read in batches, each with its own seed, so the same seed makes the same frames
whatever the count, and memory does not grow. The first fault ends the run with status 1; the frame,
its seed and the traceback go to stdout. Progress goes to stderr.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from random import Random

from tests.fuzz.mutations import beginnings, mutated
from tests.fuzz.readers import FaultError, check

BATCH = 25_000
DEFAULT_FRAMES = 200_000
DEFAULT_SEED = 10


def run(frames: int, seed: int) -> int:
    """Have every reader read `frames` mutated frames; return the exit status."""
    samples = beginnings()
    started = time.monotonic()
    print(f"{len(samples)} frames to begin with, seed {seed}", file=sys.stderr)
    for first in range(0, frames, BATCH):
        count = min(BATCH, frames - first)
        try:
            check(list(mutated(samples, Random(f"{seed}/{first}"), count)))
        except FaultError as fault:
            print(f"seed {seed}, among the {count} frames from {first} on: {fault}")
            traceback.print_exception(fault, file=sys.stdout)
            return 1
        elapsed = time.monotonic() - started
        done = first + count
        words = f"{done:,} frames, {done / elapsed:,.0f}/s, {time.process_time():.0f} s of CPU"
        print(words, file=sys.stderr)
    return 0


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--frames", type=int, default=DEFAULT_FRAMES, metavar="N")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    given = parser.parse_args()
    return run(given.frames, given.seed)


if __name__ == "__main__":
    sys.exit(main())
