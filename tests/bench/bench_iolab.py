"""The laboratory's claim: among more descriptors a wake-up costs select and poll more, not epoll.

Also prints the rate of each I/O model on this host, among 1,000 idle connections and among none.
"""

from __future__ import annotations

import sys

from core.iolab.lab import LabOptions, run_curve, run_models

GROWS, STAYS = 5.0, 3.0  # from 10 to 10,000 idle descriptors


def main():
    for idle in (0, 900):
        for result in run_models(options=LabOptions(messages=20_000, idle=idle)):
            if result.refused:
                print(f"100 clients, {idle} idle: {result.model}: {result.refused}")
                continue
            print(
                f"100 clients, {idle} idle: {result.model:12s} {result.rate:8,.0f} messages/s, "
                f"{result.calls_per_message:.2f} calls and {result.cpu_us_per_message:.1f} µs "
                f"of CPU a message, p99 {result.p99_us:,.0f} µs",
                flush=True,
            )
    costs = {}
    for point in run_curve():
        costs.setdefault(point.mechanism, []).append(point.least_us)
        cost = point.refused or f"{point.median_us:.1f} µs"
        print(f"{point.descriptors:6,} idle: {point.mechanism:6s} {cost}", flush=True)
    held = (
        costs["select"][2] > GROWS * costs["select"][0]
        and costs["poll"][3] > GROWS * costs["poll"][0]
        and costs["epoll"][3] < STAYS * costs["epoll"][0]
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
