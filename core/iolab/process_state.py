"""The activity of a process, sampled from outside through its threads.

``/proc/PID/task/TID/stat`` shows whether a thread runs (R) or sleeps (S, D), and ``wchan`` the
kernel function it sleeps in (proc(5)). Both are read every few milliseconds; the shares are of
these samples. A process counts as running if any of its threads runs; else it is where most of its
threads sleep.

The kernel shows no function (``wchan`` is 0) if the thread has been woken by the time of the second
read, which happens often in short sleeps. Such samples are counted as sleep in an unknown function.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

SAMPLE_EVERY_S = 0.005
RUNNING, ASLEEP = "running", "asleep (kernel function unknown)"

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
    """Return a kernel function in words; its own name if it is not in the table."""
    if function in ("", "0"):
        return ASLEEP
    return next((words for start, words in _PLACES if function.startswith(start)), function)


def sample(process: int) -> str:
    """Return what the process does at this moment. Raise OSError if it has ended."""
    places: Counter[str] = Counter()
    for task in Path(f"/proc/{process}/task").iterdir():
        state = (task / "stat").read_text().rpartition(")")[2].split()[0]
        if state == "R":
            return RUNNING
        places[(task / "wchan").read_text()] += 1
    return describe(places.most_common(1)[0][0]) if places else ASLEEP


def watch(process: int, going_on: Callable[[], bool]) -> dict[str, float]:
    """Sample while `going_on` returns True; return the share of each state, largest first."""
    seen: Counter[str] = Counter()
    while going_on():
        try:
            seen[sample(process)] += 1
        except OSError:
            continue  # a thread ended between the two reads
        time.sleep(SAMPLE_EVERY_S)
    total = sum(seen.values())
    return {what: count / total for what, count in seen.most_common()}
