"""The curve that explains why epoll exists: the cost of one wake-up with n idle descriptors.

n UDP sockets receive nothing, and one socket pair has one byte in it: the wait returns at once,
with one descriptor ready, and only that call is timed. For select and poll the kernel checks each
of the n sockets on every call, so the cost grows with n; epoll learns from a socket itself that it
is ready. Python's own share is in the figure, too: for select it converts the list of descriptors
to a bit map and back, for poll it keeps the array.

select is limited by FD_SETSIZE: a descriptor of 1,024 or more has no bit in its map.

``python -m core.iolab.curve COUNT…`` prints one JSON object per point. It runs in a process of its
own, because it opens ten thousand descriptors and its timing needs an interpreter to itself.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict

from core.echo.descriptors import raise_descriptor_limit
from core.iolab.models import FD_SETSIZE
from core.iolab.results import MECHANISMS, CurvePoint

COUNTS = (10, 100, 1000, 10_000)
_ROUNDS = 300
_MOST_S = 0.5  # for one point
_OTHERS = 64  # descriptors besides the idle ones


Wait = Callable[[], object]


def measure(counts: Sequence[int] = COUNTS) -> Iterator[CurvePoint]:
    """Yield the points: for each count, each mechanism."""
    limit = raise_descriptor_limit()
    for count in counts:
        if count + _OTHERS > limit:
            reason = f"this process may open only {limit} descriptors (ulimit -n)"
            yield from (CurvePoint(name, count, None, None, reason) for name in MECHANISMS)
            continue
        with ExitStack() as stack:
            idle = [
                stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                for _ in range(count)
            ]
            sender, receiver = map(stack.enter_context, socket.socketpair())
            watched = [one.fileno() for one in (*idle, receiver)]
            sender.send(b"x")
            for name in MECHANISMS:
                yield _point(name, count, watched, stack)


def _point(name: str, count: int, watched: list[int], stack: ExitStack) -> CurvePoint:
    if name == "select" and max(watched) >= FD_SETSIZE:
        reason = f"select is limited to descriptors below {FD_SETSIZE} (FD_SETSIZE)"
        return CurvePoint(name, count, None, None, reason)
    wait = _waits(name, watched, stack)
    taken: list[float] = []
    ends_s = time.perf_counter() + _MOST_S
    while len(taken) < _ROUNDS and time.perf_counter() < ends_s:
        started = time.perf_counter()
        wait()
        taken.append(time.perf_counter() - started)
    taken.sort()
    return CurvePoint(name, count, taken[len(taken) // 2] * 1e6, taken[0] * 1e6)


def _waits(name: str, watched: list[int], stack: ExitStack) -> Wait:
    if name == "select":
        return lambda: select.select(watched, [], [])
    if name == "poll":
        poller = select.poll()
        for descriptor in watched:
            poller.register(descriptor, select.POLLIN)
        return poller.poll
    epoll = stack.enter_context(select.epoll())
    for descriptor in watched:
        epoll.register(descriptor, select.EPOLLIN)
    return epoll.poll


def main(arguments: list[str]) -> int:
    """Print one line per point."""
    for point in measure([int(argument) for argument in arguments] or COUNTS):
        sys.stdout.write(json.dumps(asdict(point)) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
