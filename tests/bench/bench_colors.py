"""The time that the default color rules take for the packets on one screen.

The packets are mixed (`tests.bench.traffic.mixed`); 50 of them are drawn for the first time, in a
row or scattered as a filter leaves them. Tunneled packets are dissected for each field that a rule
names. The figures are processor time, the best of many runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from core.analysis.color_rules.rule import DEFAULT_RULES
from core.analysis.color_rules.rule_matcher import RuleMatcher
from core.store.snapshot import Snapshot
from core.wire.link.ethernet import ETHERNET
from tests.bench.bench_store import SCREEN, Figure, best, capture, store_of
from tests.bench.traffic.mixed import frames
from tests.core.decode.frames import ethernet, ipv4

PACKETS = 65_536
SCREENS = 20  # of each kind
RUNS = 10
IP_IN_IP = 4


def tunneled() -> list[bytes]:
    """Return the mixed IPv4 packets, each inside another IPv4 packet."""
    return [
        ethernet(ipv4(frame[ETHERNET.size :], IP_IN_IP))
        for frame in frames()
        if frame[12:14] == b"\x08\x00"
    ]


def screen_ms(snapshot: Snapshot, screens: Sequence[Sequence[int]]) -> float:
    """Return the milliseconds for one of some screens, with packets drawn for the first time."""
    matcher = RuleMatcher(DEFAULT_RULES)
    seconds = best(lambda: [matcher.match(snapshot, numbers) for numbers in screens], RUNS)
    return seconds * 1e3 / len(screens)


def main() -> int:
    snapshot = store_of(capture(PACKETS)).snapshot()
    tunnels = store_of(capture(PACKETS, tunneled())).snapshot()
    in_a_row = [range(at, at + SCREEN) for at in range(1, SCREENS * 997, 997)]
    scattered = [range(at, at + SCREEN * 31, 31) for at in range(1, SCREENS * 997, 997)]
    figures = [
        Figure(f"{SCREEN} packets in a row", screen_ms(snapshot, in_a_row), "ms", 3),
        Figure(f"{SCREEN} scattered packets", screen_ms(snapshot, scattered), "ms", 3),
        Figure(f"{SCREEN} packets in tunnels", screen_ms(tunnels, in_a_row), "ms", 15),
    ]
    for figure in figures:
        print(figure, flush=True)
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
