"""What a process does while nobody watches: its threads, looked at from outside.

``/proc/PID/task/TID/stat`` says whether a thread runs (R) or sleeps (S, D), and ``wchan`` the
kernel function it sleeps in (proc(5)). Both are read every few milliseconds; the shares are of
these looks. A process counts as running if any of its threads runs; else it is where most of
its threads sleep.

The kernel tells no place (``wchan`` is 0) when the thread has been woken by the time it is asked,
which is what short sleeps are mostly made of: the state and the place are two questions, and the
answer to the second is lost. Such looks are counted as they are, as a sleep without a place.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

LOOK_EVERY_S = 0.005
RUNNING, ASLEEP = "running", "asleep (place not told by the kernel)"

_PLACES = (  # the beginning of the kernel function's name, what it means
    ("ep_poll", "asleep in epoll_wait"),
    ("do_epoll_wait", "asleep in epoll_wait"),
    ("do_select", "asleep in select"),
    ("do_poll", "asleep in poll"),
    ("do_sys_poll", "asleep in poll"),
    ("poll_schedule", "asleep in select or poll"),
    ("schedule_hrtimeout", "asleep in select or poll"),
    ("wait_woken", "asleep in recv"),
    ("sk_wait_data", "asleep in recv"),
    ("signalfd", "asleep until a signal"),
    ("io_cqring_wait", "asleep in io_uring_enter"),
    ("futex", "asleep, waiting for the interpreter's lock"),
)


def describe(function: str) -> str:
    """A kernel function in words; its own name where we know none."""
    if function in ("", "0"):
        return ASLEEP
    return next((words for start, words in _PLACES if function.startswith(start)), function)


def look(process: int) -> str:
    """What the process does at this moment. Raises OSError when it has ended."""
    places: Counter[str] = Counter()
    for task in Path(f"/proc/{process}/task").iterdir():
        state = (task / "stat").read_text().rpartition(")")[2].split()[0]
        if state == "R":
            return RUNNING
        places[(task / "wchan").read_text()] += 1
    return describe(places.most_common(1)[0][0]) if places else ASLEEP


def watch(process: int, going_on: Callable[[], bool]) -> dict[str, float]:
    """Look until `going_on` says no; the share of each thing, largest first."""
    seen: Counter[str] = Counter()
    while going_on():
        try:
            seen[look(process)] += 1
        except OSError:
            continue  # a thread ended between two looks
        time.sleep(LOOK_EVERY_S)
    total = sum(seen.values())
    return {what: count / total for what, count in seen.most_common()}
