"""Change the capture filter while 300,000 numbered packets a second arrive.

Of eight packets both filters want four, no filter wants one, and each wants others. One capture
changes from one filter to the other as often as it can; another one beside it keeps a filter for
what both want. Both count the packets of each kind. trafgen writes a number into each packet.

Bounds: neither capture drops a packet; of the packets that both filters want, the capture that
changes has as many as the one that does not, in order and without a gap; it has no packet that both
exclude; each filter rejected packets. Needs root and trafgen.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys

import numpy as np

from core.capture.capture_filter import compile_filter
from core.capture.options import CaptureOptions
from core.capture.session import CaptureSession
from core.decode.batch import Batch
from core.net.sockets import LOCAL_SOCKETS
from tests.bench.traffic.flood import Flood
from tests.helpers.support import ROOT

RATE = 300_000
SECONDS = 5
NUMBER_AT = 17  # the byte of a frame that counts
FRAME = "{ fill(0x02, 12), 0x88, 0xb5, 0, 0, 0, dinc(0, 255), fill(0x55, 42) }"  # trafgen(8)
KIND = f"ether[{NUMBER_AT}] & 7"
WANTED, EXCLUDED, ONE_WANTS = (0, 3, 4, 7), 5, (1, 2, 6)
CHANGING = (f"{KIND} != 1 and {KIND} != 5", f"{KIND} != 2 and {KIND} != 5 and {KIND} != 6")
STEADY = " or ".join(f"{KIND} = {kind}" for kind in WANTED)
STEPS = (1, 3)  # from a wanted number to the next


class Counted:
    """A capture that counts its packets by the last three bits of their numbers.

    `gaps` are the places where a packet that both filters want is missing.
    """

    def __init__(self, name: str, expression: str) -> None:
        options = CaptureOptions((name,), capture_filter=compile_filter(expression))
        self.session = CaptureSession(options, lambda _: 0, LOCAL_SOCKETS)
        (self.feed,) = self.session.feeds
        self.kinds = np.zeros(8, np.int64)
        self.gaps = 0
        self._last = np.zeros(0, np.uint8)

    def count(self, batch: Batch) -> None:
        numbers = batch.data[batch.offset + NUMBER_AT]
        self.kinds += np.bincount(numbers & 7, minlength=8)
        wanted = np.concatenate([self._last, numbers[np.isin(numbers & 7, WANTED)]])
        self.gaps += int((~np.isin(np.diff(wanted), STEPS)).sum())
        self._last = wanted[-1:]

    def read(self) -> None:
        while (batch := self.session.read(self.feed)) is not None:
            self.count(batch)

    def end(self) -> dict[str, object]:
        """Return the packets of each kind, and how many were dropped."""
        self.session.end(self.feed, self.count)
        dropped = self.session.statistics().dropped
        self.session.close()
        return {"kinds": self.kinds.tolist(), "dropped": dropped, "gaps": self.gaps}


def capture(name: str) -> None:
    """Capture until a line arrives on standard input, then print JSON. Runs in the child."""
    filters = [compile_filter(text) for text in CHANGING]
    changing, steady = Counted(name, CHANGING[0]), Counted(name, STEADY)
    print("ready", flush=True)
    poll = select.poll()
    for one in (sys.stdin, changing.feed.source, steady.feed.source):
        poll.register(one.fileno(), select.POLLIN)
    changes = 0
    while sys.stdin.fileno() not in dict(poll.poll()):
        changes += 1
        changing.session.change_filter(filters[changes % 2])
        changing.read()
        steady.read()
    print(json.dumps({"changing": changing.end(), "steady": steady.end(), "changes": changes}))


def main() -> int:
    with Flood(RATE, FRAME) as flood:
        child = subprocess.Popen(
            [*flood.inside, sys.executable, "-m", "tests.bench.bench_capture_filter",
             flood.receiver],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        flood.start(SECONDS)
        flood.wait(60)
        told, _nothing = child.communicate("stop\n", timeout=30)
        arrived = flood.arrived
    found = json.loads(told)
    changing, steady = found["changing"], found["steady"]
    print(f"{arrived:,} packets arrived; the filter was changed {found['changes']:,} times")
    for name, one in (("changing", changing), ("steady", steady)):
        kinds = f"by the last three bits {one['kinds']}"
        print(f"  {name:8} {kinds}, dropped {one['dropped']}, gaps {one['gaps']}")
    lost = [steady["kinds"][kind] - changing["kinds"][kind] for kind in WANTED]
    each = arrived // 8
    print(f"  lost of what both filters want: {sum(lost)}")
    print(f"  passed of what both exclude: {changing['kinds'][EXCLUDED]}")
    rejected = all(0 < changing["kinds"][kind] < each for kind in ONE_WANTS)
    whole = not any(lost) and not any(one["dropped"] or one["gaps"] for one in (changing, steady))
    is_exact = whole and rejected and not changing["kinds"][EXCLUDED]
    return 0 if is_exact and found["changes"] > 1 else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        capture(sys.argv[1])
    else:
        sys.exit(main())
